"""`make demo`: the whole of Onggi on this machine, told step by step, with a check after each step.

python -m dev.demo [--members 200] [--seed 20260101]

Ends with `demo: OK` and exit 0, or says what is not as it must be and exits 1. The counts stand in
`build/demo/report.json`.
"""

import argparse
import asyncio
import contextlib
import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

from dev.demo_access import MISPLACED_CARD, RESIDENT_NUMBER, AccessAct
from dev.demo_calls import Caller, Receipts
from dev.demo_command import Onggi
from dev.demo_destruction import DestructionAct
from dev.demo_keeping import KeepingAct
from dev.demo_leaks import PROOFS, Controls, keep_all_wal
from dev.demo_load import load
from dev.demo_log import LogAct
from dev.demo_screen import DemoFailed, Screen
from dev.demo_spans import Accounts, accounts
from dev.environment import ROOT
from dev.identities import CALLERS
from dev.leak_scan import Report, size
from dev.lineage import end_orphans
from dev.lock import DirectoryInUse, DirectoryLock
from dev.ports import NoFreePort
from dev.processes import ProcessFailed
from dev.stack import Stack
from dev.synthetic import Institution, institutions, planted_values

_FORECAST: Final = {"ONGGI_FORECAST__MEMBERS": "20", "ONGGI_FORECAST__LOGIN_RECORDS": "100"}
"""So low that the plan of the demo waits for a person."""

_DRAIN: Final = {"ONGGI_SERVER__DRAIN_SECONDS": "0"}
"""No balancer has to notice that a server stops."""


class DemoStack(Stack):
    """The stack with a small forecast of what is destroyed in a day, and services that stop at once."""

    def env_for(self, service: str) -> dict[str, str]:
        """As in the stack, with the settings of the demo."""
        return super().env_for(service) | _DRAIN | (_FORECAST if service == "retention" else {})


class Demo:
    """One run.

    Args:
        directory: gets the stack, the certificate and the report.
        people: the institutions to load.
    """

    def __init__(self, screen: Screen, directory: Path, people: list[Institution]) -> None:
        self._screen = screen
        self._directory = directory
        self._people = people
        self._receipts = Receipts()
        self.report: dict[str, Any] = {"institutions": len(people), "seconds": {}}

    def run(self) -> None:
        """Everything, from an empty directory.

        Raises:
            DemoFailed: something is not as it must be.
            ProcessFailed: a part of the stack did not start or ended.
        """
        place = self._directory / "stack"
        clear(place)
        self._screen.chapter("The stack starts")
        stack = DemoStack(place, progress=self._screen.note)
        controls = Controls(stack)
        try:
            with self._phase("start"):
                stack.start()
            asyncio.run(keep_all_wal(stack.postgres))
            asyncio.run(self._story(stack))
            with self._phase("controls"):
                controls.plant()
        finally:
            self._screen.chapter("The stack stops")
            with self._phase("stop"):
                stack.stop()
        self._leaks(controls)

    async def _story(self, stack: Stack) -> None:
        screen = self._screen
        async with AsyncExitStack() as open_callers:
            callers = {
                name: await open_callers.enter_async_context(Caller(stack, name, self._receipts)) for name in CALLERS
            }
            screen.chapter(f"{len(self._people)} synthetic institutions with a year of log-ins")
            with self._phase("load"):
                members = await load(callers["portal"], self._people, screen)
            screen.chapter("Who sees what")
            access = AccessAct(screen, callers, members[0])
            with self._phase("access"):
                await access.play()
            screen.chapter("What the policy says, and whose consent it asks for")
            onggi = Onggi(screen, stack.client_config)
            keeping = KeepingAct(screen, callers, onggi, members[0], access)
            with self._phase("policy"):
                await keeping.policy()
                await keeping.consents()
            screen.chapter("A member leaves, and what is due is destroyed")
            destruction = DestructionAct(screen, callers, members, access, keeping)
            with self._phase("destruction"):
                plan = await destruction.play()
                log = LogAct(screen, onggi, members[0], plan)
                await log.certificate(self._directory)
                await destruction.look_afterwards()
                await keeping.explain()
            screen.chapter("What the processing log tells")
            with self._phase("log"):
                await log.search(self._receipts)
                await log.trace()
            with self._phase("spans"):
                self._compare(await accounts(stack.postgres, stack.otlp_file))

    def _compare(self, found: Accounts) -> None:
        self._screen.step("The log, the spans and the callers' receipts are compared")
        table = self._screen.table("service", "RPC", "status", "log rows")
        for (service, method, status), count in sorted(found.calls.items()):
            table.add_row(service, method.rpartition(".")[2], status, str(count))
        self._screen.draw(table)
        receipts = self._receipts.calls.keys()
        self.report |= {
            "log_rows": len(found.rows),
            "spans_received": len(found.spans),
            "spans_repeated": found.repeated,
            "receipts": len(receipts),
            "log_rows_by_rpc_and_status": {" ".join(key): count for key, count in sorted(found.calls.items())},
        }
        self._screen.expect(
            f"spans received = log rows: {len(found.spans)} = {len(found.rows)}",
            found.agree,
            f"{len(found.rows - found.spans)} rows without span, {len(found.spans - found.rows)} spans without row",
        )
        self._screen.expect(
            f"each of the {len(receipts)} receipts has its log row",
            receipts <= found.rows,
            f"{len(receipts - found.rows)} without",
        )

    def _leaks(self, controls: Controls) -> None:
        screen = self._screen
        screen.chapter("The leak scan")
        values = planted_values(self._people)
        values |= {"resident_number": [RESIDENT_NUMBER], "misplaced_card_number": [MISPLACED_CARD]}
        screen.step("Every byte that the stack wrote is searched for every personal value that went in")
        with self._phase("leak scan"), screen.progress() as bars:
            task = bars.add_task("bytes", total=size(controls.roots()))
            found = controls.scan(values, lambda count: bars.advance(task, count))
        self.report |= found.as_json() | {"controls": dict(PROOFS)}
        self._draw_artefacts(found)
        screen.expect(f"every control was found: {found.controls_found}", found.clean or bool(found.hits))
        screen.expect(
            f"none of {sum(found.values.values())} values was found, in any of {len(found.encodings)} encodings,"
            f" in {found.bytes} bytes",
            not found.hits,
            "; ".join(f"{hit.item} as {hit.encoding} in {hit.file} at {hit.offset}" for hit in found.hits[:20]),
        )
        screen.expect("the scan is clean", found.clean)

    def _draw_artefacts(self, found: Report) -> None:
        table = self._screen.table("class", "files", "bytes", "hits", "control")
        for name, each in found.artefacts.items():
            hits = sum(hit.artefact == name for hit in found.hits)
            control = "found" if each.control_found else "MISSING"
            table.add_row(name, str(each.files), str(each.bytes), str(hits), control)
        self._screen.draw(table)

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.report["seconds"][name] = round(time.monotonic() - started, 2)


def clear(place: Path) -> None:
    """Remove the stack of an earlier run with its data, and end what that run left behind if it was killed.

    Raises:
        DirectoryInUse: it runs still.
    """
    if not place.exists():
        return
    lock = DirectoryLock(place / "lock")
    lock.acquire()
    try:
        end_orphans(place / "pids")
        shutil.rmtree(place)
    finally:
        lock.release()


def _interrupt(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def main() -> int:
    """Run the demo; the exit code."""
    parser = argparse.ArgumentParser(description="The whole of Onggi, told step by step.")
    parser.add_argument("--members", type=int, default=200, help="how many institutions, from 2 on")
    parser.add_argument("--seed", type=int, default=20260101, help="of the institutions")
    parser.add_argument("--directory", type=Path, default=ROOT / "build" / "demo", help="stack, certificate, report")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    given.directory.mkdir(parents=True, exist_ok=True)
    screen = Screen()
    people = institutions(given.members, seed=given.seed, now=datetime.now(UTC))
    demo = Demo(screen, given.directory.absolute(), people)
    started = time.monotonic()
    failure = "interrupted"
    try:
        demo.run()
        failure = ""
    except (DemoFailed, DirectoryInUse, NoFreePort, ProcessFailed) as error:
        failure = str(error)
    except KeyboardInterrupt:
        pass
    except Exception as error:
        failure = f"unexpected {type(error).__name__}"
        raise
    finally:
        demo.report["seconds"]["all"] = round(time.monotonic() - started, 2)
        demo.report |= {"seed": given.seed, "steps": screen.steps, "checks": screen.checks, "failure": failure}
        with contextlib.suppress(OSError):
            (given.directory / "report.json").write_text(json.dumps(demo.report, ensure_ascii=False, indent=2) + "\n")
    screen.note(f"{screen.checks} checks in {screen.steps} steps, {demo.report['seconds']['all']:.0f} s")
    screen.console.print(f"\ndemo: FAILED\n{failure}" if failure else "\ndemo: OK", soft_wrap=True)
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
