#!/usr/bin/env bash
# Python services of the same kind (bench/peers) and qanda, side by side: the same chain over one Chroma, the same
# mock model, the same load. Prints Markdown tables and the ratios that follow from them.
#   PEERS="uvicorn-one qanda"   which ones      ROUNDS=5   closed loops, of which the medians are printed
#   DECISIVE="uvicorn-one ..."  which of them take part in the rounds after the first
#   WIDE=200  how many ask at once (0 leaves out the slow model)   LIMIT=15   seconds after which a question is given up
#   LOOP=10   seconds of a closed loop            RESULTS=FILE   keeps what was measured
. "$(dirname "$0")/../../scripts/lib.sh"
. scripts/servers.sh
medquad=../shared/data/medquad
[ -d $medquad ] || fail "This needs ../shared/data, which is not here."
scripts/peers.sh
peers=${PEERS:-sync-3 gthread-3x2 gevent-one uvicorn uvicorn-one uvicorn-two qanda qanda-embedded}
decisive=${DECISIVE:-gevent-one uvicorn uvicorn-one uvicorn-two qanda qanda-embedded}
rounds=${ROUNDS:-1}
wide=${WIDE:-200}
limit=${LIMIT:-15}
python=$cache/peers/bin/python
results=${RESULTS:-$work/results.jsonl}
: >"$results"

# A connection for each caller, on both sides of the service.
ulimit -n "$(ulimit -Hn)"
free_ports chroma model fast service
export QANDA_CONFIG=/dev/null QANDA_ENV_FILE=/dev/null RUST_LOG=warn QANDA_GRACEFUL_TIMEOUT=1
export EMBEDDING_MODEL=mock CHROMADB_COL_NAME=peers QANDA_DATA_DIR=$work/data
# The vectors of the mock model mean little: whatever is found counts, as it does in the Python services.
export QANDA_EMBEDDER=openai QANDA_LLM=openai QANDA_RELEVANCE_FLOOR=-1
# A text that cites, else qanda would look for a quotation to end it with; and too long for a search term.
said=(--text "Most adults should follow the advice that their own documents give [1]. Nothing else is known [2]." --tokens 40)
start_chroma
start_mock_llm --latency 1s "${said[@]}"
launch fast "$binary" mock-llm --listen "127.0.0.1:${port[fast]}" --latency 0 --embedding-latency 0 "${said[@]}"
await fast "http://127.0.0.1:${port[fast]}/healthz"
slow_model() { export OPENAI_BASE_URL=http://127.0.0.1:${port[model]}/v1; }
fast_model() { export OPENAI_BASE_URL=http://127.0.0.1:${port[fast]}/v1; }

mkdir "$work/pages"
find $medquad/documents -name '*.md' | sort | awk 'NR % 5 < 2' | xargs cp -t "$work/pages"
fast_model
fill() { # fill STORE
    say "storing two of five pages of MedQuAD and all pairs, $1"
    (cd "$work/pages" && QANDA_STORE=$1 "$binary" ingest . >"$work/ingest.log" 2>&1) || fail "The pages could not be stored."
    QANDA_STORE=$1 "$binary" qa import $medquad/qa.jsonl >"$work/import.log" 2>&1 || fail "The pairs could not be stored."
    QANDA_STORE=$1 "$binary" status >&2
}
fill chroma
case " $peers " in *" qanda-embedded "*) fill embedded ;; esac

url=http://127.0.0.1:${port[service]}
gunicorn() { # gunicorn ARGUMENT...
    PYTHONPATH=bench/peers launch service "$python" -m gunicorn --config bench/peers/original/gunicorn.conf.py \
        --bind "127.0.0.1:${port[service]}" "$@" service:app
}
uvicorn() { # uvicorn ARGUMENT...
    PYTHONPATH=bench/peers launch service "$python" -m uvicorn --app-dir bench/peers/today --loop uvloop --http httptools \
        --no-access-log --log-level warning --backlog 4096 --timeout-graceful-shutdown 1 \
        --host 127.0.0.1 --port "${port[service]}" "$@" service:app
}
serve() { # serve STORE
    launch service "$binary" serve --listen "127.0.0.1:${port[service]}" --store "$1" --pipeline classic --grounding marked
}
start() { # start PEER: the service, waiting until it answers
    case $1 in
        sync-1) gunicorn --workers 1 --worker-class sync ;;
        sync-3) gunicorn --workers 3 --worker-class sync ;;
        sync-3-one) PEER_FETCH=one gunicorn --workers 3 --worker-class sync ;;
        # A worker takes no more connections than it has threads, else some wait for a busy worker beside an idle one.
        gthread-3x2) gunicorn --workers 3 --worker-class gthread --threads 2 --worker-connections 2 --keep-alive 0 ;;
        gevent) PEER_GEVENT=1 gunicorn --workers 1 --worker-class gevent ;;
        gevent-one) PEER_GEVENT=1 PEER_FETCH=one gunicorn --workers 1 --worker-class gevent ;;
        gevent-two) PEER_GEVENT=1 PEER_FETCH=one gunicorn --workers 2 --worker-class gevent ;;
        uvicorn) uvicorn ;;
        uvicorn-one) PEER_FETCH=one uvicorn ;;
        uvicorn-two) PEER_FETCH=one uvicorn --workers 2 ;;
        qanda) serve chroma ;;
        qanda-embedded) serve embedded ;;
        *) fail "There is no peer $1." ;;
    esac
    await service "$url/healthz"
    case $1 in qanda*) await service "$url/readyz" ;; esac
}
stop() { # stop NAME
    kill "${process[$1]}"
    for _ in $(seq 100); do kill -0 "${process[$1]}" 2>/dev/null || break; sleep 0.1; done
    kill -9 "${process[$1]}" 2>/dev/null || true
    wait "${process[$1]}" 2>/dev/null || true
    unset "process[$1]"
}
# Chroma goes on with questions that were given up; nobody after them shall wait for that.
settle() {
    "$python" bench/peers/processes.py "${process[chroma]}" 10 && return
    say "Chroma is still busy after 10 s and is started anew"
    stop chroma
    start_chroma
}
ask() { # ask ARGUMENT...: a load whose figures nobody needs
    "$binary" bench --url "$url" --stream=false --log none --timeout 60s "$@" >/dev/null 2>&1 || true
}
measure() { # measure PEER LOAD MODEL ARGUMENT...: one line of results
    local peer=$1 load=$2 model=$3 result
    shift 3
    result=$("$python" bench/peers/measure.py "server=${process[service]}" "chroma=${process[chroma]}" \
        "model=${process[$model]}" -- "$binary" bench --url "$url" --stream=false --log none \
        --questions $medquad/questions.jsonl "$@") || fail "$peer could not be measured."
    printf '{"peer": "%s", "load": "%s", "result": %s}\n' "$peer" "$load" "$result" >>"$results"
}
loops() { # loops PEER: both closed loops
    fast_model
    settle
    start "$1"
    ask --questions $medquad/questions.jsonl --concurrency 64 --duration 2
    measure "$1" search fast --concurrency 64 --duration "${LOOP:-10}" --timeout 60s
    settle
    ask --model-alone --concurrency 64 --duration 2
    measure "$1" alone fast --model-alone --concurrency 64 --duration "${LOOP:-10}" --timeout 60s
    stop service
}
slow() { # slow PEER: what callers see of a model that takes its time
    slow_model
    settle
    start "$1"
    measure "$1" warm model --tasks 1
    measure "$1" spaced model --tasks 20 --interval 0.1 --timeout "${limit}s" --new-connections
    # Those that take three or six questions at a time would take minutes, and are none the wiser for it.
    case $1 in
        sync* | gthread*) ;;
        *) measure "$1" wide model --tasks "$wide" --timeout "${limit}s" --new-connections ;;
    esac
    stop service
}
for peer in $peers; do
    [ "$wide" != 0 ] || break
    say "a model of one second, 20 questions at intervals of 0.1 s, then $wide at once: $peer"
    slow "$peer"
done
for round in $(seq "$rounds"); do
    for peer in $peers; do
        [ "$round" = 1 ] || case " $decisive " in *" $peer "*) ;; *) continue ;; esac
        say "closed loops, round $round of $rounds: $peer"
        loops "$peer"
    done
done
"$python" bench/peers/table.py "$results" "$wide" "$limit"
echo
echo "load while this ran, by uptime: $(cut -d' ' -f1-3 /proc/loadavg)"
