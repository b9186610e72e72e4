"""Calls in flight, and whether the server is stopping: gRPC does not wait for all of them (grpc#37239)."""

import asyncio

from chassis.gathering import Gathering


class Running:
    """Counts calls; use as a context manager around each. ``stopping``: a long answer should end now."""

    def __init__(self) -> None:
        self.count = 0
        self.stopping = False
        self.gathering = Gathering()

    async def idle(self, seconds: float) -> None:
        """Wait until no call is in flight, at most so many seconds."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self.count and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(self, *_: object) -> None:
        self.count -= 1
