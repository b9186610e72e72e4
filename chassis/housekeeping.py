"""What every service does once a day: the log's coming partitions, an end to old answers, and what it adds itself."""

from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.background import Background, Rhythm

DAILY: Final = Rhythm(24 * 3600.0, 60.0)

_PARTITIONS = text("SELECT ensure_log_partitions(3)")
# Whoever repeats a request does so within a week.
_AT_ONCE = 10_000
_FORGET = text(f"""
DELETE FROM idempotency WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM idempotency WHERE created_at < transaction_timestamp() - interval '7 days' LIMIT {_AT_ONCE}))
""")


class Housekeeping(Background):
    """Keeps house at ``start`` and daily until ``close``; a minute after a day's work failed, once more."""

    def __init__(self, engine: AsyncEngine, rhythm: Rhythm = DAILY) -> None:
        super().__init__("housekeeping", "housekeeping failed", rhythm)
        self._engine = engine
        self._statements: list[TextClause] = []
        self._looks: list[Callable[[], Awaitable[object]]] = []

    def add(self, *statements: TextClause) -> None:
        """Have statements run too, each in a transaction of its own."""
        self._statements += statements

    def also(self, look: Callable[[], Awaitable[object]]) -> None:
        """Have something looked at too."""
        self._looks.append(look)

    async def look(self) -> bool:
        """Do what is due once a day, last what a reader of the log may hold up. Raises what the database raises."""
        await forget_answers(self._engine)
        for look in self._looks:
            await look()
        for statement in self._statements:
            async with self._engine.begin() as connection:
                await connection.execute(statement)
        await make_months(self._engine)
        return True


async def make_months(engine: AsyncEngine) -> None:
    """Make the log's coming partitions. While somebody reads the log it fails soon, since all changes wait with it."""
    async with engine.begin() as connection:
        await connection.execute(_PARTITIONS)


async def forget_answers(engine: AsyncEngine) -> None:
    """Delete the old answers, some at a time: no statement takes longer the more there are."""
    gone = _AT_ONCE
    while gone == _AT_ONCE:
        async with engine.begin() as connection:
            gone = (await connection.execute(_FORGET)).rowcount
