#!/usr/bin/env bash
# Answers and refusals in German, French and Chinese, with the models inside.
. "$(dirname "$0")/../../scripts/lib.sh"
sets=$cache/evaluation/languages
for language in ${LANGUAGES:-de fr zh}; do
    rm -rf "${sets:?}/$language"
    mkdir -p "$sets/$language"
    "$binary" ingest --data-dir "$sets/$language" "evaluation/languages/$language" >"$sets/$language.log" 2>&1 ||
        fail "$(tail -1 "$sets/$language.log")"
    echo "== $language"
    "$binary" eval answers --data-dir "$sets/$language" --questions "evaluation/languages/questions-$language.jsonl" "$@"
done
