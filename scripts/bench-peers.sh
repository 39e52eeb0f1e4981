#!/usr/bin/env bash
# Python services of the same kind (bench/peers) and qanda, side by side: the same chain over one Chroma, the same
# mock model, the same load. Prints one Markdown table.
#   PEERS="gevent qanda"   which ones    ROUNDS=3   of which the medians are printed
#   WIDE=200  how many ask at once       LIMIT=60   seconds after which the rest of them is given up
#   LOOP=10   seconds of the closed loop
. "$(dirname "$0")/lib.sh"
. scripts/servers.sh
medquad=../shared/data/medquad
[ -d $medquad ] || fail "This needs ../shared/data, which is not here."
scripts/peers.sh
peers=${PEERS:-sync-1 sync-3 gthread-3x2 gevent gevent-one uvicorn uvicorn-one qanda}
rounds=${ROUNDS:-1}
python=$cache/peers/bin/python
results=${RESULTS:-$work/results.jsonl}

# A connection for each caller, on both sides of the service.
ulimit -n "$(ulimit -Hn)"
free_ports chroma model fast service
export QANDA_CONFIG=/dev/null RUST_LOG=warn QANDA_GRACEFUL_TIMEOUT=1 EMBEDDING_MODEL=mock CHROMADB_COL_NAME=peers
# The vectors of the mock model mean little: whatever is found counts, as it does in the Python services.
export QANDA_STORE=chroma QANDA_EMBEDDER=openai QANDA_LLM=openai QANDA_RELEVANCE_FLOOR=-1
start_chroma
start_mock_llm --latency 1s --tokens 64
launch fast "$binary" mock-llm --listen "127.0.0.1:${port[fast]}" --latency 0 --embedding-latency 0 --tokens 64
await fast "http://127.0.0.1:${port[fast]}/healthz"

say "storing two of five pages of MedQuAD and all pairs in Chroma"
mkdir "$work/pages"
find $medquad/documents -name '*.md' | sort | awk 'NR % 5 < 2' | xargs cp -t "$work/pages"
export OPENAI_BASE_URL=http://127.0.0.1:${port[fast]}/v1
(cd "$work/pages" && "$binary" ingest . >"$work/ingest.log" 2>&1) || fail "The pages could not be stored."
"$binary" qa import $medquad/qa.jsonl >"$work/import.log" 2>&1 || fail "The pairs could not be stored."
"$binary" status >&2

url=http://127.0.0.1:${port[service]}
gunicorn() { # gunicorn ARGUMENT...
    PYTHONPATH=bench/peers launch service "$python" -m gunicorn --config bench/peers/original/gunicorn.conf.py \
        --bind "127.0.0.1:${port[service]}" "$@" service:app
}
uvicorn() {
    PYTHONPATH=bench/peers launch service "$python" -m uvicorn --app-dir bench/peers/today --loop uvloop --http httptools \
        --no-access-log --log-level warning --backlog 4096 --timeout-graceful-shutdown 1 \
        --host 127.0.0.1 --port "${port[service]}" service:app
}
start() { # start PEER: the service, waiting until it answers
    case $1 in
        sync-1) gunicorn --workers 1 --worker-class sync ;;
        sync-3) gunicorn --workers 3 --worker-class sync ;;
        # A worker takes no more connections than it has threads, else some wait for a busy worker beside an idle one.
        gthread-3x2) gunicorn --workers 3 --worker-class gthread --threads 2 --worker-connections 2 --keep-alive 0 ;;
        gevent) PEER_GEVENT=1 gunicorn --workers 1 --worker-class gevent ;;
        gevent-one) PEER_GEVENT=1 PEER_FETCH=one gunicorn --workers 1 --worker-class gevent ;;
        uvicorn) uvicorn ;;
        uvicorn-one) PEER_FETCH=one uvicorn ;;
        qanda) launch service "$binary" serve --listen "127.0.0.1:${port[service]}" --pipeline classic --grounding marked ;;
        *) fail "There is no peer $1." ;;
    esac
    await service "$url/healthz"
    [ "$1" != qanda ] || await service "$url/readyz"
}
stop() {
    kill "${process[service]}"
    for _ in $(seq 100); do kill -0 "${process[service]}" 2>/dev/null || break; sleep 0.1; done
    kill -9 "${process[service]}" 2>/dev/null || true
    wait "${process[service]}" 2>/dev/null || true
    unset 'process[service]'
}
measure() { # measure PEER LOAD ARGUMENT...: one line of results
    local peer=$1 load=$2
    shift 2
    printf '{"peer": "%s", "load": "%s", "result": %s}\n' "$peer" "$load" "$("$python" bench/peers/load.py "$url" \
        --questions $medquad/questions.jsonl --server "${process[service]}" --chroma "${process[chroma]}" "$@")" >>"$results"
}
for round in $(seq "$rounds"); do
    for peer in $peers; do
        say "round $round: $peer"
        export OPENAI_BASE_URL=http://127.0.0.1:${port[model]}/v1
        start "$peer"
        measure "$peer" warm --tasks 1
        measure "$peer" spaced --tasks 20 --interval 0.1 --limit 90
        measure "$peer" wide --tasks "${WIDE:-200}" --interval 0 --limit "${LIMIT:-60}"
        stop
        export OPENAI_BASE_URL=http://127.0.0.1:${port[fast]}/v1
        start "$peer"
        measure "$peer" loop --concurrency 64 --duration "${LOOP:-10}"
        stop
    done
done
say "what the load generator itself can do: mock-q of qanda, 4,000 callers"
start qanda
measure client loop --route mock-q --concurrency 4000 --duration 5
"$python" bench/peers/table.py "$results" "${WIDE:-200}"
echo
echo "load while this ran, by uptime: $(cut -d' ' -f1-3 /proc/loadavg)"
