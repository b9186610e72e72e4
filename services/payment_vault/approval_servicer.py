"""Between the contract and the domain of approvals: no SQL, no rules."""

from onggi.payment_vault.v1 import reveal_approval_service_pb2 as api

from chassis.call import Call
from chassis.mutation import Mutations
from chassis.transit import Transit
from services.payment_vault import honey
from services.payment_vault.approvals import Approvals


class RevealApprovalServicer:
    """onggi.payment_vault.v1.RevealApprovalService."""

    def __init__(self, approvals: Approvals, mutations: Mutations, transit: Transit) -> None:
        self._approvals = approvals
        self._mutations = mutations
        self._transit = transit

    async def request_reveal(self, request: api.RequestRevealRequest, call: Call) -> api.RequestRevealResponse:
        """Ask for an approval."""
        return api.RequestRevealResponse(reveal=await self._approvals.request(call, request))

    async def approve_reveal(self, request: api.ApproveRevealRequest, call: Call) -> api.ApproveRevealResponse:
        """Approve."""
        return api.ApproveRevealResponse(reveal=await self._approvals.approve(call, request))

    async def list_reveal_requests(
        self, request: api.ListRevealRequestsRequest, call: Call
    ) -> api.ListRevealRequestsResponse:
        """Show what waits."""
        return api.ListRevealRequestsResponse(reveals=await self._approvals.waiting())

    async def mark_honey_token(self, request: api.MarkHoneyTokenRequest, call: Call) -> api.MarkHoneyTokenResponse:
        """Set a trap."""
        await honey.mark(call, request, self._mutations, self._transit)
        return api.MarkHoneyTokenResponse()

    async def lift_suspension(self, request: api.LiftSuspensionRequest, call: Call) -> api.LiftSuspensionResponse:
        """Let a caller reveal again."""
        await honey.lift(call, request, self._mutations, self._transit)
        return api.LiftSuspensionResponse()
