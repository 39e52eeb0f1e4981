#!/usr/bin/env bash
# The experiments of the original service in their order: worker models, questions at an interval, the classic chain
# with three model calls of about 4 s, one real Chroma. Writes the chapter of docs/benchmarks.md and a picture of each.
#   SCALE=0.25   a quarter of the latencies, for a quick run
#   ACCEPTS=20   times that six questions are asked to see who accepts them
. "$(dirname "$0")/../../scripts/lib.sh"
. scripts/servers.sh
need python3 "Python 3 is missing: install it and run this again."
scale=${SCALE:-1}
latency=$(awk -v scale="$scale" 'BEGIN { printf "%dms", 4100 * scale }')
interval=$(awk -v scale="$scale" 'BEGIN { printf "%dms", 100 * scale }')
pictures=docs/experiments
[ "$(grep -c '^<!-- written by make bench:' docs/benchmarks.md)" -eq 2 ] ||
    fail "docs/benchmarks.md has lost the marks between which the chapter is written."
mkdir -p "$pictures"

free_ports chroma model qanda
export QANDA_CONFIG=/dev/null QANDA_ENV_FILE=/dev/null QANDA_MODEL_THREADS=1 RUST_LOG=warn
start_chroma
start_mock_llm --latency "$latency" --tokens 40
export QANDA_STORE=chroma QANDA_LLM=openai QANDA_PIPELINE=classic
"$binary" ingest examples >/dev/null 2>&1
url=http://127.0.0.1:${port[qanda]}

experiment() { # experiment NAME "SERVE ARGUMENTS" TASKS "BENCH ARGUMENTS"
    local name=$1 tasks=$3
    say "$name, $tasks questions"
    # shellcheck disable=SC2086
    launch qanda "$binary" serve --listen "127.0.0.1:${port[qanda]}" --timeout 120 $2
    await qanda "$url/readyz"
    # shellcheck disable=SC2086
    "$binary" bench --url "$url" --tasks "$tasks" --interval "$interval" --new-connections --log none $4 \
        --json "$work/$name-$tasks.json" --svg "$pictures/$name-$tasks.svg" >"$work/$name-$tasks.out"
    kill "${process[qanda]}"
    wait "${process[qanda]}" || true
}
one="--workers 1 --worker-class sync"
three="--workers 3 --worker-class sync"
experiment sync-1 "$one" 1 ""
experiment sync-1 "$one" 3 ""
experiment sync-3 "$three" 3 ""
experiment sync-3 "$three" 6 ""
experiment gthread-3x2 "--workers 3 --worker-class gthread --threads 2" 6 ""
experiment async-1 "--workers 1" 6 ""
experiment async-3-cap-16 "--workers 3" 20 "--concurrency 16"
experiment async-3 "--workers 3" 20 ""

# Who takes a connection: the original's server as it is, the same told how many connections to take, and qanda.
scripts/peers.sh
python=$cache/peers/bin/python
gthread() { # gthread ARGUMENT...: the original's server with three workers of two threads
    PYTHONPATH=bench/peers PEER_LOG=arrivals CHROMADB_COL_NAME=qanda launch accept "$python" -m gunicorn \
        --config bench/peers/original/gunicorn.conf.py --bind "127.0.0.1:${port[qanda]}" \
        --workers 3 --worker-class gthread --threads 2 "$@" service:app
}
accepts() { # accepts TITLE: counts for the service that was just launched
    await accept "$url/healthz"
    say "who accepts: $1"
    python3 bench/experiments/accept.py "$binary" "$url" "$work/accept.log" "${ACCEPTS:-20}" "$1" >>"$work/accept.jsonl"
    kill "${process[accept]}"
    wait "${process[accept]}" || true
}
gthread
accepts "gunicorn as it is"
gthread --worker-connections 2 --keep-alive 0
accepts "gunicorn, two connections for each worker"
RUST_LOG=warn,qanda::http=info launch accept "$binary" serve --listen "127.0.0.1:${port[qanda]}" --log-format json \
    --workers 3 --worker-class gthread --threads 2
accepts "qanda"

python3 bench/experiments/chapter.py "$work" "$scale"
say "written: the chapter in docs/benchmarks.md, the pictures in docs/experiments"
