"""Work that a process does by itself goes on, whatever one look meets, and says what it meets without its text."""

import asyncio
from collections.abc import Callable

import pytest
import structlog.testing

from chassis.background import Background, Rhythm
from chassis.errors import DatabaseUnavailable

_OFTEN = Rhythm(0.001, 0.001)


class Work(Background):
    """Does at each look what comes next, and then nothing more: it is all done."""

    def __init__(self, rhythm: Rhythm, *steps: Callable[[], bool]) -> None:
        super().__init__("work", "work waits", rhythm)
        self.times: list[float] = []
        self._steps = iter(steps)

    async def look(self) -> bool:
        """Take the next step."""
        self.times.append(asyncio.get_running_loop().time())
        return next(self._steps, lambda: True)()

    async def until(self, looks: int) -> None:
        """Wait for so many looks."""
        async with asyncio.timeout(5):
            while len(self.times) < looks:  # noqa: ASYNC110
                await asyncio.sleep(0.001)


def _raise(error: Exception) -> bool:
    raise error


async def test_it_looks_again_and_again_until_it_is_closed() -> None:
    """The first look is at the start; after ``close`` there is none."""
    work = Work(_OFTEN)
    work.start()
    await work.until(3)
    await work.close()
    seen = len(work.times)
    await asyncio.sleep(0.02)

    assert len(work.times) == seen


async def test_it_ends_though_a_look_loses_the_cancellation() -> None:
    """A clean-up that fails on top of it turns it into another error: the process ends all the same, after that look."""

    class Deaf(Work):
        async def look(self) -> bool:
            await super().look()
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                raise ConnectionResetError from None
            return True

    work = Deaf(_OFTEN)
    work.start()
    await work.until(1)
    await asyncio.wait_for(work.close(), 5)

    assert len(work.times) == 1


async def test_it_looks_at_once_when_it_is_woken() -> None:
    """Whoever has something to do need not wait for the rhythm."""
    work = Work(Rhythm(3600, 3600))
    work.start()
    await work.until(1)
    work.wake()
    await work.until(2)
    await work.close()


async def test_it_waits_longer_while_something_is_left_and_then_as_before() -> None:
    """Twice as long after each look that left something, up to the longest pause; then the rhythm again."""
    work = Work(Rhythm(0.05, 0.5), *[lambda: False] * 4)
    work.start()
    await work.until(6)
    await work.close()
    pauses = [later - earlier for earlier, later in zip(work.times, work.times[1:], strict=False)]

    assert [pause >= least for pause, least in zip(pauses, (0.1, 0.2, 0.4, 0.5, 0.05), strict=True)] == [True] * 5
    assert pauses[4] < 0.5, "all was done: the pause is short again"


@pytest.mark.parametrize(("error", "event", "level"), [
    (DatabaseUnavailable(), "work waits", "warning"), (ConnectionResetError("4111111111111111"), "work waits", "warning"),
    (KeyError("4111111111111111"), "unexpected error", "error"),
])  # fmt: skip
async def test_what_a_look_meets_is_logged_without_its_text_and_ends_nothing(
    error: Exception, event: str, level: str
) -> None:
    """The text of an error may hold data: its kind is told, and the next look comes."""
    with structlog.testing.capture_logs() as logs:
        work = Work(_OFTEN, lambda: _raise(error))
        work.start()
        await work.until(2)
        await work.close()

    [told] = logs
    assert (told["event"], told["log_level"], told["error"]) == (event, level, type(error).__name__)
    assert "4111" not in str(told)
