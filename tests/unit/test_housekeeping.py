"""A service keeps house daily, and goes on with it whatever one day's work meets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog.testing
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.background import Rhythm
from chassis.housekeeping import DAILY, Housekeeping

_SOON_AGAIN = Rhythm(3600, 0.001)
_OWN = text("DELETE FROM something_old")


class Database:
    """Takes statements, each in a transaction of its own; at the first ones it raises what it was given."""

    def __init__(self, *failures: Exception) -> None:
        self.transactions: list[list[str]] = []
        self._failures = list(failures)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Any]:
        """Open a transaction."""
        statements: list[str] = []

        async def execute(statement: TextClause) -> object:
            if self._failures:
                raise self._failures.pop(0)
            statements.append(str(statement))
            return SimpleNamespace(rowcount=0)

        yield SimpleNamespace(execute=execute)
        self.transactions.append(statements)


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def _kept(database: Database, rhythm: Rhythm) -> Housekeeping:
    house = Housekeeping(cast("AsyncEngine", database), rhythm)
    house.add(_OWN)
    house.start()
    return house


async def test_all_is_done_at_the_start_and_then_waits_for_the_next_day() -> None:
    """Old answers, the service's own statement and the log's partitions, each in a transaction of its own; once."""
    database = Database()
    house = _kept(database, DAILY)
    await _until(lambda: len(database.transactions) == 3)
    await asyncio.sleep(0.02)
    await house.close()

    [answers], [own], [partitions] = database.transactions
    assert "ensure_log_partitions" in partitions
    assert "DELETE FROM idempotency" in answers
    assert own == str(_OWN)


@pytest.mark.parametrize(("failure", "event"), [
    (ConnectionResetError("4111111111111111"), "housekeeping failed"), (KeyError("4111111111111111"), "unexpected error"),
])  # fmt: skip
async def test_what_failed_is_told_without_its_text_and_done_again(failure: Exception, event: str) -> None:
    """A database that is away, or a defect, costs no more than the pause: the text of an error may hold data."""
    database = Database(failure, failure)
    with structlog.testing.capture_logs() as logs:
        house = _kept(database, _SOON_AGAIN)
        await _until(lambda: len(database.transactions) == 3)
        await house.close()

    assert [(told["event"], told["error"]) for told in logs] == [(event, type(failure).__name__)] * 2
    assert "4111" not in str(logs)


def test_it_is_done_daily_and_after_a_failure_every_minute() -> None:
    """However often it failed: a partition that is missing at midnight would stop the service."""
    pauses = [DAILY.seconds]
    for done in (False, False, False, True):
        pauses.append(DAILY.pause(pauses[-1], done=done))

    assert pauses == [86_400, 60, 60, 60, 86_400]
