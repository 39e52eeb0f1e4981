#!/usr/bin/env bash
# The pipelines side by side: one Chroma server, one mock model with 1 s per call, the samples and the pairs of
# MedQuAD; then how well each one's search finds things, by the judgements of SciFact.
. "$(dirname "$0")/../scripts/lib.sh"
. scripts/servers.sh
need python3 "Python 3 is missing: install it and run this again."
[ -d ../shared/data/medquad ] || fail "This needs ../shared/data, which is not here."
rounds=${ROUNDS:-5}

free_ports chroma model qanda
export QANDA_CONFIG=/dev/null QANDA_ENV_FILE=/dev/null RUST_LOG=warn
start_chroma
start_mock_llm --latency 1s --tokens 40
export QANDA_STORE=chroma QANDA_LLM=openai
# Pages with their own pairs, as the original service had them, among the pairs of 1,000 other pages.
medquad=$(cd ../shared/data/medquad && pwd)
mkdir "$work/pages"
cp "$medquad"/documents/{nhlbi-0000098,nhlbi-0000114,nhlbi-0000010}-*.md "$work/pages"
say "storing the samples, three pages of MedQuAD and 3,490 pairs in Chroma"
"$binary" ingest examples >/dev/null 2>&1
(cd "$work/pages" && "$binary" ingest . >/dev/null 2>&1)
"$binary" qa import "$medquad/qa.jsonl" >/dev/null
url=http://127.0.0.1:${port[qanda]}
launch qanda "$binary" serve --listen "127.0.0.1:${port[qanda]}"
await qanda "$url/readyz"
say "$rounds rounds of questions, both pipelines in turn"
python3 bench/pipelines.py "$url" "$rounds" context QA all

say "the same with the local model, over the samples in the embedded store"
kill "${process[qanda]}"
wait "${process[qanda]}" || true
unset QANDA_STORE QANDA_LLM OPENAI_BASE_URL OPENAI_MODEL
export QANDA_DATA_DIR=$work/data QANDA_GROUNDING=strict
"$binary" ingest examples >/dev/null 2>&1
launch qanda "$binary" serve --listen "127.0.0.1:${port[qanda]}"
await qanda "$url/readyz"
python3 bench/pipelines.py "$url" "$rounds" context
kill "${process[qanda]}"
wait "${process[qanda]}" || true

scifact=../shared/data/scifact
[ -d "$scifact" ] || { say "no SciFact at $scifact: retrieval is not judged"; exit 0; }
[ -z "${NO_RETRIEVAL:-}" ] || exit 0
judge() { # judge NAME ARGUMENT...
    local name=$1
    shift
    printf '%-44s' "$name"
    "$binary" eval retrieval --corpus $scifact/corpus.jsonl --queries $scifact/queries.jsonl \
        --qrels $scifact/qrels.tsv --keep "$work/scifact" --json "$@" 2>/dev/null |
        python3 -c 'import json,sys; r=json.load(sys.stdin); print("nDCG@10 %.3f  recall@10 %.3f  MRR@10 %.3f" % (r["ndcg_at_10"], r["recall_at_10"], r["mrr_at_10"]))'
}
say "retrieval on SciFact (the first line stores it, which takes minutes)"
judge "direct: the question, hybrid" --mode hybrid
judge "the original's: a search term, dense" --mode dense --condense
judge "classic here: a search term, hybrid" --mode hybrid --condense
judge "the question, dense" --mode dense
