#!/usr/bin/env bash
# Schemathesis against a running server: requests made from /openapi.json, right and wrong ones, and what comes back held
# against it.
#   EXAMPLES=15   requests that are made up for each route, beside those at the edges of every limit
#   SEED=1        of what is made up
. "$(dirname "$0")/lib.sh"
version=4.32.5
venv=$cache/schemathesis
if [ "$("$venv/bin/python" -c 'from importlib.metadata import version; print(version("schemathesis"))' 2>/dev/null)" != "$version" ]; then
    say "installing Schemathesis $version into $venv"
    python_packages schemathesis "Schemathesis $version" "schemathesis==$version"
fi
need curl "curl is missing: install it and run this again."
. scripts/servers.sh

free_ports qanda
url=http://127.0.0.1:${port[qanda]}
export QANDA_CONFIG=/dev/null QANDA_ENV_FILE=/dev/null QANDA_DATA_DIR=$work/data RUST_LOG=warn
"$binary" ingest examples >"$work/ingest.log" 2>&1 || fail "The ingest failed."
launch qanda "$binary" serve --listen "127.0.0.1:${port[qanda]}" --max-tokens 16 --context-tokens 96
await qanda "$url/readyz"
# MCP is no REST: its messages are tried by its own clients (tests/mcp.rs).
(cd "$work" && "$venv/bin/schemathesis" run "$url/openapi.json" --exclude-path /mcp --max-examples "${EXAMPLES:-15}" \
    --seed "${SEED:-1}" --request-timeout 60 --suppress-health-check all) ||
    fail "The service does not do what /openapi.json says; see above."
kill -0 "${process[qanda]}" || fail "The server has ended."
! grep -q panicked "$work/qanda.log" || fail "Something panicked: $(grep -m1 panicked "$work/qanda.log")"
say "/openapi.json says what the service does"
