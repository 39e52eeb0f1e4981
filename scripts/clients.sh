#!/usr/bin/env bash
# Installs the clients of other people that tests try against the service: Python's in a virtual environment of their
# own, and the inspector of the Model Context Protocol from npm, where there is one.
. "$(dirname "$0")/lib.sh"
openai_version=3.57.0
mcp_version=2.3.0
inspector_version=2.12.0
venv=$cache/clients
inspector=$cache/inspector

installed() { # installed PACKAGE VERSION
    [ "$("$venv/bin/python" -c "from importlib.metadata import version; print(version('$1'))" 2>/dev/null)" = "$2" ]
}

if ! { installed openai "$openai_version" && installed mcp "$mcp_version"; }; then
    say "installing the Python clients of OpenAI ($openai_version) and of the Model Context Protocol ($mcp_version) into $venv"
    python_packages clients "the Python clients" "openai==$openai_version" "mcp==$mcp_version"
fi

if ! grep -q "\"version\": \"$inspector_version\"" "$inspector/node_modules/@modelcontextprotocol/inspector/package.json" 2>/dev/null; then
    if command -v npm >/dev/null 2>&1; then
        say "installing the MCP inspector $inspector_version into $inspector"
        mkdir -p "$inspector" "$cache/log"
        npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix "$inspector" \
            "@modelcontextprotocol/inspector@$inspector_version" >"$cache/log/inspector.log" 2>&1 ||
            say "the MCP inspector could not be installed (details: $cache/log/inspector.log); its test will be skipped"
    else
        say "there is no npm; the test with the MCP inspector will be skipped"
    fi
fi
