"""Runs one load and prints as one line of JSON what came of it and what it cost the processes of both sides.

    measure.py NAME=PID... -- qanda bench --url URL...

The CPU time is that of the whole run, so the load must have no warm-up of its own.
"""

import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import threading

import processes


def watch_memory(pid, ended, peak):
    while not ended.wait(0.5):
        peak.append(processes.megabytes(pid))


def used(pids):
    return {name: processes.cpu_seconds(pid) for name, pid in pids.items()}


def own():
    """The load's own time: it is the only child of this process, and has ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main():
    split = sys.argv.index("--")
    pids = {name: int(pid) for name, pid in (argument.split("=") for argument in sys.argv[1:split])}
    ended, peak = threading.Event(), []
    watching = threading.Thread(target=watch_memory, args=(pids["server"], ended, peak), daemon=True)
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "report.json")
        command = [*sys.argv[split + 1 :], "--json", str(report)]
        before = used(pids)
        watching.start()
        run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        after = used(pids)
        ended.set()
        watching.join()
        # With failed questions it ends with 1, after it has written the figures; the file is there before.
        if not report.exists() or not report.stat().st_size:
            sys.exit(f"The load did not run: {run.stderr}")
        figures = json.loads(report.read_text())["figures"]
    cpu = {name: after[name] - before[name] for name in pids} | {"load": own()}
    peak.append(processes.megabytes(pids["server"]))
    print(json.dumps({**figures, "cpu": cpu, "megabytes": max(peak)}))


main()
