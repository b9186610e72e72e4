"""DeleteToken (R-03: 해지): the row goes at once.

The member's salt stays while the member has other tokens, so a copy of the row in a backup ends with that backup; the
salt dies with the member (architecture: one salt per subject and service).
"""

from onggi.payment_vault.v1 import tokenization_service_pb2 as api
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import holds
from chassis.call import Call
from chassis.mutation import Answer, Mutations
from chassis.request_content import content
from chassis.transit import Transit
from services.payment_vault import keys
from services.payment_vault.failures import TokenNotFound

_DELETE = text("""
DELETE FROM token WHERE token = :token AND member_id = CAST(:member_id AS uuid)
AND (expires_at IS NULL OR expires_at > transaction_timestamp()) RETURNING token
""")


async def delete(call: Call, request: api.DeleteTokenRequest, mutations: Mutations, transit: Transit) -> None:
    """Destroy a token and its number. Raises TokenNotFound, LegallyHeld, RequestIdReused."""
    [digest] = await transit.hmac(keys.INDEX_KEY, [content(call.method.name, request)])

    async def work(connection: AsyncConnection) -> Answer:
        await holds.keep_out_new(connection)
        key = {"token": request.token, "member_id": request.member_id}
        if await connection.scalar(_DELETE, key) is None:
            raise TokenNotFound
        # After that it is there, so that of what is not there nobody learns whether it is held. Raising undoes it.
        if await holds.members(connection, [request.member_id]):
            raise holds.LegallyHeld
        return {}

    await mutations.run(call, digest, work, subject_id=request.member_id)
