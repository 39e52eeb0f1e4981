# Shared by the scripts: where things are, how they speak, what they need. Sourced, not run.
# shellcheck shell=bash

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# Outside the clone, so that a second clone downloads nothing.
cache=${QANDA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/qanda}
binary=${CARGO_TARGET_DIR:-$root/target}/release/qanda

if [ -t 2 ]; then bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'; else bold='' red='' plain=''; fi

say() { printf '%s==>%s %s\n' "$bold" "$plain" "$*" >&2; }
fail() { printf '%serror:%s %s\n' "$red" "$plain" "$*" >&2; exit 1; }

need() { # need COMMAND SENTENCE
    command -v "$1" >/dev/null 2>&1 || fail "$2"
}

# Free space in megabytes where a folder is, or will be.
free_megabytes() {
    local folder=$1
    while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
    df -Pm "$folder" | awk 'NR == 2 { print $4 }'
}

need_space() { # need_space FOLDER MEGABYTES FOR
    local free
    free=$(free_megabytes "$1")
    [ "$free" -ge "$2" ] || fail "$3 needs $2 MB of disk, but only $free MB are free at $1; free some space and run it again."
}

# What went wrong with a download or build, in a sentence: the network, the disk, or else the step itself.
explain() { # explain STEP LOG
    if grep -qiE 'no space left|disk full|errno 28' "$2"; then
        fail "$1 failed because the disk is full; free some space and run it again."
    elif grep -qiE 'could not resolve|failed to download|network|connection|timed out|no matching distribution|max retries' "$2"; then
        fail "$1 failed because a download did not work; check the network and run it again (details: $2)."
    fi
    fail "$1 failed; the reason is above and in $2."
}

python_packages() { # python_packages NAME WHAT PIP-ARGUMENT...: a new virtual environment, $cache/NAME, with packages
    local venv=$cache/$1 log=$cache/log/$1.log what=$2
    shift 2
    mkdir -p "$cache/log"
    rm -rf "$venv"
    python3 -m venv "$venv" >"$log" 2>&1 ||
        { cat "$log" >&2; fail "Python cannot make a virtual environment; install its venv module (Debian: apt install python3-venv)."; }
    "$venv/bin/python" -m pip install --quiet "$@" >"$log" 2>&1 ||
        { tail -20 "$log" >&2; explain "Installing $what" "$log"; }
}
