"""Tells every holder of data of a hold, or of its release, until all have answered.

An answer that was lost is asked for again: a holder may be told the same any number of times, and lets go for good.
Nothing is promised to whoever placed the hold before the last holder has it.
"""

import asyncio
from dataclasses import dataclass

from google.protobuf.message import Message
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.purge.v1 import purge_service_pb2 as api
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.ledger import append_within
from services.retention import hold_store, store
from services.retention.hold import DONE, Hold, HoldState
from services.retention.holders import Holders, Lines
from services.retention.job import Job
from services.retention.refusals import HolderUnavailable, HoldNotFound, HoldWaits


@dataclass(frozen=True, slots=True)
class Telling:
    """Tells the holders. ``purpose``: the one under which they are told."""

    engine: AsyncEngine
    holders: Holders
    job: Job
    purpose: str

    async def carry(self, hold: Hold, traceparent: str = "") -> Hold:
        """Tell the holders that have not answered, and return the hold once all have.

        ``traceparent``: of the call or job that asks; that of the hold where there is none.
        Raises HoldWaits (ask again: what was told stands), DatabaseUnavailable.
        """
        then = DONE.get(hold.state)
        if then is None:
            return hold
        async with self.holders.asked(traceparent or _traceparent(hold)) as lines:
            told = await asyncio.gather(*(self._tell(lines, holder, hold, then) for holder in hold.waiting_for))
        if not all(told):
            raise HoldWaits
        return await self._settle(hold.hold_id)

    async def repeat(self, hold: Hold) -> None:
        """Tell every holder of a standing hold once more: one that was restored, or is new, does not have it.

        Raises HoldWaits.
        """
        async with self.holders.asked(_traceparent(hold)) as lines:
            told = await asyncio.gather(*(self._set(lines, holder, hold) for holder in lines.names))
        if not all(told):
            raise HoldWaits

    async def _tell(self, lines: Lines, holder: str, hold: Hold, then: HoldState) -> bool:
        if not await self._set(lines, holder, hold):
            return False
        async with store.transaction(self.engine) as connection:
            await hold_store.note(connection, hold.hold_id, holder, then)
        return True

    async def _set(self, lines: Lines, holder: str, hold: Hold) -> bool:
        try:
            await lines.call(holder, "SetHold", self._request(hold), api.SetHoldResponse)
        except HolderUnavailable:
            return False
        return True

    def _request(self, hold: Hold) -> Message:
        return api.SetHoldRequest(
            access=AccessContext(purpose=self.purpose), hold_id=hold.hold_id, article=hold.article,
            placed_on=hold.placed_on.isoformat(), released=hold.state is HoldState.RELEASING,
            **{"member_id": hold.member_id} if hold.member_id else {"record_id": hold.record_id},
        )  # fmt: skip

    async def _settle(self, hold_id: str) -> Hold:
        """Take the step that follows once all holders have answered, unless it is taken or another has begun."""
        async with store.transaction(self.engine) as connection:
            hold = await hold_store.find(connection, hold_id, lock=True)
            if hold is None:
                raise HoldNotFound
            then = DONE.get(hold.state)
            if then is not None and not hold.waiting_for:
                await append_within(connection, [self.job.held(hold, self.purpose)])
                forgotten = {"member_id": None, "record_id": None} if then is HoldState.RELEASED else {}
                await hold_store.change(connection, hold_id, {"state": then, **forgotten})
                hold = await hold_store.find(connection, hold_id)
        if hold is None:
            raise HoldNotFound
        return hold


def _traceparent(hold: Hold) -> str:
    return f"00-{hold.trace_id}-{hold.span_id}-01"
