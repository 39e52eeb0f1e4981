#!/usr/bin/env bash
# Trains the reader (training/README.md) and exports it. Stopped at any time, it goes on where it was.
#   EPOCHS=4   how often all rows are read      OUT=reader   folder for the result
#   DATA=../shared/data                         HELD_OUT=1   also looks at the held-out half of squad2
. "$(dirname "$0")/lib.sh"
data=${DATA:-../shared/data}
work=$cache/training
models=${QANDA_MODELS_DIR:-$cache/models}
base=$models/all-MiniLM-L6-v2
wanted=training/requirements.txt

[ -d "$data/reading" ] || fail "There is no $data/reading; DATA=FOLDER says where the training data is."
need python3 "Python 3 is missing: install it (the training is written in it) and run this again."
if ! cmp -s "$wanted" "$work/venv/requirements.txt"; then
    need_space "$cache" 1500 "Training"
    say "installing the training's libraries into $work/venv"
    mkdir -p "$cache/log/training" "$work"
    python_packages training/venv "the training's libraries" --requirement "$wanted"
    cp "$wanted" "$work/venv/requirements.txt"
fi
python=$work/venv/bin/python

if [ ! -f "$work/run/checkpoint.safetensors" ]; then
    say "testing what trains"
    "$python" -m unittest discover --start-directory training
fi
say "training; touch $work/run/DECAY to let the learning rate fall early"
nice -n 12 "$python" training/train.py --base "$base" --data "$data" --work "$work/run" --epochs "${EPOCHS:-4}"
[ -f "$work/run/final.safetensors" ] || { say "stopped before the end; run it again to go on"; exit 0; }
say "exporting"
"$python" training/export.py --base "$base" --data "$data" --weights "$work/run/final.safetensors" \
    --out "${OUT:-reader}" ${HELD_OUT:+--held-out}
