#!/usr/bin/env bash
# How the two sides of a hybrid search are fused: reciprocal ranks, and weights of the dense side, over collections that
# the default is chosen by. The passages are embedded once and kept. PARTS="held-out" reports on the other half.
. "$(dirname "$0")/../scripts/lib.sh"
data=${DATA:-../shared/data}
limit=${LIMIT:-400}
[ -d "$data" ] || fail "There is no $data; name the folder of the sets with DATA=folder."
sets=$cache/evaluation/fusion
mkdir -p "$sets"
read -ra names <<<"${SETS:-squad2 xquad-en medquad dialogues}"
evaluation/prepare.py "$data" "$sets" "${names[@]}"
for part in ${PARTS:-development}; do
    for set in "${names[@]}"; do
        folder=$sets/$set/retrieval queries=queries
        if [ "$set" = dialogues ]; then folder=$sets/dialogues/follow-ups queries=rewritten; fi
        for fusion in ${FUSIONS:-rrf 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1}; do
            printf '%-12s %-10s %-4s ' "$part" "$set" "$fusion"
            "$binary" eval retrieval --corpus "$folder/corpus.jsonl" --queries "$folder/$queries.jsonl" \
                --qrels "$folder/qrels.tsv" --part "$part" --limit "$limit" --fusion "$fusion" \
                --keep "$sets/store-$set" --json | tr -d '\n ' && echo
        done
    done
done
