#!/usr/bin/env bash
# How large passages should be, and whether they should overlap: how well those that are found cover the words that
# answer, over the texts of `chunking`. TEXTS names some of them: embedding all five once for each size takes long.
. "$(dirname "$0")/../scripts/lib.sh"
data=${DATA:-../shared/data}
[ -d "$data/chunking" ] || fail "There is no $data/chunking; name the folder that holds it with DATA=folder."
read -ra texts <<<"${TEXTS:-chatlogs state_of_the_union wikitexts}"
set=$cache/evaluation/chunking
mkdir -p "$set"
evaluation/prepare.py "$data" "$set" chunking
rm -rf "$set/documents"
mkdir "$set/documents"
: >"$set/questions.jsonl"
for text in "${texts[@]}"; do
    cp "$set/chunking/documents/$text.md" "$set/documents"
    grep -F "\"kind\": \"$text\"" "$set/chunking/questions.jsonl" >>"$set/questions.jsonl"
done
for size in ${SIZES:-96:0 128:0 160:0 180:0 208:0 248:0 128:32 180:45}; do
    for n in ${N_RESULTS:-5}; do
        printf '%-8s %s ' "$size" "$n"
        "$binary" eval chunking --documents "$set/documents" --questions "$set/questions.jsonl" \
            --part "${PART:-development}" --passage-tokens "${size%:*}" --overlap "${size#*:}" --n-results "$n" \
            --keep "$set/store-${size/:/-}" --json | tr -d '\n ' && echo
    done
done
