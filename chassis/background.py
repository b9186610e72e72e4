"""Work that a process does by itself: one look after another, from its start to its end, whatever happens to one of them."""

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import NamedTuple

import structlog

from chassis import errors
from chassis.chain import place_of
from chassis.database import DATABASE_ERRORS, sqlstate

log = structlog.get_logger()


class Rhythm(NamedTuple):
    """Seconds from one look to the next; after one that left something undone twice as long, up to ``longest``.

    Where ``longest`` is less than ``seconds``, as for work that is done daily, what was left undone is tried again sooner.
    """

    seconds: float
    longest: float

    def pause(self, before: float, *, done: bool) -> float:
        """Return the seconds until the next look, after a look that a pause of ``before`` seconds preceded."""
        return self.seconds if done else min(before * 2, self.longest)


class Background(ABC):
    """Looks at ``start``, when it is woken, and in its rhythm, until ``close``.

    ``name`` is the task's. ``waits`` is what the log says when a look cannot be done now, such as ``moves wait``.
    """

    def __init__(self, name: str, waits: str, rhythm: Rhythm) -> None:
        self._name = name
        self._waits = waits
        self._rhythm = rhythm
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    @abstractmethod
    async def look(self) -> bool:
        """Do what there is to do; return whether all is done. What it raises is logged, and ends nothing."""

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    async def close(self) -> None:
        """Stop; what is cut off is done again at the next start, by whoever starts."""
        # For a look in which the cancellation is lost, as where a clean-up fails on top of it.
        self._closing = True
        self.wake()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        pause = self._rhythm.seconds
        while not self._closing:
            self._woken.clear()
            pause = self._rhythm.pause(pause, done=await self._looked())
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    async def _looked(self) -> bool:
        try:
            return await self.look()
        except errors.DomainError as error:
            log.warning(self._waits, error=type(error).__name__)
        except DATABASE_ERRORS as error:
            log.warning(self._waits, error=type(error).__name__, sqlstate=sqlstate(error))
        except Exception as error:  # noqa: BLE001  # a defect must not end the work; its text may hold data
            log.error("unexpected error", error=type(error).__name__, at=place_of(error))
        return False
