"""A statutory maximum in force: what it cuts on its day, and what a law keeps beyond it, which only a person can decide.

The owner is a user of credit information: at most five years from the end of the business relationship (신용정보법
제20조의2). A member leaves on 2026-11-24, so that is until 2031-11-24; its last payment, of 2026-05-10, is kept by tax law
until 2032-03-31.
"""

import json
from collections.abc import Iterator
from datetime import date
from uuid import UUID

import pytest
from onggi.identity.v1.record_service_pb2 import Standing

from dev.stack import Stack
from tests.integration import archives, memberships, policy_credit, purges, retention_days
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.retention_days import Days
from tests.integration.test_overlap_vectors import LEFT, PAID, TAX, add, leave_on, member_with, onggi

pytestmark = pytest.mark.timeout(300)
log = retention_days.log

LAST_DAY, DAY_AFTER = date(2031, 11, 24), date(2031, 11, 25)
TAX_ENDS, TAX_OVER = date(2032, 3, 31), date(2032, 4, 1)
LAWS = {
    "R-10": ("국세기본법 제85조의3 제2항, 법인세법 제116조", TAX_ENDS.isoformat()),
    "R-25": ("신용정보의 이용 및 보호에 관한 법률 제20조의2", LAST_DAY.isoformat()),
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own, whose owner is a user of credit information."""
    running = Stack(tmp_path_factory.mktemp("s"), policy=policy_credit.in_force(tmp_path_factory.mktemp("p")))
    try:
        running.start()
        yield running
    finally:
        running.erase()


async def conflicts(days: Days, day: date) -> dict[str, int]:
    """Have the day's plan executed; the records that R-25 tells of and does not destroy, by holder."""
    return {part.holder: part.conflicts for part in await days.purge(day) if part.category == "R-25"}


def warned(stack: Stack, record_id: str, holder: str = "archive") -> list[str]:
    """The levels of the lines of a holder's log that name a record in conflict."""
    lines = (stack.log_dir / f"{holder}.log").read_text(encoding="utf-8").splitlines()
    told = [json.loads(line) for line in lines if "laws contradict" in line]
    return [line["level"] for line in told if record_id in line["record_ids"]]


async def test_what_two_laws_contradict_on_stays_and_both_are_told(stack: Stack, clients: Clients, log: Log) -> None:
    """SE-05, LC-10, R-10, R-25: CONFLICT on every day until tax law's end, told by article and date; then it goes whole.

    No plan has the record as a unit for the maximum: neither a field nor a salt goes by it.
    """
    days = Days.of(stack)
    member_id = await member_with(clients)
    payment = await add(clients, "payment", member_id, day=PAID)
    await leave_on(clients, log, member_id, [payment])
    assert ("R-25", LEFT, None) in await archives.bases(log, "archive", payment)

    for day, told, fields in [
        (date(2031, 5, 11), 0, TAX),
        (LAST_DAY, 0, TAX),
        (DAY_AFTER, 1, TAX),
        (TAX_ENDS, 1, TAX),
        (TAX_OVER, 0, []),
    ]:
        assert {"identity": 0, "archive": told} == await conflicts(days, day), day
        assert fields == await archives.fields(log, "archive", payment), day
        assert fields == await archives.salts(log, "archive", payment), day
        explained = await days.explain(day, member_id) if fields else []
        laws = {item.category: (item.article, item.last_day) for item in explained if item.conflict}
        assert laws == (LAWS if fields else {}), day
    assert (set(), set()) == await archives.places(log, [payment])
    assert [] == await days.explain(TAX_OVER, member_id)
    assert ["warning", "warning"] == warned(stack, payment)


async def test_what_only_a_consent_keeps_longer_is_cut_on_the_day(stack: Stack, clients: Clients, log: Log) -> None:
    """R-25, R-04: a consent of ten years keeps a record of misuse to 2031-11-24; its own schedule would to 2036-11-24."""
    days = Days.of(stack)
    member_id = await member_with(clients, "misuse_retention")
    misuse = await add(clients, "misuse", member_id)
    await leave_on(clients, log, member_id, [misuse])
    told = {item.category: (item.last_day, item.conflict) for item in await days.explain(LAST_DAY, record_id=misuse)}
    assert {"R-04": ("2031-11-24", False), "R-25": ("2031-11-24", False)} == told

    await conflicts(days, LAST_DAY)
    assert ["description", "ip_address"] == await archives.salts(log, "archive", misuse)
    await conflicts(days, DAY_AFTER)
    assert (set(), set()) == await archives.places(log, [misuse])
    assert [] == await archives.salts(log, "archive", misuse)
    assert [] == warned(stack, misuse)


async def test_a_consent_is_cut_beside_a_law_that_keeps(stack: Stack, clients: Clients, log: Log) -> None:
    """R-25, R-04, R-10: of one record goes what the consent alone kept, and what tax law keeps is the conflict."""
    days = Days.of(stack)
    member_id = await member_with(clients, "misuse_retention")
    standings = [Standing(category=name) for name in ("R-04", "R-09b", "R-10", "R-11")]
    payment = await add(clients, "payment", member_id, *standings, day=PAID, payer_phone="")
    await leave_on(clients, log, member_id, [payment])

    await conflicts(days, LAST_DAY)
    assert sorted([*TAX, "supplied"]) == await archives.salts(log, "archive", payment)
    assert 1 == (await conflicts(days, DAY_AFTER))["archive"]
    assert TAX == await archives.salts(log, "archive", payment)
    assert ["R-10", "R-25"] == [name for name, *_ in await archives.bases(log, "archive", payment)]
    await conflicts(days, TAX_OVER)
    assert (set(), set()) == await archives.places(log, [payment])


async def test_nobody_chooses_a_maximum_and_it_keeps_nothing(stack: Stack, clients: Clients, log: Log) -> None:
    """R-25: it limits what names it not, and what was added before the setting; alone it keeps no row of a record."""
    member_id = await member_with(clients)
    chosen = await add(clients, "electronic_transaction", member_id, Standing(category="R-11"))
    earlier, only_while_here = [await add(clients, "payment", member_id, day=memberships.today()) for _ in range(2)]
    assert ["R-11", "R-25"] == [name for name, *_ in await archives.bases(log, "identity", chosen)]
    await purges.change(log, "DELETE FROM record_basis WHERE record_id = $1 AND category = 'R-25'", UUID(earlier))
    old = "UPDATE record_basis SET event_date = '2010-01-01' WHERE record_id = $1 AND event_date IS NOT NULL"
    await purges.change(log, old, UUID(only_while_here))
    answer = await memberships.withdraw(clients, member_id)
    await archives.moved(log, [chosen, earlier])

    left = memberships.today()
    assert {earlier} == {item.record_id for item in answer.message.kept if item.conflict}
    for record in (chosen, earlier):
        assert ("R-25", left, None) in await archives.bases(log, "archive", record)
    await Days.of(stack).purge(left)
    assert (set(), {chosen, earlier}) == await archives.places(log, [chosen, earlier, only_while_here])


async def test_a_plan_of_today_tells_of_the_conflicts(stack: Stack, clients: Clients, log: Log) -> None:
    """R-25: the running services' own plan, as the command shows it, counts what a person has to decide, by holder."""
    member_id = await member_with(clients)
    payment = await add(clients, "payment", member_id, day=PAID)
    await archives.leave(clients, log, member_id, [payment])
    over = "UPDATE record_basis SET event_date = '2020-11-24' WHERE record_id = $1 AND category = 'R-25'"
    await purges.change(log, over, UUID(payment), database="archive")

    plan = onggi(stack, "--as", "retention-operator", "purge", "plan", "--category", "R-25")
    parts = {part["holder"]: (part["units"], part["conflicts"]) for part in plan["plan"]["parts"]}
    assert {"identity": ("0", "0"), "archive": ("0", "1")} == parts
    assert ["warning"] == warned(stack, payment)
    kept = onggi(stack, "explain", "--record", payment)["kept"]
    assert {"R-09b", "R-10", "R-11", "R-25"} == {item["category"] for item in kept if item["conflict"]}
