"""Writes the chapter on the original's experiments in docs/benchmarks.md: chapter.py FOLDER SCALE.

FOLDER has what the load tester measured and accept.py counted. What stands between the chapter's two marks is
replaced."""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
DOCUMENT = pathlib.Path("docs/benchmarks.md")
BEGIN, END = "<!-- written by make bench: begin -->\n", "<!-- written by make bench: end -->\n"

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


def experiments(folder):
    """The table of the runs: their figure and ours."""
    yield "| | questions | the original, s | here, s | over one alone | picture |"
    yield "|---|---|---|---|---|---|"
    alone = None
    for name, tasks, title, original in EXPERIMENTS:
        run = json.loads((folder / f"{name}-{tasks}.json").read_text())
        seconds = [request["seconds"] for request in run["requests"] if not request["error"]]
        assert len(seconds) == tasks, f"{name}: {len(seconds)} of {tasks} were answered"
        alone = alone or seconds[0]
        picture = f"![bars](experiments/{name}-{tasks}.svg)"
        yield f"| {title} | {tasks} | {original} | {groups(seconds)} | {max(seconds) / alone:.2f} | {picture} |"


def who_accepts(folder):
    """The table of accept.py's counts."""
    yield "| three workers, two threads each | answered at once, of six | taken by each process |"
    yield "|---|---|---|"
    for line in (folder / "accept.jsonl").read_text().splitlines():
        run = json.loads(line)
        counts = sorted(run["at_once"].items(), reverse=True)
        at_once = ", ".join(f"{number}: {times} times" for number, times in counts)
        spread = sorted(run["spread"].items(), key=lambda item: -item[1])
        yield f"| {run['title']} | {at_once} | {', '.join(f'{way}: {times} times' for way, times in spread)} |"


def main():
    folder, scale = pathlib.Path(sys.argv[1]), float(sys.argv[2])
    text = {name: (HERE / f"{name}.md").read_text() for name in ("chapter", "accept", "lessons")}
    parts = [text["chapter"].format(latency=4.1 * scale, scale=sys.argv[2]), *experiments(folder), ""]
    parts += [text["accept"], *who_accepts(folder), "", text["lessons"]]
    before, rest = DOCUMENT.read_text().split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(before + BEGIN + "\n".join(parts) + END + after)


main()
