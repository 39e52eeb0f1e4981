#!/usr/bin/env bash
# Runs a command with the build tools in its environment.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
exec "$@"
