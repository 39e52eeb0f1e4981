"""What a server and its children use, from /proc."""

import os
import pathlib
import sys
import time

TICKS = os.sysconf("SC_CLK_TCK")


def _fields(pid):
    """The fields of /proc/PID/stat after the name, which may hold spaces: index 0 is the state."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def family(pid):
    """The process and all its descendants."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            parents.setdefault(int(_fields(entry)[1]), []).append(int(entry))
        except OSError:
            continue
    members = [pid]
    for member in members:
        members += parents.get(member, [])
    return members


def cpu_seconds(pid):
    """User and system time of the family, with that of children that have ended."""
    ticks = 0
    for member in family(pid):
        try:
            ticks += sum(map(int, _fields(member)[11:15]))
        except OSError:
            continue
    return ticks / TICKS


def megabytes(pid):
    """Resident memory of the family; what processes share counts once."""
    kilobytes = 0
    for member in family(pid):
        try:
            lines = pathlib.Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
            kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return kilobytes / 1024


def settled(pid, limit):
    """Whether the family comes to rest within the limit: two half seconds in turn with less than 5 % of a core."""
    end, quiet, before = time.monotonic() + limit, 0, cpu_seconds(pid)
    while quiet < 2:
        if time.monotonic() > end:
            return False
        time.sleep(0.5)
        after = cpu_seconds(pid)
        quiet = quiet + 1 if after - before < 0.025 else 0
        before = after
    return True


if __name__ == "__main__":
    # processes.py PID SECONDS: waits until the process is at rest, and fails if it is not by then.
    sys.exit(0 if settled(int(sys.argv[1]), float(sys.argv[2])) else 1)
