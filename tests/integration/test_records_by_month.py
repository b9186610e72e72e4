"""Log-like records (log-ins, usage): under their day's salt, in their month's partition, closed when a plan counts them."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import pytest

from dev.postgres import SUPERUSER
from dev.stack import Stack
from tests.integration import examples
from tests.integration.clients import Clients
from tests.integration.log_rows import Log, session
from tests.integration.purges import Plan, change, destroyed, rows
from tests.integration.record_examples import append, errors_of, list_of, record, today

pytestmark = pytest.mark.timeout(120)

CATEGORIES = {"login": "R-12", "usage": "R-22"}
ENDED = ("INVALID_FIELD", "occurred_at", "PERIOD_ENDED")


async def member(clients: Clients) -> str:
    """A member."""
    return (await examples.new_member(clients)).member_id


async def days_of(log: Log, kind: str, member_id: str) -> list[date]:
    """The days of a member's records."""
    statement = f"SELECT event_date FROM {kind}_record WHERE member_id = $1 ORDER BY event_date"
    return [row["event_date"] for row in await log.fetch("identity", statement, UUID(member_id))]


async def partition(log: Log, kind: str, month: date) -> bool:
    """Whether a month's partition is there."""
    [[name]] = await log.fetch("identity", f"SELECT to_regclass('{kind}_record_{month:%Y_%m}')::text")
    return name is not None


@pytest.mark.parametrize("kind", CATEGORIES)
async def test_the_records_of_a_day_share_its_salt(clients: Clients, log: Log, kind: str) -> None:
    """One salt a kind and day, nothing of the body in clear, the month's partition made when it is needed (R-12, R-22)."""
    member_id, day = await member(clients), date(2003, 3, 1)
    given = [record(kind, member_id, day=day + timedelta(days=number // 2)) for number in range(6)]
    assert errors_of(await append(clients, given)) == [("", "", "")] * 6
    units = await log.fetch("identity", "SELECT unit FROM erasure_key WHERE unit LIKE $1", f"{kind}:2003-03-%")
    assert {row["unit"] for row in units} == {f"{kind}:2003-03-0{number}" for number in (1, 2, 3)}
    assert await partition(log, kind, day)
    found = (await list_of(clients, member_id, kind)).message.records
    assert [(item.standings[0].category, item.policy_version) for item in found] == [(CATEGORIES[kind], "1")] * 6
    assert {item.standings[0].event_date for item in found} == {f"2003-03-0{number}" for number in (1, 2, 3)}
    everything = await log.everything("identity")
    marks = [item.login.user_agent or item.usage.cookie for item in given]
    assert not [mark for mark in marks if mark in everything]
    await destroyed(clients, CATEGORIES[kind], date(2003, 3, 31))


@pytest.mark.parametrize("kind", CATEGORIES)
async def test_a_month_leaves_as_a_whole_and_the_counts_are_true(clients: Clients, log: Log, kind: str) -> None:
    """Whole months are dropped, the month of the cut-off goes by day; the rows told are the rows that were there."""
    member_id = await member(clients)
    days = [
        date(2003, 5, 1),
        date(2003, 5, 9),
        date(2003, 5, 9),
        date(2003, 6, 1),
        date(2003, 6, 15),
        date(2003, 6, 16),
    ]
    await append(clients, [record(kind, member_id, day=day) for day in days])
    gone = await destroyed(clients, CATEGORIES[kind], date(2003, 6, 15))
    assert gone == {f"{kind}_record": 5, "erasure_key": 4}
    assert await days_of(log, kind, member_id) == [date(2003, 6, 16)]
    assert [await partition(log, kind, day) for day in (days[0], days[3])] == [False, True]
    assert (await destroyed(clients, CATEGORIES[kind], date(2003, 6, 30)))[f"{kind}_record"] == 1
    assert not await partition(log, kind, days[3])


async def test_a_day_that_a_plan_has_counted_takes_nothing_more(clients: Clients, log: Log) -> None:
    """Its period is over and its rows are told to whoever approves: a late one is refused, its neighbour is added."""
    member_id, day = await member(clients), date(2003, 8, 4)
    await append(clients, [record("usage", member_id, day=day)])
    plan = Plan(clients, "R-22", date(2003, 8, 31))
    assert rows((await plan.prepare()).counts) == {"usage_record": 1}
    outcome = await append(clients, [record("usage", member_id, day=day), record("usage", member_id)])
    assert errors_of(outcome) == [ENDED, ("", "", "")]
    assert rows((await plan.execute()).destroyed) == {"usage_record": 1, "erasure_key": 1}
    assert await days_of(log, "usage", member_id) == [today()]
    outcome = await append(clients, [record("usage", member_id, day=day)])
    assert errors_of(outcome) == [ENDED], "a destroyed day takes nothing either"
    assert await log.fetch("identity", "SELECT 1 FROM closed_day") == []


async def test_what_no_plan_has_counted_is_not_destroyed(clients: Clients, log: Log) -> None:
    """A day that came to a due month after the plan is not of its set: the month is not dropped (LC-08)."""
    member_id, counted, late = await member(clients), date(2003, 10, 3), date(2003, 10, 20)
    await append(clients, [record("usage", member_id, day=counted)])
    plan = Plan(clients, "R-22", date(2003, 10, 31))
    await plan.prepare()
    assert errors_of(await append(clients, [record("usage", member_id, day=late)])) == [("", "", "")]
    assert rows((await plan.execute()).destroyed) == {"usage_record": 1, "erasure_key": 1}
    assert (await plan.verify()).clean
    assert await days_of(log, "usage", member_id) == [late]
    [found] = (await list_of(clients, member_id, "usage")).message.records
    assert found.usage.cookie, "it is whole"
    assert await destroyed(clients, "R-22", date(2003, 10, 31)) == {"usage_record": 1, "erasure_key": 1}


async def test_records_that_come_while_their_month_is_dropped(clients: Clients, log: Log) -> None:
    """Every record that was taken is counted as destroyed or still there; none is lost between the two (X7)."""
    member_id, month = await member(clients), date(2003, 12, 1)
    days = [month + timedelta(days=number) for number in range(31)]
    await append(clients, [record("usage", member_id, day=day) for day in days[::2]])
    plan = Plan(clients, "R-22", days[-1])

    async def purge() -> int:
        await plan.prepare()
        return rows((await plan.execute()).destroyed)["usage_record"]

    batches = ([record("usage", member_id, day=day) for day in days[at::5]] for at in range(5))
    gone, outcomes = await asyncio.gather(purge(), asyncio.gather(*(append(clients, batch) for batch in batches)))
    taken = len(days[::2])
    for outcome in outcomes:  # a call that met the drop itself is refused as a whole, and may be sent again
        taken += errors_of(outcome).count(("", "", "")) if outcome.messages else 0
    assert gone + len(await days_of(log, "usage", member_id)) == taken
    left = await destroyed(clients, "R-22", days[-1])
    assert gone + left.get("usage_record", 0) == taken
    assert not await partition(log, "usage", month)


async def test_a_day_whose_salt_does_not_open_is_not_over(clients: Clients, log: Log) -> None:
    """A broken salt is SEAL_BROKEN, for on-call, and not PERIOD_ENDED, by which a record would be given up."""
    member_id, day = await member(clients), date(2002, 5, 1)
    unit = f"usage:{day}"
    await change(log, "INSERT INTO erasure_key (unit, wrapped_salt) SELECT $1, sealed FROM member LIMIT 1", unit)
    outcome = await append(clients, [record("usage", member_id, day=day)])
    await change(log, "DELETE FROM erasure_key WHERE unit = $1", unit)
    assert (outcome.code.name, outcome.reason) == ("INTERNAL", "SEAL_BROKEN")


@pytest.mark.parametrize("kind", CATEGORIES)
async def test_a_new_month_waits_for_no_reader(stack: Stack, clients: Clients, log: Log, kind: str) -> None:
    """A backup or a report that reads the table for hours keeps nobody's first record of a month out."""
    member_id, day = await member(clients), date(2002, 8, 1)
    async with session(stack.postgres.login("identity", SUPERUSER)) as reader, reader.transaction():
        await reader.execute(f"LOCK TABLE {kind}_record IN ACCESS SHARE MODE")
        assert errors_of(await append(clients, [record(kind, member_id, day=day)])) == [("", "", "")]
    assert await partition(log, kind, day)
    await destroyed(clients, CATEGORIES[kind], date(2002, 8, 31))
    assert not await partition(log, kind, day)
