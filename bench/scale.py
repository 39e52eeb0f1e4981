"""Puts loads on one server and writes their table.

scale.py measure RESULTS ROUND LOAD WAIT BINARY URL QUESTIONS SERVER MODEL   (the last two: processes)
scale.py table RESULTS LATENCY WAIT
"""

import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")
# What a median and a p99 may be at most, over one question alone; and megabytes of memory.
AIMS = {"20": 1.02, "200": 1.02, "1000": 1.05, "10000": 1.10, "10000@10000": 1.10}
MEMORY, RETURNED = 300, 1.10
WARM = 5


def cpu_seconds(pid):
    """User and system time; the name, which may hold spaces, is skipped."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def busy_and_all():
    """Seconds that the cores worked, whoever for, and all their seconds."""
    ticks = [int(field) for field in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return (sum(ticks) - idle) / TICKS, sum(ticks) / TICKS


def resident(pid):
    """Megabytes: all, and those of mapped files. A file that is mapped many times counts as often."""
    lines = [line.split() for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()]
    sizes = {words[0]: int(words[1]) / 1024 for words in lines if words[0] in ("VmRSS:", "RssFile:")}
    return sizes["VmRSS:"], sizes["RssFile:"]


def overflows():
    """Connections of the whole machine that found an accept queue full; their callers tried again a second later."""
    lines = pathlib.Path("/proc/net/netstat").read_text().splitlines()
    names, values = [line.split() for line in lines if line.startswith("TcpExt:")]
    return int(values[names.index("ListenOverflows")])


class Peak(threading.Thread):
    """The most resident memory of a process, looked at twenty times a second until it is told to stop."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.enough = pid, (0.0, 0.0), threading.Event()

    def run(self):
        while not self.enough.wait(0.05):
            self.most = max(self.most, resident(self.pid))

    def stop(self):
        self.enough.set()
        self.join()
        return self.most


def bench(binary, url, questions, load):
    """Runs the load tester and returns what it wrote. Its exit code tells of questions that failed; the file, too."""
    tasks, _, rate = load.partition("@")
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "run.json")
        pace = ["--rate", rate] if rate else ["--interval", "0"]
        command = [binary, "bench", "--url", url, "--questions", questions, "--tasks", tasks, *pace, "--stream=false"]
        run = subprocess.run(
            [*command, "--log", "none", "--timeout", "300s", "--json", file], stdout=subprocess.PIPE, text=True
        )
        # It makes an empty file before it begins.
        if not file.exists() or not file.stat().st_size:
            sys.exit(f"the load tester ended with {run.returncode}: {run.stdout}")
        return json.loads(file.read_text())


def measure(results, round_, load, wait, binary, url, questions, server, model):
    server, model = int(server), int(model)
    warm = bench(binary, url, questions, str(WARM))
    assert warm["figures"]["completed"] == WARM, warm["figures"]["errors"]
    time.sleep(1)
    before, _ = resident(server)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu, (busy, whole) = [cpu_seconds(server), cpu_seconds(model)], busy_and_all()
    overflowed = overflows()
    peak = Peak(server)
    peak.start()
    run = bench(binary, url, questions, load)
    most, most_of_files = peak.stop()
    overflowed = overflows() - overflowed
    busy, whole = (now - then for now, then in zip(busy_and_all(), (busy, whole), strict=True))
    cpu = [now - then for now, then in zip([cpu_seconds(server), cpu_seconds(model)], cpu, strict=True)]
    client = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu.append(client.ru_utime + client.ru_stime - children.ru_utime - children.ru_stime)
    time.sleep(int(wait))
    figures = run["figures"]
    for error in figures["errors"]:
        print(f"{error['count']} failed: {error['kind']}: {error['example']}", file=sys.stderr)
    row = {
        "round": int(round_),
        "load": load,
        "answered": figures["completed"],
        "failed": figures["failed"] + figures["unfinished"],
        "errors": figures["errors"],
        "median": figures["latency"] and figures["latency"]["p50"],
        "p99": figures["latency"] and figures["latency"]["p99"],
        "last_sent": max(request["wait"] for request in run["requests"]),
        "most_in_flight": figures["most_in_flight"],
        "overflows": overflowed,
        "before": before,
        "peak": most,
        "peak_files": most_of_files,
        "after": resident(server)[0] if int(wait) else None,
        "cpu_server": cpu[0],
        "cpu_model": cpu[1],
        "cpu_client": cpu[2],
        "busy": busy / whole,
        "uptime": pathlib.Path("/proc/loadavg").read_text().split()[0],
    }
    with open(results, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    print(f"    {json.dumps(row)}", file=sys.stderr)


def name(load):
    tasks, _, rate = load.partition("@")
    if not rate:
        return "1, alone" if tasks == "1" else f"{int(tasks):,} at once"
    return f"{int(tasks):,} spread over {int(tasks) / float(rate):.3g} s"


def table(results, latency, wait):
    rows = [json.loads(line) for line in pathlib.Path(results).read_text().splitlines()]
    alone = {row["round"]: row for row in rows if row["load"] == "1"}
    rounds = len({row["round"] for row in rows})

    def median(of, key, form, over=None):
        """Of the rounds; `over`: as a share of the same figure of one question in the same round."""
        try:
            values = [row[key] / (alone[row["round"]][over] if over else 1) for row in of]
            return form.format(statistics.median(values))
        except (KeyError, TypeError):
            return "-"

    names = dict.fromkeys(row["load"] for row in rows)
    loads = [(load, [row for row in rows if row["load"] == load]) for load in names]
    cores = os.cpu_count()
    for row in rows:
        for who in ("server", "model", "client"):
            # The system counts in hundredths of a second, which says nothing of a few questions; and questions that
            # failed cost something, too.
            known = row["answered"] >= 100 and not row["failed"]
            row[f"each_{who}"] = 1000 * row[f"cpu_{who}"] / row["answered"] if known else None
        row["all_cpu"] = (row["cpu_server"] + row["cpu_model"] + row["cpu_client"]) / cores

    print(f"Three calls of {latency} a question; medians of {rounds} rounds, questions counted over all of them.\n")
    print("| questions | answered, failed | most under way | longest wait to be sent, s | found the accept queue full "
          "| median s | p99 s | median, p99 over one alone | aim |")
    print("|---|---|---|---|---|---|---|---|---|")
    for load, of in loads:
        print(
            f"| {name(load)} | {sum(row['answered'] for row in of):,}, {sum(row['failed'] for row in of):,} "
            f"| {median(of, 'most_in_flight', '{:,.0f}')} | {median(of, 'last_sent', '{:.2f}')} "
            f"| {median(of, 'overflows', '{:,.0f}')} "
            f"| {median(of, 'median', '{:.2f}')} | {median(of, 'p99', '{:.2f}')} "
            f"| {median(of, 'median', '{:.3f}', 'median')}, {median(of, 'p99', '{:.3f}', 'p99')} "
            f"| {f'{AIMS[load]:.2f}' if load in AIMS else ''} |"
        )
    print(f"\n| questions | memory before, MB | at most (of it mapped files) | {wait} s after | CPU ms a question: "
          f"server, model, client | their CPU time over {cores} cores, s | cores busy, whoever for |")
    print("|---|---|---|---|---|---|---|")
    for load, of in loads:
        print(
            f"| {name(load)} | {median(of, 'before', '{:.0f}')} "
            f"| {median(of, 'peak', '{:.0f}')} ({median(of, 'peak_files', '{:.0f}')}) "
            f"| {median(of, 'after', '{:.0f}')} "
            f"| {', '.join(median(of, f'each_{who}', '{:.1f}') for who in ('server', 'model', 'client'))} "
            f"| {median(of, 'all_cpu', '{:.1f}')} | {median(of, 'busy', '{:.0%}')} |"
        )
    largest = [row for row in rows if row["load"] == "10000" and row["after"]]
    if largest:
        peak = statistics.median(row["peak"] for row in largest)
        kept = statistics.median(row["after"] / row["before"] for row in largest)
        print(f"\nAims for memory at 10,000: at most {MEMORY} MB, it was {peak:.0f}; {wait} s after at most "
              f"{RETURNED:.2f} of that before, it was {kept:.2f}.")
    errors = [
        f"- {name(load)}, round {row['round']}: {error['count']:,} × {error['kind']}, such as: {error['example']}"
        for load, of in loads for row in of for error in row["errors"]
    ]
    print("\nNo question failed." if not errors else "\n".join([
        "\nFailed (times are those of answered questions alone, which the others made room for):\n", *errors
    ]))
    busy = [float(row["uptime"]) for row in rows]
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    print(f"\nLimit of open files: {soft:,}. Load while this ran, by uptime: from {min(busy)} to {max(busy)}.")
    # Questions that were broken off by a signal have no error.
    sys.exit(any(row["failed"] for row in rows))


if __name__ == "__main__":
    {"measure": measure, "table": table}[sys.argv[1]](*sys.argv[2:])
