# A thin front: the build is CMake's, the work is in scripts/. Each target sets up what it needs first.
.PHONY: build demo test test-full chaos sim-mutants bench bench-quick check fuzz-quick install clean

build:
	@scripts/setup
	@scripts/build release

demo:
	@scripts/demo

test:
	@scripts/test

test-full:
	@scripts/test --full

sim-mutants:
	@scripts/setup
	@scripts/sim-mutants

chaos:
	@scripts/chaos

check:
	@scripts/setup --test
	@scripts/check

fuzz-quick:
	@scripts/setup --test
	@scripts/fuzz

bench:
	@scripts/bench full

bench-quick:
	@scripts/bench quick

PREFIX ?= /usr/local
install: build
	@cmake --install build --prefix $(PREFIX)
	@if [ $$(id -u) = 0 ]; then ldconfig; fi

clean:
	rm -rf build build-*
