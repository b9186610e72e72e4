"""The archive as a holder: bases end one by one, and with each what it alone kept; the last takes the record (LC-10)."""

from typing import Any
from uuid import UUID

import grpc
import pytest
from onggi.purge.v1 import purge_service_pb2 as api

from tests.integration import examples
from tests.integration.archives import bases, fields, get, leave, salts
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.memberships import append, before, end, give, payment, today
from tests.integration.test_archive import KEPT_OF_A_PAYMENT, misuse

pytestmark = pytest.mark.timeout(120)

PURGE = "onggi.purge.v1.PurgeService"
WHY = examples.access("destruction", reason="a test")


async def purge(clients: Clients, category: str, through: str) -> tuple[Any, Any]:
    """Prepare, execute and verify at the archive as retention does; what was destroyed, and the checks."""
    plan = examples.new_id()
    prepared = await clients.call(
        "retention", f"{PURGE}/PreparePurge",
        api.PreparePurgeRequest(access=WHY, plan_id=plan, epoch=1, category=category, through=through), service="archive",
    )  # fmt: skip
    executed = await clients.call(
        "retention", f"{PURGE}/ExecutePurge",
        api.ExecutePurgeRequest(
            access=WHY, plan_id=plan, epoch=1, category=category, limit=1000, digest=prepared.message.digest
        ), service="archive",
    )  # fmt: skip
    verified = await clients.call(
        "retention", f"{PURGE}/VerifyPurge",
        api.VerifyPurgeRequest(access=WHY, plan_id=plan, epoch=1, category=category), service="archive",
    )  # fmt: skip
    assert executed.message.remaining == 0
    return {count.table: count.rows for count in executed.message.destroyed}, verified.message


async def test_each_basis_takes_what_it_alone_kept(clients: Clients, log: Log) -> None:
    """R-09b, R-10, R-11: in any order, a field lives as long as a basis that keeps it; after the last nothing is there."""
    member_id = (await examples.new_member(clients)).member_id
    [record_id] = await append(clients, payment(member_id, before(40)))
    await leave(clients, log, member_id, [record_id])
    day = str(before(40))
    left = {
        "R-10": ["amount", "approval_number", "masked_instrument", "supplied"],
        "R-11": ["amount", "masked_instrument", "supplied"],
        "R-09b": [],
    }

    for category, stored in left.items():
        assert category in [name for name, *_ in await bases(log, "archive", record_id)]
        destroyed, verified = await purge(clients, category, day)
        assert await fields(log, "archive", record_id) == await salts(log, "archive", record_id) == stored
        assert verified.clean, verified
        assert destroyed["record_basis"] >= 1
    assert not await log.fetch("archive", "SELECT 1 FROM record WHERE member_id = $1", UUID(member_id))


async def test_nothing_goes_before_its_day(clients: Clients, log: Log) -> None:
    """R-10: a plan up to the day before the payment's destroys nothing of it."""
    member_id = (await examples.new_member(clients)).member_id
    [record_id] = await append(clients, payment(member_id, before(30)))
    await leave(clients, log, member_id, [record_id])

    _, verified = await purge(clients, "R-10", str(before(31)))

    assert verified.clean
    assert await fields(log, "archive", record_id) == KEPT_OF_A_PAYMENT


async def test_a_withdrawn_consent_is_due_at_once(clients: Clients, log: Log) -> None:
    """R-04, LC-12: after the former member's withdrawal the next plan takes the record, whatever its period; and no trace."""
    member_id = (await examples.new_member(clients)).member_id
    await give(clients, member_id, "misuse_retention")
    [record_id] = await append(clients, misuse(member_id))
    await leave(clients, log, member_id, [record_id])
    await end(clients, member_id, "misuse_retention")

    _, verified = await purge(clients, "R-04", str(before(3000)))

    assert verified.clean
    assert (await get(clients, record_id, "misuse_prevention")).code is grpc.StatusCode.NOT_FOUND
    for table in ("record", "consent_end"):
        assert not await log.fetch("archive", f"SELECT 1 FROM {table} WHERE member_id = $1", UUID(member_id))


async def test_list_kept_tells_bases_and_items(clients: Clients, log: Log) -> None:
    """ListKept: of a former member the archive tells each record's bases, start days and items, and no value."""
    member_id = (await examples.new_member(clients)).member_id
    [record_id] = await append(clients, payment(member_id, before(2)))
    await leave(clients, log, member_id, [record_id])

    request = api.ListKeptRequest(access=WHY, member_id=member_id)
    kept = (await clients.call("retention", f"{PURGE}/ListKept", request, service="archive")).message.kept

    assert [(item.kind, item.record_id, item.category, item.event_date) for item in kept] == [
        ("payment", record_id, name, str(before(2))) for name in ("R-09b", "R-10", "R-11")
    ]
    assert list(kept[1].items) == ["business_registration_number", "payment_record", "transaction_record"]


@pytest.mark.parametrize("category", ["R-03", "R-12", "R-15", "R-99"])
async def test_the_archive_holds_no_live_category(clients: Clients, category: str) -> None:
    """What no record stands under, be it held or not, has no place here: CATEGORY_UNKNOWN."""
    request = api.PreparePurgeRequest(
        access=WHY, plan_id=examples.new_id(), epoch=1, category=category, through=str(today())
    )
    outcome = await clients.call("retention", f"{PURGE}/PreparePurge", request, service="archive")
    assert outcome.reason == "CATEGORY_UNKNOWN"
