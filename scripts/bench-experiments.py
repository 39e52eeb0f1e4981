"""Writes the chapter on the original's experiments from the load tester's files: bench-experiments.py FOLDER SCALE."""

import json
import pathlib
import sys

# Name and questions of each run, and what the original's README says of it (seconds).
EXPERIMENTS = [
    ("sync-1", 1, "1 sync worker", "12.4 to 12.9"),
    ("sync-1", 3, "1 sync worker", "12.4 / 24.6 / 37.4"),
    ("sync-3", 3, "3 sync workers", "14 to 14.6"),
    ("sync-3", 6, "3 sync workers", "12 to 13.7, then 23 to 24.3"),
    ("gthread-3x2", 6, "3 workers, 2 threads each", "five 14.4 to 15.8, the sixth 27.2"),
    ("async-1", 6, "1 asynchronous worker", "16.1 to 17.5"),
    ("async-3-cap-16", 20, "3 asynchronous workers, client with 16 threads", "sixteen 16.9 to 26.5, four 11.3 to 12.9"),
    ("async-3", 20, "3 asynchronous workers", "27.3 to 32.2"),
]


def groups(seconds):
    """`12.3 to 12.4, then 24.6 to 24.7`: values that are near each other, in order."""
    ordered, found = sorted(seconds), []
    for value in ordered:
        if found and value - found[-1][-1] < 0.25 * ordered[0]:
            found[-1].append(value)
        else:
            found.append([value])
    spans = [f"{g[0]:.1f}" if len(g) == 1 else f"{len(g)} at {g[0]:.1f} to {g[-1]:.1f}" for g in found]
    return ", then ".join(spans)


def who_accepts(results):
    """The table of bench-accept.py's counts."""
    print("| three workers, two threads each | answered at once, of six | taken by each process |")
    print("|---|---|---|")
    for line in results.read_text().splitlines():
        run = json.loads(line)
        counts = sorted(run["at_once"].items(), reverse=True)
        at_once = ", ".join(f"{number}: {times} times" for number, times in counts)
        spread = sorted(run["spread"].items(), key=lambda item: -item[1])
        print(f"| {run['title']} | {at_once} | {', '.join(f'{way}: {times} times' for way, times in spread)} |")
    print()


def main():
    folder, scale = pathlib.Path(sys.argv[1]), float(sys.argv[2])
    print(pathlib.Path("scripts/bench-experiments.md").read_text().format(latency=4.1 * scale, scale=sys.argv[2]))
    print("| | questions | the original, s | here, s | over one alone | picture |")
    print("|---|---|---|---|---|---|")
    alone = None
    for name, tasks, title, original in EXPERIMENTS:
        run = json.loads((folder / f"{name}-{tasks}.json").read_text())
        seconds = [request["seconds"] for request in run["requests"] if not request["error"]]
        assert len(seconds) == tasks, f"{name}: {len(seconds)} of {tasks} were answered"
        alone = alone or seconds[0]
        picture = f"![bars](experiments/{name}-{tasks}.svg)"
        print(f"| {title} | {tasks} | {original} | {groups(seconds)} | {max(seconds) / alone:.2f} | {picture} |")
    print(pathlib.Path("scripts/bench-experiments-accept.md").read_text())
    who_accepts(folder / "accept.jsonl")
    print(pathlib.Path("scripts/bench-experiments-lessons.md").read_text(), end="")


main()
