"""Whatever is killed while calls are in flight: what was acknowledged stays, is logged, and is asked for again safely."""

import dataclasses
from collections.abc import Callable
from uuid import uuid4

import pytest

from dev.stack import Stack
from tests.e2e.crash_load import check, tokenize_all
from tests.e2e.faults import Caller, Figures, Registration, registrations

pytestmark = pytest.mark.timeout(180)


def _kill_vault(stack: Stack) -> None:
    stack.services["payment_vault"].kill()
    stack.services["payment_vault"].start()


def _kill_postgres(stack: Stack) -> None:
    stack.postgres.process.kill()
    stack.postgres.recover()


def _kill_openbao(stack: Stack) -> None:
    stack.openbao.process.kill()
    stack.openbao.start()


def _wanted(count: int, seed: int) -> list[Registration]:
    """`count` calls, every twentieth for an instrument that another call registers too, under another request id."""
    single = registrations(count - count // 20, members=count // 8, seed=seed)
    return single + [dataclasses.replace(one, request_id=str(uuid4())) for one in single[: count // 20]]


CRASHES: dict[str, tuple[Callable[[Stack], None], int, int]] = {
    "payment_vault": (_kill_vault, 2000, 3),
    "postgresql": (_kill_postgres, 2000, 2),
    "openbao": (_kill_openbao, 2000, 2),
}


@pytest.mark.parametrize("victim", CRASHES)
async def test_no_acknowledged_token_is_lost_in_a_crash(breakable: Stack, figures: Figures, victim: str) -> None:
    """After SIGKILL under load every acknowledged token reveals its own number, has its log row, and is one (C1 to C3)."""
    kill, calls, crashes = CRASHES[victim]
    wanted = _wanted(calls, seed=calls + crashes)
    async with Caller(breakable, breakable.client_credentials("billing")) as billing:
        history = await tokenize_all(billing, wanted, lambda: kill(breakable), crashes)
        counts = await check(breakable, billing, wanted, history)
    figures(f"kill -9 {victim} x{crashes}: {counts}")

    assert counts["acknowledged"] == calls
    assert min(history.in_flight_at_crash) >= 100, "the crash was not in the middle of the load"
    assert history.retried > 0
    for nothing in ("unlogged", "unlogged_reads", "other_token_at_retry", "wrong_number", "wrong_reads"):
        assert counts[nothing] == 0, counts
    assert counts["tokens"] == counts["instruments"]
