"""What is kept of somebody is told while it moves into the archive, by the one holder or by the other (법 제35조)."""

import asyncio
from typing import Any

import pytest

from dev.postgres import SUPERUSER
from dev.stack import Stack
from services.retention.holders import Lines
from tests.integration import examples
from tests.integration.archives import moved
from tests.integration.clients import Clients
from tests.integration.log_rows import Log, session
from tests.integration.memberships import append, before, payment, today, withdraw
from tests.integration.retention_days import Days

pytestmark = pytest.mark.timeout(120)


async def test_a_record_that_moves_meanwhile_is_told(
    stack: Stack, clients: Clients, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DS-01: the record leaves identity before identity answers; if the archive was asked before that, nobody tells it."""
    member_id = (await examples.new_member(clients)).member_id
    [record_id] = await append(clients, payment(member_id, before(1)))
    ask, archive_told = Lines.call, asyncio.Event()

    async with session(stack.postgres.login("archive", SUPERUSER)) as connection:

        async def late(lines: Lines, holder: str, *arguments: Any) -> Any:
            if holder == "identity":
                await _within(2.0, archive_told)
                await connection.execute("ROLLBACK")
                await moved(log, [record_id])
            answer = await ask(lines, holder, *arguments)
            if holder == "archive":
                archive_told.set()
            return answer

        await connection.execute("BEGIN; LOCK TABLE record IN SHARE MODE")  # read it may be, and nothing be put in
        assert (await withdraw(clients, member_id)).message.withdrawn_on
        monkeypatch.setattr(Lines, "call", late)
        told = await Days.of(stack).explain(today(), member_id=member_id)

    payments = {(item.holder, item.category) for item in told if item.record_id == record_id}
    assert payments == {("archive", category) for category in ("R-09b", "R-10", "R-11")}


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Wait for it, so long at most."""
    await asyncio.wait([asyncio.create_task(event.wait())], timeout=seconds)
