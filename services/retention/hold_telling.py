"""Tells every holder of data of a hold, or of its release, until all have answered.

An answer that was lost is asked for again: a holder may be told the same any number of times, and lets go for good.
Nothing is promised to whoever placed the hold before the last holder has it.

A holder that was restored from a backup is as it was before some of that. So holders also confirm the whole register, in
batches: at the start, daily, and before each attempt to destroy something there.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.purge.v1 import purge_service_pb2 as api
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import trace_context
from chassis.ledger import append_within
from services.retention import hold_store, store
from services.retention.hold import DONE, KEEPING, Hold, HoldState
from services.retention.holders import Holders, Lines
from services.retention.job import Job
from services.retention.refusals import HolderUnavailable, HoldNotFound, HoldWaits

BATCH = 500
"""Holds in one message: some 200 KB at most, and no more ids than an entry of the processing log takes."""


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

    async def confirm_everywhere(self) -> None:
        """Have every holder confirm the register, in a trace of its own. Raises HoldWaits, DatabaseUnavailable."""
        async with self.holders.asked(
            trace_context.traceparent(trace_context.new_trace_id(), trace_context.new_span_id())
        ) as lines:
            await self.confirm(lines, lines.names)

    async def confirm(self, lines: Lines, holders: Collection[str]) -> None:
        """Have these holders confirm every hold that stands and every one that is over.

        One that somebody is placing counts as standing: a holder may have it before it is told of it.
        Raises HoldWaits while one has not, DatabaseUnavailable.
        """
        async with store.transaction(self.engine) as connection:
            known = await hold_store.register(connection)
        requests = [self._part(known[start : start + BATCH]) for start in range(0, len(known), BATCH)]
        if not all(await asyncio.gather(*(self._confirms(lines, holder, requests) for holder in holders))):
            raise HoldWaits

    async def _confirms(self, lines: Lines, holder: str, requests: Sequence[Message]) -> bool:
        try:
            for request in requests:
                await lines.call(holder, "ConfirmHolds", request, api.ConfirmHoldsResponse)
        except HolderUnavailable:
            return False
        return True

    def _part(self, known: Sequence[Row[Any]]) -> Message:
        request = api.ConfirmHoldsRequest(access=AccessContext(purpose=self.purpose))
        for hold in known:
            if hold.state in KEEPING:
                request.standing.add(
                    hold_id=hold.hold_id, article=hold.article, placed_on=hold.placed_on.isoformat(), **_whose(hold)
                )
            else:
                request.released.add(hold_id=hold.hold_id)
        return request

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
            **_whose(hold),
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


def _whose(hold: Hold | Row[Any]) -> dict[str, Any]:
    return {"member_id": hold.member_id} if hold.member_id else {"record_id": hold.record_id}


def _traceparent(hold: Hold) -> str:
    return trace_context.traceparent(hold.trace_id, hold.span_id)
