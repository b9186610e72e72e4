"""Lets calls that arrive close together go through the chain together, and leave together, one right behind the other.

Between two calls gRPC's own code runs, and it is large: each call then finds the caches of the processor cold. In a row
they find them warm, which takes a fifth off a call (docs/performance.md). Only where there is a crowd; a lone call waits
for nobody.
"""

import asyncio

CROWD = 4
# The more calls are in flight, the more of them a longer wait brings together, and the less it is of what each waits anyhow.
SHORTEST_SECONDS, LONGEST_SECONDS = 0.0005, 0.008
_SECONDS_A_CALL = 1 / 32_000


class Gathering:
    """One for each server."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    async def join(self, in_flight: int) -> None:
        """Return together with all that join within the next half to eight milliseconds, by how many are in flight."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_later(max(SHORTEST_SECONDS, min(LONGEST_SECONDS, in_flight * _SECONDS_A_CALL)), self._go)
        mine = loop.create_future()
        self._waiting.append(mine)
        await mine

    async def leave(self) -> None:
        """Let those that were answered in the same flush finish their answers too, before gRPC sends any of them."""
        await asyncio.sleep(0)

    def _go(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():  # its caller may have gone
                one.set_result(None)
