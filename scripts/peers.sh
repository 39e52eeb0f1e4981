#!/usr/bin/env bash
# Installs what the Python services of bench/peers need into the cache, where it is missing or of other versions.
. "$(dirname "$0")/lib.sh"
wanted=bench/peers/requirements.txt
venv=$cache/peers

need python3 "Python 3 is missing: install it (the services to compare with are written in it) and run this again."
cmp -s "$wanted" "$venv/requirements.txt" && exit 0
need_space "$cache" 900 "The Python services"
say "installing the Python services' libraries into $venv"
python_packages peers "the Python services' libraries" --requirement "$wanted"
cp "$wanted" "$venv/requirements.txt"
