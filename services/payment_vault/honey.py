"""Honey tokens and the suspensions that follow from them.

A honey token stands for an invented card of an invented member, and nothing shows that it is one. Nobody has a reason to
reveal it, so whoever does has a list of tokens from somewhere else. Marking is a call like any other, under a rule of its
own and in the processing log: nobody needs the database's password to set a trap.
"""

from onggi.payment_vault.v1 import reveal_approval_service_pb2 as api
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.call import Call
from chassis.mutation import Answer, Mutations
from chassis.request_content import content
from chassis.transit import Transit
from services.payment_vault import keys
from services.payment_vault.approvals import person_of
from services.payment_vault.failures import ApprovalNotFound, SelfApproval, TokenNotFound

_MARK = text("""
UPDATE token SET honey = true WHERE token = :token AND member_id = CAST(:member_id AS uuid)
AND (expires_at IS NULL OR expires_at > transaction_timestamp()) RETURNING token
""")
_LIFT = text("DELETE FROM reveal_suspension WHERE caller = :caller RETURNING caller")


async def mark(call: Call, request: api.MarkHoneyTokenRequest, mutations: Mutations, transit: Transit) -> None:
    """Make a token a trap. Raises TokenNotFound, RequestIdReused."""
    [digest] = await transit.hmac(keys.INDEX_KEY, [content(call.method.name, request)])

    async def work(connection: AsyncConnection) -> Answer:
        if await connection.scalar(_MARK, {"token": request.token, "member_id": request.member_id}) is None:
            raise TokenNotFound
        return {}

    await mutations.run(call, digest, work, subject_id=request.member_id)


async def lift(call: Call, request: api.LiftSuspensionRequest, mutations: Mutations, transit: Transit) -> None:
    """Let a suspended caller reveal again. Raises ApprovalNotFound when it is not suspended, SelfApproval, AccessDenied."""
    person = person_of(call)
    if person == request.caller:
        raise SelfApproval
    [digest] = await transit.hmac(keys.INDEX_KEY, [content(call.method.name, request)])

    async def work(connection: AsyncConnection) -> Answer:
        if await connection.scalar(_LIFT, {"caller": request.caller}) is None:
            raise ApprovalNotFound
        return {}

    await mutations.run(call, digest, work)
