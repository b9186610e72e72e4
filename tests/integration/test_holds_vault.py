"""Legal holds at the payment vault (보존 조치, LC-13): a held token is not destroyed, and reveals no more than it would."""

from collections.abc import AsyncIterator

import grpc
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.database import connect
from chassis.settings import DatabaseSettings
from dev.stack import Stack
from services.payment_vault.sweeper import Sweeper
from tests.integration import examples
from tests.integration.clients import Clients, Outcome
from tests.integration.holding import Hold
from tests.integration.log_rows import Log
from tests.integration.memberships import purge, withdraw
from tests.integration.vault_tokens import BATCH_REVEAL, DELETE, GET, LIST, REVEAL, ask, let_expire, put

pytestmark = pytest.mark.timeout(120)

MEMBER = "SELECT 1 FROM member WHERE member_id = $1"
SALT = "SELECT 1 FROM erasure_key WHERE unit = 'member:' || $1 AND wrapped_salt IS NOT NULL"
ACTOR = "spiffe://onggi/ns/onggi/sa/payment-vault"
OK, NOT_FOUND = grpc.StatusCode.OK, (grpc.StatusCode.NOT_FOUND, "TOKEN_NOT_FOUND")


@pytest.fixture
async def engine(stack: Stack) -> AsyncIterator[AsyncEngine]:
    """Connections of the service's own role."""
    env = stack.env_for("payment_vault")
    names = ("host", "port", "name", "user", "password_file")
    values = {name: env[f"ONGGI_DATABASE__{name.upper()}"] for name in names}
    opened = connect(DatabaseSettings.model_validate(values))
    yield opened
    await opened.dispose()


@pytest.fixture
async def hold(clients: Clients) -> AsyncIterator[Hold]:
    """A hold of a member who may get tokens, set at the vault; released when the test is over."""
    placed = Hold.of(clients, member_id=examples.new_id())
    await placed.set("payment_vault")
    yield placed
    await placed.release("payment_vault")


def said(outcome: Outcome) -> tuple[grpc.StatusCode, str]:
    """The code and the reason of an answer."""
    return outcome.code, outcome.reason


async def tokens_of(log: Log, member_id: str) -> list[str]:
    """The tokens of a member that are stored."""
    found = await log.fetch("payment_vault", "SELECT token FROM token WHERE member_id = $1 ORDER BY token", member_id)
    return [row["token"] for row in found]


async def test_a_held_token_is_not_deleted(clients: Clients, log: Log, hold: Hold) -> None:
    """LC-13: DeleteToken is refused while the hold stands and works after it; the token works all the while.

    Of a token that is not there nobody learns that its member is held.
    """
    token = (await put(clients, hold.member_id)).token
    other = (await put(clients, examples.new_id())).token
    refused = await ask(clients, DELETE, hold.member_id, token)
    assert said(refused) == (grpc.StatusCode.FAILED_PRECONDITION, "LEGALLY_HELD")
    assert (await log.one_row_of(refused))["error_reason"] == "LEGALLY_HELD"
    assert await tokens_of(log, hold.member_id) == [token]
    assert (await ask(clients, REVEAL, hold.member_id, token)).code is OK
    assert said(await ask(clients, DELETE, hold.member_id, other)) == NOT_FOUND
    await hold.release("payment_vault")
    assert (await ask(clients, DELETE, hold.member_id, token)).code is OK
    assert await tokens_of(log, hold.member_id) == []


async def test_the_sweeper_passes_by_what_is_held(
    stack: Stack, clients: Clients, log: Log, engine: AsyncEngine, hold: Hold
) -> None:
    """LC-13: a held token whose time has come is unknown to all, and stays until the release; its neighbour's goes."""
    token, neighbour = (await put(clients, hold.member_id)).token, examples.new_id()
    other = (await put(clients, neighbour)).token
    for each in (token, other):
        await let_expire(stack, each)
    await Sweeper(engine, ACTOR, lambda: "1").sweep()
    assert (await tokens_of(log, hold.member_id), await tokens_of(log, neighbour)) == ([token], [])
    assert [said(await ask(clients, rpc, hold.member_id, token)) for rpc in (GET, REVEAL, DELETE)] == [NOT_FOUND] * 3
    await hold.release("payment_vault")
    await Sweeper(engine, ACTOR, lambda: "1").sweep()
    assert await tokens_of(log, hold.member_id) == []


@pytest.mark.parametrize("rpc", [REVEAL, BATCH_REVEAL])
async def test_a_held_one_time_token_reveals_once_and_stays(
    clients: Clients, log: Log, engine: AsyncEngine, hold: Hold, rpc: str
) -> None:
    """LC-13: revealed, it is not destroyed, but its time has come; released, the sweeper takes it. Another's goes at once."""
    neighbour = examples.new_id()
    token = (await put(clients, hold.member_id, one_time=True)).token
    other = (await put(clients, neighbour, one_time=True)).token
    for member_id, each in ((hold.member_id, token), (neighbour, other)):
        assert (await ask(clients, rpc, member_id, each)).code is OK
        assert said(await ask(clients, REVEAL, member_id, each)) == NOT_FOUND
    assert (await tokens_of(log, hold.member_id), await tokens_of(log, neighbour)) == ([token], [])
    assert not (await ask(clients, LIST, hold.member_id)).message.tokens
    await Sweeper(engine, ACTOR, lambda: "1").sweep()
    assert await tokens_of(log, hold.member_id) == [token]
    await hold.release("payment_vault")
    await Sweeper(engine, ACTOR, lambda: "1").sweep()
    assert await tokens_of(log, hold.member_id) == []


async def test_what_a_hold_has_kept_goes_after_its_member(clients: Clients, log: Log) -> None:
    """R-03, LC-13: placed when the plan has destroyed the member and not its tokens yet, a hold keeps these alone.

    Nobody can tell the vault any more that the member has left. It was told once, and that is enough.
    """
    member_id = (await examples.new_member(clients)).member_id
    token = (await put(clients, member_id)).token
    late = Hold.of(clients, member_id=member_id)
    await withdraw(clients, member_id)
    await late.set("payment_vault")  # as it comes there between the two parts of the plan
    first = await purge(clients, "R-01", "R-03")
    assert first.trouble == ""
    assert (await log.fetch("identity", MEMBER, member_id), await tokens_of(log, member_id)) == ([], [token])
    [held] = [part.held for part in first.parts if part.category == "R-03"]
    assert held == 1
    await late.set("identity", "archive")
    await late.release()
    assert (await purge(clients, "R-01", "R-03")).trouble == ""
    assert await tokens_of(log, member_id) == []
    assert await log.fetch("payment_vault", SALT, member_id) == []
