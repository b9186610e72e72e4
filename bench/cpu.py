"""Processor time: by process, of a whole core, and until a server is idle."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.figures import FULL

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_IDLE_SHARE: Final = 0.1
_IDLE_LOOK: Final = 0.2
_IDLE_PATIENCE: Final = 4.0
_FOREIGN: Final = 0.05
_CORES: Final = ("core 0", "core 1")
_NOT_BESIDE: Final = frozenset({"server", "after", *_CORES})


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and its children have used, in seconds; 0 for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS + sum(cpu_seconds(int(child)) for child in children)


def core_seconds(core: int) -> float:
    """Return for how long a core has been busy with anything at all, in seconds."""
    line = next(one for one in Path("/proc/stat").read_text().splitlines() if one.startswith(f"cpu{core} "))
    user, nice, system, _idle, _wait, interrupts, soft, *_ = map(int, line.split()[1:])
    return (user + nice + system + interrupts + soft) / _TICKS


class Meter:
    """Processor time by process since it was started."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._began = self._now()

    def shares(self, seconds: float) -> dict[str, float]:
        """Return the processor time of each as a share of so many seconds of one core; ``core 0``, ``core 1``: all."""
        return {name: (now - self._began[name]) / seconds for name, now in self._now().items()}

    def _now(self) -> dict[str, float]:
        cores = {f"core {core}": core_seconds(core) for core in (0, 1)}
        return {name: cpu_seconds(pid) for name, pid in self._pids.items()} | cores


def settle(pids: Sequence[int]) -> float:
    """Wait until these servers are idle, a few seconds at most; return the processor time that they still used.

    A server goes on after its last answer: it sends the spans of the committed rows. That must not slow down the next one.
    """
    began = [cpu_seconds(pid) for pid in pids]
    patience, before = time.monotonic() + _IDLE_PATIENCE, sum(began)
    while time.monotonic() < patience:
        time.sleep(_IDLE_LOOK)
        now = sum(cpu_seconds(pid) for pid in pids)
        if now - before <= _IDLE_SHARE * _IDLE_LOOK:
            break
        before = now
    return sum(cpu_seconds(pid) for pid in pids) - sum(began)


def notes(cpu: Mapping[str, float]) -> list[str]:
    """Return what a reader of these shares must know: the other core is full, or somebody else used one."""
    beside = sum(share for name, share in cpu.items() if name not in _NOT_BESIDE)
    told = []
    if beside >= FULL:
        told.append("core 1 is full: client, PostgreSQL and OpenBao are the limit, so the ratio is a lower bound")
    foreign = sum(cpu.get(core, 0.0) for core in _CORES) - cpu.get("server", 0.0) - beside
    if foreign > _FOREIGN:
        told.append(f"somebody else used {foreign:.2f} of a core")
    return told
