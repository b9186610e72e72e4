"""Calls side by side: a service's connections and batches are shared by all calls, and none gets in another's way."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from dev.stack import Stack
from tests.contract.access_matrix import allowed_caller
from tests.integration import examples
from tests.integration.bad_input import world_of
from tests.integration.calls_at_once import request_of, told
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log

pytestmark = pytest.mark.timeout(60)

SIDE_BY_SIDE = [
    "onggi.identity.v1.ContactService/GetContact",
    "onggi.identity.v1.ContactService/ListContacts",
    "onggi.identity.v1.RecordService/ListRecords",
    "onggi.identity.v1.RecordService/AppendRecords",
    "onggi.identity.v1.MemberService/RegisterMember",
    "onggi.payment_vault.v1.TokenizationService/ListTokens",
    "onggi.payment_vault.v1.TokenizationService/BatchTokenize",
    "onggi.payment_vault.v1.DetokenizationService/BatchDetokenize",
    "onggi.payment_vault.v1.DetokenizationService/Detokenize",
]


@pytest.mark.parametrize("rpc", SIDE_BY_SIDE)
async def test_thirty_calls_side_by_side(stack: Stack, clients: Clients, log: Log, rpc: str) -> None:
    """Thirty different calls of one RPC at once are all answered, each with its one row (LG-01)."""
    module = f"{__name__} side {rpc}"

    async def one() -> Outcome:
        request = await request_of(rpc, stack, clients, module)
        for item in getattr(request, "items", ()):
            if "token" in item.DESCRIPTOR.fields_by_name:
                item.token = (await world_of(stack, clients, module)).token
        return await clients.call(allowed_caller(rpc), rpc, request)

    await world_of(stack, clients, module)
    outcomes = list(await asyncio.gather(*(one() for _ in range(30))))
    assert told(outcomes) == {("OK", ""): 30}
    for outcome in outcomes:
        await log.one_row_of(outcome)


async def test_two_kinds_of_reads_side_by_side(stack: Stack, clients: Clients) -> None:
    """GetMember and FindMember at once do not get in each other's way."""
    world = await world_of(stack, clients, f"{__name__} reads")
    get, find = examples.example("onggi.identity.v1.MemberService/GetMember"), examples.example(
        "onggi.identity.v1.MemberService/FindMember")  # fmt: skip
    get.member_id, find.email = world.member_id, world.email
    make: list[Callable[[], Awaitable[Outcome]]] = [
        lambda: clients.call("portal", "onggi.identity.v1.MemberService/GetMember", get),
        lambda: clients.call("portal", "onggi.identity.v1.MemberService/FindMember", find),
    ]
    outcomes = list(await asyncio.gather(*(make[number % 2]() for number in range(60))))
    assert told(outcomes) == {("OK", ""): 60}
