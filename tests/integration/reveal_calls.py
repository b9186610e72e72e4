"""Reveals as the tests of rationing make them: many members with a token each, and a hand on the budget."""

from collections.abc import Iterable, Sequence
from typing import Any

from onggi.payment_vault.v1 import detokenization_service_pb2 as api
from onggi.payment_vault.v1 import reveal_approval_service_pb2 as approvals
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens

from chassis.policy.load import load
from dev.environment import ROOT
from dev.identities import spiffe_id
from tests.integration import examples
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log

REVEAL = "onggi.payment_vault.v1.DetokenizationService/Detokenize"
REVEAL_ALL = "onggi.payment_vault.v1.DetokenizationService/BatchDetokenize"
REQUEST = "onggi.payment_vault.v1.RevealApprovalService/RequestReveal"
APPROVE = "onggi.payment_vault.v1.RevealApprovalService/ApproveReveal"
WAITING = "onggi.payment_vault.v1.RevealApprovalService/ListRevealRequests"
MARK = "onggi.payment_vault.v1.RevealApprovalService/MarkHoneyToken"
LIFT = "onggi.payment_vault.v1.RevealApprovalService/LiftSuspension"

BILLING = spiffe_id("apps", "billing")
BUDGET = load(ROOT / "policy").access.reveal_budgets["apps/billing"]
Held = tuple[str, str]
"""A member's id and its token."""


async def members_with_tokens(clients: Clients, count: int) -> list[Held]:
    """So many invented members, each with a card."""
    held: list[Held] = []
    for start in range(0, count, 1000):
        ids = [examples.new_id() for _ in range(min(1000, count - start))]
        items = [tokens.TokenizeItem(member_id=member_id, instrument=examples.card()) for member_id in ids]
        request = tokens.BatchTokenizeRequest(
            access=examples.access("billing"), request_id=examples.new_id(), items=items
        )
        answer = (
            await clients.call("billing", "onggi.payment_vault.v1.TokenizationService/BatchTokenize", request)
        ).message
        held += [(member_id, result.token.token) for member_id, result in zip(ids, answer.results, strict=True)]
    return held


async def reveal(clients: Clients, held: Held, *, caller: str = "billing") -> Outcome:
    """Reveal one number."""
    request = api.DetokenizeRequest(
        access=examples.access("billing", reason="a test"), member_id=held[0], token=held[1]
    )
    return await clients.call(caller, REVEAL, request)


def items(held: Iterable[Held]) -> list[api.DetokenizeItem]:
    """The list of a batch."""
    return [api.DetokenizeItem(member_id=member_id, token=token) for member_id, token in held]


async def reveal_all(
    clients: Clients, held: Sequence[Held], approval_id: str = "", *, caller: str = "billing"
) -> Outcome:
    """Reveal many numbers in one call."""
    request = api.BatchDetokenizeRequest(
        access=examples.access("billing", reason="a test"), items=items(held), approval_id=approval_id
    )
    return await clients.call(caller, REVEAL_ALL, request)


async def requested(clients: Clients, held: Sequence[Held]) -> approvals.RevealRequest:
    """Ask for an approval of a list."""
    request = examples.example(REQUEST)
    del request.items[:]
    request.items.extend(items(held))
    found: approvals.RevealRequest = (await clients.call("billing", REQUEST, request)).message.reveal
    return found


async def approve(clients: Clients, asked: Any, *, caller: str = "privacy-officer", digest: str = "") -> Outcome:
    """Approve what was asked for."""
    request = examples.example(APPROVE)
    request.approval_id, request.digest = asked.approval_id, digest or asked.digest
    return await clients.call(caller, APPROVE, request)


async def mark_honey(clients: Clients, held: Held) -> None:
    """Make a token a trap."""
    request = examples.example(MARK)
    request.member_id, request.token = held
    assert (await clients.call("security-reviewer", MARK, request)).message is not None


async def lift(clients: Clients, caller: str = BILLING, *, by: str = "security-reviewer") -> Outcome:
    """Let a suspended caller reveal again."""
    request = examples.example(LIFT)
    request.caller = caller
    return await clients.call(by, LIFT, request)


async def leave_room(log: Log, *, hour: int, day: int | None = None) -> None:
    """Let the one caller that reveals have so many subjects left, of the policy's budget, in this hour and this day."""
    await log.fetch("payment_vault", "DELETE FROM reveal_subject WHERE caller = $1", BILLING)
    await log.fetch("payment_vault", "DELETE FROM reveal_budget WHERE caller = $1", BILLING)
    statement = """
    INSERT INTO reveal_budget
    SELECT $1, date_trunc('hour', now(), 'Asia/Seoul'), $2, date_trunc('day', now(), 'Asia/Seoul'), $3
    """
    left = BUDGET.day if day is None else day
    await log.fetch("payment_vault", statement, BILLING, BUDGET.hour - hour, BUDGET.day - left)


async def used(log: Log) -> tuple[int, int]:
    """How much of the hour and the day is used."""
    [row] = await log.fetch("payment_vault", "SELECT hour_used, day_used FROM reveal_budget WHERE caller = $1", BILLING)
    return row["hour_used"], row["day_used"]
