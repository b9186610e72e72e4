"""Goes on with holds whose holders have not all been told, and daily reminds of reviews that are overdue.

Daily, and at the start, every holder also confirms the register: one that was restored from a backup has lost some holds,
and has others again. Apart from the worker that executes plans: a hold must not wait for one. Several replicas may tell
the same holder, which does no harm. Nothing is ever released here.
"""

from collections.abc import Callable
from datetime import date, datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.background import Background, Rhythm
from chassis.kst import event_date
from services.retention import hold_store, store
from services.retention.hold import DONE
from services.retention.hold_telling import Telling
from services.retention.plan import utc_now
from services.retention.refusals import HoldWaits

log = structlog.get_logger()

_RHYTHM = Rhythm(2.0, 60.0)


class HoldWorker(Background):
    """Works from ``start`` to ``close``. ``clock``: the present, with a zone."""

    def __init__(self, engine: AsyncEngine, telling: Telling, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__("hold worker", "holds wait", _RHYTHM)
        self._engine = engine
        self._telling = telling
        self._clock = clock
        self._reminded: date | None = None
        self._confirmed: date | None = None

    async def look(self) -> bool:
        """Tell the holders what they have not been told; return whether all know all. Raises DatabaseUnavailable."""
        today = event_date(self._clock())
        await self._remind(today)
        all_told = await self._carry()
        if self._confirmed != today:
            await self._confirm(today)
        return all_told and self._confirmed == today

    async def _confirm(self, today: date) -> None:
        try:
            await self._telling.confirm_everywhere()
        except HoldWaits:
            log.warning("a holder has not confirmed the holds")
        else:
            self._confirmed = today

    async def _carry(self) -> bool:
        async with store.transaction(self._engine) as connection:
            holds = await hold_store.in_states(connection, DONE)
        all_told = True
        for hold in holds:
            try:
                await self._telling.carry(hold)
            except HoldWaits:
                all_told = False
                log.warning("a hold waits", hold_id=hold.hold_id, state=hold.state)
        return all_told

    async def _remind(self, today: date) -> None:
        """Once a Korean day, and at the start, name each hold whose review is overdue (LC-13)."""
        if self._reminded == today:
            return
        async with store.transaction(self._engine) as connection:
            late = await hold_store.overdue(connection, today)
        for hold_id in late:
            log.warning("hold review overdue", hold_id=hold_id)
        self._reminded = today
