"""The policy as it runs: a member with everything, from its withdrawal until nothing of it is left.

Nobody waits for 2032: retention's own parts run at a clock that the test turns, against the real holders (`days`).
"""

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from tempfile import mkdtemp

import grpc
import pytest
from onggi.identity.v1.record_service_pb2 import Standing
from onggi.retention.v1.kept_item_pb2 import KeptItem

from dev.stack import Stack
from tests.e2e.days import days
from tests.integration import examples, memberships, record_examples, retention_days
from tests.integration.archives import moved
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.memberships import today

pytestmark = pytest.mark.timeout(180)

DAY = timedelta(days=1)
# Where the random id of a member that is gone may still stand, and why.
ACCOUNTED = {
    "processing_log": "the accesses themselves (접속기록, R-13), kept for two years of their own",
    "purge_item": "what a plan has destroyed: a restored backup is cleaned by it (LC-14)",
    "purge_run": "the kept ciphertext that must not decrypt any more (LC-03)",
    "erasure_key": "that a salt was destroyed, without the salt (LC-14)",
}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack of its own: days that come here would destroy what other tests keep."""
    running = Stack(Path(mkdtemp(prefix="onggi-")))
    try:
        running.start()
        yield running
    finally:
        running.erase()


async def test_a_member_with_everything_goes_day_by_day(stack: Stack, clients: Clients, log: Log) -> None:
    """Every category of record: what is explained is what the policy keeps, and each thing goes on its day, none sooner.

    After the last nothing is found by the member's id or its blind indexes (R-01 to R-23, LC-01, LC-03).
    """
    event = _tenth(today())
    member_id, token = await _member_with_everything(clients, event)
    indexes = (await log.fetch("identity", _INDEXES, uuid.UUID(member_id)))[0]
    living = await retention_days.Days.of(stack).explain(today(), member_id)
    assert {item.category for item in living} == _HELD
    left = await memberships.withdraw(clients, member_id)
    assert left.code is grpc.StatusCode.OK
    await _left_live(log, member_id)
    await _left_on(log, member_id, event)

    async with days(stack) as calendar:
        first = today() + DAY
        assert await calendar.run(first)
        expected = _from(_expected(event), first)
        assert _told(await calendar.explain(first, member_id=member_id)) == expected
        promised = {(item.kind, item.category) for item in left.message.kept}
        assert promised == {(kind, category) for kind, category, _ in expected}, "the answer to the withdrawal"
        for last in sorted({last for *_, last in expected}):
            await calendar.run(last)
            assert _told(await calendar.explain(last, member_id=member_id)) == _from(expected, last)
            assert await calendar.run(last + DAY), last
            assert _told(await calendar.explain(last + DAY, member_id=member_id)) == _from(expected, last + DAY)

    assert token
    for needle in (member_id, *indexes):
        for database in ("identity", "archive", "payment_vault", "retention"):
            found = await _tables_with(log, database, needle)
            assert found <= set(ACCOUNTED), (database, found)
    for database in ("identity", "payment_vault"):
        [[salts]] = await log.fetch(database, _SALTS, member_id)
        assert salts == 0, database


_HELD = {
    "R-01", "R-03", "R-04", "R-05", "R-06", "R-07", "R-08", "R-09a", "R-09b", "R-09c", "R-09d", "R-10", "R-11", "R-12",
    "R-15", "R-19", "R-20", "R-21", "R-22", "R-23",
}  # fmt: skip
_INDEXES = "SELECT email_index, organization_number_index, business_number_index FROM member WHERE member_id = $1"
_SALTS = "SELECT count(*) FROM erasure_key WHERE unit LIKE '%' || $1 || '%' AND wrapped_salt IS NOT NULL"
_TABLES = """
SELECT c.oid::regclass::text AS name, coalesce(i.inhparent::regclass::text, c.oid::regclass::text) AS parent
FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""


def _years(day: date, years: int) -> date:
    """Years later; only for days that every month has, so that no rule about missing days is needed here."""
    return day.replace(year=day.year + years)


def _months(day: date, months: int) -> date:
    total = day.year * 12 + day.month - 1 + months
    return day.replace(year=total // 12, month=total % 12 + 1)


def _tenth(day: date) -> date:
    """The latest tenth of a month that has come."""
    return day.replace(day=10) if day.day >= 10 else (day.replace(day=1) - DAY).replace(day=10)


def _expected(event: date) -> set[tuple[str, str, date]]:
    """(kind, category, last day) by hand: every event, and the withdrawal, on one tenth of a month."""
    tax = date(event.year + 6, 3, 31)  # five years from 31 March of the year after
    return {
        ("login", "R-12", _months(event, 3)), ("usage", "R-22", _months(event, 3)),
        ("inquiry", "R-05", _years(event, 3)), ("inquiry", "R-09c", _years(event, 3)),
        ("partnership_inquiry", "R-06", _months(event, 1)), ("malicious_attachment", "R-07", _months(event, 1)),
        ("misuse", "R-04", _years(event, 1)), ("misuse", "R-23", _years(event, 1)),
        ("abuse_incident", "R-08", _years(event, 3)), ("contract", "R-09a", _years(event, 5)),
        ("payment", "R-09b", _years(event, 5)), ("payment", "R-11", _years(event, 5)), ("payment", "R-10", tax),
        ("dispute", "R-09c", _years(event, 3)), ("advertising", "R-09d", _months(event, 6)),
        ("tax_document", "R-10", tax), ("electronic_transaction", "R-11", _years(event, 5)),
        ("cash_receipt_request", "R-10", tax), ("consent", "R-15", _years(event, 3)),
    }  # fmt: skip


def _told(items: list[KeptItem]) -> set[tuple[str, str, date]]:
    return {(item.kind, item.category, date.fromisoformat(item.last_day)) for item in items}


def _from(expected: set[tuple[str, str, date]], day: date) -> set[tuple[str, str, date]]:
    return {item for item in expected if item[2] >= day}


async def _member_with_everything(clients: Clients, event: date) -> tuple[str, str]:
    """A member with a contact, a token, every consent and a record of every kind; its id and the token."""
    member_id = (await examples.new_member(clients)).member_id
    await examples.new_contact(clients, member_id)
    token = await examples.new_token(clients, member_id)
    for consent in {*record_examples.CONSENTS.values(), "marketing", "statistics"}:
        assert (await memberships.give(clients, member_id, consent)).code is grpc.StatusCode.OK
    noted = {
        "inquiry": [("R-05", event), ("R-09c", event)], "dispute": [("R-09c", event)], "advertising": [("R-09d", event)]
    }  # fmt: skip
    for kind in record_examples.BODIES:
        standings = [Standing(category=category, event_date=str(day)) for category, day in noted.get(kind, [])]
        changes = {"resolution": "처리하였음"} if kind == "inquiry" else {}
        await record_examples.add(clients, record_examples.record(kind, member_id, *standings, day=event, **changes))
    bad_use = record_examples.record("misuse", member_id, Standing(category="R-23"), day=event)
    await record_examples.add(clients, bad_use)
    return member_id, str(token)


async def _left_live(log: Log, member_id: str) -> None:
    """Wait until only what has no place in the archive is in identity: R-06, R-07, and what ends at once."""
    kinds = ["partnership_inquiry", "malicious_attachment", "notification_target", "vpn_second_factor"]
    found = await log.fetch(
        "identity", "SELECT record_id FROM record WHERE member_id = $1 AND kind <> ALL($2)", uuid.UUID(member_id), kinds
    )
    await moved(log, [str(row[0]) for row in found])


async def _left_on(log: Log, member_id: str, day: date) -> None:
    """Have it that the member left on another day: every date that its leaving has set today is moved."""
    member, now = uuid.UUID(member_id), today()
    for database, statements in {
        "identity": (
            "UPDATE member SET withdrawn_on = $2 WHERE member_id = $1 AND withdrawn_on = $3",
            "UPDATE consent SET withdrawn_on = $2 WHERE member_id = $1 AND withdrawn_on = $3",
            _MOVE_EVENTS, _MOVE_ENDS,
        ),
        "archive": (_MOVE_EVENTS,),
    }.items():  # fmt: skip
        await log.fetch(database, "SET session_replication_role = replica")
        for statement in statements:
            await log.fetch(database, statement, member, day, now)
        await log.fetch(database, "SET session_replication_role = origin")


_MOVE_EVENTS = """
UPDATE record_basis AS b SET event_date = $2 FROM record AS r
WHERE r.record_id = b.record_id AND r.member_id = $1 AND b.event_date = $3
"""
_MOVE_ENDS = _MOVE_EVENTS.replace("SET event_date", "SET ended_on").replace("b.event_date", "b.ended_on")


async def _tables_with(log: Log, database: str, needle: str) -> set[str]:
    """The tables, by the name of the whole where they are partitions, of which some row has the text somewhere."""
    found = set()
    for row in await log.fetch(database, _TABLES):
        statement = f"SELECT count(*) FROM {row['name']} AS t WHERE t::text LIKE '%' || $1 || '%'"
        [[rows]] = await log.fetch(database, statement, needle)
        if rows:
            found.add(row["parent"])
    return found
