"""Prints Markdown of the medians of all rounds, and the ratios that follow: table.py RESULTS.jsonl WIDE LIMIT."""

import collections
import json
import statistics
import sys

# What the ratios are of; `better` is the fastest Python service of a load.
RATIOS = [
    ("search", "qanda", "better", "all of it"),
    ("search", "uvicorn-one", "uvicorn", "fewer store calls"),
    ("search", "qanda", "uvicorn-one", "the server and cheaper queries"),
    ("search", "qanda-embedded", "better", "no Chroma at all"),
    ("alone", "qanda", "better", "the server alone"),
]


def middle(results, value):
    return statistics.median(map(value, results))


def rate(results):
    return middle(results, lambda result: result["rate"])


def spread(results):
    """The median, and the least and the greatest where there are several."""
    rates = sorted(result["rate"] for result in results)
    between = f" ({rates[0]:,.1f} to {rates[-1]:,.1f})" if len(rates) > 1 else ""
    return f"{statistics.median(rates):,.1f}{between}"


def cpu(results, *names):
    """Milliseconds for one answered question, of all processes where none is named."""
    return middle(
        results,
        lambda result: 1000 * sum(result["cpu"][name] for name in names or result["cpu"]) / max(result["completed"], 1),
    )


def megabytes(results):
    return f"{middle(results, lambda result: result['megabytes']):.0f} MB" if results else ""


def failures(results):
    kinds = collections.Counter()
    for result in results:
        for error in result["errors"]:
            kinds[error["kind"]] += error["count"]
    return ", ".join(f"{count:,} {kind}" for kind, count in kinds.items()) or "none"


def answered(results):
    """How long the slowest took, or how many were answered at all."""
    if not results:
        return "not asked"
    (result,) = results
    took = f"{result['latency']['max']:.2f} s" if result["completed"] else "none"
    if not result["failed"]:
        return took
    return f"{result['completed']} of {result['sent']} in {took}; {failures(results)}"


def table(head, rows):
    print("|" + "|".join(f" {cell} " for cell in head) + "|\n|" + "---|" * len(head))
    for row in rows:
        print("|" + "|".join(f" {cell} " for cell in row) + "|")
    print()


def ratio(runs, load, one, other, meaning):
    """A line about two services, where both were measured."""
    rates = {peer: rate(loads[load]) for peer, loads in runs.items() if loads[load]}
    if other == "better":
        other = max((peer for peer in rates if not peer.startswith("qanda")), key=rates.get, default=other)
        meaning += ", against the better peer"
    if one in rates and rates.get(other):
        name = "without search" if load == "alone" else "with search"
        less = cpu(runs[other][load]) / cpu(runs[one][load])
        print(f"- {name}, {one} over {other}: {rates[one] / rates[other]:.1f} times ({meaning}); by the CPU time of all: {less:.1f}")


def main():
    path, wide, limit = sys.argv[1:]
    runs = collections.defaultdict(lambda: collections.defaultdict(list))
    with open(path) as lines:
        for line in map(json.loads, lines):
            runs[line["peer"]][line["load"]].append(line["result"])

    slow = [(peer, loads) for peer, loads in runs.items() if loads["spaced"]]
    if slow:
        print(f"A model of one second; given up after {limit} s:\n")
        head = ["service", "20 at 0.1 s: the slowest", f"{wide} at once: the slowest", "memory, one question", f"with {wide}"]
        rows = [
            [peer, answered(loads["spaced"]), answered(loads["wide"]), megabytes(loads["warm"]), megabytes(loads["wide"])]
            for peer, loads in slow
        ]
        table(head, rows)
    for load, title in (("search", "with search"), ("alone", "without search")):
        print(f"A model that answers at once, 64 callers, {title}:\n")
        head = ["service", "rounds", "questions/s", "CPU a question: server", "Chroma", "model and load", "all"]
        head += ["most memory", "failed"]
        rows = [
            [peer, len(done), spread(done)]
            + [f"{cpu(done, *names):.2f} ms" for names in (["server"], ["chroma"], ["model", "load"], [])]
            + [megabytes(done), failures(done)]
            for peer, loads in runs.items()
            if (done := loads[load])
        ]
        table(head, rows)
    for line in RATIOS:
        ratio(runs, *line)


main()
