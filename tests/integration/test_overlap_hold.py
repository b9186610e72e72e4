"""A prosecutor's hold on a payment, through the whole of the running services and at days to come.

The payment of a member that leaves on 2026-11-24 would be kept until 2032-03-31 by tax law and go then. Held, it has no
end: it stays in the archive, whole, whatever day it is, until somebody else than who placed the hold releases it.
"""

from datetime import date, timedelta
from functools import partial
from uuid import UUID

import pytest
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.retention.v1 import hold_service_pb2 as api

from chassis import database
from chassis.policy.calendar import last_day
from chassis.policy.duration import Period
from dev.stack import Stack
from services.retention.holds import known
from tests.integration import archives, examples, memberships, retention_days
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log
from tests.integration.retention_days import Days
from tests.integration.retention_parts import settings_of
from tests.integration.test_overlap_vectors import LEFT, PAID, add, leave_on, member_with, onggi

pytestmark = pytest.mark.timeout(300)
stack, log = retention_days.stack, retention_days.log

HOLDS = "onggi.retention.v1.HoldService"
WHY = AccessContext(purpose="legal_hold", reason="2026형제1234 압수 예정")
OFFICER, OPERATOR = "privacy-officer", "retention-operator"
WHOLE = ["amount", "approval_number", "business_registration_number", "masked_instrument", "payer_phone", "supplied"]
TAX_OVER = date(2032, 4, 1)


def order(record_id: str, review_on: date, article: str = "형사소송법 제215조") -> api.PlaceHoldRequest:
    """What the prosecutor's document says."""
    return api.PlaceHoldRequest(
        access=WHY, request_id=examples.new_id(), record_id=record_id, authority="서울중앙지방검찰청",
        document_number="2026형제1234", article=article, review_on=review_on.isoformat(),
    )  # fmt: skip


async def place(clients: Clients, request: api.PlaceHoldRequest) -> Outcome:
    """PlaceHold by the privacy officer."""
    return await clients.call(OFFICER, f"{HOLDS}/PlaceHold", request)


async def release(clients: Clients, hold_id: str, caller: str) -> Outcome:
    """ReleaseHold."""
    request = api.ReleaseHoldRequest(access=WHY, request_id=examples.new_id(), hold_id=hold_id)
    return await clients.call(caller, f"{HOLDS}/ReleaseHold", request)


async def test_a_held_payment_has_no_end_until_another_person_releases_it(
    stack: Stack, clients: Clients, log: Log
) -> None:
    """LC-13, LC-05, LC-10, R-10: no end, a separate store, review within six months; released, the next plan takes it."""
    register = database.connect(settings_of(stack).database)
    days = Days.of(stack, partial(known, register))
    member_id = await member_with(clients)
    payment, other = [await add(clients, "payment", member_id, day=PAID) for _ in range(2)]

    today = memberships.today()
    farthest = last_day(today, Period(months=6))
    too_far = await place(clients, order(payment, farthest + timedelta(days=1)))
    assert ("INVALID_FIELD", [("review_on", "too_far")]) == (too_far.reason, too_far.violations)
    baseless = await place(clients, order(payment, farthest, ""))
    assert ("INVALID_FIELD", [("article", "string.min_len")]) == (baseless.reason, baseless.violations)
    hold = (await place(clients, order(payment, farthest))).message.hold
    assert api.HOLD_STATE_STANDING == hold.state
    approval = api.ApproveHoldRequest(access=WHY, request_id=examples.new_id(), hold_id=hold.hold_id)
    assert (await clients.call(OPERATOR, f"{HOLDS}/ApproveHold", approval)).message.hold.approved_by

    await leave_on(clients, log, member_id, [payment, other])
    await days.purge(LEFT)
    assert WHOLE == await archives.fields(log, "archive", payment)
    for day in (date(2031, 5, 11), date(2032, 3, 31), TAX_OVER, date(2040, 1, 1)):
        parts = await days.purge(day)
        assert parts
        assert WHOLE == await archives.fields(log, "archive", payment) == await archives.salts(log, "archive", payment)
    assert (set(), {payment}) == await archives.places(log, [payment, other])
    assert [] == await log.fetch("identity", "SELECT 1 FROM member WHERE member_id = $1", UUID(member_id))

    *laws, held = await days.explain(TAX_OVER, record_id=payment)
    assert {"R-09b", "R-10", "R-11"} <= {item.category for item in laws}
    assert [] == [item.category for item in laws if item.last_day == ""]
    assert ("archive", "HOLD", "형사소송법 제215조", "") == (held.holder, held.basis, held.article, held.last_day)
    assert (today.isoformat(), farthest.isoformat()) == (held.event_date, held.review_on)
    told = onggi(stack, "explain", "--record", payment)["kept"]
    assert [farthest.isoformat()] == [item["review_on"] for item in told if item["basis"] == "HOLD"]

    opened = await archives.get(clients, payment, "legal_hold")
    assert payment == opened.message.record.record_id
    assert "PURPOSE_NOT_ALLOWED" == (await archives.get(clients, payment, "legal_hold", caller="tax-officer")).reason

    assert "SELF_APPROVAL" == (await release(clients, hold.hold_id, OFFICER)).reason
    await days.purge(TAX_OVER)
    assert WHOLE == await archives.fields(log, "archive", payment)
    released = (await release(clients, hold.hold_id, OPERATOR)).message.hold
    assert (api.HOLD_STATE_RELEASED, "") == (released.state, released.record_id)
    parts = await days.purge(TAX_OVER)
    assert [("R-09b", 1), ("R-10", 1), ("R-11", 1), ("R-01", 1)] == [
        (part.category, part.units) for part in parts if part.holder == "archive" and part.units
    ], "each basis goes under its own category, and that is what the certificate says"
    assert (set(), set()) == await archives.places(log, [payment, other])
    assert [] == await archives.salts(log, "archive", payment)
    assert [] == await days.explain(TAX_OVER, record_id=payment)
    await register.dispose()


async def test_the_command_places_shows_and_releases_a_hold(stack: Stack, clients: Clients) -> None:
    """LC-13: by `onggi hold`, from the placing to the release, against the processes as they run."""
    member_id = (await examples.new_member(clients)).member_id
    review_on = memberships.today().isoformat()
    placed = onggi(
        stack, "hold", "place", member_id, "--authority", "서울중앙지방법원", "--document", "2026카기77",
        "--article", "민사소송법 제375조", "--review-on", review_on, "--reason", "증거보전 결정",
    )["hold"]  # fmt: skip
    assert ("HOLD_STATE_STANDING", member_id) == (placed["state"], placed["member_id"])

    told = onggi(stack, "explain", member_id)["kept"]
    assert {"HOLD"} == {item["basis"] for item in told if item["review_on"] == review_on}
    assert {"identity"} <= {item["holder"] for item in told if item["basis"] == "HOLD"}
    assert placed["hold_id"] in [hold["hold_id"] for hold in onggi(stack, "hold", "list")["holds"]]
    assert placed == onggi(stack, "hold", "show", placed["hold_id"])["hold"]
    assert (await release(clients, placed["hold_id"], OPERATOR)).message.hold.released_on
    assert placed["hold_id"] not in [hold["hold_id"] for hold in onggi(stack, "hold", "list")["holds"]]
