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


async def test_one_timer_ends_each_wait_at_its_own_time() -> None:
    """Short and long deadlines wait side by side, in the queue and in flight: the short ones end first, each for itself."""
    flush = Recorder()
    batcher: Batcher[int, int] = Batcher("test", flush)
    flush.gate.clear()
    now = asyncio.get_running_loop().time()
    flying = asyncio.create_task(batcher.submit(1, now + 5))
    await asyncio.sleep(0.01)
    seconds = {2: 2.0, 3: 0.1, 4: None, 5: 0.2}
    queued = {item: asyncio.create_task(batcher.submit(item, limit and now + limit)) for item, limit in seconds.items()}

    ended = []
    for item in (3, 5, 2):
        with pytest.raises(errors.DeadlinePassed):
            await queued[item]
        ended.append(asyncio.get_running_loop().time() - now)
    flush.gate.set()

    assert [await flying, await queued[4]] == [2, 8]
    assert ended == sorted(ended)
    assert ended[0] < 1.7 < ended[2]


async def test_two_flushes_are_in_flight_where_the_first_says_so_and_never_three() -> None:
    """One is at Vault while the other is at PostgreSQL; a third begins when one of them has ended."""
    begun: list[int] = []
    gates = {item: asyncio.Event() for item in (1, 2, 3, 4)}

    async def flush(items: Sequence[int]) -> Sequence[int]:
        begun.extend(items)
        batcher.go_on()
        await gates[items[0]].wait()
        return list(items)

    batcher: Batcher[int, int] = Batcher("test", flush, used=lambda: 0.5)
    calls = []
    for item in gates:
        calls.append(asyncio.create_task(batcher.submit(item)))
        await asyncio.sleep(0.01)

    assert begun == [1, 2]
    gates[2].set()
    assert await calls[1] == 2
    await asyncio.sleep(0.01)
    assert begun == [1, 2, 3, 4]  # both that waited, in one flush
    closing = asyncio.create_task(batcher.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    for gate in gates.values():
        gate.set()
    assert await asyncio.gather(*calls) == [1, 2, 3, 4]
    await closing


async def test_no_second_flush_begins_where_the_core_has_no_time_for_it() -> None:
    """What waits goes into one flush, after the first."""
    batches: list[Sequence[int]] = []
    gate = asyncio.Event()

    async def flush(items: Sequence[int]) -> Sequence[int]:
        batches.append(items)
        batcher.go_on()
        await gate.wait()
        return list(items)

    batcher: Batcher[int, int] = Batcher("test", flush, used=lambda: 0.95)
    calls = []
    for item in (1, 2, 3):
        calls.append(asyncio.create_task(batcher.submit(item)))
        await asyncio.sleep(0.01)

    assert batches == [[1]]
    gate.set()
    assert await asyncio.gather(*calls) == [1, 2, 3]
    assert batches == [[1], [2, 3]]


async def test_who_is_no_flush_of_it_hurries_no_batcher() -> None:
    """go_on is the flush's own: from elsewhere it changes nothing."""
    flush = Recorder()
    batcher: Batcher[int, int] = Batcher("test", flush)
    flush.gate.clear()
    first = asyncio.create_task(batcher.submit(1))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(batcher.submit(2))
    batcher.go_on()
    await asyncio.sleep(0.01)

    assert flush.batches == [[1]]
    flush.gate.set()
    assert await asyncio.gather(first, second) == [2, 4]


async def test_a_flush_that_answers_too_few_fails_its_own_calls_and_no_other() -> None:
    """A defect of a flush reaches its callers; those that come later are served."""
    short = [True]

    async def flush(items: Sequence[int]) -> Sequence[int]:
        return [] if short.pop() else list(items)

    batcher: Batcher[int, int] = Batcher("test", flush)
    with pytest.raises(ValueError, match="zip"):
        await batcher.submit(1)

    short[:] = [False]
    assert await asyncio.wait_for(batcher.submit(2), 1) == 2
