"""What is kept of somebody with very many records is told page by page, each at the cost of a page (법35)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import grpc
import pytest
from onggi.purge.v1 import purge_service_pb2 as api
from onggi.retention.v1.kept_item_pb2 import KeptItem
from onggi.retention.v1.retention_service_pb2 import ExplainRetentionRequest

from chassis.database import connect
from chassis.kept import PAGE, Key, Part
from chassis.policy.load import load
from dev.stack import Stack
from services.identity.kept import KeptRecords
from tests.integration import examples
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.memberships import RETENTION, append, before, get, give, inquiry, partnership, payment, withdraw
from tests.integration.purges import change
from tests.integration.test_archive_movers import settings_of

pytestmark = pytest.mark.timeout(120)

_COPIES = """
WITH n AS (SELECT gen_random_uuid() AS id FROM generate_series(1, $2::int)),
r AS (INSERT INTO record (record_id, member_id, kind, occurred_on, policy_version)
      SELECT n.id, r.member_id, r.kind, r.occurred_on, r.policy_version FROM n, record AS r WHERE r.record_id = $1),
b AS (INSERT INTO record_basis (record_id, category, event_date)
      SELECT n.id, b.category, b.event_date FROM n, record_basis AS b WHERE b.record_id = $1)
INSERT INTO record_field (record_id, field, sealed) SELECT n.id, f.field, f.sealed FROM n, record_field AS f
WHERE f.record_id = $1
"""
"""Records like one; nobody can read them, since they have no salts."""


_TAKEN = [
    f"DELETE FROM {table} WHERE record_id IN (SELECT record_id FROM record WHERE member_id = $1)"
    for table in ("record_field", "record_basis", "record")
]


@asynccontextmanager
async def member_with(clients: Clients, log: Log, copies: int) -> AsyncIterator[str]:
    """A member with so many payments, a contact, a consent, an inquiry and a log-in; without records after the block."""
    member_id = (await examples.new_member(clients)).member_id
    await examples.new_contact(clients, member_id)
    assert (await give(clients, member_id, "inquiry_retention")).code is grpc.StatusCode.OK
    [one, *_] = await append(
        clients, payment(member_id, before(1)), inquiry(member_id, before(1)), examples.login(member_id)
    )
    await copied(log, one, copies - 1)
    try:
        yield member_id
    finally:
        await forget(log, member_id)


async def copied(log: Log, record_id: str, copies: int) -> None:
    """Add so many records like one."""
    await change(log, _COPIES, UUID(record_id), copies)


async def forget(log: Log, member_id: str) -> None:
    """Take a member's records away, so that other tests do not have to read them."""
    for statement in _TAKEN:
        await change(log, statement, UUID(member_id))


def key(item: api.Kept) -> Key:
    """What entries are sorted by."""
    return Key(item.kind, item.record_id, item.category, item.event_date)


async def test_pages_have_everything_once(clients: Clients, log: Log) -> None:
    """Over all tables, in one order, whatever is cut where: all pages together are all that is kept, once."""
    async with member_with(clients, log, 600) as member_id:
        pages: list[Sequence[api.Kept]] = []
        token, more = "", True
        while more:
            request = api.ListKeptRequest(access=examples.access("destruction"), member_id=member_id, page_token=token)
            answer = await clients.call(
                "retention", "onggi.purge.v1.PurgeService/ListKept", request, service="identity"
            )
            pages.append(answer.message.kept)
            token = answer.message.next_page_token
            more = bool(token)

    assert [len(page) for page in pages[:-1]] == [PAGE] * 2
    told = [key(item) for page in pages for item in page]
    assert told == sorted(set(told))
    kinds = [item.kind for item in told]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "member": 1, "contact": 1, "consent": 1, "inquiry": 1, "login": 1, "payment": 600 * 4,
    }  # fmt: skip
    [whole] = {tuple(item.items) for page in pages for item in page if item.category == "R-10"}
    assert whole == ("business_registration_number", "payment_record", "transaction_record")


async def test_an_explanation_has_everything_once(clients: Clients, log: Log) -> None:
    """ExplainRetention over the real services: more bases than a page of a holder and than one of the answer."""
    pages: list[Sequence[KeptItem]] = []
    token, more = "", True
    async with member_with(clients, log, 600) as member_id:
        while more:
            request = ExplainRetentionRequest(
                access=examples.access("destruction"), member_id=member_id, page_size=900, page_token=token
            )
            answer = await clients.call("privacy-officer", f"{RETENTION}/ExplainRetention", request, timeout=30)
            pages.append(answer.message.kept)
            token = answer.message.next_page_token
            more = bool(token)

    assert [len(page) for page in pages] == [900, 900, 605]
    told = [(item.kind, item.record_id, item.category, item.event_date) for page in pages for item in page]
    assert len(set(told)) == len(told) == 600 * 4 + 5
    assert len({record_id for kind, record_id, *_ in told if kind == "payment"}) == 600
    ends = [item.last_day or "~" for page in pages for item in page]
    assert ends == sorted(ends)


async def test_a_part_is_not_the_whole(stack: Stack, clients: Clients, log: Log) -> None:
    """Of ten thousand bases a page of eleven takes eleven, wherever it begins: in the middle of a record too."""
    keeper, engine = KeptRecords(load(settings_of(stack).policy_directory)), connect(settings_of(stack).database)
    async with member_with(clients, log, 2500) as member_id, engine.connect() as connection:
        everything = sorted(key(item) for item in await keeper.kept(connection, member_id, None))
        payments = [each for each in everything if each.kind == "payment"]
        assert len(payments) == 10_000
        for after in (Key(), Key("member", member_id, "R-01"), payments[3], payments[4], payments[5001], payments[-2]):
            part = [key(item) for item in await keeper.kept(connection, member_id, None, Part(after, 11))]
            wanted = [each for each in everything if each > after]
            assert sorted(each for each in part if each > after)[:11] == wanted[:11]
            assert len([each for each in part if each.kind == "payment"]) <= 11
    await engine.dispose()


async def test_others_are_answered_while_such_a_member_leaves(clients: Clients, log: Log) -> None:
    """To tell of five thousand records takes a while; the calls of everybody else are answered all along."""
    member_id, neighbour = [(await examples.new_member(clients)).member_id for _ in range(2)]
    assert (await give(clients, member_id, "partnership_retention")).code is grpc.StatusCode.OK
    [one] = await append(clients, partnership(member_id, before(1)))  # which does not move into the archive
    await copied(log, one, 5_000)
    leaving = asyncio.create_task(withdraw(clients, member_id))
    answered = 0
    while not leaving.done():
        assert (await get(clients, neighbour)).code is grpc.StatusCode.OK
        answered += 1

    [told] = [item for item in (await leaving).message.kept if item.category == "R-06"]
    await forget(log, member_id)
    assert (told.kind, told.record_id) == ("partnership_inquiry", "")
    assert answered > 1
