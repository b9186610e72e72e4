"""How much of a core the process uses: what decides whether it is better to wait less or to do less.

Where a core has time to spare, a second flush beside the first uses it. Where it has none, larger flushes cost less a call
(docs/performance.md).
"""

import time
from collections.abc import Callable
from typing import Final

WINDOW_SECONDS: Final = 0.2


class CoreUse:
    """Looks at the process over windows. ``clock`` and ``spent``: seconds that have passed, and that its threads worked."""

    def __init__(
        self, clock: Callable[[], float] = time.perf_counter, spent: Callable[[], float] = time.process_time
    ) -> None:
        self._clock, self._spent = clock, spent
        self._since, self._before = clock(), spent()
        self._share = 0.0

    def share(self) -> float:
        """Return the processor time for each second of the last whole window: 1 is one core, all of the time."""
        now = self._clock()
        if now - self._since >= WINDOW_SECONDS:
            spent = self._spent()
            self._share = (spent - self._before) / (now - self._since)
            self._since, self._before = now, spent
        return self._share
