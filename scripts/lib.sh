# Shared by the scripts; sourced with the repository as working directory.

newest_kafka() {
	awk '$1 == "kafka" { print $2 }' tests/kafka/versions
}

CACHE=${KP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kproducer}
KAFKA_JARS=${KAFKA_JARS:-$CACHE/kafka-$(newest_kafka)}
KP_VENV=${KP_VENV:-$CACHE/venv}
TOXIPROXY=$CACHE/toxiproxy/server

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# The Go programs of the tests: the version that they want, where setup puts it, and the go to use, the first that is new enough.
wanted_go() {
	sed -n 's/^go //p' tests/foreign/go/go.mod
}
cache_of_go() {
	echo "$CACHE/go-$(wanted_go)"
}
find_go() {
	local go version wanted
	wanted=$(wanted_go)
	for go in "$(command -v go)" "$(cache_of_go)/bin/go"; do
		version=$(GOTOOLCHAIN=local "$go" env GOVERSION 2>/dev/null) || continue
		if printf '%s\n' "$wanted" "${version#go}" | sort -V -C; then
			echo "$go"
			return
		fi
	done
	return 1
}

# start_broker ERRORS [OPTION]...: starts the development broker on a free port; sets BROKER_PID and BROKER (host:port).
start_broker() {
	local errors=$1 fd line=
	shift
	exec {fd}< <(exec build/kproducer broker --listen 127.0.0.1:0 "$@" 2>"$errors")
	BROKER_PID=$!
	BROKER=
	while read -r -t 10 -u "$fd" line; do
		if [[ $line == ready\ * ]]; then
			BROKER=${line#ready }
			return 0
		fi
	done
	echo "the broker did not say that it is ready; its last words: ${line:-none}" >&2
	cat "$errors" >&2
	stop_broker
	return 1
}

# Interrupts the broker, and kills it when it is still there after 5 seconds.
stop_broker() {
	local i
	[[ -n ${BROKER_PID:-} ]] || return 0
	kill -INT "$BROKER_PID" 2>/dev/null || true
	for ((i = 0; i < 50; i++)); do
		kill -0 "$BROKER_PID" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "$BROKER_PID" 2>/dev/null || true
	BROKER_PID=
}
