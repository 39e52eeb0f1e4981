#!/usr/bin/env bash
# Ingest speed, start-up, memory, time to first token and throughput of the default models over the samples.
. "$(dirname "$0")/../scripts/lib.sh"
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
# With the model's part: quoting, the default, asks none.
export QANDA_DATA_DIR=$work/data RUST_LOG=warn QANDA_GROUNDING=strict

say "ingest of the samples"
"$binary" ingest examples 2>/dev/null

say "cold start: from the command to /readyz"
port=${PORT:-8771} url=http://127.0.0.1:${PORT:-8771}
for run in 1 2 3; do
    started=$(date +%s%N)
    "$binary" serve --listen "127.0.0.1:$port" >/dev/null & server=$!
    for _ in $(seq 2000); do curl -sf "$url/readyz" >/dev/null && break; sleep 0.005; done
    echo "run $run: $((($(date +%s%N) - started) / 1000000)) ms"
    [ "$run" = 3 ] || { kill "$server"; wait "$server" || true; }
done
echo "resident memory, idle: $(awk '/VmRSS/ { printf "%.0f MB (of that from files: ", $2 / 1024 } /RssFile/ { printf "%.0f MB)", $2 / 1024 }' "/proc/$server/status")"

. bench/questions.sh
say "one question after the other (8 questions, 3 runs)"
for _ in 1 2 3; do "$binary" bench --url "$url" --log none --tasks 8 --concurrency 1 "${arguments[@]}"; done
say "eight questions at once (3 runs)"
for _ in 1 2 3; do "$binary" bench --url "$url" --log none --tasks 8 --concurrency 8 "${arguments[@]}"; done
kill "$server"; wait "$server" || true; server=
say "generation alone, 128 tokens each: one after the other, then eight at once"
"$binary" serve --listen "127.0.0.1:$port" --max-tokens 128 >/dev/null & server=$!
for _ in $(seq 2000); do curl -sf "$url/readyz" >/dev/null && break; sleep 0.005; done
story="Tell a long story about a ship that sails around the world."
for concurrency in 1 8 1 8 1 8; do
    echo "at once: $concurrency"
    "$binary" bench --url "$url" --tasks 8 --concurrency "$concurrency" --log none --model-alone --question "$story" | tail -1
done
