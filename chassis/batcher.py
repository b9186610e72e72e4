"""Turns concurrent calls into one flush: one Vault batch, one transaction.

One flush is in flight at a time; what arrives meanwhile goes into the next, so the batch grows with the load and a lone
call pays no wait. A flush belongs to the batcher: a cancelled call never cancels a commit.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from chassis import errors

Item = TypeVar("Item")
Result = TypeVar("Result")

LINGER_SECONDS = 0.002
# What is left of a call's time when it stops waiting for its flush: enough to record the failure and to answer.
REST_SECONDS = 0.25
REST_SHARE = 0.25
CROWD = 3


class Batcher(Generic[Item, Result]):
    """Collects items and flushes them together.

    ``flush`` takes the items and returns, in order, a result or an exception for each. An exception that it raises
    fails them all. At most ``limit`` items go into a flush and ``queue_limit`` wait; one more is refused (Overloaded).
    """

    def __init__(
        self,
        name: str,
        flush: Callable[[Sequence[Item]], Awaitable[Sequence[Result | errors.DomainError]]],
        *,
        limit: int = 249,
        queue_limit: int = 5_000,
    ) -> None:
        self._name = name
        self._flush = flush
        self._limit = limit
        self._queue_limit = queue_limit
        self._queue: deque[tuple[Item, float | None, asyncio.Future[Result]]] = deque()
        self._task: asyncio.Task[None] | None = None
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
        self._queue.append((item, deadline, future))
        if self._task is None:
            self._task = loop.create_task(self._run(), name=f"batcher {self._name}")
        if deadline is None:
            return await future
        try:
            async with asyncio.timeout_at(deadline - min(REST_SECONDS, REST_SHARE * (deadline - loop.time()))):
                return await future
        except TimeoutError:
            raise errors.DeadlinePassed from None

    async def close(self) -> None:
        """Refuse new items, flush what waits, and return."""
        self._closing = True
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _run(self) -> None:
        size = 0
        while self._queue:
            if size >= CROWD:
                await asyncio.sleep(LINGER_SECONDS)
            size = await self._flush_once()
        self._task = None

    async def _flush_once(self) -> int:
        batch = self._take()
        if not batch:
            return 0
        results: Sequence[Result | Exception]
        try:
            results = await self._flush([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001  # every caller learns of it, and the batcher goes on
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            _answer(future, result)
        return len(batch)

    def _take(self) -> list[tuple[Item, "asyncio.Future[Result]"]]:
        """Take the next items; those whose caller has gone or whose deadline has passed leave the queue here."""
        now = asyncio.get_running_loop().time()
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        while self._queue and len(batch) < self._limit:
            item, deadline, future = self._queue.popleft()
            if deadline is not None and deadline <= now:
                _answer(future, errors.DeadlinePassed())
            elif not future.done():
                batch.append((item, future))
        return batch


def _answer(future: "asyncio.Future[Result]", result: Result | Exception) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
