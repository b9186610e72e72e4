"""The same request many times at once, about things that exist, and a count of what was answered."""

import asyncio
from collections import Counter
from typing import Any

from dev.stack import Stack
from tests.contract.access_matrix import allowed_caller
from tests.integration import examples
from tests.integration.bad_input import world_of
from tests.integration.clients import Clients, Outcome
from tests.integration.memberships import give


async def many(clients: Clients, rpc: str, request: Any, count: int = 50) -> list[Outcome]:
    """Send the same request so many times at once."""
    caller = allowed_caller(rpc)
    return list(await asyncio.gather(*(clients.call(caller, rpc, request) for _ in range(count))))


def told(outcomes: list[Outcome]) -> Counter[tuple[str, str]]:
    """How often each code and reason was answered."""
    return Counter((outcome.code.name, outcome.reason) for outcome in outcomes)


async def request_of(rpc: str, stack: Stack, clients: Clients, module: str) -> Any:
    """A request about things of its own."""
    world = await world_of(stack, clients, module)
    request = examples.example(rpc)
    names = request.DESCRIPTOR.fields_by_name
    for name, value in (("member_id", world.member_id), ("contact_id", world.contact_id), ("token", world.token)):
        if name in names:
            setattr(request, name, value)
    for item in [*getattr(request, "items", ()), *getattr(request, "records", ())]:
        item.member_id = world.member_id
    if rpc.endswith("/WithdrawConsent"):  # there is none to end until one is given
        await give(clients, world.member_id, request.consent)
    return request
