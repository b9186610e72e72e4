"""HoldService: proto to domain and back; no rules and no SQL."""

from datetime import date

from onggi.retention.v1 import hold_service_pb2 as api

from chassis.call import Call
from services.retention.hold import Hold
from services.retention.holds import Holds
from services.retention.servicer import digest


class HoldServicer:
    """Servicer of HoldService."""

    def __init__(self, holds: Holds) -> None:
        self._holds = holds

    async def place_hold(self, request: api.PlaceHoldRequest, call: Call) -> api.PlaceHoldResponse:
        """Place a hold."""
        return api.PlaceHoldResponse(hold=self._shown(await self._holds.place(call, digest(call, request), request)))

    async def approve_hold(self, request: api.ApproveHoldRequest, call: Call) -> api.ApproveHoldResponse:
        """Approve a hold."""
        hold = await self._holds.approve(call, digest(call, request), request.hold_id)
        return api.ApproveHoldResponse(hold=self._shown(hold))

    async def review_hold(self, request: api.ReviewHoldRequest, call: Call) -> api.ReviewHoldResponse:
        """Renew a hold's review."""
        hold = await self._holds.review(call, digest(call, request), request.hold_id, request.review_on)
        return api.ReviewHoldResponse(hold=self._shown(hold))

    async def release_hold(self, request: api.ReleaseHoldRequest, call: Call) -> api.ReleaseHoldResponse:
        """Release a hold."""
        hold = await self._holds.release(call, digest(call, request), request.hold_id)
        return api.ReleaseHoldResponse(hold=self._shown(hold))

    async def get_hold(self, request: api.GetHoldRequest, call: Call) -> api.GetHoldResponse:
        """Return one hold."""
        hold = await self._holds.get(request.hold_id)
        call.entry.about([hold.member_id] if hold.member_id else [])
        return api.GetHoldResponse(hold=self._shown(hold))

    async def list_holds(self, request: api.ListHoldsRequest, call: Call) -> api.ListHoldsResponse:
        """Return a page of holds."""
        holds, next_page_token = await self._holds.newest(
            request.page_size, request.page_token, released=request.include_released
        )
        call.entry.about(hold.member_id for hold in holds if hold.member_id)
        return api.ListHoldsResponse(holds=[self._shown(hold) for hold in holds], next_page_token=next_page_token)

    def _shown(self, hold: Hold) -> api.Hold:
        return to_proto(hold, self._holds.today())


def to_proto(hold: Hold, today: date) -> api.Hold:
    """Return the hold as the contract has it, on a Korean day."""
    return api.Hold(
        hold_id=hold.hold_id, authority=hold.authority, document_number=hold.document_number, article=hold.article,
        placed_on=hold.placed_on.isoformat(), review_on=hold.review_on.isoformat(),
        state=api.HoldState.Value(f"HOLD_STATE_{hold.state}"), placed_by=hold.placed_by, approved_by=hold.approved_by,
        released_by=hold.released_by, review_overdue=hold.overdue(today), waiting_for=hold.waiting_for,
        released_on=hold.released_on.isoformat() if hold.released_on else "",
        **{"member_id": hold.member_id} if hold.member_id else {},
        **{"record_id": hold.record_id} if hold.record_id else {},
    )  # fmt: skip
