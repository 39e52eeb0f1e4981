#!/usr/bin/env bash
# Answers of the default models on a quiet machine, and beside programs that keep every core busy. Writes its chapter of
# docs/benchmarks.md. ROUNDS=3 BUSY=2 (busy programs; as many as there are cores unless given)
. "$(dirname "$0")/../../scripts/lib.sh"
. scripts/servers.sh
rounds=${ROUNDS:-3} busy=${BUSY:-$(nproc)}
[ "$(grep -c '^<!-- written by make bench-busy:' docs/benchmarks.md)" -eq 2 ] ||
    fail "docs/benchmarks.md has no place for this chapter: the two marks of make bench-busy are gone."

. bench/questions.sh

export QANDA_CONFIG=/dev/null QANDA_ENV_FILE=/dev/null QANDA_DATA_DIR=$work/data RUST_LOG=warn
# With the model's part: quoting, the default, asks none.
export QANDA_GROUNDING=strict
"$binary" ingest examples >"$work/ingest.log" 2>&1

spin() { while :; do :; done; }

measure() { # measure NAME NEIGHBOURS ARGUMENT...: a fresh server, each question once, one after the other
    local name=$1 neighbours=$2 n
    shift 2
    free_ports qanda
    launch qanda "$binary" serve --listen "127.0.0.1:${port[qanda]}" --timeout 120 "$@"
    await qanda "http://127.0.0.1:${port[qanda]}/readyz"
    for n in $(seq "$neighbours"); do
        spin &
        process[busy$n]=$!
    done
    "$binary" bench --url "http://127.0.0.1:${port[qanda]}" --log none --tasks "${#questions[@]}" --concurrency 1 \
        "${arguments[@]}" --json "$work/$name.json" >"$work/$name.out"
    for n in $(seq "$neighbours"); do
        kill "${process[busy$n]}"
        unset "process[busy$n]"
    done
    kill "${process[qanda]}"
    wait "${process[qanda]}" || true
    unset "process[qanda]"
}

for round in $(seq "$rounds"); do
    for threads in default 1; do
        arguments_of_server=()
        [ "$threads" = default ] || arguments_of_server=(--llm-threads "$threads")
        say "round $round of $rounds, threads: $threads"
        measure "idle-$threads-$round" 0 "${arguments_of_server[@]}"
        measure "busy-$threads-$round" "$busy" "${arguments_of_server[@]}"
    done
done
python3 bench/busy/chapter.py "$work" "$busy"
