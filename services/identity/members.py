"""Members: registration and change. Each is one transaction with its log row; Vault is asked before it begins."""

import uuid
from datetime import datetime
from typing import Any

from onggi.identity.v1 import member_service_pb2 as api
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import errors
from chassis.call import Call
from chassis.database import UNIQUE_VIOLATION, DatabaseRefused, reading
from chassis.erasure_keys import ErasureKeys
from chassis.errors import Violation
from chassis.mutation import Answer, Mutations, Work
from chassis.request_content import content
from chassis.sealing import Closed, Open, seal, unseal
from chassis.transit import Transit
from services.identity import keys, profiles, store
from services.identity.failures import AlreadyRegistered, EtagStale, MemberNotFound
from services.identity.passwords import hash_password
from services.identity.reading import etag, member

MIN_PASSWORD = 12  # as the contract asks of RegisterMember
PASSWORD = "password"  # noqa: S105  # the name of a field


class Members:
    """The changes of members."""

    def __init__(self, engine: AsyncEngine, mutations: Mutations, transit: Transit, erasure_keys: ErasureKeys) -> None:
        self._engine = engine
        self._mutations = mutations
        self._transit = transit
        self._keys = erasure_keys

    async def register(self, call: Call, request: api.RegisterMemberRequest) -> api.Member:
        """Add a member. Raises InvalidField, AlreadyRegistered, RequestIdReused."""
        profiles.normalise_member(request.profile)
        member_id = str(uuid.uuid4())
        *indexes, digest = await self._transit.hmac(
            keys.INDEX_KEY, [*profiles.index_inputs(request.profile), content(call.method.name, request)]
        )
        [(salt, wrapped)] = await self._keys.make(1)
        password = await hash_password(request.password)
        sealed, sealed_password = await self._seal(member_id, salt, request.profile, password)

        async def work(connection: AsyncConnection) -> Answer:
            await store.add_salt(connection, keys.member_unit(member_id), wrapped)
            row = await store.add_member(connection, {
                "member_id": member_id, "sealed": sealed, "sealed_password": sealed_password,
                **dict(zip(profiles.INDEXES, indexes, strict=True)),
            })  # fmt: skip
            return {"member_id": member_id, "version": row.version, "registered_at": row.registered_at.isoformat()}

        answer = await self._change(call, digest, work, member_id)
        return member(_row(answer), request.profile.SerializeToString())

    async def update(self, call: Call, request: api.UpdateMemberRequest) -> api.Member:
        """Change the named fields. Raises MemberNotFound, EtagStale, InvalidField, AlreadyRegistered, RequestIdReused."""
        paths = set(request.update_mask.paths)
        given = content(call.method.name, request)
        row, salt, profile = await self._read(request.member_id)
        profiles.merge(profile, request.profile, paths - {PASSWORD})
        profiles.normalise_member(profile)
        password = await _new_password(request, paths)
        *indexes, digest = await self._transit.hmac(keys.INDEX_KEY, [*profiles.index_inputs(profile), given])
        sealed, *sealed_password = await self._seal(request.member_id, salt, profile, password)

        async def work(connection: AsyncConnection) -> Answer:
            if etag(row.version) != request.etag:
                raise EtagStale
            version = await store.update_member(connection, {
                "member_id": request.member_id, "version": row.version, "sealed": sealed,
                "sealed_password": sealed_password[0] if sealed_password else None,
                **dict(zip(profiles.INDEXES, indexes, strict=True)),
            })  # fmt: skip
            if version is None:
                raise EtagStale
            return {"member_id": request.member_id, "version": version, "registered_at": row.registered_at.isoformat()}

        answer = await self._change(call, digest, work, request.member_id)
        return member(_row(answer), profile.SerializeToString())

    async def _change(self, call: Call, digest: str, work: Work, member_id: str) -> Answer:
        try:
            return await self._mutations.run(call, digest, work, subject_id=member_id)
        except DatabaseRefused as error:
            if error.state == UNIQUE_VIOLATION and error.constraint.startswith("member_"):
                raise AlreadyRegistered from None
            raise

    async def _read(self, member_id: str) -> tuple[Row[Any], bytes, api.MemberProfile]:
        async with reading(self._engine) as connection:
            row = await store.member(connection, member_id)
        if row is None:
            raise MemberNotFound
        [salt] = await self._keys.unwrap([row.wrapped_salt])
        [profile] = await unseal(self._transit, keys.PII_KEY, [Closed(salt, keys.member_place(member_id), row.sealed)])
        if not isinstance(profile, bytes) or not isinstance(salt, bytes):
            raise errors.SealBroken
        return row, salt, api.MemberProfile.FromString(profile)

    async def _seal(self, member_id: str, salt: bytes, profile: api.MemberProfile, password: bytes | None) -> list[str]:
        items = [Open(salt, keys.member_place(member_id), profile.SerializeToString())]
        if password is not None:
            items.append(Open(salt, keys.member_place(member_id, PASSWORD), password))
        return await seal(self._transit, keys.PII_KEY, items)


async def _new_password(request: api.UpdateMemberRequest, paths: set[str]) -> bytes | None:
    if PASSWORD not in paths:
        return None
    if len(request.password) < MIN_PASSWORD:
        raise errors.InvalidField([Violation(PASSWORD, "string.min_len")])
    return await hash_password(request.password)


def _row(answer: Answer) -> dict[str, Any]:
    return {**answer, "registered_at": datetime.fromisoformat(answer["registered_at"])}
