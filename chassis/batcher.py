"""Turns concurrent calls into one flush: one Vault batch, one transaction.

One flush is in flight at a time; or two, one at Vault and one at PostgreSQL, where a flush says that the next may begin
and the process has time to spare. What arrives meanwhile goes into the next, so the batch grows with the load and a lone
call pays no wait. A flush belongs to the batcher: a cancelled call never cancels a commit.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

from chassis import errors
from chassis.core_use import CoreUse

Item = TypeVar("Item")
Result = TypeVar("Result")

# After a flush of a crowd the next one waits for it to gather again, the longer the larger the crowd.
LINGER_SECONDS_A_CALL = 0.000_03
LONGEST_LINGER_SECONDS = 0.005
# What is left of a call's time when it stops waiting for its flush: enough to record the failure and to answer.
REST_SECONDS = 0.25
REST_SHARE = 0.25
CROWD = 3
_AT_ONCE = 2
# What may be used of a core where a second flush is to find time for itself.
SPARE_SHARE = 0.78
_USE = CoreUse()


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Item, Result]):
    """A call that waits. ``gives_up``: loop time at which it waits no longer, with some of its time left to say so."""

    item: Item
    deadline: float | None
    gives_up: float | None
    future: "asyncio.Future[Result]"


class Batcher(Generic[Item, Result]):
    """Collects items and flushes them together.

    ``flush`` takes the items and returns, in order, a result or an exception for each. An exception that it raises
    fails them all. At most ``limit`` items go into a flush and ``queue_limit`` wait; one more is refused (Overloaded).
    A flush that calls ``go_on`` on its way is in flight with the next one from then on, unless the process has ``used`` so
    much of its core of late that a larger flush later is better.
    """

    def __init__(
        self,
        name: str,
        flush: Callable[[Sequence[Item]], Awaitable[Sequence[Result | errors.DomainError]]],
        *,
        limit: int = 249,
        queue_limit: int = 5_000,
        used: Callable[[], float] = _USE.share,
    ) -> None:
        self._name = name
        self._flush = flush
        self._limit = limit
        self._queue_limit = queue_limit
        self._used = used
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._flying: list[Sequence[_Waiting[Item, Result]]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._next: asyncio.Task[None] | None = None  # of those that run, the one that takes from the queue
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False

    async def submit(self, item: Item, deadline: float | None = None) -> Result:
        """Return the item's result. ``deadline``: loop time at which the call gives up; it then leaves the queue.

        Raises Overloaded, DeadlinePassed, Stopping, or what the flush answers for the item.
        """
        if self._closing:
            raise errors.Stopping
        if len(self._queue) >= self._queue_limit:
            raise errors.Overloaded
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        gives_up = None
        if deadline is not None:
            gives_up = deadline - min(REST_SECONDS, REST_SHARE * (deadline - loop.time()))
            self._give_up_at(gives_up, loop)
        self._queue.append(_Waiting(item, deadline, gives_up, future))
        self._begin(0)
        return await future

    def go_on(self) -> None:
        """Let the next flush begin: this one's rest needs another resource. Of no effect outside of a flush."""
        if self._next is asyncio.current_task() and self._used() < SPARE_SHARE:
            self._next = None
            self._begin(len(self._flying[-1]))

    async def close(self) -> None:
        """Refuse new items, flush what waits, and return."""
        self._closing = True
        while self._running:
            await asyncio.wait(self._running)

    def _give_up_at(self, when: float, loop: asyncio.AbstractEventLoop) -> None:
        """Look then who has waited too long: one timer for all, since one for each is felt."""
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = loop.call_at(when, self._give_up)

    def _give_up(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now, later = loop.time(), None
        for waiting in chain(self._queue, *self._flying):
            if waiting.gives_up is None or waiting.future.done():
                continue
            if waiting.gives_up <= now:
                waiting.future.set_exception(errors.DeadlinePassed())
            elif later is None or waiting.gives_up < later:
                later = waiting.gives_up
        if later is not None:
            self._give_up_at(later, loop)

    def _begin(self, size: int) -> None:
        """Start to take from the queue, unless that is done or must wait. ``size``: of the flush before, 0 after a pause."""
        if self._next is None and self._queue and len(self._flying) < _AT_ONCE:
            self._next = asyncio.get_running_loop().create_task(self._run(size), name=f"batcher {self._name}")
            self._running.add(self._next)
            self._next.add_done_callback(self._running.discard)

    async def _run(self, size: int) -> None:
        me = asyncio.current_task()
        while self._queue and self._next is me:
            if size >= CROWD:
                crowd = size + len(self._queue) + sum(map(len, self._flying))
                await asyncio.sleep(min(LONGEST_LINGER_SECONDS, crowd * LINGER_SECONDS_A_CALL))
            size = await self._flush_once()
        if self._next is me:
            self._next = None
        self._begin(size)

    async def _flush_once(self) -> int:
        batch = self._take()
        if not batch:
            return 0
        self._flying.append(batch)
        answers: list[tuple[_Waiting[Item, Result], Result | Exception]]
        try:
            answers = list(zip(batch, await self._flush([waiting.item for waiting in batch]), strict=True))
        except Exception as error:  # noqa: BLE001  # every caller learns of it, and the batcher goes on
            answers = [(waiting, error) for waiting in batch]
        self._flying.remove(batch)
        for waiting, result in answers:
            _answer(waiting.future, result)
        return len(batch)

    def _take(self) -> list["_Waiting[Item, Result]"]:
        """Take the next items; those whose caller has gone or whose deadline has passed leave the queue here."""
        now = asyncio.get_running_loop().time()
        batch: list[_Waiting[Item, Result]] = []
        while self._queue and len(batch) < self._limit:
            waiting = self._queue.popleft()
            if waiting.deadline is not None and waiting.deadline <= now:
                _answer(waiting.future, errors.DeadlinePassed())
            elif not waiting.future.done():
                batch.append(waiting)
        return batch


def _answer(future: "asyncio.Future[Result]", result: Result | Exception) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
