# kproducer.bash - completion for bash. The command itself says what may stand next: kproducer __complete.

_kproducer()
{
	local word rest=${COMP_LINE:0:COMP_POINT} trimmed line cur i words=()
	# Bash cuts words at '=' and ':', which stand within ours: what follows without a blank belongs together.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		trimmed=${rest#"${rest%%[![:space:]]*}"}
		word=${COMP_WORDS[i]}
		if ((i == COMP_CWORD)); then
			word=$trimmed
		fi
		if ((i > 0)) && [[ $trimmed == "$rest" && -n $rest ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
		rest=${trimmed#"$word"}
	done
	cur=${words[-1]}
	COMPREPLY=()
	while IFS= read -r line; do
		case $line in
		:nospace) compopt -o nospace 2>/dev/null ;;
		:files | :dirs) _kproducer_paths "$line" "$cur" ;;
		*) COMPREPLY+=("$line") ;;
		esac
	done < <("${words[0]/#\~/$HOME}" __complete "${words[@]:1}" 2>/dev/null)
	# Readline replaces what is behind the last character that cuts words for it only.
	for word in = :; do
		if [[ $COMP_WORDBREAKS == *"$word"* && $cur == *"$word"* ]]; then
			line=${cur%"${cur##*"$word"}"}
			COMPREPLY=("${COMPREPLY[@]#"$line"}")
			cur=${cur#"$line"}
		fi
	done
}

# The names of files, or of folders, that a word or the value of --option=VALUE may become.
_kproducer_paths()
{
	local lead='' path=$2 action=-f found
	if [[ $path == --*=* ]]; then
		lead=${path%%=*}=
		path=${path#*=}
	fi
	if [[ $1 == :dirs ]]; then
		action=-d
	fi
	compopt -o filenames 2>/dev/null
	while IFS= read -r found; do
		COMPREPLY+=("$lead$found")
	done < <(compgen "$action" -- "$path")
}

complete -F _kproducer kproducer
