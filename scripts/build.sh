#!/usr/bin/env bash
# Builds the release binary for the machine it runs on.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
mkdir -p "$cache/log"
log=$cache/log/build.log
if [ ! -x "$binary" ]; then
    need_space "$(dirname "$(dirname "$binary")")" 3000 "The first build"
    say "building qanda (the first time compiles llama.cpp and takes some minutes)"
fi
# cargo's progress stays on the terminal and a copy goes to the log.
cargo build --release --locked --workspace 2> >(tee "$log" >&2) || { sleep 0.2; explain "The build" "$log"; }
