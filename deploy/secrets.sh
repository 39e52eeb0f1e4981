#!/usr/bin/env bash
# Writes what is secret in a credentials file (`export NAME=value`, made to be sourced) as NAME=value for kustomize:
#   deploy/secrets.sh [credentials]
# The rest of that file is for this machine: its CHROMADB_HOST is localhost, the cluster's is not.
set -euo pipefail
credentials=${1:-credentials}
[ -r "$credentials" ] || { echo "error: there is no file $credentials; name it: deploy/secrets.sh FILE" >&2; exit 1; }
target=$(cd "$(dirname "$0")" && pwd)/with-credentials/credentials.env
# Sourced in an environment of its own: a key that this shell happens to have is not one from the file.
key=$(env -i bash -c '. "$1" >&2 && printf %s "${OPENAI_API_KEY:-}"' bash "$(realpath "$credentials")")
[ -n "$key" ] || { echo "error: $credentials sets no OPENAI_API_KEY" >&2; exit 1; }
umask 077
printf 'OPENAI_API_KEY=%s\n' "$key" >"$target"
echo "wrote $target" >&2
