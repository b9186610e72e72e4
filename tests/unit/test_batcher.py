"""The batcher: one flush in flight, the crowd in the next, and every caller with an answer of its own."""

import asyncio
from collections.abc import Sequence

import pytest

from chassis import errors
from chassis.batcher import Batcher


class Recorder:
    """A flush that notes its batches, can be held up, and fails the items that are negative."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, items: Sequence[int]) -> Sequence[int | errors.DomainError]:
        """Answer each item with its double."""
        self.batches.append(list(items))
        await self.gate.wait()
        return [errors.SealBroken() if item < 0 else 2 * item for item in items]


async def test_what_arrives_during_a_flush_goes_into_the_next() -> None:
    """One flush is in flight at a time, so the batch grows with the load and a lone call pays no wait."""
    flush = Recorder()
    batcher: Batcher[int, int] = Batcher("test", flush)
    flush.gate.clear()
    first = asyncio.create_task(batcher.submit(1))
    await asyncio.sleep(0.01)
    rest = [asyncio.create_task(batcher.submit(item)) for item in (2, 3, 4)]
    await asyncio.sleep(0.01)
    flush.gate.set()

    assert await asyncio.gather(first, *rest) == [2, 4, 6, 8]
    assert flush.batches == [[1], [2, 3, 4]]


async def test_a_bad_item_fails_alone() -> None:
    """An error in the place of one result is that caller's and nobody else's."""
    batcher: Batcher[int, int] = Batcher("test", Recorder())

    answers = await asyncio.gather(*(batcher.submit(item) for item in (1, -1, 3)), return_exceptions=True)

    assert [type(answer) for answer in answers] == [int, errors.SealBroken, int]


async def test_a_cancelled_call_cancels_no_flush() -> None:
    """A flush belongs to the batcher: whoever goes away, the others are answered."""
    flush = Recorder()
    batcher: Batcher[int, int] = Batcher("test", flush)
    flush.gate.clear()
    gone, stays = asyncio.create_task(batcher.submit(1)), asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0.01)
    gone.cancel()
    flush.gate.set()

    assert await stays == 4
    assert gone.cancelled() or gone.cancelling()


@pytest.mark.parametrize("seconds", [0.05, 0.5])
async def test_a_short_deadline_is_time_enough_for_a_quick_flush(seconds: float) -> None:
    """Keeping a rest for the answer takes a part of the caller's time and never all of it."""
    batcher: Batcher[int, int] = Batcher("test", Recorder())

    assert await batcher.submit(1, asyncio.get_running_loop().time() + seconds) == 2


async def test_a_deadline_ends_the_wait_and_not_the_flush() -> None:
    """A caller out of time is told so before its own deadline; what it asked for goes on."""
    flush = Recorder()
    batcher: Batcher[int, int] = Batcher("test", flush)
    flush.gate.clear()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 0.2

    with pytest.raises(errors.DeadlinePassed):
        await batcher.submit(1, deadline)

    assert loop.time() < deadline
    flush.gate.set()
    assert await batcher.submit(2) == 4


async def test_one_too_many_is_refused_at_once() -> None:
    """A bounded queue: beyond it Overloaded, which says when to come again."""
    flush = Recorder()
    batcher: Batcher[int, int] = Batcher("test", flush, queue_limit=2)
    flush.gate.clear()
    waiting = [asyncio.create_task(batcher.submit(1))]
    await asyncio.sleep(0.01)
    waiting += [asyncio.create_task(batcher.submit(item)) for item in (2, 3)]
    await asyncio.sleep(0.01)

    with pytest.raises(errors.Overloaded):
        await batcher.submit(4)

    flush.gate.set()
    assert await asyncio.gather(*waiting) == [2, 4, 6]
    await batcher.close()
    with pytest.raises(errors.Stopping):
        await batcher.submit(5)
