#!/usr/bin/env bash
# Installs a Chroma server into the cache where it is missing; `chroma.sh run` starts it on 127.0.0.1:17171.
. "$(dirname "$0")/lib.sh"
version=1.5.9
venv=$cache/chroma
data=${CHROMA_DATA:-data/chroma}
port=17171

need python3 "Python 3 is missing: install it (Chroma's server comes as a Python package) and run this again."
if [ "$("$venv/bin/python" -c 'from importlib.metadata import version; print(version("chromadb"))' 2>/dev/null)" != "$version" ]; then
    need_space "$cache" 800 "Chroma"
    say "installing Chroma $version into $venv"
    python_packages chroma "Chroma $version" "chromadb==$version"
fi

[ "${1:-}" = run ] || exit 0
if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    fail "Port $port is in use by another program (perhaps Chroma runs already); stop it and run this again."
fi
mkdir -p "$data"
say "starting Chroma on http://127.0.0.1:$port with its data in $data; stop it with Ctrl-C"
export ANONYMIZED_TELEMETRY=False
exec "$venv/bin/chroma" run --path "$data" --host 127.0.0.1 --port "$port"
