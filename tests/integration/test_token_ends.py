"""Tokens that end by their time: unknown from that moment on, and destroyed without anybody reading them (R-03)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import grpc
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import kst
from chassis.database import connect
from chassis.settings import DatabaseSettings
from dev.stack import Stack
from services.payment_vault.sweeper import Sweeper
from tests.integration import examples
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.vault_tokens import (
    BATCH_REVEAL,
    DELETE,
    GET,
    LIST,
    REISSUE,
    REVEAL,
    TOKENIZE,
    ahead,
    ask,
    let_expire,
    put,
)

ACTOR = "spiffe://onggi/ns/onggi/sa/payment-vault"
SWEPT = """
SELECT * FROM processing_log WHERE rpc_method LIKE '%/Sweep' AND resource_ids @> ARRAY[$1]
"""


@pytest.fixture
async def engine(stack: Stack) -> AsyncIterator[AsyncEngine]:
    """Connections of the service's own role."""
    env = stack.env_for("payment_vault")
    names = ("host", "port", "name", "user", "password_file")
    values = {name: env[f"ONGGI_DATABASE__{name.upper()}"] for name in names}
    opened = connect(DatabaseSettings.model_validate(values))
    yield opened
    await opened.dispose()


async def test_a_cards_token_ends_with_the_cards_month(clients: Clients) -> None:
    """12/YY is good through the last of December in Korea: the token ends as January begins there."""
    year = datetime.now(UTC).year + 4
    token = await put(clients, examples.new_id(), examples.card(expiry=f"12/{year % 100:02}"))
    assert token.expires_at.ToDatetime(UTC) == datetime(year, 12, 31, 15, tzinfo=UTC)
    assert not token.one_time


async def test_an_account_ends_by_no_time(clients: Clients) -> None:
    """Nothing is set where nothing ends it."""
    token = await put(clients, examples.new_id(), examples.bank_account())
    assert not token.HasField("expires_at")


async def test_a_token_ends_as_asked_but_not_after_its_card(clients: Clients) -> None:
    """The earlier of the two ends counts, and every answer tells it."""
    member, soon = examples.new_id(), ahead(days=30)
    token = await put(clients, member, examples.card(), expires_at=soon)
    assert abs(token.expires_at.ToMicroseconds() - soon.ToMicroseconds()) <= 1
    shown = (await ask(clients, GET, member, token.token)).message.token
    assert shown.expires_at == token.expires_at
    month = kst.today()
    ending = examples.card(expiry=f"{month.month:02}/{month.year % 100:02}")
    late = await put(clients, member, ending, expires_at=ahead(days=1000))
    assert late.expires_at.ToDatetime() < ahead(days=35).ToDatetime()


@pytest.mark.parametrize("asked", ["end", "once", "both"])
async def test_a_token_with_an_end_of_its_own_is_a_new_one(clients: Clients, log: Log, asked: str) -> None:
    """The same card asked for with an own end: another token each time, and the shared one stays as it is.

    A retry of the request gives its token again, and ten of it at once still make one row (AIP-155).
    """
    member, card = examples.new_id(), examples.card()
    shared = await put(clients, member, card)
    request = examples.tokenize(member, card)
    if asked != "once":
        request.expires_at.CopyFrom(ahead(days=7))
    request.one_time = asked != "end"
    outcomes = await asyncio.gather(*(clients.call("billing", TOKENIZE, request) for _ in range(10)))
    [own] = {outcome.message.token.token for outcome in outcomes}
    request.request_id = examples.new_id()
    another = (await clients.call("billing", TOKENIZE, request)).message.token
    assert len({shared.token, own, another.token}) == 3
    assert another.one_time is (asked != "end")
    assert (await put(clients, member, card)).token == shared.token
    rows = await log.fetch(
        "payment_vault", "SELECT DISTINCT number_fingerprint FROM token WHERE member_id = $1", member
    )
    assert len(rows) == 1  # one number all the same
    rows = await log.fetch("payment_vault", "SELECT 1 FROM token WHERE member_id = $1", member)
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("span", "rule"), [({"seconds": -5}, "in_the_past"), ({"days": 365 * 5 + 30}, "too_far")], ids=["past", "far"]
)
async def test_an_end_that_cannot_be(clients: Clients, span: dict[str, float], rule: str) -> None:
    """An end lies ahead and within five years; anything else is INVALID_FIELD of the field."""
    request = examples.tokenize(examples.new_id())
    request.expires_at.CopyFrom(ahead(**span))
    outcome = await clients.call("billing", TOKENIZE, request)
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert outcome.violations == [("expires_at", rule)]


async def test_an_expired_token_is_unknown_everywhere_at_once(stack: Stack, clients: Clients) -> None:
    """No read, reveal, deletion, reissue or retry finds it, though no sweeper has been there."""
    member = examples.new_id()
    request = examples.tokenize(member)
    token = (await clients.call("billing", TOKENIZE, request)).message.token.token
    await let_expire(stack, token)
    outcomes = [await ask(clients, rpc, member, token) for rpc in (GET, REVEAL, DELETE, REISSUE)]
    outcomes.append(await clients.call("billing", TOKENIZE, request))
    assert {(outcome.code, outcome.reason) for outcome in outcomes} == {(grpc.StatusCode.NOT_FOUND, "TOKEN_NOT_FOUND")}
    [item] = (await ask(clients, BATCH_REVEAL, member, token)).message.results
    assert item.error.code == "NOT_FOUND"
    assert not (await ask(clients, LIST, member)).message.tokens


async def test_the_sweeper_destroys_what_nobody_reads(
    stack: Stack, clients: Clients, log: Log, engine: AsyncEngine
) -> None:
    """A token whose time has come goes, with a row that says whose it was; its neighbour stays (LG-01, LC-05).

    Nobody has read it: the only rows about it are that of its making and that of its end.
    """
    member = examples.new_id()
    due, living = [await put(clients, member) for _ in range(2)]
    await let_expire(stack, due.token)
    await Sweeper(engine, ACTOR, lambda: "1").sweep()
    left = await log.fetch("payment_vault", "SELECT token FROM token WHERE member_id = $1", member)
    assert [row["token"] for row in left] == [living.token]
    [row] = await log.fetch("payment_vault", SWEPT, due.token)
    assert (row["actor"], row["actor_type"], row["action"]) == (ACTOR, "JOB", "PURGE")
    assert member in {str(subject) for subject in row["subject_ids"]}
    about = await log.fetch("payment_vault", "SELECT 1 FROM processing_log WHERE resource_ids @> ARRAY[$1]", due.token)
    assert len(about) == 1


async def test_sweepers_share_the_work(stack: Stack, clients: Clients, log: Log, engine: AsyncEngine) -> None:
    """Four sweepers at once destroy each token once, and none waits for a lock that a call holds."""
    member = examples.new_id()
    tokens = await asyncio.gather(
        *(put(clients, member, examples.bank_account(), expires_at=ahead(days=1)) for _ in range(20))
    )
    for token in tokens:
        await let_expire(stack, token.token)
    async with engine.connect() as holder, holder.begin():
        await holder.exec_driver_sql(f"SELECT 1 FROM token WHERE token = '{tokens[0].token}' FOR UPDATE")
        await asyncio.gather(*(Sweeper(engine, ACTOR, lambda: "1").sweep() for _ in range(4)))
        left = await log.fetch("payment_vault", "SELECT token FROM token WHERE member_id = $1", member)
        assert [row["token"] for row in left] == [tokens[0].token]
    await Sweeper(engine, ACTOR, lambda: "1").sweep()
    for token in tokens:
        assert len(await log.fetch("payment_vault", SWEPT, token.token)) == 1


async def test_the_service_sweeps_by_itself(stack: Stack, clients: Clients, log: Log) -> None:
    """At its start, and every minute from then on, the process destroys what is due, under its own identity."""
    token = (await put(clients, examples.new_id())).token
    vault = stack.services["payment_vault"]
    await asyncio.to_thread(vault.kill)
    await let_expire(stack, token)
    await asyncio.to_thread(vault.start)
    for _ in range(50):
        if rows := await log.fetch("payment_vault", SWEPT, token):
            break
        await asyncio.sleep(0.2)
    assert rows[0]["actor"] == ACTOR
    assert await log.fetch("payment_vault", "SELECT 1 FROM token WHERE token = $1", token) == []
