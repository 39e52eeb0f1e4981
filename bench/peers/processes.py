"""What a server and its children have used, from /proc."""

import os
import pathlib

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
