#!/usr/bin/env bash
# From a clone to a service: up.sh DOCS LISTEN [ARGUMENT OF serve...]
#   MODEL=                   another language model: a GGUF file, a name, or hub:OWNER/REPO[/FILE] (docs/models.md)
. "$(dirname "$0")/lib.sh"
docs=$1 listen=$2
shift 2
port=${listen##*:}

[ -e "$docs" ] || fail "There is no file or folder $docs; name yours with make up DOCS=folder."
# Before a long build rather than after it.
if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    fail "Port $port is in use by another program (perhaps qanda runs already); stop it, or run make up LISTEN=127.0.0.1:$((port + 1))."
fi

if [ -f credentials ]; then
    say "taking the settings in credentials"
    . ./credentials
fi
scripts/build.sh
scripts/models.sh
if [ -n "${MODEL:-}" ]; then
    [ -e "$MODEL" ] || "$binary" models pull "$MODEL"
    set -- --llm "local:$MODEL" "$@"
fi
say "ingesting $docs"
code=0
"$binary" ingest "$docs" || code=$?
# 3: some files could not be read; they were named, and the others are there.
[ "$code" -eq 0 ] || [ "$code" -eq 3 ] || exit "$code"

say "starting the service; stop it with Ctrl-C"
cat >&2 <<TEXT

    Address:  http://$listen  (open it in a browser)
    Try:      curl -s http://$listen/apis/q-and-a/q -d '{"content": "At what eGFR must metformin be stopped?"}'

TEXT
[ ! -d "$docs" ] || set -- --watch "$docs" "$@"
exec "$binary" serve --listen "$listen" "$@"
