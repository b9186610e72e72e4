"""Approvals: a second person stands for a reveal of many, before it happens (LG-05).

An approval is for one exact list, in its order, of one caller under one purpose. The list itself is not kept: a digest
under the index key stands for it, and ``ration_reveals`` uses the approval up in the statement that reveals.
"""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from onggi.payment_vault.v1 import detokenization_service_pb2 as reveals
from onggi.payment_vault.v1 import reveal_approval_service_pb2 as api
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.call import Call
from chassis.database import reading
from chassis.errors import AccessDenied, InvalidField, Violation
from chassis.instants import timestamp
from chassis.mutation import Answer, Mutations
from chassis.request_content import content
from chassis.transit import Transit
from services.payment_vault import keys
from services.payment_vault.failures import ApprovalNotFound, SelfApproval
from services.payment_vault.reveals import Approval
from services.payment_vault.tokens import is_token

Items = Sequence[reveals.DetokenizeItem]

_ADD = text("""
INSERT INTO reveal_request (approval_id, requested_by, purpose, digest, tokens, subjects)
VALUES (CAST(:approval_id AS uuid), :requested_by, :purpose, :digest, :tokens, :subjects)
""")
_FIND = text("SELECT * FROM reveal_request WHERE approval_id = CAST(:approval_id AS uuid)")
_LOCK = text("""
SELECT requested_by, digest, approved_by FROM reveal_request
WHERE approval_id = CAST(:approval_id AS uuid) AND used_at IS NULL AND expires_at > transaction_timestamp() FOR UPDATE
""")
_APPROVE = text("UPDATE reveal_request SET approved_by = :by WHERE approval_id = CAST(:approval_id AS uuid)")
_NEWEST = text("""
SELECT * FROM reveal_request WHERE expires_at > transaction_timestamp() ORDER BY requested_at DESC, approval_id LIMIT 200
""")
FORGET = text("DELETE FROM reveal_request WHERE expires_at < transaction_timestamp() - interval '7 days'")
"""Housekeeping: what became of a request stands in the processing log."""


class Approvals:
    """The reveals that were asked for. ``transit``: a login that may use the index key."""

    def __init__(self, engine: AsyncEngine, mutations: Mutations, transit: Transit) -> None:
        self._engine = engine
        self._mutations = mutations
        self._transit = transit

    async def named(self, call: Call, request: reveals.BatchDetokenizeRequest) -> Approval | None:
        """Return the approval that a reveal names, with the digest of the list that the reveal has."""
        if not request.approval_id:
            return None
        [digest] = await self._transit.hmac(keys.INDEX_KEY, [_list(call, request.items)])
        return Approval(request.approval_id, digest)

    async def request(self, call: Call, request: api.RequestRevealRequest) -> api.RevealRequest:
        """Ask for an approval. Raises InvalidField for what is no token, RequestIdReused, and what is unavailable."""
        if junk := [number for number, item in enumerate(request.items) if not is_token(item.token)]:
            raise InvalidField([Violation(f"items[{number}].token", "NOT_A_TOKEN") for number in junk])
        asked, digest = await self._transit.hmac(
            keys.INDEX_KEY, [content(call.method.name, request), _list(call, request.items)]
        )

        async def work(connection: AsyncConnection) -> Answer:
            approval_id = str(uuid4())
            await connection.execute(_ADD, {
                "approval_id": approval_id, "requested_by": call.caller.spiffe_id, "purpose": call.entry.purpose,
                "digest": digest, "tokens": len(request.items), "subjects": len({item.member_id for item in request.items}),
            })  # fmt: skip
            return {"approval_id": approval_id}

        return await self._get((await self._mutations.run(call, asked, work))["approval_id"])

    async def approve(self, call: Call, request: api.ApproveRevealRequest) -> api.RevealRequest:
        """Approve what was reviewed. Whoever is first is the approver; a second person changes nothing.

        Raises ApprovalNotFound, SelfApproval, AccessDenied for an account that is no person's.
        """
        person = person_of(call)
        [digest] = await self._transit.hmac(keys.INDEX_KEY, [content(call.method.name, request)])

        async def work(connection: AsyncConnection) -> Answer:
            key = {"approval_id": request.approval_id}
            found = (await connection.execute(_LOCK, key)).one_or_none()
            if found is None or found.digest != request.digest:
                raise ApprovalNotFound
            if found.requested_by == person:
                raise SelfApproval
            if not found.approved_by:
                await connection.execute(_APPROVE, {**key, "by": person})
            return key

        return await self._get((await self._mutations.run(call, digest, work))["approval_id"])

    async def waiting(self) -> list[api.RevealRequest]:
        """Return the requests that are not over, newest first, at most 200."""
        async with reading(self._engine) as connection:
            return [_message(row) for row in await connection.execute(_NEWEST)]

    async def _get(self, approval_id: str) -> api.RevealRequest:
        async with reading(self._engine) as connection:
            row = (await connection.execute(_FIND, {"approval_id": approval_id})).one_or_none()
        if row is None:
            raise ApprovalNotFound  # a repeated request, of more than a week ago
        return _message(row)


def person_of(call: Call) -> str:
    """Return the SPIFFE id of the person who calls. Raises AccessDenied for an account that is no person's (AC-04)."""
    if call.entry.actor_type != "HUMAN":
        raise AccessDenied
    return call.caller.spiffe_id


def _list(call: Call, items: Items) -> bytes:
    """What an approval is bound to: who, for what, and the list with its lengths, so that no other reads the same."""
    exact = reveals.BatchDetokenizeRequest(items=items).SerializeToString(deterministic=True)
    return b"reveal|" + f"{call.caller.spiffe_id}|{call.entry.purpose}|".encode() + exact


def _message(row: Row[Any]) -> api.RevealRequest:
    return api.RevealRequest(
        approval_id=str(row.approval_id), requested_by=row.requested_by, tokens=row.tokens, subjects=row.subjects,
        digest=row.digest, requested_at=timestamp(row.requested_at), expires_at=timestamp(row.expires_at),
        approved_by=row.approved_by, used=row.used_at is not None, purpose=row.purpose,
    )  # fmt: skip
