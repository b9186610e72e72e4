"""A second version of the policy on the running services: longer periods for what is new, shorter ones for all (GV-02).

Version 2 is in force since 2026-03-16. Inquiries (R-05) and proofs of consents (R-15) are kept 4 years instead of 3, usage
records (R-22) 4 months instead of 3, records of abuse (R-08) 2 years instead of 3. What is appended here is collected
under it; for what was there before, the test changes the version that a record pins.
"""

from collections.abc import Iterator
from datetime import date
from uuid import UUID

import pytest
from onggi.identity.v1.record_service_pb2 import Standing

from dev.stack import Stack
from tests.integration import archives, examples, memberships, record_examples, retention_days
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.policy_versions import with_periods
from tests.integration.purges import change
from tests.integration.retention_days import Days

pytestmark = pytest.mark.timeout(300)
log = retention_days.log

CLOSED = date(2026, 11, 1)
PIN_FIRST = "UPDATE record SET policy_version = '1' WHERE record_id = ANY($1)"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own, all of whose services read a policy of two versions."""
    policy = with_periods(tmp_path_factory.mktemp("p"), R_05="4 years", R_08="2 years", R_15="4 years", R_22="4 months")
    running = Stack(tmp_path_factory.mktemp("s"), policy=policy)
    try:
        running.start()
        yield running
    finally:
        running.erase()


async def records_of(clients: Clients, log: Log, member_id: str) -> dict[tuple[str, str], str]:
    """New records of a member, an inquiry and an abuse of 2026-11-01 under each version: (category, version) -> id."""
    for consent in ("inquiry_retention", "abuse_retention"):
        await memberships.give(clients, member_id, consent)
    ids: dict[tuple[str, str], str] = {}
    for version in ("1", "2"):
        closed = Standing(category="R-05", event_date=CLOSED.isoformat())
        given = (
            record_examples.record("inquiry", member_id, closed, day=date(2026, 10, 20)),
            record_examples.record("abuse_incident", member_id, day=CLOSED),
        )
        ids |= {
            (name, version): await record_examples.add(clients, each)
            for name, each in zip(("R-05", "R-08"), given, strict=True)
        }
    await change(log, PIN_FIRST, [UUID(each) for (_, version), each in ids.items() if version == "1"])
    return ids


async def test_a_longer_period_is_for_new_records_a_shorter_one_for_all(
    stack: Stack, clients: Clients, log: Log
) -> None:
    """R-05, R-08, LC-01: on its day and not a day sooner, in identity and in the archive, as the explanation says."""
    days = Days.of(stack)
    stays, leaves = [(await examples.new_member(clients)).member_id for _ in range(2)]
    live = await records_of(clients, log, stays)
    archived = await records_of(clients, log, leaves)
    answer = await memberships.withdraw(clients, leaves)
    await archives.moved(log, list(archived.values()))

    ends = {
        ("R-05", "1"): "2029-11-01", ("R-05", "2"): "2030-11-01", ("R-08", "1"): "2028-11-01", ("R-08", "2"): "2028-11-01",
    }  # fmt: skip
    for kept in (answer.message.kept, await days.explain(CLOSED, stays), await days.explain(CLOSED, leaves)):
        told = {
            (item.category, item.policy_version): item.last_day for item in kept if item.category in ("R-05", "R-08")
        }
        assert ends == told
    for day, left in [
        (date(2028, 11, 1), {*ends}),
        (date(2028, 11, 2), {("R-05", "1"), ("R-05", "2")}),
        (date(2029, 11, 1), {("R-05", "1"), ("R-05", "2")}),
        (date(2029, 11, 2), {("R-05", "2")}),
        (date(2030, 11, 1), {("R-05", "2")}),
        (date(2030, 11, 2), set()),
    ]:
        parts = await days.purge(day, "R-05", "R-08")
        here, there = await archives.places(log, [*live.values(), *archived.values()])
        assert {live[each] for each in left} == here, day
        assert {archived[each] for each in left} == there, day
        assert {("R-05", ("1",)), ("R-08", ())} == {(part.category, tuple(part.cutoffs)) for part in parts}


async def test_a_record_that_is_over_by_its_own_version_does_not_move(stack: Stack, clients: Clients, log: Log) -> None:
    """R-05: closed three and a half years ago, of version 1 it waits here for its destruction, of version 2 it moves."""
    member_id = (await examples.new_member(clients)).member_id
    await memberships.give(clients, member_id, "inquiry_retention")
    day = memberships.before(3 * 366 + 183)
    closed = Standing(category="R-05", event_date=day.isoformat())
    over, kept = [
        await record_examples.add(clients, record_examples.record("inquiry", member_id, closed, day=day))
        for _ in range(2)
    ]
    await change(log, PIN_FIRST, [UUID(over)])
    answer = await memberships.withdraw(clients, member_id)
    await archives.moved(log, [kept])
    assert ({over}, set()) == await archives.places(log, [over])
    assert [kept] == [item.record_id for item in answer.message.kept if item.category == "R-05"]
    await Days.of(stack).purge(memberships.today(), "R-05")
    assert (set(), {kept}) == await archives.places(log, [over, kept])


async def test_a_day_ends_by_the_version_that_was_in_force_on_it(stack: Stack, clients: Clients, log: Log) -> None:
    """R-22: three months for the days before 2026-03-16, four from then on; a month is dropped with the last of its days."""
    days = Days.of(stack)
    member_id = (await examples.new_member(clients)).member_id
    given = [date(2026, 2, 28), date(2026, 3, 15), date(2026, 3, 16), date(2026, 3, 31)]
    await record_examples.append(clients, [record_examples.record("usage", member_id, day=day) for day in given])

    async def left() -> list[date]:
        statement = "SELECT event_date FROM usage_record WHERE member_id = $1 ORDER BY event_date"
        return [row["event_date"] for row in await log.fetch("identity", statement, UUID(member_id))]

    async def months() -> list[bool]:
        names = [f"usage_record_2026_{month:02}" for month in (2, 3)]
        return [(await log.fetch("identity", "SELECT to_regclass($1)::text", name))[0][0] is not None for name in names]

    for day, number, partitions in [
        (date(2026, 5, 31), 4, [True, True]),
        (date(2026, 6, 1), 3, [False, True]),
        (date(2026, 6, 15), 3, [False, True]),
        (date(2026, 6, 16), 2, [False, True]),
        (date(2026, 7, 16), 2, [False, True]),
        (date(2026, 7, 17), 1, [False, True]),
        (date(2026, 7, 31), 1, [False, True]),
        (date(2026, 8, 1), 0, [False, False]),
    ]:
        await days.purge(day, "R-22")
        assert (given[len(given) - number :], partitions) == (await left(), await months()), day


async def test_a_proof_of_consent_ends_by_the_version_it_was_given_under(
    stack: Stack, clients: Clients, log: Log
) -> None:
    """R-15: withdrawn on one day, the consent of version 1 is proved for three years and that of version 2 for four."""
    days = Days.of(stack)
    member_id = (await examples.new_member(clients)).member_id
    for consent in ("marketing", "statistics"):
        await memberships.give(clients, member_id, consent)
        await memberships.end(clients, member_id, consent)
    await change(log, "UPDATE consent SET withdrawn_on = $2 WHERE member_id = $1", UUID(member_id), CLOSED)
    first = "UPDATE consent SET policy_version = '1' WHERE member_id = $1 AND name = 'marketing'"
    await change(log, first, UUID(member_id))
    for day, left in [
        (date(2029, 11, 1), {"marketing", "statistics"}),
        (date(2029, 11, 2), {"statistics"}),
        (date(2030, 11, 1), {"statistics"}),
        (date(2030, 11, 2), set()),
    ]:
        await days.purge(day, "R-15")
        found = await log.fetch("identity", "SELECT name FROM consent WHERE member_id = $1", UUID(member_id))
        assert left == {row["name"] for row in found}, day
