"""PostgreSQL stopped, hung, or unwilling to take a log row: no record, no answer; and back again without a restart."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dev.stack import Stack
from tests.e2e.faults import DEADLINE, SERVICES, SLACK, Figures, freeze, health, query, says, thaw
from tests.e2e.known import ANSWERED, EVERY, Known, slowest, tally, unlogged

pytestmark = pytest.mark.timeout(120)

_TO_UNREADY, _TO_READY = 12.0, 25.0

FAULTS: dict[str, tuple[Callable[[Stack], Any], Callable[[Stack], Any]]] = {
    "stopped": (lambda stack: stack.postgres.process.stop(), lambda stack: stack.postgres.recover()),
    "hung": (lambda stack: freeze(stack.postgres.process), lambda stack: thaw(stack.postgres.process)),
}
IN_DOUBT = {"stopped": {"UNAVAILABLE"}, "hung": {"UNAVAILABLE", "DEADLINE_EXCEEDED"}}


@pytest.mark.parametrize("fault", FAULTS)
async def test_without_the_database_nothing_is_disclosed_and_it_heals(
    breakable: Stack, figures: Figures, fault: str
) -> None:
    """No call is answered without its row, none outlives its deadline, and the services heal by themselves (H2, A1)."""
    break_it, mend_it = FAULTS[fault]
    pids = [breakable.services[service].pid for service in SERVICES]
    async with Known(breakable) as known:
        try:
            await asyncio.to_thread(break_it, breakable)
            unready = asyncio.create_task(says(breakable, "NOT_SERVING", _TO_UNREADY))
            waves = [await known.wave()]
            seconds = [await unready]
            alive = [await health(breakable, service, "liveness") for service in SERVICES]
            waves.append(await known.wave())
        finally:
            await asyncio.to_thread(mend_it, breakable)
        seconds.append(await says(breakable, "SERVING", _TO_READY))
        healed = await known.wave()
        missing = await unlogged(breakable, healed)
        figures(f"PostgreSQL {fault}: unready after {seconds[0]:.1f} s, ready again after {seconds[1]:.1f} s, slowest of "
              f"2 x 80 {max(map(slowest, waves)):.2f} s, {tally(waves[0])['Detokenize']}")  # fmt: skip

        answers = [answer for wave in waves for kind in wave.values() for answer in kind]
        assert {answer.code for answer in answers} <= IN_DOUBT[fault]
        assert all(answer.message is None for answer in answers)
        assert max(map(slowest, waves)) < DEADLINE + SLACK
        assert alive == ["SERVING", "SERVING"]
        assert tally(healed) == dict.fromkeys(EVERY, ANSWERED)
        assert missing == 0
        assert pids == [breakable.services[service].pid for service in SERVICES]
        await known.is_whole()


async def test_a_hung_database_is_unavailable_within_the_deadline(breakable: Stack) -> None:
    """The server itself says UNAVAILABLE before the caller's deadline passes (H2)."""
    async with Known(breakable) as known:
        freeze(breakable.postgres.process)
        try:
            wave = await known.wave()
        finally:
            thaw(breakable.postgres.process)

        assert {answer.code for kind in wave.values() for answer in kind} == {"UNAVAILABLE"}, tally(wave)


async def test_when_no_log_row_can_be_written_nothing_is_answered(breakable: Stack, figures: Figures) -> None:
    """A log that refuses rows makes every call UNAVAILABLE, reads too; nothing is stored and nothing disclosed."""
    async with Known(breakable) as known:
        for service in SERVICES:
            await query(breakable, service, "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql "
                        "AS $$ BEGIN RAISE EXCEPTION 'fault'; END $$")  # fmt: skip
            await query(breakable, service, "CREATE TRIGGER fault BEFORE INSERT ON processing_log "
                        "FOR EACH ROW EXECUTE FUNCTION fault()")  # fmt: skip
        try:
            [before] = await query(breakable, "payment_vault", "SELECT count(*) FROM token")
            wave = await known.wave()
            [after] = await query(breakable, "payment_vault", "SELECT count(*) FROM token")
        finally:
            for service in SERVICES:
                await query(breakable, service, "DROP FUNCTION fault CASCADE")
        healed = await known.wave()
        figures(f"log unwritable: {tally(wave)}")

        assert tally(wave) == {kind: {"UNAVAILABLE LEDGER_UNAVAILABLE": 20} for kind in EVERY}
        assert before == after
        assert tally(healed) == dict.fromkeys(EVERY, ANSWERED)
