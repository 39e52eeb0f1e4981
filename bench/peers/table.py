"""Prints the medians of all rounds as one Markdown table: table.py RESULTS.jsonl WIDE."""

import json
import statistics
import sys


def middle(results, key):
    values = [result[key] for result in results if key in result]
    return statistics.median(values) if values else None


def slowest(results):
    if not results:
        return ""
    left = sum(result["tasks"] - result["completed"] for result in results) / len(results)
    if not left:
        return f"{middle(results, 'slowest'):.2f} s"
    tasks = results[0]["tasks"]
    return f"{tasks - left:.0f} of {tasks} answered"


def number(value, form, unit=""):
    return "" if value is None else f"{value:{form}}{unit}"


def main():
    path, wide = sys.argv[1:]
    runs = {}
    with open(path) as lines:
        for line in map(json.loads, lines):
            runs.setdefault(line["peer"], {}).setdefault(line["load"], []).append(line["result"])
    client = runs.pop("client", {}).get("loop", [])
    print(f"| service | 20 at 0.1 s: slowest | {wide} at once: slowest | questions/s | CPU a question: server", end="")
    print(" | Chroma | memory, idle | with all waiting |\n|---|---|---|---|---|---|---|---|")
    for peer, loads in runs.items():
        loop, many = loads.get("loop", []), loads.get("wide", [])
        cells = [
            peer,
            slowest(loads.get("spaced", [])),
            slowest(many),
            number(middle(loop, "per_second"), ".1f"),
            number(middle(loop, "server_cpu_ms"), ".2f", " ms"),
            number(middle(loop, "chroma_cpu_ms"), ".2f", " ms"),
            number(middle(loads.get("warm", []), "megabytes"), ".0f", " MB"),
            number(middle(many, "megabytes"), ".0f", " MB"),
        ]
        print("| " + " | ".join(cells) + " |")
    print()
    failed = {(peer, load): r["failures"] for peer, loads in runs.items() for load, rs in loads.items() for r in rs if r["failures"]}
    for (peer, load), failures in failed.items():
        print(f"failures: {peer}, {load}: {failures}")
    share = max((r["load_cpu_share"] for loads in runs.values() for r in loads.get("loop", [])), default=0)
    print(f"the load generator used at most {share:.2f} of a core in the closed loops")
    for result in client:
        print(f"alone against mock-q: {result['per_second']:.0f} requests/s at {result['load_cpu_share']:.2f} of a core")


main()
