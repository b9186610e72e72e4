"""Legal holds through the HoldService: who may do what, what a repeated request gives, and what every holder is told."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any

import grpc
import grpc.aio
import pytest
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.purge.v1.purge_service_pb2 import Kept
from onggi.retention.v1 import hold_service_pb2 as api
from sqlalchemy import text

from chassis.kst import KST
from dev.stack import Stack
from services.retention.hold_worker import log as worker_log
from services.retention.holders import reason_of
from tests.integration import examples, retention_rig
from tests.integration.retention_holders import Holder
from tests.integration.retention_rig import OFFICER, OPERATOR, Rig, rig, three_holders

pytestmark = pytest.mark.timeout(60)
stack = retention_rig.stack

WHY = AccessContext(purpose="legal_hold", reason="a test")
TODAY = datetime(2026, 11, 24, 12, tzinfo=KST)
FARTHEST = "2027-05-24"


@pytest.fixture
async def running(stack: Stack) -> AsyncIterator[Rig]:
    """The service on 2026-11-24, with three holders."""
    async with rig(stack, three_holders()) as made:
        made.now = TODAY
        yield made


def order(**changes: Any) -> api.PlaceHoldRequest:
    """A request to hold a record, to be reviewed on the farthest day that there is."""
    request = examples.hold()
    request.review_on = FARTHEST
    for name, value in changes.items():
        setattr(request, name, value)
    return request


async def place(running: Rig, request: api.PlaceHoldRequest | None = None, caller: str = OFFICER) -> api.Hold:
    """PlaceHold."""
    answer = await running.holds(caller).PlaceHold(request or order())
    hold: api.Hold = answer.hold
    return hold


async def approve(running: Rig, hold_id: str, caller: str = OPERATOR) -> api.Hold:
    """ApproveHold."""
    request = api.ApproveHoldRequest(access=WHY, request_id=examples.new_id(), hold_id=hold_id)
    answer = await running.holds(caller).ApproveHold(request)
    hold: api.Hold = answer.hold
    return hold


async def review(running: Rig, hold_id: str, day: str, caller: str = OFFICER) -> api.Hold:
    """ReviewHold."""
    request = api.ReviewHoldRequest(access=WHY, request_id=examples.new_id(), hold_id=hold_id, review_on=day)
    answer = await running.holds(caller).ReviewHold(request)
    hold: api.Hold = answer.hold
    return hold


async def release(running: Rig, hold_id: str, caller: str = OPERATOR, request_id: str = "") -> api.Hold:
    """ReleaseHold."""
    request = api.ReleaseHoldRequest(access=WHY, request_id=request_id or examples.new_id(), hold_id=hold_id)
    answer = await running.holds(caller).ReleaseHold(request)
    hold: api.Hold = answer.hold
    return hold


async def get(running: Rig, hold_id: str) -> api.Hold:
    """GetHold."""
    answer = await running.holds().GetHold(api.GetHoldRequest(access=WHY, hold_id=hold_id))
    hold: api.Hold = answer.hold
    return hold


async def refused(call: Any) -> tuple[str, str]:
    """Await a call that must be refused; its status and reason."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code().name, reason_of(caught.value)


def asked(holder: Holder, hold_id: str) -> list[tuple[bool, str, str]]:
    """What a holder was told of a hold: released, whose record, since when."""
    return [
        (request.released, request.record_id, request.placed_on)
        for called, request, _ in holder.calls
        if called == "SetHold" and request.hold_id == hold_id
    ]


def holders(running: Rig) -> tuple[Holder, Holder, Holder]:
    """All three."""
    return running.identity, running.vault, running.archive


async def test_a_hold_stands_at_every_holder_when_it_is_placed(running: Rig) -> None:
    """LC-13: authority, document, article and review are in the register; each holder has it, told under that purpose."""
    request = order()
    hold = await place(running, request)

    assert api.HOLD_STATE_STANDING == hold.state
    assert ("2026-11-24", FARTHEST, "") == (hold.placed_on, hold.review_on, hold.approved_by)
    assert (request.authority, request.document_number, request.article, request.record_id) == (
        hold.authority, hold.document_number, hold.article, hold.record_id
    )  # fmt: skip
    assert "spiffe://onggi/ns/staff/sa/privacy-officer" == hold.placed_by
    assert [] == list(hold.waiting_for)
    for holder in holders(running):
        assert [(False, request.record_id, "2026-11-24")] == asked(holder, hold.hold_id)
    purposes = {request.access.purpose for called, request, _ in running.archive.calls if called == "SetHold"}
    assert {"legal_hold"} == purposes
    assert hold == await get(running, hold.hold_id)


async def test_a_member_is_held_as_a_record_is(running: Rig) -> None:
    """A hold is of one member or of one record, and the processing log says of whom (LG-01)."""
    member_id = examples.new_id()
    request = examples.hold(member_id=member_id)
    request.review_on = FARTHEST
    hold = await place(running, request)

    assert (member_id, "") == (hold.member_id, hold.record_id)
    assert {member_id} == {told.member_id for called, told, _ in running.vault.calls if called == "SetHold"}
    found = text("SELECT rpc_method, action, phase, purpose, reason FROM processing_log "
                 "WHERE CAST(:member AS uuid) = ANY(subject_ids) ORDER BY recorded_at")  # fmt: skip
    async with running.process.auditor.connect() as connection:
        rows = [tuple(row) for row in await connection.execute(found, {"member": member_id})]
    rpc = "onggi.retention.v1.HoldService/PlaceHold"
    assert [
        (rpc, "HOLD", "ACCESS", "legal_hold", "a test"), (rpc, "HOLD", "OUTCOME", "legal_hold", ""),
    ] == rows  # fmt: skip


async def test_without_an_article_of_the_policy_nothing_is_held(running: Rig) -> None:
    """LC-13: no article, no hold; nor one on an article that the policy does not have as a ground."""
    for article in ("", "개인정보 보호법 제21조"):
        assert ("INVALID_ARGUMENT", "INVALID_FIELD") == await refused(place(running, order(article=article)))
    assert [] == [called for called, _, _ in running.identity.calls if called == "SetHold"]


async def test_a_review_is_within_six_months(running: Rig) -> None:
    """LC-13: six months by the Civil Act from the day of the placing, or of the review; not in the past, and a real day."""
    for day in ("2027-05-25", "2026-11-23", "2027-02-30"):
        assert ("INVALID_ARGUMENT", "INVALID_FIELD") == await refused(place(running, order(review_on=day)))
    hold = await place(running)
    assert ("INVALID_ARGUMENT", "INVALID_FIELD") == await refused(review(running, hold.hold_id, "2027-05-25"))

    running.now = TODAY + timedelta(days=180)
    assert "2027-11-23" == (await review(running, hold.hold_id, "2027-11-23")).review_on


async def test_a_hold_asked_for_again_is_the_same_hold(running: Rig) -> None:
    """The same request_id gives the same hold, on a later day too; with other content it is refused (AIP-155)."""
    request = order()
    hold = await place(running, request)
    running.now = TODAY + timedelta(days=300)

    assert hold.hold_id == (await place(running, request)).hold_id
    assert 1 == len(asked(running.identity, hold.hold_id))
    request.document_number = "another"
    assert ("ALREADY_EXISTS", "REQUEST_ID_REUSED") == await refused(place(running, request))


async def test_another_person_approves_and_another_one_releases(running: Rig) -> None:
    """LC-13: who has placed a hold neither approves nor releases it; the database would refuse it too."""
    hold = await place(running)
    assert ("PERMISSION_DENIED", "SELF_APPROVAL") == await refused(approve(running, hold.hold_id, OFFICER))
    assert "spiffe://onggi/ns/staff/sa/retention-operator" == (await approve(running, hold.hold_id)).approved_by
    assert ("FAILED_PRECONDITION", "HOLD_STATE") == await refused(approve(running, hold.hold_id))

    assert ("PERMISSION_DENIED", "SELF_APPROVAL") == await refused(release(running, hold.hold_id, OFFICER))
    assert running.identity.holds[hold.hold_id]
    released = await release(running, hold.hold_id)
    assert (api.HOLD_STATE_RELEASED, "2026-11-24") == (released.state, released.released_on)
    assert "spiffe://onggi/ns/staff/sa/retention-operator" == released.released_by
    assert [False] * 3 == [holder.holds[hold.hold_id] for holder in holders(running)]
    # Whose it was stands in the processing log, and no longer in the register.
    assert ("", "") == (released.member_id, released.record_id)
    for call in (
        release(running, hold.hold_id),
        review(running, hold.hold_id, FARTHEST),
        approve(running, hold.hold_id),
    ):
        assert ("FAILED_PRECONDITION", "HOLD_STATE") == await refused(call)


async def test_what_is_not_there_is_not_found(running: Rig) -> None:
    """Every RPC about one hold says so."""
    nothing = examples.new_id()
    for call in (get(running, nothing), approve(running, nothing), review(running, nothing, FARTHEST),
                 release(running, nothing)):  # fmt: skip
        assert ("NOT_FOUND", "HOLD_NOT_FOUND") == await refused(call)


async def test_a_holder_that_is_down_is_told_later(running: Rig) -> None:
    """A hold is not promised before every holder has it; the service goes on with it, and so does the same request."""
    request = order()
    assert await running.hold_worker.look()  # what stands is told again once a day; not in what follows
    running.archive.down = True
    assert ("UNAVAILABLE", "HOLDER_UNAVAILABLE") == await refused(place(running, request))
    [hold] = [each for each in await listed(running) if each.record_id == request.record_id]
    assert (api.HOLD_STATE_PLACING, ["archive"]) == (hold.state, list(hold.waiting_for))
    assert ("UNAVAILABLE", "HOLDER_UNAVAILABLE") == await refused(place(running, request))
    assert not await running.hold_worker.look()

    running.archive.down = False
    assert await running.hold_worker.look()
    assert api.HOLD_STATE_STANDING == (await get(running, hold.hold_id)).state
    assert hold.hold_id == (await place(running, request)).hold_id
    # Who had answered was not asked again.
    assert [1, 1] == [len(asked(holder, hold.hold_id)) for holder in (running.identity, running.vault)]

    running.vault.down = True
    again = examples.new_id()
    assert ("UNAVAILABLE", "HOLDER_UNAVAILABLE") == await refused(release(running, hold.hold_id, request_id=again))
    assert (api.HOLD_STATE_RELEASING, ["payment_vault"]) == (
        (await get(running, hold.hold_id)).state, list((await get(running, hold.hold_id)).waiting_for)
    )  # fmt: skip
    running.vault.down = False
    assert api.HOLD_STATE_RELEASED == (await release(running, hold.hold_id, request_id=again)).state


async def test_a_hold_that_is_still_being_placed_can_be_released(running: Rig) -> None:
    """Then every holder is told to let go, also one that has never heard of it: a late word does not bring it back."""
    request = order()
    running.archive.down = True
    await refused(place(running, request))
    [hold] = [each for each in await listed(running) if each.record_id == request.record_id]
    running.archive.down = False

    assert api.HOLD_STATE_RELEASED == (await release(running, hold.hold_id)).state
    assert [False] * 3 == [holder.holds[hold.hold_id] for holder in holders(running)]
    assert await running.hold_worker.look()
    assert api.HOLD_STATE_RELEASED == (await get(running, hold.hold_id)).state


async def listed(running: Rig, *, released: bool = False, size: int = 100) -> list[api.Hold]:
    """All pages of ListHolds."""
    found: list[api.Hold] = []
    page_token = ""
    while True:
        answer = await running.holds().ListHolds(api.ListHoldsRequest(
            access=WHY, page_size=size, page_token=page_token, include_released=released
        ))  # fmt: skip
        assert len(answer.holds) <= size
        found += answer.holds
        page_token = answer.next_page_token
        if not page_token:
            return found


async def test_the_register_is_listed_page_by_page_newest_first(running: Rig) -> None:
    """Each hold once; those that are released only where they are asked for."""
    placed = [(await place(running)).hold_id for _ in range(5)]
    await release(running, placed[2])

    assert [each for each in reversed(placed) if each != placed[2]] == [
        hold.hold_id for hold in await listed(running, size=2) if hold.hold_id in placed
    ]
    everything = await listed(running, size=2, released=True)
    assert placed[::-1] == [hold.hold_id for hold in everything if hold.hold_id in placed]
    assert len(everything) == len({hold.hold_id for hold in everything})


async def test_a_restored_holder_is_told_of_what_stands(running: Rig) -> None:
    """At the start of the service and daily, what a backup did not have yet is set again, and what it still had goes."""
    standing, over = [await place(running) for _ in range(2)]
    await release(running, over.hold_id)
    assert await running.hold_worker.look()
    running.archive.holds.clear()
    assert await running.hold_worker.look()
    assert standing.hold_id not in running.archive.holds

    running.now = TODAY + timedelta(days=1)
    running.archive.down = True
    assert not await running.hold_worker.look()
    running.archive.down = False
    assert await running.hold_worker.look()
    assert running.archive.holds[standing.hold_id]
    assert over.hold_id not in running.archive.holds

    running.now = TODAY + timedelta(days=2)
    running.archive.holds[over.hold_id] = True
    assert await running.hold_worker.look()
    assert not running.archive.holds[over.hold_id]


async def test_an_overdue_review_is_told_and_never_releases(running: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """LC-13: from the day after the review on, the list says so and the log names the hold, once a day."""
    warned: list[dict[str, Any]] = []
    monkeypatch.setattr(worker_log, "warning", lambda event, **more: warned.append({"event": event, **more}))
    hold = await place(running)
    running.now = datetime.combine(date(2027, 5, 24), TODAY.timetz())
    await running.hold_worker.look()
    assert not (await get(running, hold.hold_id)).review_overdue
    assert [] == [each for each in warned if each.get("hold_id") == hold.hold_id]

    running.now += timedelta(days=1)
    await running.hold_worker.look()
    await running.hold_worker.look()
    found = await get(running, hold.hold_id)
    assert (True, api.HOLD_STATE_STANDING) == (found.review_overdue, found.state)
    told = [each for each in warned if each.get("hold_id") == hold.hold_id]
    assert [{"event": "hold review overdue", "hold_id": hold.hold_id}] == told
    assert not (await review(running, hold.hold_id, "2027-06-30")).review_overdue


async def test_a_held_thing_is_explained_with_its_article_and_review(running: Rig) -> None:
    """A hold is a basis without an end; the article and the day of review come from the register (DS-01, LC-13)."""
    hold = await place(running)
    running.archive.kept = [
        Kept(kind="payment", record_id=hold.record_id, category="R-10", event_date="2026-05-10", policy_version="1"),
        Kept(kind="payment", record_id=hold.record_id, event_date="2026-11-24", items=["amount"], hold_id=hold.hold_id),
    ]
    law, held = await running.explain(record_id=hold.record_id)

    assert ("R-10", "2032-03-31", "") == (law.category, law.last_day, law.review_on)
    assert ("HOLD", "", "2026-11-24", FARTHEST, hold.article) == (
        held.basis, held.last_day, held.event_date, held.review_on, held.article
    )  # fmt: skip
    assert (("보존 조치", ["amount"]), False) == ((held.korean, list(held.items)), held.ended)


async def test_the_database_refuses_what_the_service_would(running: Rig) -> None:
    """No defect of the service makes a person approve or release its own hold, or takes a hold out of the register."""
    hold = await place(running)
    for change in ("UPDATE legal_hold SET approved_by = placed_by", "DELETE FROM legal_hold",
                   "UPDATE legal_hold SET member_id = gen_random_uuid()"):  # fmt: skip
        with pytest.raises(Exception, match="legal_hold"):
            async with running.process.engine.begin() as connection:
                await connection.execute(text(f"{change} WHERE hold_id = :hold"), {"hold": hold.hold_id})
