"""Answers to a stream of requests: in the order of the messages, a few of them under way at once.

So the key service works for one batch while the database stores another. A message is read when those before it have been
found right and few enough wait for their answer: what nobody reads fills gRPC's window, and the caller waits.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import NamedTuple

from chassis.call import Call
from chassis.chain import Grounds, Proceed, end_stream, refuse

UNDER_WAY = 3


class _Begun(NamedTuple):
    """A message's call and its answer to come."""

    call: Call
    answer: "asyncio.Task[bytes]"


async def answer_each(grounds: Grounds, call: Call, proceed: Proceed) -> AsyncIterator[bytes]:
    """Answer each message after the first. What fails ends the stream; what was begun before it is answered before.

    A caller who goes away cancels what is begun; each of these is recorded by its own link.
    """
    assert call.requests is not None
    begun: deque[_Begun] = deque()
    reading: asyncio.Task[bytes | None] | None = None
    failure: Exception | None = None
    more = True
    try:
        while True:
            if more and reading is None and len(begun) < UNDER_WAY and (not begun or begun[-1].call.admitted):
                reading = asyncio.create_task(call.requests.read())
            waits: set[asyncio.Task[bytes] | asyncio.Task[bytes | None]] = {one.answer for one in list(begun)[:1]}
            if reading is not None:
                waits.add(reading)
            if not waits:
                break
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if reading is not None and reading.done():
                failure = _failure(reading)
                raw = None if failure is not None else reading.result()
                reading, more = None, raw is not None
                if raw is not None:
                    begun.append(_begin(call.following(raw), proceed))
                    await asyncio.sleep(0)  # as far as its first wait: then it is known to be right, or is not admitted
            if begun and begun[0].answer.done():
                first = begun.popleft()
                if (refusal := _failure(first.answer)) is not None:
                    await refuse(first.call, refusal)
                yield first.answer.result()
        if failure is not None:
            await end_stream(grounds, call, failure)
    finally:
        for task in (reading, *(one.answer for one in begun)):
            if task is not None:
                task.cancel()


def _begin(call: Call, proceed: Proceed) -> _Begun:
    async def answer() -> bytes:
        raw: bytes = await proceed(call)
        return raw

    return _Begun(call, asyncio.create_task(answer()))


def _failure(task: "asyncio.Task[bytes] | asyncio.Task[bytes | None]") -> Exception | None:
    error = None if task.cancelled() else task.exception()
    if error is None or isinstance(error, Exception):
        return error
    raise error
