"""The processor time of processes, read from /proc. Systems without it, such as macOS, have none to read."""

import os
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

PROC = Path("/proc")
LOAD = "load"


def spent(processes: Mapping[str, int]) -> dict[str, float]:
    """Processor seconds until now of each process with all below it, by its name, and those of this process alone.

    Empty where they cannot be read.
    """
    if not PROC.joinpath("self", "stat").exists():
        return {}
    ticks, below = _ticks()
    second = os.sysconf("SC_CLK_TCK")
    taken = {name: _of_family(process, ticks, below) / second for name, process in processes.items()}
    return taken | {LOAD: time.process_time()}


def _ticks() -> tuple[dict[int, int], dict[int, list[int]]]:
    """Of every process the ticks that it and its ended children have taken, and its children that are running."""
    ticks: dict[int, int] = {}
    below: dict[int, list[int]] = defaultdict(list)
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            values = stat.read_bytes().rpartition(b")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        number = int(stat.parent.name)
        ticks[number] = sum(int(value) for value in values[11:15])  # proc_pid_stat(5): utime, stime, cutime, cstime
        below[int(values[1])].append(number)
    return ticks, below


def _of_family(process: int, ticks: Mapping[int, int], below: Mapping[int, list[int]]) -> int:
    return ticks.get(process, 0) + sum(_of_family(child, ticks, below) for child in below.get(process, []))
