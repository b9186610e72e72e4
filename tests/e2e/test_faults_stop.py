"""SIGTERM under load: it drains, answers what it took, refuses the rest, and exits with 0."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from dev.stack import Stack
from tests.e2e.crash_load import History, check
from tests.e2e.faults import Answer, Caller, Figures, Registration, freeze, health, thaw
from tests.e2e.known import Known

pytestmark = pytest.mark.timeout(120)

_CLIENTS = 20
_DRAIN, _GRACE, _REST = 2.0, 20.0, 5.0  # seconds; the last to close what the process stands on


@pytest.fixture
def draining(breakable: Stack) -> Iterator[Stack]:
    """The stack with a vault that drains long enough to look at it."""
    vault = breakable.services["payment_vault"]
    before = dict(vault._environment)
    vault._environment |= {"ONGGI_SERVER__DRAIN_SECONDS": str(_DRAIN), "ONGGI_SERVER__GRACE_SECONDS": str(_GRACE)}
    vault.kill()
    vault.start()
    yield breakable
    vault._environment = before
    vault.kill()  # the next test starts it with its own settings again


async def test_sigterm_loses_nothing_that_was_acknowledged(draining: Stack, figures: Figures) -> None:
    """During SIGTERM each call is answered or UNAVAILABLE, readiness turns off first, and the exit status is 0 (U5)."""
    vault = draining.services["payment_vault"]
    seen: list[tuple[Registration, Answer]] = []
    async with Known(draining) as known:
        stop = asyncio.Event()
        clients = [asyncio.create_task(_client(known, seen, stop)) for _ in range(_CLIENTS)]
        await asyncio.sleep(1.0)
        before = len(seen)
        os.kill(vault.pid, signal.SIGTERM)
        began = time.monotonic()
        await asyncio.sleep(1.0)
        drained = [await health(draining, "payment_vault", name) for name in ("", "liveness")]
        status = await asyncio.to_thread(vault._child.wait, _DRAIN + _GRACE + _REST)  # type: ignore[union-attr]
        seconds = time.monotonic() - began
        await asyncio.sleep(0.3)
        stop.set()
        await asyncio.gather(*clients)
        codes = Counter(f"{answer.code} {answer.reason}".rstrip() for _, answer in seen[before:])

        await asyncio.to_thread(vault.start)
        acknowledged = {one: answer for one, answer in seen if answer.code == "OK"}
        async with Caller(draining, draining.client_credentials("billing")) as billing:
            counts = await check(draining, billing, list(acknowledged), History(acknowledged))
        figures(f"SIGTERM: exit status {status} after {seconds:.1f} s, answers since {dict(codes)}, {counts}")

        assert status == 0
        assert drained == ["NOT_SERVING", "SERVING"]
        _refused_cleanly([answer for _, answer in seen[before:]])
        assert codes["OK"] > 0
        for nothing in ("unlogged", "other_token_at_retry", "wrong_number"):
            assert counts[nothing] == 0, counts
        assert counts["tokens"] == counts["instruments"]


async def test_a_call_that_meets_the_stop_is_unavailable(draining: Stack, figures: Figures) -> None:
    """Calls that arrive in the moment of the stop are refused with UNAVAILABLE, which clients repeat elsewhere (U5)."""
    vault = draining.services["payment_vault"]
    async with Known(draining) as known:
        wanted = known.fresh(200)
        os.kill(vault.pid, signal.SIGTERM)
        await asyncio.sleep(_DRAIN - 0.3)
        freeze(vault)  # a busy moment: the end of the drain and the calls are there at once
        calls = [
            asyncio.create_task(known.billing.ask(known.billing.tokens.Tokenize, one.request(), 20.0)) for one in wanted
        ]
        await asyncio.sleep(0.8)
        thaw(vault)
        answers = await asyncio.gather(*calls)
        codes = Counter(f"{answer.code} {answer.reason}".rstrip() for answer in answers)
        await asyncio.to_thread(vault._child.wait, _GRACE + _REST)  # type: ignore[union-attr]
    figures(f"200 calls in the moment of the stop: {dict(codes)}")

    _refused_cleanly(answers)


def _refused_cleanly(answers: Sequence[Answer]) -> None:
    """Answered or UNAVAILABLE; gRPC itself says CANCELLED to a call that it took and no handler ever saw."""
    unseen = [answer for answer in answers if answer.code == "CANCELLED"]
    assert {answer.code for answer in answers} <= {"OK", "UNAVAILABLE", "CANCELLED"}
    assert not [answer for answer in unseen if answer.record_id or answer.reason], "a handler had it"
    assert len(unseen) <= _CLIENTS


async def _client(known: Known, seen: list[tuple[Registration, Answer]], stop: asyncio.Event) -> None:
    while not stop.is_set():
        for one in known.fresh(10):
            seen.append((one, await known.billing.ask(known.billing.tokens.Tokenize, one.request())))
            await asyncio.sleep(0.05)
