#!/usr/bin/env bash
# One process under many questions at once: one asynchronous worker over the embedded store, the classic chain with
# three calls of a mock model, embeddings from the mock model, too. Prints one Markdown table.
#   SCALE=0.25    a quarter of the latencies, for a quick run      ROUNDS=5   of which the medians are printed
#   LOADS="..."   questions at once, or NUMBER@RATE for so many a second
#   WAIT=60       seconds from the last answer to the second look at the memory (after 10,000 questions and more)
#   RESULTS=FILE  keeps what was measured, one JSON object a line
. "$(dirname "$0")/../scripts/lib.sh"
. scripts/servers.sh
need python3 "Python 3 is missing: install it and run this again."
medquad=../shared/data/medquad
[ -d $medquad ] || fail "This needs ../shared/data, which is not here."
scale=${SCALE:-1}
rounds=${ROUNDS:-5}
loads=${LOADS:-1 20 200 1000 10000 10000@10000 10000@400}
results=${RESULTS:-$work/results.jsonl}
: >"$results"
# With it one question takes 12.4 s, as in the original service.
latency=$(awk -v scale="$scale" 'BEGIN { printf "%dms", 4100 * scale }')

# Each question holds a connection of its caller and one to the model. Client, server and model raise their limits
# themselves, to this same one; it is raised here so that the table can tell it.
ulimit -n "$(ulimit -Hn)"
for load in $loads; do
    [ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge $((2 * ${load%@*} + 2500)) ] ||
        say "the limit of open files is $(ulimit -n): of $load some may fail for want of them (ulimit -Hn)"
done
free_ports fast model service
export QANDA_CONFIG=/dev/null QANDA_ENV_FILE=/dev/null RUST_LOG=warn QANDA_DATA_DIR=$work/data EMBEDDING_MODEL=mock
# The vectors of the mock model mean little: whatever is found counts.
export QANDA_STORE=embedded QANDA_EMBEDDER=openai QANDA_LLM=openai QANDA_RELEVANCE_FLOOR=-1
start_mock_llm --latency "$latency" --tokens 40 \
    --text "Most adults should follow the advice that their own documents give [1]. Nothing else is known [2]."
launch fast "$binary" mock-llm --listen "127.0.0.1:${port[fast]}" --latency 0 --embedding-latency 0
await fast "http://127.0.0.1:${port[fast]}/healthz"

say "storing two of five pages of MedQuAD and all pairs"
mkdir "$work/pages"
find $medquad/documents -name '*.md' | sort | awk 'NR % 5 < 2' | xargs cp -t "$work/pages"
(
    export OPENAI_BASE_URL=http://127.0.0.1:${port[fast]}/v1
    (cd "$work/pages" && "$binary" ingest . >"$work/ingest.log" 2>&1) || fail "The pages could not be stored."
    "$binary" qa import $medquad/qa.jsonl >"$work/import.log" 2>&1 || fail "The pairs could not be stored."
    "$binary" status >&2
)
kill "${process[fast]}"

url=http://127.0.0.1:${port[service]}
for round in $(seq "$rounds"); do
    for load in $loads; do
        say "round $round: $load"
        # A new process each time, so that the memory of one load is not in the next one's figures.
        launch service "$binary" serve --listen "127.0.0.1:${port[service]}" --workers 1 --worker-class async \
            --pipeline classic --grounding marked
        await service "$url/readyz"
        # How long to wait for the memory to come back matters where there is much of it.
        wait=0
        [ "${load%@*}" -lt 10000 ] || wait=${WAIT:-60}
        python3 bench/scale.py measure "$results" "$round" "$load" "$wait" "$binary" "$url" \
            "$medquad/questions.jsonl" "${process[service]}" "${process[model]}"
        kill "${process[service]}"
        wait "${process[service]}" || true
    done
done
python3 bench/scale.py table "$results" "$latency" "${WAIT:-60}"
