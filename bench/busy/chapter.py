"""Writes the chapter on busy neighbours in docs/benchmarks.md: chapter.py FOLDER NEIGHBOURS.

FOLDER has what the load tester measured. What stands between the chapter's two marks is replaced."""

import json
import os
import pathlib
import statistics
import sys

HERE = pathlib.Path(__file__).parent
DOCUMENT = pathlib.Path("docs/benchmarks.md")
BEGIN, END = "<!-- written by make bench-busy: begin -->\n", "<!-- written by make bench-busy: end -->\n"


def seconds(folder, name):
    """The times of all answers of a kind, over all rounds."""
    times = []
    for path in sorted(folder.glob(f"{name}-*.json")):
        requests = json.loads(path.read_text())["requests"]
        assert not any(request["error"] for request in requests), f"{path.name}: not every question was answered"
        times += [request["seconds"] for request in requests]
    return times


def rows(folder):
    """Idle beside busy, for each number of threads."""
    yield "| threads of the language model | idle: median, slowest | busy: median, slowest | busy over idle |"
    yield "|---|---|---|---|"
    for threads in ("default", "1"):
        idle, busy = seconds(folder, f"idle-{threads}"), seconds(folder, f"busy-{threads}")
        ratio = statistics.median(busy) / statistics.median(idle)
        shown = [f"{statistics.median(times):.2f} s, {max(times):.2f} s" for times in (idle, busy)]
        title = "as many as cores (default)" if threads == "default" else threads
        yield f"| {title} | {shown[0]} | {shown[1]} | {ratio:.2f} |"


def main():
    folder, neighbours = pathlib.Path(sys.argv[1]), sys.argv[2]
    text = (HERE / "chapter.md").read_text().format(cores=len(os.sched_getaffinity(0)), neighbours=neighbours)
    before, rest = DOCUMENT.read_text().split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(before + BEGIN + text + "\n".join([*rows(folder), ""]) + END + after)
    print(*rows(folder), sep="\n")


main()
