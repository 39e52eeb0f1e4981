#!/usr/bin/env bash
# Installs the clients of other people that tests try against the service, in a virtual environment of their own.
. "$(dirname "$0")/lib.sh"
version=3.57.0
venv=$cache/clients

if [ "$("$venv/bin/python" -c 'from importlib.metadata import version; print(version("openai"))' 2>/dev/null)" != "$version" ]; then
    say "installing OpenAI's Python client $version into $venv"
    python_packages clients "OpenAI's Python client $version" "openai==$version"
fi
