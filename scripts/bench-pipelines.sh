#!/usr/bin/env bash
# The pipelines side by side: one Chroma server, one mock model with 1 s per call, the samples and the pairs of
# MedQuAD; then how well each one's search finds things, by the judgements of SciFact.
. "$(dirname "$0")/lib.sh"
. scripts/servers.sh
need python3 "Python 3 is missing: install it and run this again."
[ -d ../shared/data/medquad ] || fail "This needs ../shared/data, which is not here."
rounds=${ROUNDS:-5}

free_ports chroma model qanda
export QANDA_CONFIG=/dev/null RUST_LOG=warn
start_chroma
start_mock_llm --latency 1s --tokens 40
export QANDA_STORE=chroma QANDA_LLM=openai
say "storing the samples and 3,490 pairs in Chroma"
"$binary" ingest examples >/dev/null 2>&1
"$binary" qa import ../shared/data/medquad/qa.jsonl >/dev/null
url=http://127.0.0.1:${port[qanda]}
launch qanda "$binary" serve --listen "127.0.0.1:${port[qanda]}"
await qanda "$url/readyz"
say "$rounds rounds of questions, both pipelines in turn"
python3 scripts/bench-pipelines.py "$url" "$rounds"

scifact=../shared/data/scifact
[ -d "$scifact" ] || { say "no SciFact at $scifact: retrieval is not judged"; exit 0; }
unset QANDA_STORE QANDA_LLM OPENAI_BASE_URL OPENAI_MODEL
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
