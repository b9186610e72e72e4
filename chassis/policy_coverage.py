"""Whether the policy names every category that rows stand under, as one that this service holds.

Rows under any other would be planned by nobody and so be kept for ever, or go with what stands beside them, and nobody could
tell their member until when. A policy that lacks one is refused as one that contradicts itself is: at the start.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.database import reading
from chassis.errors import PolicyIncomplete
from chassis.policy.faults import Fault, PolicyRefused
from chassis.policy.privacy_policy import FILES, PrivacyPolicy

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Stock:
    """What a service keeps in one table.

    ``statement``: returns ``category`` and ``rows`` of all categories that rows stand under but those in ``:held``, an
    array; it looks at no row of these. ``held``: the categories that the policy has the service hold.
    """

    table: str
    statement: TextClause
    held: Collection[str]


class Coverage:
    """Compares the stocks of one service with its policy."""

    def __init__(self, engine: AsyncEngine, service: str, policy: PrivacyPolicy) -> None:
        self._engine = engine
        self._service = service
        self._named = policy.retention.categories.keys()
        self._stocks: list[Stock] = []
        self._complete: bool | None = None

    def add(self, *stocks: Stock) -> None:
        """Compare these too."""
        self._stocks += stocks

    async def check(self) -> None:
        """Return where the policy lacks nothing. Raises PolicyRefused, DatabaseUnavailable."""
        faults = await self.faults()
        self._complete = not faults
        if faults:
            raise PolicyRefused(faults)

    async def ready(self) -> None:
        """Return where it lacked nothing at the first look; for readiness. Raises PolicyIncomplete, DatabaseUnavailable."""
        if self._complete is None:
            with suppress(PolicyRefused):
                await self.check()
        if not self._complete:
            raise PolicyIncomplete

    async def faults(self) -> Sequence[Fault]:
        """Look; log what is lacking, and return it. Raises DatabaseUnavailable."""
        found: list[Fault] = []
        async with reading(self._engine) as connection:
            for stock in self._stocks:
                rows = (await connection.execute(stock.statement, {"held": sorted(stock.held)})).all()
                found += self._told(stock.table, [(row.category, row.rows) for row in rows])
        return found

    def _told(self, table: str, lacking: Sequence[tuple[str, int]]) -> Iterator[Fault]:
        for category, rows in lacking:
            log.error("the policy lacks a category that rows stand under", category=category, table=table, rows=rows)
            key, what = f"categories.{category}", "is missing"
            if category in self._named:
                key, what = f"{key}.holders", f"lacks {self._service}"
            yield Fault(FILES["retention"], key, f"{what}: rows of {table} there stand under it, {rows} in number")
