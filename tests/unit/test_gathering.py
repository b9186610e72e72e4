"""Calls that arrive close together go on together; nobody waits for a call that never comes."""

import asyncio

from chassis.gathering import LONGEST_SECONDS, SHORTEST_SECONDS, Gathering


async def test_calls_go_on_together() -> None:
    """Whoever joins soon after the first goes on in the same turn of the loop, in the order of joining."""
    gathering, order = Gathering(), []

    async def call(number: int) -> None:
        await gathering.join(5)
        order.append(number)

    calls = [asyncio.create_task(call(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert order == []
    await asyncio.gather(*calls)

    assert order == [0, 1, 2, 3, 4]


async def test_a_call_that_goes_away_stops_nobody() -> None:
    """A cancelled call leaves the others where they are; the next gathering is a new one."""
    gathering = Gathering()
    gone, stays = asyncio.create_task(gathering.join(5)), asyncio.create_task(gathering.join(5))
    await asyncio.sleep(0)
    gone.cancel()

    await asyncio.wait_for(stays, 5)
    await asyncio.wait_for(gathering.join(5), 5)


async def test_all_finish_before_the_first_is_sent() -> None:
    """Calls whose answers came in one turn of the loop all get to the end before one of them goes on to be sent."""
    gathering, order = Gathering(), []
    answered = asyncio.get_running_loop().create_future()

    async def call(number: int) -> None:
        await asyncio.shield(answered)
        order.append(f"finish {number}")
        await gathering.leave()
        order.append(f"send {number}")

    calls = [asyncio.create_task(call(number)) for number in range(3)]
    await asyncio.sleep(0)
    answered.set_result(None)
    await asyncio.gather(*calls)

    assert order == ["finish 0", "finish 1", "finish 2", "send 0", "send 1", "send 2"]


async def test_a_great_crowd_waits_longer_and_never_long() -> None:
    """Five calls in flight are gathered for a millisecond, a thousand for eight."""
    loop = asyncio.get_running_loop()
    took = []
    for in_flight in (5, 1000):
        began = loop.time()
        await Gathering().join(in_flight)
        took.append(loop.time() - began)

    assert took[0] >= SHORTEST_SECONDS * 0.9
    assert took[1] >= LONGEST_SECONDS * 0.9
    assert took[1] < 100 * LONGEST_SECONDS
