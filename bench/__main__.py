"""``make bench``: calls per second at 64 in flight, and the drop of a month, as ratios taken in turns within one run.

The measured server has one core; everything else (client, PostgreSQL, OpenBao, receiver) shares the other. Medians of
five rounds. Afterwards the rows are counted: every answer must have its rows, or the figures are void.
"""

import asyncio
import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import month_drop, population, requests, rows
from bench.processes import OTHER_CORE, SERVER_CORE, extra_servers, pin
from bench.rounds import IN_FLIGHT, ROUNDS, SECONDS, Measured, Round, run
from dev.identities import account, server_name
from dev.ports import Ports
from dev.stack import Stack

BUILD = Path("build/bench")
ENOUGH = int(8_000 * SECONDS)  # requests for one round; more than anything here can answer


def main() -> int:
    """Measure, print, write build/bench.json; return 1 when the figures are void."""
    if len(os.sched_getaffinity(0)) < 2:
        print("the benchmark needs two cores", file=sys.stderr)
        return 1
    BUILD.mkdir(parents=True, exist_ok=True)
    os.sched_setaffinity(0, OTHER_CORE)  # inherited by everything that the stack starts
    stack = Stack(BUILD / "stack", progress=print, services=("identity", "payment_vault"))
    if stack.directory.exists():
        stack.erase()
    with stack:
        ids = asyncio.run(population.register(stack))
        ports = Ports.choose(("echo", "naive"), BUILD / "ports.json")
        with extra_servers(stack, ports) as pids:
            subjects = _subjects(stack, ports, pids, ids)
            for subject in subjects:
                pin(subject.pid, SERVER_CORE)
            results = run(subjects, stack.client_credentials("billing"), BUILD)
        answered = {name: sum(one["answered"] for one in rounds) for name, rounds in results.items()}
        void = asyncio.run(rows.faults(stack, answered))
        dropped = asyncio.run(month_drop.measure(stack))
    return _report(results, void, dropped)


def _subjects(stack: Stack, ports: Ports, pids: dict[str, int], ids: Sequence[str]) -> list[Measured]:
    def tokenize(seed: int) -> list[bytes]:
        return requests.tokenize(ids, ENOUGH, seed)

    def get_member(seed: int) -> list[bytes]:
        return requests.get_member(ids, ENOUGH, seed)

    vault, identity = (server_name(account(service)) for service in ("payment_vault", "identity"))
    pid = {name: process.pid or 0 for name, process in stack.services.items()}
    method = "/onggi.payment_vault.v1.TokenizationService/Tokenize"
    read = "/onggi.identity.v1.MemberService/GetMember"
    return [
        Measured("echo", ports.address("echo"), vault, "/bench.Echo/Echo", tokenize, pids["echo"]),
        Measured("GetMember", stack.addresses["identity"], identity, read, get_member, pid["identity"]),
        Measured("Tokenize", stack.addresses["payment_vault"], vault, method, tokenize, pid["payment_vault"]),
        Measured("naive Tokenize", ports.address("naive"), vault, method, tokenize, pids["naive"]),
    ]


def _report(results: dict[str, list[Round]], void: Sequence[str], dropped: Sequence[Mapping[str, object]]) -> int:
    counted = {name: [one for one in rounds if not one["warm_up"]] for name, rounds in results.items()}
    rate = {name: statistics.median(one["rate"] for one in rounds) for name, rounds in counted.items()}
    Console().print(_table(counted, rate))
    ratios = [("GetMember", "echo"), ("Tokenize", "echo"), ("Tokenize", "naive Tokenize")]
    lines = [*(_line(name, baseline, rate) for name, baseline in ratios), *dropped]
    Path("build/bench.json").write_text(json.dumps({"rows": lines, "void": list(void)}, indent=2) + "\n")
    failures = sum(sum(one["failures"].values()) for rounds in results.values() for one in rounds)
    for line in lines:
        print(f"{line['name']}: {line['ratio']:.4g}")
    print(f"failed calls: {failures}; rows behind the answers: {'; '.join(void) or 'all there'}")
    return 1 if void or failures else 0


def _line(name: str, baseline: str, rate: dict[str, float]) -> dict[str, object]:
    return {
        "name": f"{name} against {baseline}, {IN_FLIGHT} in flight",
        "value": rate[name],
        "unit": "calls/s",
        "baseline": rate[baseline],
        "ratio": rate[name] / rate[baseline],
        "target": None,
    }


def _table(counted: dict[str, list[Round]], rate: dict[str, float]) -> Table:
    table = Table(title=f"{IN_FLIGHT} in flight, median of {ROUNDS} rounds, mutual TLS, server on one core")
    for column in ("what", "calls/s", "of echo", "of naive", "p50 ms", "p99 ms", "server CPU"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for name, rounds in counted.items():
        milliseconds = (statistics.median(one[part] for one in rounds) * 1000 for part in ("p50", "p99"))
        table.add_row(
            name,
            f"{rate[name]:.0f}",
            f"{rate[name] / rate['echo']:.2f}",
            f"{rate[name] / rate['naive Tokenize']:.1f}",
            *(f"{value:.1f}" for value in milliseconds),
            f"{statistics.median(one['server_cpu'] for one in rounds):.2f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
