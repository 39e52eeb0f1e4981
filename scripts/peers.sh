#!/usr/bin/env bash
# Installs what the Python services of bench/peers need into the cache, where it is missing or of other versions.
. "$(dirname "$0")/lib.sh"
wanted=bench/peers/requirements.txt
venv=$cache/peers

need python3 "Python 3 is missing: install it (the services to compare with are written in it) and run this again."
cmp -s "$wanted" "$venv/requirements.txt" && exit 0
need_space "$cache" 900 "The Python services"
say "installing the Python services' libraries into $venv"
mkdir -p "$cache/log"
log=$cache/log/peers.log
rm -rf "$venv"
python3 -m venv "$venv" >"$log" 2>&1 ||
    { cat "$log" >&2; fail "Python cannot make a virtual environment; install its venv module (Debian: apt install python3-venv)."; }
"$venv/bin/python" -m pip install --quiet --requirement "$wanted" >"$log" 2>&1 ||
    { cat "$log" >&2; explain "Installing the Python services' libraries" "$log"; }
cp "$wanted" "$venv/requirements.txt"
