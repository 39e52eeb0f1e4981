#!/usr/bin/env bash
# nDCG, recall and MRR on SciFact, for every mode and fusion. The 5,183 abstracts are embedded once.
. "$(dirname "$0")/../scripts/lib.sh"
data=${SCIFACT:-$root/../shared/data/scifact}
[ -d "$data" ] || fail "There is no SciFact at $data; name its folder with SCIFACT=folder."
store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT
measure() {
    printf '%-26s' "$*"
    "$binary" eval retrieval --corpus "$data/corpus.jsonl" --queries "$data/queries.jsonl" --qrels "$data/qrels.tsv" \
        --keep "$store" --json "$@"
}
measure --mode all
for fusion in rrf 0.5 0.6 0.7 0.8 0.9; do measure --mode hybrid --fusion "$fusion"; done
