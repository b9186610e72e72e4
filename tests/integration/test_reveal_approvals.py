"""Reveals of many: two people, one exact list, one use, fifteen minutes (LG-05)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from dev.identities import spiffe_id
from tests.integration import examples
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.reveal_calls import (
    APPROVE,
    BUDGET,
    REQUEST,
    WAITING,
    Held,
    approve,
    leave_room,
    members_with_tokens,
    requested,
    reveal_all,
)

NOT_FOUND = ("NOT_FOUND", "APPROVAL_NOT_FOUND")


@pytest.fixture
async def many(clients: Clients, log: Log) -> AsyncIterator[list[Held]]:
    """One member more than may be revealed alone; the budget is whole before and after."""
    await leave_room(log, hour=BUDGET.hour)
    yield await members_with_tokens(clients, BUDGET.alone + 1)
    await leave_room(log, hour=BUDGET.hour)


async def test_many_need_an_approval_that_is_used_once(clients: Clients, log: Log, many: list[Held]) -> None:
    """LG-05: refused alone, revealed with an approval, and the same approval is no good a second time."""
    alone = await reveal_all(clients, many)
    assert (alone.code.name, alone.reason) == ("FAILED_PRECONDITION", "APPROVAL_REQUIRED")
    row = await log.one_row_of(alone)
    assert (row["status"], row["error_reason"], row["items"]) == ("FAILED_PRECONDITION", "APPROVAL_REQUIRED", [])
    assert len((await reveal_all(clients, many[:-1])).message.results) == BUDGET.alone

    asked = await requested(clients, many)
    assert (asked.tokens, asked.subjects, asked.approved_by, asked.used) == (len(many), len(many), "", False)
    assert asked.expires_at.seconds - asked.requested_at.seconds == 15 * 60
    early = await reveal_all(clients, many, asked.approval_id)
    assert (early.code.name, early.reason) == NOT_FOUND
    approved = (await approve(clients, asked)).message.reveal
    assert approved.approved_by == spiffe_id("staff", "privacy-officer")
    done = await reveal_all(clients, many, asked.approval_id)
    assert all(result.instrument.card.number for result in done.message.results)
    again = await reveal_all(clients, many, asked.approval_id)
    assert (again.code.name, again.reason) == NOT_FOUND
    assert (await log.one_row_of(again))["error_reason"] == "APPROVAL_NOT_FOUND"


async def test_an_approval_is_for_one_exact_list(clients: Clients, many: list[Held]) -> None:
    """LG-05: one token less, one more, one exchanged or another order is another list; the approval stays for its own."""
    asked = await requested(clients, many[:20])
    await approve(clients, asked)
    changed = (many[:19], many[:21], [*many[:19], many[20]], [many[1], many[0], *many[2:20]])
    for other in changed:
        outcome = await reveal_all(clients, other, asked.approval_id)
        assert (outcome.code.name, outcome.reason) == NOT_FOUND
    assert (await reveal_all(clients, many[:20], asked.approval_id)).code.name == "OK"


async def test_of_sixteen_that_use_it_at_once_one_succeeds(clients: Clients, many: list[Held]) -> None:
    """LG-05: an approval is used up in the transaction that reveals, so no two can have it."""
    asked = await requested(clients, many)
    await approve(clients, asked)
    outcomes = await asyncio.gather(*(reveal_all(clients, many, asked.approval_id) for _ in range(16)))
    assert Counter(outcome.reason for outcome in outcomes) == {"": 1, "APPROVAL_NOT_FOUND": 15}


async def test_an_approval_ends(clients: Clients, log: Log, many: list[Held]) -> None:
    """LG-05: after fifteen minutes it can be neither used nor given, and is no longer shown."""
    asked, given = await requested(clients, many[:2]), await requested(clients, many[:2])
    await approve(clients, given)
    await log.fetch("payment_vault", "UPDATE reveal_request SET expires_at = now() - interval '1 second'")
    for outcome in (await approve(clients, asked), await reveal_all(clients, many[:2], given.approval_id)):
        assert (outcome.code.name, outcome.reason) == NOT_FOUND
    shown = await clients.call("privacy-officer", WAITING, examples.example(WAITING))
    assert {asked.approval_id, given.approval_id}.isdisjoint(one.approval_id for one in shown.message.reveals)


async def test_nobody_approves_for_themselves(clients: Clients, log: Log, many: list[Held]) -> None:
    """LG-05, AC-04: neither who asked, nor an account that is no person's, nor by another digest than was reviewed."""
    asked = await requested(clients, many[:2])
    by_billing = await approve(clients, asked, caller="billing")
    assert by_billing.reason == "ACCESS_DENIED"
    person = spiffe_id("staff", "privacy-officer")
    statement = "UPDATE reveal_request SET requested_by = $1 WHERE approval_id = $2"
    await log.fetch("payment_vault", statement, person, asked.approval_id)
    own = await approve(clients, asked)
    assert (own.code.name, own.reason) == ("PERMISSION_DENIED", "SELF_APPROVAL")
    assert (await approve(clients, asked, caller="security-reviewer", digest="0" * 64)).reason == "APPROVAL_NOT_FOUND"
    assert (await approve(clients, asked, caller="security-reviewer")).code.name == "OK"
    by_billing = await reveal_all(clients, many[:2], asked.approval_id)
    assert (by_billing.code.name, by_billing.reason) == NOT_FOUND, "it is the asker's alone"


async def test_a_request_shows_no_token_and_no_member(clients: Clients, log: Log, many: list[Held]) -> None:
    """LG-10: what waits tells who, why and how many; the list itself is kept nowhere but as a keyed digest."""
    asked = await requested(clients, many[:3])
    shown = (await clients.call("privacy-officer", WAITING, examples.example(WAITING))).message
    [mine] = [one for one in shown.reveals if one.approval_id == asked.approval_id]
    assert (mine.requested_by, mine.purpose, mine.digest) == (spiffe_id("apps", "billing"), "billing", asked.digest)
    [row] = await log.fetch(
        "payment_vault", "SELECT r::text FROM reveal_request AS r WHERE approval_id = $1", asked.approval_id
    )
    assert not any(part in row[0] or part in str(mine) for held in many[:3] for part in held)
    assert mine.digest.startswith("vault:v")


async def test_a_request_can_be_asked_for_again(clients: Clients, many: list[Held]) -> None:
    """AIP-155: the same request_id gives the same request, with another list it is refused; approving twice is one."""
    request = examples.example(REQUEST)
    request.items[0].member_id, request.items[0].token = many[0]
    first, second = [(await clients.call("billing", REQUEST, request)).message.reveal for _ in range(2)]
    assert first == second
    request.items[0].token = many[1][1]
    assert (await clients.call("billing", REQUEST, request)).reason == "REQUEST_ID_REUSED"
    approval = examples.example(APPROVE)
    approval.approval_id, approval.digest = first.approval_id, first.digest
    one, two = [(await clients.call("privacy-officer", APPROVE, approval)).message.reveal for _ in range(2)]
    assert one == two
