"""Legal holds on log-like records (보존 조치, LC-13, R-12, R-22): held rows stay, with the salts of their days."""

from collections import Counter
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.integration import examples
from tests.integration.clients import Clients
from tests.integration.holding import Hold
from tests.integration.log_rows import Log
from tests.integration.purges import Plan, rows
from tests.integration.record_examples import append, errors_of, list_of, record
from tests.integration.test_holds_kept import listed

pytestmark = pytest.mark.timeout(120)

CATEGORIES = {"login": "R-12", "usage": "R-22"}
PER_DAY = 3


async def month_of(clients: Clients, kind: str, first: date, held_days: tuple[int, ...]) -> tuple[str, str]:
    """Two members: one with records on every day of a month, the other one on some days."""
    members = [(await examples.new_member(clients)).member_id for _ in range(2)]
    days = [first + timedelta(days=number) for number in range(28)]
    given = [record(kind, members[0], day=day) for day in days for _ in range(PER_DAY)]
    given += [record(kind, members[1], day=first + timedelta(days=number)) for number in held_days]
    assert set(errors_of(await append(clients, given))) == {("", "", "")}
    return members[0], members[1]


async def purged(clients: Clients, kind: str, through: date) -> Any:
    """One plan, executed to its end and verified."""
    plan = Plan(clients, CATEGORIES[kind], through, limit=10)
    await plan.prepare()
    while (answer := await plan.execute()).remaining:
        pass
    assert [check for check in (await plan.verify()).checks if not check.passed] == []
    return answer


async def left(log: Log, kind: str, member_id: str) -> Counter[date]:
    """A member's rows by day."""
    found = await log.fetch("identity", f"SELECT event_date FROM {kind}_record WHERE member_id = $1", UUID(member_id))
    return Counter(row["event_date"] for row in found)


async def salts(log: Log, kind: str, month: date) -> set[str]:
    """The days of a month whose salts live."""
    statement = "SELECT unit FROM erasure_key WHERE unit LIKE $1 AND wrapped_salt IS NOT NULL"
    return {row["unit"] for row in await log.fetch("identity", statement, f"{kind}:{month:%Y-%m}-%")}


@pytest.mark.parametrize("kind", CATEGORIES)
async def test_a_month_with_a_held_member(clients: Clients, log: Log, kind: str) -> None:
    """LC-13: everybody else's rows go, and the salts of the days that nobody held has rows on; what is held still opens.

    Those days take nothing more. While the hold stands a further plan finds them and leaves them; released, the next one
    takes the month as a whole.
    """
    first, last = date(2001, 2, 1), date(2001, 2, 28)
    other, member_id = await month_of(clients, kind, first, (4, 9, 9))
    hold = Hold.of(clients, member_id=member_id)
    await hold.set("identity")
    days = {first + timedelta(days=4): 1, first + timedelta(days=9): 2}

    answer = await purged(clients, kind, last)

    assert (answer.held, answer.skipped) == (2, 0)
    assert rows(answer.destroyed) == {"erasure_key": 26, f"{kind}_record": 28 * PER_DAY}
    assert await left(log, kind, other) == {}
    assert await left(log, kind, member_id) == days
    assert await salts(log, kind, first) == {f"{kind}:{day}" for day in days}
    found = (await list_of(clients, member_id, kind)).message.records
    assert len(found) == 3
    [error] = errors_of(await append(clients, [record(kind, member_id, day=min(days))]))
    assert error == ("INVALID_FIELD", "occurred_at", "PERIOD_ENDED")
    again = await purged(clients, kind, last)
    assert (again.held, rows(again.destroyed)) == (2, {})
    await hold.release("identity")
    assert rows((await purged(clients, kind, last)).destroyed) == {"erasure_key": 2, f"{kind}_record": 3}
    [[name]] = await log.fetch("identity", f"SELECT to_regclass('{kind}_record_2001_02')::text")
    assert name is None


async def test_one_held_log_in(clients: Clients, log: Log) -> None:
    """LC-13: of a day with one held log-in, by its id, that one row stays, and not the other of the same member."""
    first = date(2001, 3, 1)
    member_id, _ = await month_of(clients, "login", first, ())
    [kept, *_] = await log.fetch(
        "identity",
        "SELECT record_id FROM login_record WHERE member_id = $1 AND event_date = $2",
        UUID(member_id),
        first,
    )
    hold = Hold.of(clients, record_id=str(kept["record_id"]))
    await hold.set("identity")
    for of in ({"member_id": member_id}, {"record_id": hold.record_id}):
        [told] = [entry for entry in await listed(clients, "identity", **of) if entry.hold_id]
        assert (told.kind, told.record_id, told.hold_id) == ("login", hold.record_id, hold.hold_id)
        assert told.items
    assert (await purged(clients, "login", date(2001, 3, 31))).held == 1
    assert await left(log, "login", member_id) == {first: 1}
    assert await salts(log, "login", first) == {f"login:{first}"}
    await hold.release("identity")
    await purged(clients, "login", date(2001, 3, 31))
    assert await left(log, "login", member_id) == {}
