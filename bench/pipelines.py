"""Asks the same questions in both pipelines, in turn, and prints medians: bench-pipelines.py URL ROUNDS SOURCE..."""

import json
import statistics
import sys
import urllib.request

QUESTIONS = [
    ("context", "What is the blood pressure target for most adults?"),
    ("context", "At what eGFR must metformin be stopped?"),
    ("context", "How long should hands be rubbed with alcohol?"),
    ("QA", "What are the symptoms of Patent Ductus Arteriosus?"),
    ("QA", "What causes Restless Legs Syndrome?"),
    ("all", "What are the treatments for asthma?"),
]


def ask(url, source, content, pipeline):
    body = {"content": content, "source": source, "pipeline": pipeline}
    request = urllib.request.Request(url + "/apis/q-and-a/q", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def main():
    url, rounds, sources = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    for pipeline in ("direct", "classic"):
        ask(url, *QUESTIONS[0], pipeline)  # connections and caches
    times = {}
    rows = {}
    for _ in range(rounds):
        for source, content in (question for question in QUESTIONS if question[0] in sources):
            for pipeline in ("direct", "classic"):
                answer = ask(url, source, content, pipeline)
                times.setdefault((source, pipeline), []).append(answer["timings_ms"]["total"])
                rows.setdefault((source, pipeline), []).append(answer)
    print("| source | pipeline | median ms | calls | prompt tokens | steps, median ms |")
    print("|---|---|---|---|---|---|")
    for (source, pipeline), all_times in times.items():
        answers = rows[source, pipeline]
        steps = {name for answer in answers for name in answer["timings_ms"]} - {"total", "first_token", "first_text"}
        median = {name: statistics.median(a["timings_ms"].get(name, 0) for a in answers) for name in steps}
        shown = ", ".join(f"{name} {ms:.0f}" for name, ms in sorted(median.items()))
        calls = statistics.median(answer["calls"] for answer in answers)
        tokens = statistics.median(answer["prompt_tokens"] for answer in answers)
        print(f"| {source} | {pipeline} | {statistics.median(all_times):.0f} | {calls:.0f} | {tokens:.0f} | {shown} |")
    for source in sources:
        ratio = statistics.median(times[source, "direct"]) / statistics.median(times[source, "classic"])
        print(f"direct / classic, {source}: {ratio:.3f}")


main()
