"""``make bench``: every ratio that has a target, taken in turns within one run on one stack.

``python -m bench --only tokenize,members`` takes some groups alone. The measured server has one core; everything else
(client, PostgreSQL, OpenBao, receiver) shares the other. Medians of five rounds. Afterwards the rows are counted: every
answer must have its rows, or the figures are void.
"""

import argparse
import json
import os
import random
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final

import grpc.aio
import uvloop
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens

from bench import alone, batches, month_drop, population, report, requests, rewrap, rows
from bench.audit import FileAudit
from bench.cpu import settle
from bench.figures import Row, shares
from bench.processes import OTHER_CORE, SERVER_CORE, extra_servers, pin
from bench.rounds import Bench, Measured
from bench.subjects import AUDIT_OFF, EXTRA, IN_FLIGHT, PAIRS, Pair, Things, named
from dev.ports import Ports
from dev.stack import Stack

BUILD: Final = Path("build/bench")
GROUPS: Final = (*PAIRS, "alone", "batch", "import", "rewrap", "month")
_IDENTITY: Final = {"members", "month"}
_MEMBERS: Final = 200
_TOKENS: Final = 1_000
_PORTS: Final = ("echo", "naive", "plaintext", "plaintext_health")
_OPEN_SHARE: Final = 0.5  # of the rate in a closed loop
_OPEN_SECONDS: Final = 3.0


def main() -> int:
    """Measure, print, write build/bench.json; return 1 when the figures are void."""
    if len(os.sched_getaffinity(0)) < 2:
        print("the benchmark needs two cores", file=sys.stderr)
        return 1
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default=",".join(GROUPS), help="groups, with commas: " + ", ".join(GROUPS))
    wanted = parser.parse_args().only.split(",")
    if unknown := set(wanted) - set(GROUPS):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    BUILD.mkdir(parents=True, exist_ok=True)
    os.sched_setaffinity(0, OTHER_CORE)  # inherited by everything that the stack starts
    services = [name for name, needed in (("identity", _IDENTITY), ("payment_vault", set(GROUPS) - _IDENTITY))
                if needed & set(wanted) or name == "payment_vault"]  # fmt: skip
    stack = Stack(BUILD / "stack", progress=print, services=services)
    if stack.directory.exists():
        stack.erase()
    with stack:
        extra = dict.fromkeys(name for group in wanted for name in EXTRA.get(group, ()))
        with (
            closing(Ports.choose(_PORTS, BUILD / "ports.json")) as ports,
            extra_servers(stack, ports, list(extra)) as pids,
        ):
            run = Run(stack, ports, pids, wanted)
            run.measure()
    stack.erase()
    lines = [*(row.as_json() for row in run.rows), *run.dropped]
    report.JSON.write_text(json.dumps({"rows": lines, "void": run.void}, indent=2, ensure_ascii=False) + "\n")
    report.show(lines)
    print(f"failed calls: {run.failures or 'none'}; rows behind the answers: {'; '.join(run.void) or 'all there'}")
    return 1 if run.void or run.failures else 0


class Run:
    """One run on a stack that stands."""

    def __init__(self, stack: Stack, ports: Ports, pids: Mapping[str, int], wanted: Sequence[str]) -> None:
        self._stack, self._ports, self._pids, self._wanted = stack, ports, pids, wanted
        self._others = {
            "PostgreSQL": stack.postgres.process.pid,
            "OpenBao": stack.openbao.process.pid,
            "receiver": stack.otlp_receiver.pid,
        }
        # Where the spans are sent by processes of their own, those are beside the servers too.
        exporters = {f"spans of {name}": process.pid for name, process in getattr(stack, "span_exporters", {}).items()}
        self._others |= exporters
        self._servers = [*(process.pid for process in stack.services.values()), *pids.values()]
        self._busy = [*self._servers, *exporters.values()]
        self._bench = Bench(BUILD, stack.client_credentials("billing"), self._others, self._busy)
        self._tokens = 0
        self._answered: dict[str, int] = {}
        self.rows: list[Row] = []
        self.dropped: Sequence[Mapping[str, Any]] = ()
        self.void: list[str] = []
        self.failures: dict[str, int] = {}

    def measure(self) -> None:
        """Measure all that is wanted, then count the rows behind it."""
        self.void += uvloop.run(rows.not_durable(self._stack))
        for pid in self._servers:
            pin(pid, SERVER_CORE)
        members = uvloop.run(population.register(self._stack)) if "members" in self._wanted else []
        subjects = [str(uuid.uuid4()) for _ in range(_MEMBERS)]
        things = Things(subjects, members, uvloop.run(self._seed(subjects)), self._pids)
        settle(self._busy)
        self._try("calls in turns", lambda: self._take_turns(things))
        for group, kind in (("batch", batches.BATCH), ("import", batches.STREAM)):
            if group in self._wanted:
                self._try(group, partial(self._store, kind, subjects))
        self.void += uvloop.run(rows.missing(self._stack, self._answered, self._tokens))
        if "rewrap" in self._wanted:
            self._try("rewrap", self._rewrap)
        if "month" in self._wanted:
            self._try("month", self._drop_month)

    def _try(self, name: str, work: Callable[[], None]) -> None:
        """Measure a group; one that fails makes the run void and does not lose the others."""
        began = time.monotonic()
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told and the rest goes on
            traceback.print_exc()
            self.void.append(f"{name} failed: {type(error).__name__}")
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)

    def _rewrap(self) -> None:
        found = uvloop.run(rewrap.measure(self._stack, rewrap.TOKENS, self._others))
        self.rows.append(found.row())
        self.void += [f"rewrap: {found.left} rows were left"] if found.left else []

    def _drop_month(self) -> None:
        self.dropped = uvloop.run(month_drop.measure(self._stack))

    def _take_turns(self, things: Things) -> None:
        pairs = [pair for group in self._wanted for pair in PAIRS.get(group, ())]
        names = [name for pair in pairs for name in (pair.baseline, pair.subject)]
        lone = "alone" in self._wanted
        measured = named([*names, *([alone.ECHO, alone.TOKENIZE] if lone else [])], self._stack, self._ports, things)
        audit, parts = FileAudit(self._stack), alone.Parts(self._stack) if lone else None

        def before(name: str) -> None:
            audit.turn(on=not name.startswith(AUDIT_OFF))
            if parts is not None and name == alone.ECHO:
                parts.turn()

        if parts is None:
            self._bench.in_turns(measured, before)
        else:
            with parts:
                self._bench.in_turns(measured, before)
        audit.turn(on=True)
        delays = self._open_loops(measured, {pair.subject for pair in pairs})
        self.rows += [self._row(pair, delays) for pair in pairs]
        if parts is not None:
            self.rows.append(parts.row(self._bench.taken[alone.ECHO], self._bench.taken[alone.TOKENIZE]))
        self._count(measured)

    def _open_loops(self, measured: Sequence[Measured], wanted: set[str]) -> dict[str, tuple[float, float]]:
        """Return p50 and p99 by subject, of those with the usual number in flight."""
        return {
            subject.name: self._bench.open_loop(
                subject, _OPEN_SHARE * self._bench.taken[subject.name].rate, _OPEN_SECONDS
            )
            for subject in measured
            if subject.name in wanted and subject.in_flight == IN_FLIGHT
        }

    def _row(self, pair: Pair, delays: Mapping[str, tuple[float, float]]) -> Row:
        taken, baseline = self._bench.taken[pair.subject], self._bench.taken[pair.baseline]
        p50, p99 = delays.get(pair.subject, (None, None))
        server = f"the server's own time a call {taken.server_us:.0f} µs, the baseline's {baseline.server_us:.0f} µs"
        return Row(
            pair.row, taken.rate, baseline.rate, pair.target, p50=p50, p99=p99, cpu=shares(taken.cpu),
            notes=[server, *taken.notes()],
        )  # fmt: skip

    def _count(self, measured: Sequence[Measured]) -> None:
        for subject in measured:
            taken = self._bench.taken[subject.name]
            if subject.log:
                self._answered[subject.log] = self._answered.get(subject.log, 0) + taken.answered
            if subject.log.endswith("/Tokenize"):
                self._tokens += taken.answered
            for code, number in taken.failures.items():
                self.failures[f"{subject.name}: {code}"] = number

    def _store(self, kind: batches.Kind, subjects: Sequence[str]) -> None:
        stored = uvloop.run(batches.measure(self._stack, kind, subjects, self._others))
        self.rows.append(stored.row)
        self._tokens += stored.tokens
        method = f"{batches.SERVICE}/{kind.method}"
        self._answered[method] = self._answered.get(method, 0) + stored.logged

    async def _seed(self, subjects: Sequence[str]) -> list[tuple[str, str]]:
        """Store tokens to be revealed; return each with its member."""
        items = requests.items(subjects, _TOKENS, random.Random(0))
        request = tokens.BatchTokenizeRequest(access=requests.BILLING, request_id=str(uuid.uuid4()), items=items)
        async with batches.channel(self._stack) as channel:
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
                f"{batches.SERVICE}/BatchTokenize"
            )
            raw = await call(request.SerializeToString(), timeout=60)
        results = tokens.BatchTokenizeResponse.FromString(raw).results
        self._tokens += len(results)
        return [(result.token.token, item.member_id) for result, item in zip(results, items, strict=True)]


if __name__ == "__main__":
    sys.exit(main())
