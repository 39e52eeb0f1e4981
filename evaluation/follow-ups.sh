#!/usr/bin/env bash
# How well follow-ups are searched: retrieval for the later turns of `dialogues`, with their history, alone, and rewritten
# as the set gives them. The 3,619 passages are embedded once and kept.
. "$(dirname "$0")/../scripts/lib.sh"
data=${DATA:-../shared/data}
[ -d "$data/dialogues" ] || fail "There is no $data/dialogues; name the folder that holds it with DATA=folder."
sets=$cache/evaluation/follow-ups
mkdir -p "$sets"
evaluation/prepare.py "$data" "$sets" dialogues
folder=$sets/dialogues/follow-ups
for part in ${PARTS:-development held-out}; do
    for asked in alone rewritten with-history; do
        printf '%-12s %-13s ' "$part" "$asked"
        "$binary" eval retrieval --corpus "$folder/corpus.jsonl" --queries "$folder/$asked.jsonl" \
            --qrels "$folder/qrels.tsv" --part "$part" --keep "$sets/store" --json | tr -d '\n ' && echo
    done
done
