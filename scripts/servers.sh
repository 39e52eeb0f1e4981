# Starts servers on free ports of 127.0.0.1 and stops them at the end, however that comes. Sourced after lib.sh.
# shellcheck shell=bash
#   $work            a folder for everything, removed at the end (KEEP=1 keeps it after a failure)
#   ${port[NAME]}    the port of a server      ${process[NAME]}    its process

chroma=${QANDA_CHROMA:-$cache/chroma/bin/chroma}
[ -x "$binary" ] || fail "There is no $binary; run make build."

work=$(mktemp -d)
declare -A process=() port=()
finish() {
    local code=$?
    trap - EXIT
    kill "${process[@]}" 2>/dev/null || true
    for _ in $(seq 40); do kill -0 "${process[@]}" 2>/dev/null || break; sleep 0.1; done
    kill -9 "${process[@]}" 2>/dev/null || true
    [ "$code" -eq 0 ] || { tail -n 5 "$work"/*.log >&2; [ -z "${KEEP:-}" ] || { say "kept: $work"; exit "$code"; }; }
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

free_ports() { # free_ports NAME...: all are held until all are known, so that they differ
    local name
    while read -r name number; do port[$name]=$number; done < <(python3 - "$@" <<'PYTHON'
import socket, sys
held = [(name, socket.create_server(("127.0.0.1", 0))) for name in sys.argv[1:]]
for name, place in held:
    print(name, place.getsockname()[1])
PYTHON
    )
}
launch() { # launch NAME COMMAND...: in the background, with a log of its own
    local name=$1
    shift
    "$@" >>"$work/$name.log" 2>&1 &
    process[$name]=$!
}
await() { # await NAME URL
    for _ in $(seq 600); do
        curl -sf -o /dev/null "$2" && return
        kill -0 "${process[$1]}" 2>/dev/null || fail "$1 ended before it was ready."
        sleep 0.1
    done
    fail "$1 was not ready after a minute."
}

start_chroma() { # start_chroma: a server with an empty folder; the settings of qanda point at it
    [ -x "$chroma" ] || scripts/chroma.sh
    export CHROMADB_HOST=127.0.0.1 CHROMADB_PORT=${port[chroma]} ANONYMIZED_TELEMETRY=False
    launch chroma "$chroma" run --path "$work/chroma" --host 127.0.0.1 --port "${port[chroma]}"
    await chroma "http://127.0.0.1:${port[chroma]}/api/v2/heartbeat"
}
start_mock_llm() { # start_mock_llm ARGUMENT...: the settings of qanda point at it
    export OPENAI_BASE_URL=http://127.0.0.1:${port[model]}/v1 OPENAI_API_KEY=none OPENAI_MODEL=mock
    launch model "$binary" mock-llm --listen "127.0.0.1:${port[model]}" "$@"
    await model "http://127.0.0.1:${port[model]}/healthz"
}
