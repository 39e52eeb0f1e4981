#!/usr/bin/env bash
# Several machines in small: nginx before two replicas of qanda, one Chroma, one mock model. Questions run through
# nginx while one replica is killed and the other one is told to stop; every question must be answered.
#   TASKS=200 CONCURRENCY=20   the load
#   LATENCY=1s                 of the mock model
#   MOCK=1                     asks mock-q, without Chroma and without a model: tries nginx and the replicas alone
. "$(dirname "$0")/lib.sh"
tasks=${TASKS:-200} concurrency=${CONCURRENCY:-20} latency=${LATENCY:-1s} mock=${MOCK:-}
PATH=$PATH:/usr/sbin
need nginx "nginx is missing: install it (Debian: apt install nginx-light) and run this again."
need curl "curl is missing: install it and run this again."
. scripts/servers.sh

free_ports nginx a b chroma model
front=http://127.0.0.1:${port[nginx]}
route=$front/apis/q-and-a/q
export QANDA_CONFIG=/dev/null QANDA_MODEL_THREADS=1 RUST_LOG=warn
arguments=()
if [ -n "$mock" ]; then
    route=$front/apis/q-and-a/mock-q
else
    say "one Chroma, one mock model"
    start_chroma
    start_mock_llm --latency "$latency"
    arguments=(--store chroma --embedder local)
    say "ingest of the samples into Chroma"
    QANDA_DATA_DIR=$work/ingest "$binary" ingest "${arguments[@]}" examples >"$work/ingest.log" 2>&1 || fail "The ingest failed."
    # Strict: the quotation is sent before the model answers, so a stream shows whether nginx holds it back.
    arguments+=(--llm openai --grounding strict)
fi

replica() { # replica NAME: starts it and waits until it takes questions
    launch "$1" "$binary" serve --listen "127.0.0.1:${port[$1]}" --data-dir "$work/data-$1" "${arguments[@]}"
    await "$1" "http://127.0.0.1:${port[$1]}/readyz"
}
say "two replicas, nginx before them"
replica a
replica b
sed -e "s|@work@|$work|g" -e "s|@front@|${port[nginx]}|" -e "s|@a@|${port[a]}|" -e "s|@b@|${port[b]}|" \
    deploy/nginx.conf >"$work/nginx.conf"
# Where root starts it, its worker has another user, who must reach its folders.
chmod 711 "$work"
launch nginx nginx -p "$work" -e "$work/nginx.log" -c "$work/nginx.conf"
await nginx "$front/healthz"

questions=(
    "What HbA1c target suits most adults with type 2 diabetes?"
    "At what eGFR must metformin be stopped?"
    "What is the blood pressure target for most adults?"
    "At what age is the shingles vaccine given?"
)
mkdir "$work/answers"
ask() { # ask NUMBER: each question is another one, so that no answer comes from a cache
    local question="Patient $1: ${questions[$(($1 % ${#questions[@]}))]}"
    local answer=$work/answers/$1
    curl -sS --max-time 100 -o "$answer.json" -w '%{http_code}' "$route" \
        --json "{\"content\": \"$question\"}" >"$answer.status" 2>"$answer.error" || true
}
answered() { grep -lx 200 "$work"/answers/*.status 2>/dev/null | wc -l; }

say "one question, as JSON and as a stream"
ask 0
[ "$(cat "$work/answers/0.status")" = 200 ] || fail "It was not answered: $(cat "$work/answers/0".*)"
if [ -z "$mock" ]; then
    # Nothing between may collect the events: the quotation comes before the model's latency is over.
    times=$(curl -sSN -o "$work/stream" -w '%{time_starttransfer} %{time_total}' "$route" \
        --json "{\"content\": \"${questions[1]}\", \"stream\": true}")
    grep -q '^event: done' "$work/stream" || fail "The stream did not end in done."
    echo "first event and end of the stream, seconds: $times"
    awk -v times="$times" 'BEGIN { split(times, t); exit !(t[1] < t[2] - 0.3) }' || fail "nginx held the events back."
fi

say "$tasks questions, $concurrency at once; meanwhile a is killed and comes back, then b is told to stop and comes back"
rm "$work"/answers/*
started=$(date +%s%N)
for worker in $(seq "$concurrency"); do
    (
        trap - EXIT
        for ((n = worker; n <= tasks; n += concurrency)); do ask "$n"; done
    ) &
    workers+=($!)
done
sleep 2
at_kill=$(answered)
kill -9 "${process[a]}"
wait "${process[a]}" 2>/dev/null || true
sleep 1.5
replica a
at_term=$(answered)
kill -TERM "${process[b]}"
wait "${process[b]}" || fail "b did not end well after TERM."
replica b
at_end=$(answered)
wait "${workers[@]}"
seconds=$((($(date +%s%N) - started) / 1000000))

count=$(answered)
retried=$(grep -c 'upstream="[^"]*, ' "$work/access.log" || true)
good=$count
[ -n "$mock" ] || good=$(grep -l '"marker"' "$work"/answers/*.json | wc -l)
echo "answered: $count / $tasks in $((seconds / 1000)).$(printf %03d $((seconds % 1000))) s; with citations: $good"
echo "answered before the kill: $at_kill, before TERM: $at_term, when b was back: $at_end; asked again by nginx: $retried"
if [ "$count" -ne "$tasks" ] || [ "$good" -ne "$tasks" ]; then
    grep -LxF 200 "$work"/answers/*.status | head -3 | while read -r status; do cat "${status%.status}".*; echo; done >&2
    fail "Some questions were not answered."
fi
[ "$retried" -gt 0 ] || fail "No question was under way in the killed replica, so this proved nothing; raise TASKS."
[ "$at_term" -lt "$tasks" ] || fail "All was answered before b was told to stop, so this proved nothing; raise TASKS."
say "every question was answered"
