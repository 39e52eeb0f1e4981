"""Counts who takes six questions: accept.py BINARY URL LOG ROUNDS TITLE.

The service has three processes of two threads each and takes one second a question (mock-q). Each round asks six, 0.1 s
apart, and reads from the service's log which process took how many. Prints one line of JSON: in how many rounds so
many were answered at once, and how they were spread over the processes."""

import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

PROCESS = re.compile(r'process"?:? ?(\d+)')


def ask(binary, url):
    """How many of six were answered at once, that is, without waiting for another one."""
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        command = [binary, "bench", "--url", url, "--mock", "--tasks", "6", "--interval", "100ms"]
        command += ["--new-connections", "--log", "none", "--json", result.name]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        requests = json.load(result)["requests"]
    assert not any(request["error"] for request in requests), requests
    return sum(request["seconds"] < 1.5 for request in requests)


def logged(log, before):
    """The processes of the six questions; the last lines may come after the answers."""
    for _ in range(50):
        lines = log.read_bytes()[before:].decode().splitlines()
        processes = [PROCESS.search(line)[1] for line in lines if "mock-q" in line]
        if len(processes) == 6:
            return processes
        time.sleep(0.1)
    sys.exit(f"The log tells of {len(processes)} questions instead of six.")


def main():
    binary, url, log, rounds, title = sys.argv[1:]
    log = pathlib.Path(log)
    at_once, spread = collections.Counter(), collections.Counter()
    for _ in range(int(rounds)):
        before = log.stat().st_size
        at_once[ask(binary, url)] += 1
        taken = collections.Counter(logged(log, before))
        spread[" + ".join(str(count) for _, count in taken.most_common())] += 1
    print(json.dumps({"title": title, "at_once": dict(at_once), "spread": dict(spread)}))


main()
