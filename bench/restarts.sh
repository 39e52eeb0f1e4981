#!/usr/bin/env bash
# Workers that are replaced under load, again and again: two asynchronous workers, a mock model, questions at a
# constant rate, and HUP to the supervisor. Counts every question; fails if one of them was lost.
#   HUPS=100      with callers that keep their connections      HUPS_NEW=10   with a connection for each question
#   EVERY=3       seconds between two HUPs at least; the load lasts as long as all of them
#   RATE=20       questions a second                            LATENCY=300ms of each of the three calls
. "$(dirname "$0")/../scripts/lib.sh"
. scripts/servers.sh
need python3 "Python 3 is missing: install it and run this again."
every=${EVERY:-3}
rate=${RATE:-20}
latency=${LATENCY:-300ms}

free_ports model service
# The log is read for the workers that have become ready.
export QANDA_CONFIG=/dev/null QANDA_ENV_FILE=/dev/null RUST_LOG=warn,qanda::supervisor=info QANDA_DATA_DIR=$work/data
# The vectors of the mock model mean little: whatever is found counts.
export QANDA_EMBEDDER=openai QANDA_LLM=openai QANDA_RELEVANCE_FLOOR=-1 EMBEDDING_MODEL=mock
start_mock_llm --latency "$latency" --tokens 40 \
    --text "Most adults should follow the advice that their own documents give [1]. Nothing else is known [2]."
"$binary" ingest examples >"$work/ingest.log" 2>&1 || fail "The samples could not be stored."

url=http://127.0.0.1:${port[service]}
launch service "$binary" serve --listen "127.0.0.1:${port[service]}" --workers 2 --worker-class async \
    --pipeline classic --grounding marked
supervisor=${process[service]}

workers() { cat "/proc/$supervisor/task/$supervisor/children"; }
ready() { grep -c 'worker ready' "$work/service.log" || true; }
replaced() { # replaced READY OLD...: so many have become ready so far, two run, and none of them is an old one
    local wanted=$1 now old
    shift
    read -ra now < <(workers) || true
    [ "$(ready)" -eq "$wanted" ] && [ "${#now[@]}" -eq 2 ] || return
    for old in "$@"; do [[ " ${now[*]} " != *" $old "* ]] || return; done
}
await_workers() { # await_workers READY OLD...
    for _ in $(seq 600); do
        if replaced "$@"; then return; fi
        kill -0 "$supervisor" 2>/dev/null || fail "The service ended."
        sleep 0.05
    done
    fail "The workers were not replaced within half a minute."
}
await_workers 2
"$binary" bench --url "$url" --tasks 5 --log none >"$work/warm.log"

restarts() { # restarts NAME HUPS BENCH-ARGUMENT...: under load from the first HUP to after the last one
    local name=$1 hups=$2 number before began wanted
    shift 2
    say "$hups HUPs, $rate questions a second, $name"
    launch "$name" "$binary" bench --url "$url" --rate "$rate" --duration "$((hups * every + 5))" --stream=false \
        --log none --json "$work/$name.json" "$@"
    sleep 2
    for number in $(seq "$hups"); do
        read -ra before < <(workers) || true
        wanted=$(($(ready) + 2))
        began=$EPOCHREALTIME
        kill -HUP "$supervisor"
        await_workers "$wanted" "${before[@]}"
        kill -0 "${process[$name]}" 2>/dev/null ||
            fail "The load ended before HUP $number of $hups was done: take a greater EVERY."
        awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN { print to - from }' >>"$work/$name.times"
        sleep "$(awk -v from="$began" -v to="$EPOCHREALTIME" -v every="$every" \
            'BEGIN { rest = every - (to - from); print (rest > 0 ? rest : 0) }')"
    done
    # Its exit code tells of lost questions; they are counted and shown below.
    wait "${process[$name]}" || true
    unset "process[$name]"
}
restarts kept "${HUPS:-100}"
restarts new "${HUPS_NEW:-10}" --new-connections
python3 - "$work" "$latency" <<'PYTHON'
import json, pathlib, statistics, sys

folder, latency = pathlib.Path(sys.argv[1]), sys.argv[2]
print(f"Three calls of {latency} a question.\n")
print("| connections | HUPs | sent | answered | lost | median, p99, longest s | both workers replaced in, s |")
print("|---|---|---|---|---|---|---|")
lost, errors = 0, []
for name, title in [("kept", "kept and used again"), ("new", "a new one for each question")]:
    run = json.loads((folder / f"{name}.json").read_text())["figures"]
    times = [float(line) for line in (folder / f"{name}.times").read_text().split()]
    # Whatever was sent and not answered is lost, whyever.
    missing = run["sent"] - run["completed"]
    lost += missing
    errors += [f"{title}: {e['count']} × {e['kind']}, such as: {e['example']}" for e in run["errors"]]
    latencies = run["latency"] or dict.fromkeys(["p50", "p99", "max"], float("nan"))
    print(
        f"| {title} | {len(times)} | {run['sent']:,} | {run['completed']:,} | {missing} "
        f"| {latencies['p50']:.2f}, {latencies['p99']:.2f}, {latencies['max']:.2f} "
        f"| median {statistics.median(times):.1f}, at most {max(times):.1f} |"
    )
print("\n" + ("\n".join(f"- {error}" for error in errors) if lost else "No question was lost."))
sys.exit(lost > 0)
PYTHON
echo
echo "Load at the end, by uptime: $(cut -d' ' -f1-3 /proc/loadavg)."
