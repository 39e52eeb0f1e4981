#!/usr/bin/env bash
# Measures answers: our own questions and, where they are beside this folder, the public sets of ../shared/data.
# eval.sh [ARGUMENT OF `qanda eval answers`...], such as --pipeline classic. FULL=1 asks all questions.
. "$(dirname "$0")/lib.sh"

data=${DATA:-../shared/data}
kept=$cache/evaluation
out=${OUT:-target/eval}
full=${FULL:-}
need python3 "Python 3 prepares the data sets and writes the tables; install it."
need_space "$kept" 500 "The evaluation's folder"
mkdir -p "$kept/stores" "$out"
rm -f "$out"/*.json "$out"/*.html "$out"/*seconds

# The store of a set: kept, since embedding takes most of the time. Its name tells documents and all that decides what
# their passages are; whatever else has changed, qanda ingest sees by itself.
recipe=(crates/ingest/src/{readers,chunker,document.rs,decode.rs} crates/store/src/embedded/database.rs)
store() { # store SET DOCUMENTS...
    local set=$1 key
    shift
    key=$(
        {
            find "$@" -type f -print0 | sort -z | xargs -0 sha256sum | cut -d' ' -f1
            find "${recipe[@]}" -name '*.rs' -print0 | sort -z | xargs -0 sha256sum
        } | sha256sum | cut -c1-16
    )
    printf '%s\n' "$kept/stores/$set-$key"
}

ingest() { # ingest SET STORE DOCUMENTS...: notes the seconds of the first time
    local set=$1 store=$2 began=$SECONDS
    shift 2
    if [ ! -f "$store/cold-seconds" ]; then
        say "ingesting $* (once)"
        "$binary" ingest --data-dir "$store" --model-threads "$(nproc)" "$@" >"$out/ingest.log" 2>&1 ||
            { cat "$out/ingest.log" >&2; fail "The documents could not be ingested."; }
        echo $((SECONDS - began)) >"$store/cold-seconds"
        ingesting=$((ingesting + SECONDS - began))
    fi
    cp "$store/cold-seconds" "$out/$set.cold-seconds"
}

ask() { # ask SET STORE QUESTIONS LIMIT: both parts, each with at most LIMIT questions
    local set=$1 store=$2 questions=$3 part more
    local limit=(--limit "$4")
    [ -z "$full" ] || limit=()
    for part in development held-out; do
        say "$set, $part"
        # The questions that are held out are not looked at.
        more=()
        [ "$part" = held-out ] || more=(--html "$out/$set-$part.html")
        "$binary" eval answers --data-dir "$store" --questions "$questions" --part "$part" "${limit[@]}" \
            --json "$out/$set-$part.json" --fail-if 'failed>5%' "${more[@]}" "${arguments[@]}"
    done
}

arguments=("$@")
began=$SECONDS ingesting=0

own=$(store own examples evaluation/documents)
ingest own "$own" examples evaluation/documents
ask own "$own" evaluation/questions.jsonl 60

if [ -d "$data" ]; then
    evaluation/prepare.py "$data" "$kept/sets"
    for set in squad2 xquad-en medquad dialogues chunking; do
        [ -d "$kept/sets/$set" ] || continue
        questions=$kept/sets/$set/questions.jsonl
        small=${questions%.jsonl}-small.jsonl
        if [ -z "$full" ] && [ -f "$small" ]; then questions=$small; fi
        store=$(store "$set" "$kept/sets/$set/documents")
        ingest "$set" "$store" "$kept/sets/$set/documents"
        ask "$set" "$store" "$questions" 30
    done
    if [ -d "$data/claims" ]; then
        for part in development held-out; do
            say "claims, $part"
            "$binary" eval claims --claims "$data/claims/claims.jsonl" --part "$part" --json "$out/claims-$part.json"
        done
    fi
else
    say "there is no $data; only our own questions were asked"
fi
echo $((SECONDS - began - ingesting)) >"$out/seconds"
evaluation/tables.py "$out" >"$out/tables.md"
cat "$out/tables.md"
say "in $out: tables.md, a page for each development part, and a file for qanda eval compare"
