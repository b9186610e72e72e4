"""Measures several servers in turns, so that a slow minute of the machine is slow for all of them."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.processes import cpu_seconds
from dev import environment
from dev.identities import Credentials

IN_FLIGHT: Final = 64
ROUNDS: Final = int(os.environ.get("ONGGI_BENCH_ROUNDS", "5"))
SECONDS: Final = float(os.environ.get("ONGGI_BENCH_SECONDS", "4"))

Round = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """Something that is measured: where it listens, what it is asked (by round), and whose process it is."""

    name: str
    address: str
    server_name: str
    method: str
    make: Callable[[int], list[bytes]]
    pid: int


def run(subjects: Sequence[Measured], credentials: Credentials, build: Path) -> dict[str, list[Round]]:
    """Return the rounds of each; the first one warms everything up and is marked so."""
    results: dict[str, list[Round]] = {subject.name: [] for subject in subjects}
    for number in range(ROUNDS + 1):
        for subject in subjects:
            before = cpu_seconds(subject.pid)
            result = _load(subject, credentials, build, number)
            result["server_cpu"] = (cpu_seconds(subject.pid) - before) / SECONDS
            result["warm_up"] = number == 0
            results[subject.name].append(result)
            print(f"round {number}  {subject.name:15} {result['rate']:8.0f}/s  {result['failures'] or ''}", flush=True)
    return results


def _load(subject: Measured, credentials: Credentials, build: Path, number: int) -> Round:
    file = build / "load.json"
    task = {
        "address": subject.address,
        "server_name": subject.server_name,
        "method": subject.method,
        "in_flight": IN_FLIGHT,
        "seconds": SECONDS,
        "ca": str(credentials.ca),
        "key": str(credentials.key),
        "certificate": str(credentials.certificate),
    }
    file.write_text(json.dumps(task))
    file.with_suffix(".requests").write_text("\n".join(request.hex() for request in subject.make(number)))
    command = environment.module("bench.load", str(file))
    done = subprocess.run(command, env=environment.python(), check=True, stdout=subprocess.PIPE)
    result: Round = json.loads(done.stdout)
    return result
