"""Legal holds and the archive (보존 조치, 분리보관, LC-05, LC-13): held, it moves whole and is read for that alone."""

from collections import Counter
from datetime import date
from uuid import UUID

import grpc
import pytest

from chassis.policy.load import load
from dev.environment import ROOT
from tests.integration import examples
from tests.integration.archives import bases, fields, get, leave, list_page, moved, places, salts
from tests.integration.clients import Clients, Outcome
from tests.integration.holding import ARTICLE, Hold
from tests.integration.log_rows import Log
from tests.integration.memberships import append, before, end, give, notified, payment, today, withdraw
from tests.integration.purges import Plan, change, destroyed, rows

pytestmark = pytest.mark.timeout(120)

REFUSED = (grpc.StatusCode.PERMISSION_DENIED, "PURPOSE_NOT_ALLOWED")
WHOLE = ["amount", "approval_number", "business_registration_number", "masked_instrument", "payer_phone", "supplied"]


def said(outcome: Outcome) -> tuple[grpc.StatusCode, str]:
    """The code and the reason of an answer."""
    return outcome.code, outcome.reason


async def carried_away(clients: Clients) -> dict[str, int]:
    """What the archive destroys of what only holds have brought in, each under its own category."""
    destroyed: Counter[str] = Counter()
    for category in load(ROOT / "policy").retention.brought_by_holds():
        plan = Plan(clients, category, date(1950, 1, 1), "archive")
        await plan.prepare()
        while (answer := await plan.execute()).remaining:
            pass
        assert [check for check in (await plan.verify()).checks if not check.passed] == []
        destroyed.update(rows(answer.destroyed))
    return dict(destroyed)


@pytest.mark.parametrize("scope", ["member", "record"])
async def test_a_held_record_moves_whole(clients: Clients, log: Log, scope: str) -> None:
    """LC-13, R-01, R-09b: with the telephone number that only the membership kept; another payment of his without it.

    Released, the next plan takes the number and leaves what the laws keep.
    """
    await carried_away(clients)  # what other tests have left
    member_id = (await examples.new_member(clients)).member_id
    held, other = await append(clients, payment(member_id, before(1)), payment(member_id, before(1)))
    hold = Hold.of(clients, **({"member_id": member_id} if scope == "member" else {"record_id": held}))
    await hold.set("archive", "identity")

    await leave(clients, log, member_id, [held, other])

    assert await fields(log, "archive", held) == await salts(log, "archive", held) == WHOLE
    kept = [category for category, *_ in await bases(log, "archive", held)]
    assert kept == ["R-01", "R-09b", "R-10", "R-11"]
    assert (await fields(log, "archive", other) == WHOLE) is (scope == "member")
    assert await fields(log, "identity", held) == []
    assert await carried_away(clients) == {}
    await hold.release()
    assert (await carried_away(clients))["record_field"] == (2 if scope == "member" else 1)
    for record_id in (held, other):
        left = [name for name in WHOLE if name != "payer_phone"]
        assert await fields(log, "archive", record_id) == await salts(log, "archive", record_id) == left
        assert [name for name, *_ in await bases(log, "archive", record_id)] == ["R-09b", "R-10", "R-11"]


async def test_what_nothing_else_keeps_moves_too_and_is_read_for_the_hold_alone(clients: Clients, log: Log) -> None:
    """LC-13, R-20: somebody to be notified of a member who has left: held, it is kept apart and opened by no other purpose.

    The bases that had ended stay ended. Released, nothing opens it, and the next plan destroys it.
    """
    await carried_away(clients)  # what other tests have left
    member_id = (await examples.new_member(clients)).member_id
    assert (await give(clients, member_id, "notification_target")).code is grpc.StatusCode.OK
    [record_id] = await append(clients, notified(member_id, before(1)))
    assert (await end(clients, member_id, "notification_target")).code is grpc.StatusCode.OK
    hold = Hold.of(clients, member_id=member_id)
    await hold.set("archive", "identity")
    await leave(clients, log, member_id, [record_id])
    assert await bases(log, "archive", record_id) == [("R-20", today(), today())]

    read = await get(clients, record_id, "legal_hold")

    shown = read.message.record.notification_target
    assert {field.name for field, _ in shown.ListFields()} == {"name", "email", "mobile_phone"}
    [listed] = (await list_page(clients, member_id, "legal_hold")).message.records
    assert listed == read.message.record
    assert (await log.one_row_of(read))["purpose"] == "legal_hold"
    for purpose in ("tax", "inquiry_handling"):
        assert said(await get(clients, record_id, purpose)) == REFUSED
        assert not (await list_page(clients, member_id, purpose)).message.records
    assert said(await get(clients, record_id, "legal_hold", caller="retention-operator")) != (grpc.StatusCode.OK, "")
    assert await carried_away(clients) == {}
    await hold.release()
    assert said(await get(clients, record_id, "legal_hold")) == REFUSED
    assert not (await list_page(clients, member_id, "legal_hold")).message.records
    assert (await carried_away(clients))["record"] == 1
    assert await places(log, [record_id]) == (set(), set())
    assert await salts(log, "archive", record_id) == []


async def test_a_held_record_with_living_bases_opens_for_each_purpose_its_own(clients: Clients, log: Log) -> None:
    """LC-13, R-10: the tax purpose opens what it ever does, without the telephone number; the hold's opens all."""
    member_id = (await examples.new_member(clients)).member_id
    [record_id] = await append(clients, payment(member_id, before(1)))
    hold = Hold.of(clients, record_id=record_id)
    await hold.set("archive", "identity")
    await leave(clients, log, member_id, [record_id])
    assert (await get(clients, record_id, "legal_hold")).message.record.payment.payer_phone
    assert not (await get(clients, record_id, "tax")).message.record.payment.payer_phone
    await hold.release()


async def test_what_is_held_in_the_archive_survives_its_purge(clients: Clients, log: Log) -> None:
    """LC-13, R-09b: past its last day a held payment keeps every basis; released, the next plan ends what is over."""
    member_id, day = (await examples.new_member(clients)).member_id, date(1961, 5, 1)
    [record_id] = await append(clients, payment(member_id, before(1)))
    await leave(clients, log, member_id, [record_id])
    await change(
        log, "UPDATE record_basis SET event_date = $2 WHERE record_id = $1", UUID(record_id), day, database="archive"
    )
    hold = Hold.of(clients, record_id=record_id)
    await hold.set("archive")

    async def purged() -> tuple[int, dict[str, int]]:
        plan = Plan(clients, "R-09b", day, "archive")
        await plan.prepare()
        answer = await plan.execute()
        return answer.held, rows(answer.destroyed)

    assert await purged() == (1, {})
    assert len(await bases(log, "archive", record_id)) == 3
    await hold.release("archive")
    assert await purged() == (0, {"record_basis": 1, "record_field": 1, "erasure_key": 1})
    for category in ("R-10", "R-11"):
        await destroyed(clients, category, day, "archive")


async def test_a_hold_that_comes_while_a_record_is_under_way(clients: Clients, log: Log) -> None:
    """LC-13: members leave and are held at once; each record is in the archive with all of it, or the hold came after.

    None is in both places or in neither, and none waits for an operator.
    """
    members = [(await examples.new_member(clients)).member_id for _ in range(8)]
    ids = [(await append(clients, payment(member_id, before(1))))[0] for member_id in members]
    holds = [Hold.of(clients, member_id=member_id) for member_id in members]
    for member_id, hold in zip(members, holds, strict=True):
        assert (await withdraw(clients, member_id)).message.withdrawn_on
        await hold.set("archive", "identity")
    await moved(log, ids)
    found = [await fields(log, "archive", record_id) for record_id in ids]
    assert {tuple(each) for each in found} <= {tuple(WHOLE), tuple(name for name in WHOLE if name != "payer_phone")}
    for hold in holds:
        await hold.release()
    await carried_away(clients)


async def test_the_answer_to_a_withdrawal_tells_what_is_held(clients: Clients) -> None:
    """LC-13, 법21①: a member may leave while it is held; the answer lists each thing that stays under the hold."""
    member_id = (await examples.new_member(clients)).member_id
    contact_id = (await examples.new_contact(clients, member_id)).contact_id
    [paid] = await append(clients, payment(member_id, before(1)))
    hold = Hold.of(clients, member_id=member_id)
    await hold.set()

    answer = (await withdraw(clients, member_id)).message

    told = {
        (item.holder, item.kind, item.record_id): item for item in answer.kept if item.basis == "HOLD"
    }  # fmt: skip
    assert set(told) == {
        ("identity", "member", member_id), ("identity", "contact", contact_id), ("archive", "payment", paid),
    }  # fmt: skip
    one = told["archive", "payment", paid]
    assert (one.article, one.event_date, one.last_day, one.korean) == (ARTICLE, str(today()), "", "보존 조치")
    assert "contact_mobile_phone" in one.items
    assert {item.category for item in answer.kept if item.record_id == paid} == {"", "R-09b", "R-10", "R-11"}
    await hold.release()
