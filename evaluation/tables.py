#!/usr/bin/env python3
"""Writes the figures of `make eval` as Markdown tables: tables.py FOLDER, which scripts/eval.sh has filled."""

import json
import sys
from pathlib import Path

SETS = ["own", "squad2", "xquad-en", "medquad", "dialogues", "chunking"]
PARTS = ["development", "held-out"]
FIGURES = [
    ("questions", "questions", "{:.0f}"),
    ("right", "right answers", "{:.0%}"),
    ("f1", "token F1", "{:.2f}"),
    ("false_refusals", "false refusals", "{:.0%}"),
    ("false_answers", "false answers", "{:.0%}"),
    ("citation_precision", "citation precision", "{:.2f}"),
    ("citation_recall", "citation recall", "{:.2f}"),
    ("unsupported", "unsupported statements", "{:.2f}"),
    ("ece", "ECE", "{:.2f}"),
    ("auc", "AUC", "{:.2f}"),
    ("tokens", "tokens", "{:.0f}"),
    ("seconds_median", "seconds, median", "{:.2f}"),
    ("seconds_p90", "seconds, p90", "{:.2f}"),
]
CLAIMS = [
    ("claims", "claims", "{:.0f}"),
    ("precision", "precision of \"supports\"", "{:.2f}"),
    ("recall", "recall of \"supports\"", "{:.2f}"),
    ("contradictions", "contradictions certified", "{:.1%}"),
    ("neutral", "neutral certified", "{:.1%}"),
]


def read(folder, name):
    path = folder / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def row(names, figures, shown):
    cells = [form.format(figures[name]) if figures.get(name) is not None else "-" for name, _, form in shown]
    return "| " + " | ".join(names + cells) + " |"


def table(heads, shown, rows):
    """The rows are pairs of names and figures; figures that no row has are left out."""
    shown = [figure for figure in shown if any(figures.get(figure[0]) is not None for _, figures in rows)]
    heads = heads + [label for _, label, _ in shown]
    return "\n".join(["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads),
                      *(row(names, figures, shown) for names, figures in rows)])


def main(folder):
    reports = {(name, part): report for name in SETS for part in PARTS if (report := read(folder, f"{name}-{part}"))}
    rows = [([name, part], report["all"]) for (name, part), report in reports.items()]
    print(table(["set", "part"], FIGURES, rows))
    for name in SETS:
        kinds = {kind for part in PARTS for kind in reports.get((name, part), {}).get("kinds", {})}
        if len(kinds) < 2:
            continue
        order = [kind for kind in reports[name, PARTS[0]]["kinds"]]
        order += sorted(kinds.difference(order))
        rows = [([kind, part], reports[name, part]["kinds"][kind]) for kind in order for part in PARTS
                if kind in reports.get((name, part), {}).get("kinds", {})]
        print(f"\n{name}, by kind:\n\n" + table(["kind", "part"], FIGURES, rows))
    claims = [([part], report["all"]) for part in PARTS if (report := read(folder, f"claims-{part}"))]
    if claims:
        print("\nclaims:\n\n" + table(["part"], CLAIMS, claims))
    cold = {path.stem.split(".")[0]: path.read_text().strip() for path in sorted(folder.glob("*.cold-seconds"))}
    seconds = (folder / "seconds").read_text().strip()
    ingested = ", ".join(f"{name} {cold[name]}" for name in SETS if name in cold)
    print(f"\nAsking took {seconds} s in all. Ingesting, which is done once, took in seconds: {ingested}.")
    services = sorted({report["about"]["service"] for report in reports.values()})
    print(f"Answered by: {'; '.join(services)}.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
