"""The messages of a stream of requests, read one by one: the next leaves the network when somebody asks for it.

What is not read fills gRPC's window, and then the caller waits: that is the back-pressure. A read that is under way is
never cancelled, for the message would be lost and its buffer freed under gRPC's hands; it ends with the call.
"""

import asyncio

import grpc.aio

from chassis import errors
from chassis.batcher import REST_SECONDS, REST_SHARE
from chassis.running import Running

_LOOK_SECONDS = 0.1  # how soon a stream that waits for its caller sees that the server stops


class RequestStream:
    """Raw messages of one call. ``deadline``: loop time at which the caller gives up, or None.

    Reading ends a little before it, so that the end can still be recorded and answered.
    """

    def __init__(
        self, context: "grpc.aio.ServicerContext[bytes, bytes]", running: Running, deadline: float | None,
        idle_seconds: float,
    ) -> None:  # fmt: skip
        self._context = context
        self._running = running
        self._deadline = deadline
        if deadline is not None:
            self._deadline = deadline - min(REST_SECONDS, REST_SHARE * (deadline - asyncio.get_running_loop().time()))
        self._idle_seconds = idle_seconds
        self._reading: asyncio.Task[bytes | None] | None = None

    async def read(self) -> bytes | None:
        """Return the next message, None after the last.

        Raises Stopping when the server stops, DeadlinePassed, or StreamIdle when the caller sends nothing for too long.
        """
        loop = asyncio.get_running_loop()
        idle_at = loop.time() + self._idle_seconds
        if self._reading is None:
            self._reading = loop.create_task(self._read())
            self._reading.add_done_callback(_ended)
        while True:
            if self._running.stopping:
                raise errors.Stopping
            now = loop.time()
            if self._deadline is not None and now >= self._deadline:
                raise errors.DeadlinePassed
            if self._reading.done():
                break
            if now >= idle_at:
                raise errors.StreamIdle
            await asyncio.wait({self._reading}, timeout=self._patience(now, idle_at))
        raw, self._reading = await self._reading, None
        return raw

    def _patience(self, now: float, idle_at: float) -> float:
        ends = idle_at if self._deadline is None else min(idle_at, self._deadline)
        return min(_LOOK_SECONDS, max(0.0, ends - now))

    async def _read(self) -> bytes | None:
        message: object = await self._context.read()
        return message if isinstance(message, bytes) else None  # grpc.aio.EOF


def _ended(task: "asyncio.Task[bytes | None]") -> None:
    if not task.cancelled():
        task.exception()  # whoever waited has it; after the call's end nobody does
