"""Abuse of reveals: honey tokens, one-time tokens that race, guesses, and answers that tell nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from onggi.errors.v1 import error_reason_pb2 as reasons

from dev.stack import Stack
from services.payment_vault.tokens import is_token, new_token
from tests.integration import examples, vault_tokens
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log
from tests.integration.reveal_calls import (
    BILLING,
    BUDGET,
    leave_room,
    lift,
    mark_honey,
    members_with_tokens,
    reveal,
    reveal_all,
)

SUSPENDED = ("PERMISSION_DENIED", "CALLER_SUSPENDED")
NOT_FOUND = ("NOT_FOUND", "TOKEN_NOT_FOUND")


@pytest.fixture(autouse=True)
async def _free(log: Log) -> AsyncIterator[None]:
    """Leave nobody suspended and the budget whole."""
    await leave_room(log, hour=BUDGET.hour)
    yield
    await log.fetch("payment_vault", "DELETE FROM reveal_suspension")
    await leave_room(log, hour=BUDGET.hour)


def told(outcome: Outcome) -> tuple[str, str]:
    """Code and reason."""
    return outcome.code.name, outcome.reason


def reason_of(result: Any) -> str:
    """The reason of one item's error, "" for a number."""
    return (
        reasons.ErrorReason.Name(result.error.reason).removeprefix("ERROR_REASON_") if result.HasField("error") else ""
    )


async def test_a_honey_token_suspends_whoever_reveals_it(stack: Stack, clients: Clients, log: Log) -> None:
    """PV-08: the caller learns "no such token" and reveals nothing from then on; log and on-call learn what it was.

    Only another person lifts it, once.
    """
    honey, good = await members_with_tokens(clients, 2)
    await mark_honey(clients, honey)
    assert (await vault_tokens.ask(clients, vault_tokens.GET, *honey)).code.name == "OK", "nothing shows what it is"
    touched = await reveal(clients, honey)
    assert told(touched) == NOT_FOUND
    row = await log.one_row_of(touched)
    assert (row["status"], row["error_reason"], row["items"]) == (*SUSPENDED, [])
    [line] = [line for line in _lines(stack) if touched.record_id in line]
    assert '"level": "error"' in line
    assert BILLING in line
    assert not any(part in line for part in honey)

    for outcome in (await reveal(clients, good), await reveal(clients, honey), await reveal_all(clients, [good])):
        assert told(outcome) == SUSPENDED
        assert outcome.messages == []
        assert (await log.one_row_of(outcome))["error_reason"] == "CALLER_SUSPENDED"
    assert (await lift(clients, by="billing")).reason == "ACCESS_DENIED"
    assert (await lift(clients)).code.name == "OK"
    assert told(await lift(clients)) == ("NOT_FOUND", "APPROVAL_NOT_FOUND")
    assert (await reveal(clients, good)).code.name == "OK"


def _lines(stack: Stack) -> list[str]:
    return (stack.log_dir / "payment_vault.log").read_text().splitlines()


async def test_nobody_lifts_their_own_suspension(clients: Clients, log: Log) -> None:
    """PV-08: another person than the one who is suspended."""
    person = "spiffe://onggi/ns/staff/sa/security-reviewer"
    await log.fetch("payment_vault", "INSERT INTO reveal_suspension VALUES ($1, $2)", person, examples.new_id())
    assert told(await lift(clients, person)) == ("PERMISSION_DENIED", "SELF_APPROVAL")
    assert (await lift(clients, person, by="privacy-officer")).code.name == "OK"


async def test_a_list_with_a_honey_token_reveals_nothing(clients: Clients, log: Log) -> None:
    """PV-08: of a stolen list no number comes out, not even those before the trap; each item is answered alike."""
    held = await members_with_tokens(clients, 20)
    await mark_honey(clients, held[13])
    outcome = await reveal_all(clients, held)
    reasons = {reason_of(result) for result in outcome.message.results}
    assert reasons == {"TOKEN_NOT_FOUND"}
    assert (await log.one_row_of(outcome))["error_reason"] == "CALLER_SUSPENDED"
    assert told(await reveal_all(clients, held[:2])) == SUSPENDED


async def test_sixteen_racing_reveals_of_a_one_time_token_give_one(stack: Stack, clients: Clients, log: Log) -> None:
    """PV-06: exactly one caller has the number, and the row is gone with its answer; the others find nothing."""
    member_id = examples.new_id()
    token = await vault_tokens.put(clients, member_id, one_time=True)
    callers = [Clients(stack) for _ in range(16)]
    outcomes = await asyncio.gather(*(reveal(caller, (member_id, token.token)) for caller in callers))
    await asyncio.gather(*(caller.close() for caller in callers))
    assert Counter(told(outcome) for outcome in outcomes) == {("OK", ""): 1, NOT_FOUND: 15}
    assert await log.fetch("payment_vault", "SELECT 1 FROM token WHERE token = $1", token.token) == []
    for outcome in outcomes:
        row = await log.one_row_of(outcome)
        assert (row["status"], row["error_reason"]) == told(outcome)


async def test_a_one_time_token_twice_in_one_list_gives_one(clients: Clients) -> None:
    """PV-06: once is once, within one call too."""
    member_id = examples.new_id()
    token = (await vault_tokens.put(clients, member_id, one_time=True)).token
    answer = (await reveal_all(clients, [(member_id, token)] * 3)).message
    assert [reason_of(result) for result in answer.results] == ["", "TOKEN_NOT_FOUND", "TOKEN_NOT_FOUND"]


async def test_unknown_foreign_expired_and_destroyed_answer_alike(stack: Stack, clients: Clients) -> None:
    """PV-08: byte for byte the same but for the ids of the call."""
    [held, foreign, expired, destroyed] = await members_with_tokens(clients, 4)
    await vault_tokens.let_expire(stack, expired[1])
    assert (await vault_tokens.ask(clients, vault_tokens.DELETE, *destroyed)).code.name == "OK"
    asked = [(held[0], new_token("card")), (held[0], foreign[1]), expired, destroyed]
    outcomes = [await reveal(clients, one) for one in asked]
    bare = {
        outcome.everything.replace(outcome.record_id.encode(), b"R").replace(outcome.trace_id.encode(), b"T")
        for outcome in outcomes
    }
    assert len(bare) == 1
    assert {told(outcome) for outcome in outcomes} == {NOT_FOUND}
    batch = (await reveal_all(clients, asked)).message
    assert len({result.SerializeToString() for result in batch.results}) == 1


async def test_guesses_find_nothing(clients: Clients) -> None:
    """PV-06: three thousand tokens that pass the checksum, unknown or one letter away from one that is there: no hit."""
    held = await members_with_tokens(clients, 3)
    guesses = [(held[0][0], new_token("card")) for _ in range(2700)]
    guesses += [(held[0][0], one[1]) for one in held[1:]] + [(examples.new_id(), held[0][1])]
    guesses += [(held[0][0], spoiled) for spoiled in _spoiled(held[0][1])]
    outcomes: list[Outcome] = []
    for start in range(0, len(guesses), 300):
        outcomes += await asyncio.gather(*(reveal(clients, one) for one in guesses[start : start + 300]))
    assert {told(outcome) for outcome in outcomes} == {NOT_FOUND}


def _spoiled(token: str) -> list[str]:
    """The token with one letter changed, all of them."""
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    return [
        changed
        for place in range(len("tok_card_"), len(token))
        for letter in examples.RANDOM.sample(letters, 10)
        if (changed := token[:place] + letter + token[place + 1 :]) != token
    ]


def test_a_million_guesses_stop_at_the_checksum() -> None:
    """PV-06: of a million random or mutated tokens about one reaches the database (20 bits), and none is ours."""
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    draw, ours = examples.RANDOM, [new_token("card") for _ in range(100)]
    passed = 0
    for number in range(1_000_000):
        if number % 2:
            guess = "tok_card_" + "".join(draw.choices(letters, k=30))
        else:
            mine = ours[number % 100]
            place = 9 + draw.randrange(30)
            guess = mine[:place] + letters[letters.index(mine[place]) - draw.randrange(1, 32)] + mine[place + 1 :]
        passed += is_token(guess)
    assert passed <= 10, "one in 2^20 is expected; ten has a probability below 1e-7"
