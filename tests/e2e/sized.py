"""A vault of the size that its promises are tested at: 100,000 instruments of 2,000 members, by the batch."""

import asyncio
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import Message
from onggi.payment_vault.v1 import detokenization_service_pb2 as reveals
from onggi.payment_vault.v1 import instrument_pb2 as instruments
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens

from chassis import kst
from dev.stack import Stack
from tests.integration import examples
from tests.integration.clients import Clients, Outcome
from tests.products import Products

PRODUCTS = int(os.environ.get("ONGGI_PRODUCTS", "100000"))
AT_ONCE = 1000
A_MEMBER = 50
_UNDER_WAY = 3
_TOKENIZE = "onggi.payment_vault.v1.TokenizationService/BatchTokenize"
_REVEAL = "onggi.payment_vault.v1.DetokenizationService/BatchDetokenize"
_SECONDS = 60.0
_TRIES = 10


@dataclass(frozen=True, slots=True)
class Product:
    """An instrument of a member."""

    member_id: str
    instrument: instruments.Instrument


@dataclass(frozen=True)
class Stored:
    """What the vault has been given, and the token that it gave for each; `seconds` it took."""

    products: Products
    held: Sequence[Product]
    tokens: Sequence[str]
    seconds: float

    @property
    def members(self) -> list[str]:
        """Whose they are, each once."""
        return list(dict.fromkeys(one.member_id for one in self.held))


async def fill(stack: Stack) -> Stored:
    """Store PRODUCTS instruments. Every tenth is the one before it, of the next member: a card that two share."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed of the products: {seed}")
    source = Products(seed, kst.today())
    members = [examples.new_id() for _ in range(max(2, PRODUCTS // A_MEMBER))]
    made = source.draw(PRODUCTS)
    held = [
        Product(members[at % len(members)], made[at - 1] if at % 10 == 9 else instrument)
        for at, instrument in enumerate(made)
    ]
    # Neighbours in the list are of different members; a batch is of few, as a batch of a thousand reveals must be.
    held.sort(key=lambda one: one.member_id)
    clients = Clients(stack)
    began = asyncio.get_running_loop().time()
    try:
        given = await store(clients, held)
        for _ in range(5):
            registered = await clients.call(
                "portal", "onggi.identity.v1.MemberService/RegisterMember", examples.register()
            )
            assert registered.message.member.member_id
    finally:
        await clients.close()
    return Stored(source, held, given, asyncio.get_running_loop().time() - began)


async def store(clients: Clients, held: Sequence[Product]) -> list[str]:
    """The tokens of all of them, in order, a thousand a call; every item must have one."""

    async def call(part: Sequence[Product]) -> list[str]:
        items = [tokens.TokenizeItem(member_id=one.member_id, instrument=one.instrument) for one in part]
        request = tokens.BatchTokenizeRequest(
            access=examples.access("billing"), request_id=examples.new_id(), items=items
        )
        answer = (await _settled(clients, _TOKENIZE, request)).message
        assert {result.error.rule for result in answer.results} == {""}
        return [result.token.token for result in answer.results]

    return await _by_the_thousand(held, call)


async def revealed(clients: Clients, held: Sequence[tuple[str, str]]) -> list[Any]:
    """The results for (member, token) pairs, in order, a thousand a call."""

    async def call(part: Sequence[tuple[str, str]]) -> list[Any]:
        items = [reveals.DetokenizeItem(member_id=member_id, token=token) for member_id, token in part]
        request = reveals.BatchDetokenizeRequest(access=examples.access("billing", reason="a test"), items=items)
        return list((await _settled(clients, _REVEAL, request)).message.results)

    return await _by_the_thousand(held, call)


async def _settled(clients: Clients, rpc: str, request: Message) -> Outcome:
    """The answer, asked for again under the same request id where a part of the stack was too busy, as its reason says."""
    for _ in range(_TRIES):
        outcome = await clients.call("billing", rpc, request, timeout=_SECONDS)
        if outcome.code is not grpc.StatusCode.UNAVAILABLE:
            break
        await asyncio.sleep(0.5)
    return outcome


async def _by_the_thousand(whole: Sequence[Any], call: Any) -> list[Any]:
    turns = asyncio.Semaphore(_UNDER_WAY)

    async def one(part: Sequence[Any]) -> list[Any]:
        async with turns:
            found: list[Any] = await call(part)
            return found

    parts = await asyncio.gather(*(one(whole[start : start + AT_ONCE]) for start in range(0, len(whole), AT_ONCE)))
    return [item for part in parts for item in part]
