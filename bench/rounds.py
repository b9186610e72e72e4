"""Measures several servers in turns, so that a slow minute of the machine is slow for all of them."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench import metered
from bench.cpu import notes, settle
from bench.figures import median, shares
from bench.processes import OTHER_CORE
from dev import environment
from dev.identities import Credentials

ROUNDS: Final = int(os.environ.get("ONGGI_BENCH_ROUNDS", "5"))
SECONDS: Final = float(os.environ.get("ONGGI_BENCH_SECONDS", "2"))
WARM_UP_SECONDS: Final = SECONDS / 2
_AFTERWARDS: Final = 0.02
AT_MOST: Final = 8_000  # calls a second; more than anything here can answer


@dataclass(frozen=True)
class Measured:
    """Something that is measured: where it listens, what it is asked (how many, by seed), and whose process it is.

    ``server_name`` is "" for a server without TLS. ``log``: how the method stands in the processing log, "" if it does not.
    """

    name: str
    address: str
    server_name: str
    method: str
    make: Callable[[int, int], list[bytes]]
    pid: int
    in_flight: int = 64
    log: str = ""


@dataclass
class Taken:
    """What the rounds of one subject came to. Rates in calls a second, latencies in milliseconds (closed loop)."""

    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: list[Mapping[str, float]] = field(default_factory=list)
    answered: int = 0
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """The median rate."""
        return median(self.rates)

    @property
    def server_us(self) -> float:
        """The median processor time of the server for one call, in microseconds: steadier than a rate on a busy machine."""
        return median([one["server"] / rate * 1e6 for one, rate in zip(self.cpu, self.rates, strict=True)])

    def notes(self) -> list[str]:
        """What a reader must know."""
        found = shares(self.cpu)
        told = [*notes(found), f"in the closed loop p50 {median(self.p50):.1f} ms, p99 {median(self.p99):.1f} ms"]
        if found["after"] > _AFTERWARDS:
            told.append(f"work that the server did after its last answer: {found['after']:.2f} of its time before")
        return told


class Bench:
    """Runs loads against subjects on one stack.

    ``others``: pids of what works beside the server, by name; ``busy``: pids of all that must be idle between turns.
    """

    def __init__(self, build: Path, credentials: Credentials, others: Mapping[str, int], busy: Sequence[int]) -> None:
        self._build = build
        self._credentials = credentials
        self._others = others
        self._busy = busy
        self._seed = 0
        self.taken: dict[str, Taken] = {}

    def in_turns(self, subjects: Sequence[Measured], before: Callable[[str], None] = lambda _: None) -> None:
        """Measure the subjects in turns; the first round warms up and counts for nothing but the rows.

        ``before`` is told whose turn it is.
        """
        for number in range(ROUNDS + 1):
            for subject in subjects:
                before(subject.name)
                seconds = SECONDS if number else WARM_UP_SECONDS
                self._turn(subject, {"in_flight": subject.in_flight, "seconds": seconds}, counts=number > 0)

    def open_loop(self, subject: Measured, rate: float, seconds: float) -> tuple[float, float]:
        """Return p50 and p99 in milliseconds at so many calls a second, from the time at which each was due."""
        task = {"rate": rate, "seconds": seconds}
        result = self._turn(subject, task, counts=False)
        return result["p50"] * 1e3, result["p99"] * 1e3

    def _turn(self, subject: Measured, task: Mapping[str, Any], *, counts: bool) -> dict[str, Any]:
        self._seed += 1
        taken = self.taken.setdefault(subject.name, Taken())
        rate = task.get("rate") or min(AT_MOST, 2 * max(taken.rates, default=AT_MOST))
        requests = subject.make(int(rate * task["seconds"] * 1.2) + 256, self._seed)
        pids = {"server": subject.pid, **self._others}
        result = self._load(subject, {**task, "pids": pids}, requests)
        cpu = result["shares"] | {"after": settle(self._busy) / task["seconds"]}
        taken.answered += result["answered"]
        for name, number in result["failures"].items():
            taken.failures[name] = taken.failures.get(name, 0) + number
        if not result["answered"]:
            raise RuntimeError(f"{subject.name} answered nothing: {result['failures']}")
        if counts:
            taken.rates.append(result["rate"])
            taken.p50.append(result["p50"] * 1e3)
            taken.p99.append(result["p99"] * 1e3)
            taken.cpu.append(cpu)
        print(f"  {subject.name:28} {result['rate']:7.0f}/s  {result['failures'] or ''}", flush=True)
        return result

    def _load(self, subject: Measured, task: Mapping[str, Any], requests: list[bytes]) -> dict[str, Any]:
        file = self._build / "load.json"
        whom = {"address": subject.address, "server_name": subject.server_name or "localhost", "method": subject.method}
        if subject.server_name:
            files = self._credentials
            whom |= {"ca": str(files.ca), "key": str(files.key), "certificate": str(files.certificate)}
        metered.write(file, {**task, **whom}, requests)
        command = environment.module("bench.metered", str(file))
        assert os.sched_getaffinity(0) == OTHER_CORE  # the client inherits it
        done = subprocess.run(command, env=environment.python(), check=True, stdout=subprocess.PIPE)
        result: dict[str, Any] = json.loads(done.stdout)
        return result
