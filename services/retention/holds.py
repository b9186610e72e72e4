"""What people do with legal holds: place one, approve it, review it, release it, and read the register.

Each change and its row of the processing log are one transaction (``chassis.mutation``), safe to ask for again. Holders
are told outside of any transaction: a hold is PLACING until the last one has it, and a repeated request, or the
service by itself, goes on from there.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from onggi.retention.v1 import hold_service_pb2 as api
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import page
from chassis.call import Call
from chassis.detached import detached
from chassis.kst import event_date
from chassis.mutation import Answer, Mutations
from chassis.policy.holds import Holds as HoldRules
from services.retention import hold_store, store
from services.retention.hold import (
    KEEPING,
    Hold,
    HoldState,
    check_approval,
    check_ground,
    check_release,
    check_review,
    check_standing,
)
from services.retention.hold_telling import Telling
from services.retention.plan import utc_now
from services.retention.refusals import HoldNotFound

DEFAULT_PAGE = 20


@dataclass(frozen=True, slots=True)
class Holds:
    """The register. ``rules``: the policy's, ``clock``: the present, with a zone."""

    engine: AsyncEngine
    mutations: Mutations
    telling: Telling
    rules: HoldRules
    clock: Callable[[], datetime] = utc_now

    def today(self) -> date:
        """Return the Korean day."""
        return event_date(self.clock())

    async def place(self, call: Call, digest: str, request: api.PlaceHoldRequest) -> Hold:
        """Place a hold; it stands at every holder when this returns.

        Raises InvalidField (article, day of review), HoldWaits (ask again: the hold is in the register),
        DatabaseUnavailable.
        """

        async def add(connection: AsyncConnection) -> Answer:
            today, hold_id = self.today(), str(uuid4())
            # Within the change: asked again on a later day, the same request is still the one that was right.
            check_ground(request.article, self.rules)
            review_on = check_review(request.review_on, today, self.rules)
            await hold_store.add(connection, {
                "hold_id": hold_id, "state": HoldState.PLACING, "member_id": request.member_id or None,
                "record_id": request.record_id or None, "authority": request.authority,
                "document_number": request.document_number, "article": request.article, "placed_on": today,
                "review_on": review_on, "placed_by": call.caller.spiffe_id, "trace_id": call.entry.trace_id,
                "span_id": call.entry.span_id,
            }, self.telling.holders.names)  # fmt: skip
            return {"hold_id": hold_id}

        answer = await self.mutations.run(call, digest, add, subject_id=request.member_id or None)
        return await self._carry(call, answer["hold_id"])

    async def approve(self, call: Call, digest: str, hold_id: str) -> Hold:
        """Have a second person stand for a hold. Raises HoldNotFound, OwnHold, WrongHoldState."""
        approver = call.caller.spiffe_id

        async def work(connection: AsyncConnection) -> Answer:
            check_approval(await _locked(connection, hold_id), approver)
            await hold_store.change(connection, hold_id, {"approved_by": approver})
            return {"hold_id": hold_id}

        await self.mutations.run(call, digest, work)
        return await self.get(hold_id)

    async def review(self, call: Call, digest: str, hold_id: str, review_on: str) -> Hold:
        """Set the next day of review. Raises HoldNotFound, WrongHoldState, InvalidField."""

        async def work(connection: AsyncConnection) -> Answer:
            check_standing(await _locked(connection, hold_id))
            day = check_review(review_on, self.today(), self.rules)
            await hold_store.change(connection, hold_id, {"review_on": day})
            return {"hold_id": hold_id}

        await self.mutations.run(call, digest, work)
        return await self.get(hold_id)

    async def release(self, call: Call, digest: str, hold_id: str) -> Hold:
        """Let go of what is held; no holder holds it any more when this returns.

        Raises HoldNotFound, OwnHold, WrongHoldState, HoldWaits (ask again: it is released), DatabaseUnavailable.
        """
        releaser = call.caller.spiffe_id

        async def work(connection: AsyncConnection) -> Answer:
            check_release(await _locked(connection, hold_id), releaser)
            await hold_store.change(connection, hold_id, {
                "state": HoldState.RELEASING, "released_by": releaser, "released_on": self.today(),
                "trace_id": call.entry.trace_id, "span_id": call.entry.span_id,
            })  # fmt: skip
            return {"hold_id": hold_id}

        await self.mutations.run(call, digest, work)
        return await self._carry(call, hold_id)

    async def get(self, hold_id: str) -> Hold:
        """Return a hold. Raises HoldNotFound."""
        async with store.transaction(self.engine) as connection:
            hold = await hold_store.find(connection, hold_id)
        if hold is None:
            raise HoldNotFound
        return hold

    async def newest(self, size: int, page_token: str, *, released: bool) -> tuple[list[Hold], str]:
        """Return a page of holds, newest first, and the token of the next page. Raises PageTokenInvalid.

        ``released``: those too that somebody has released and every holder has let go of.
        """
        size, after = size or DEFAULT_PAGE, page.key(page_token, page.moment, UUID)
        states = set(HoldState) if released else {*KEEPING, HoldState.RELEASING}
        async with store.transaction(self.engine) as connection:
            holds = await hold_store.newest(connection, size + 1, after, states)
        last = holds[size - 1] if len(holds) > size else None
        return holds[:size], page.token(last.created_at.isoformat(), last.hold_id) if last else ""

    async def _carry(self, call: Call, hold_id: str) -> Hold:
        return await detached(self.telling.carry(await self.get(hold_id), call.traceparent))


async def known(engine: AsyncEngine, hold_ids: Collection[str]) -> Mapping[str, Hold]:
    """Return the holds of these ids that the register has, by id. Raises DatabaseUnavailable."""
    if not hold_ids:
        return {}
    async with store.transaction(engine) as connection:
        return {hold.hold_id: hold for hold in await hold_store.of_ids(connection, hold_ids)}


async def _locked(connection: AsyncConnection, hold_id: str) -> Hold:
    hold = await hold_store.find(connection, hold_id, lock=True)
    if hold is None:
        raise HoldNotFound
    return hold
