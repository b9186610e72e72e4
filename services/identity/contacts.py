"""Contacts (담당자) of members: each a data subject of its own, with a salt of its own."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from onggi.identity.v1 import contact_service_pb2 as api
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import errors, holds, page
from chassis.call import Call
from chassis.database import Hot, reading
from chassis.erasure_keys import ErasureKeys
from chassis.errors import reason_name
from chassis.instants import timestamp
from chassis.ledger import INSERT_ROWS
from chassis.mutation import Answer, Mutations
from chassis.request_content import content
from chassis.sealing import Closed, Open, seal, unseal
from chassis.transit import Transit
from services.identity import keys, profiles, store
from services.identity.failures import ContactNotFound, EtagStale, MemberNotFound
from services.identity.reading import etag

_DEFAULT_PAGE = 50
_COLUMNS = "c.contact_id, c.member_id, c.sealed, c.version, c.added_at, k.wrapped_salt"
_LIVING = """
JOIN member AS m ON m.member_id = c.member_id AND m.state = 'ACTIVE'
JOIN erasure_key AS k ON k.unit = 'contact:' || c.contact_id
"""
_GET = f"""
WITH data AS MATERIALIZED (SELECT {_COLUMNS} FROM contact AS c {_LIVING} WHERE c.contact_id = $2::uuid),
found AS (SELECT contact_id::text AS lookup, ARRAY[contact_id, member_id] AS subjects FROM data),
log AS ({INSERT_ROWS})
SELECT * FROM data
"""
_LIST = f"""
WITH data AS MATERIALIZED (
    SELECT {_COLUMNS} FROM contact AS c {_LIVING}
    WHERE c.member_id = $2::uuid AND (c.added_at, c.contact_id) > ($3::timestamptz, $4::uuid)
    ORDER BY c.added_at, c.contact_id LIMIT $5),
found AS (
    SELECT member_id::text AS lookup, ARRAY[member_id] || ARRAY(SELECT contact_id FROM data) AS subjects
    FROM member WHERE member_id = $2::uuid AND state = 'ACTIVE'),
log AS ({INSERT_ROWS})
SELECT data.*, found.lookup FROM found LEFT JOIN data ON true ORDER BY added_at, contact_id
"""
_FIRST = (datetime.fromisoformat("0001-01-02T00:00:00+00:00"), str(uuid.UUID(int=0)))


class Contacts:
    """Reads and changes of contacts."""

    def __init__(
        self, engine: AsyncEngine, hot: Hot, mutations: Mutations, transit: Transit, erasure_keys: ErasureKeys
    ) -> None:
        self._engine = engine
        self._hot = hot
        self._mutations = mutations
        self._transit = transit
        self._keys = erasure_keys

    async def get(self, call: Call, contact_id: str) -> api.Contact:
        """Return a contact. Raises ContactNotFound."""
        call.entry.lookup, call.entry.missing_reason = contact_id, reason_name(ContactNotFound.reason)
        found = await self._hot.record(_GET, [call.entry], contact_id)
        if not found:
            raise ContactNotFound
        return (await self._open(found))[0]

    async def list(self, call: Call, request: api.ListContactsRequest) -> tuple[Sequence[api.Contact], str]:
        """Return a page of a member's contacts, oldest first, and the next page's token. Raises MemberNotFound."""
        size = request.page_size or _DEFAULT_PAGE
        added_at, contact_id = page.key(request.page_token, page.moment, page.identifier) or _FIRST
        call.entry.lookup, call.entry.missing_reason = request.member_id, reason_name(MemberNotFound.reason)
        found = await self._hot.record(_LIST, [call.entry], request.member_id, added_at, contact_id, size + 1)
        if not found:
            raise MemberNotFound
        shown = [row for row in found if row["contact_id"] is not None]
        last = shown[size - 1] if len(shown) > size else None
        token = page.token(last["added_at"].isoformat(), str(last["contact_id"])) if last else ""
        return await self._open(shown[:size]), token

    async def add(self, call: Call, request: api.AddContactRequest) -> api.Contact:
        """Add a contact. Raises MemberNotFound, InvalidField, RequestIdReused."""
        profiles.normalise_contact(request.profile)
        contact_id = str(uuid.uuid4())
        [digest] = await self._transit.hmac(keys.INDEX_KEY, [content(call.method.name, request)])
        [(salt, wrapped)] = await self._keys.make(1)
        [sealed] = await self._seal(contact_id, salt, request.profile)

        async def work(connection: AsyncConnection) -> Answer:
            if not await store.lock_member(connection, request.member_id):
                raise MemberNotFound
            await store.add_salt(connection, keys.contact_unit(contact_id), wrapped)
            row = await store.add_contact(
                connection, {"contact_id": contact_id, "member_id": request.member_id, "sealed": sealed}
            )
            return {"contact_id": contact_id, "added_at": row.added_at.isoformat(), "version": 1}

        answer = await self._mutations.run(call, digest, work, subject_id=contact_id)
        row = {**answer, "member_id": request.member_id, "added_at": datetime.fromisoformat(answer["added_at"])}
        return contact(row, request.profile.SerializeToString())

    async def update(self, call: Call, request: api.UpdateContactRequest) -> api.Contact:
        """Change the named fields. Raises ContactNotFound, EtagStale, InvalidField, RequestIdReused."""
        given = content(call.method.name, request)
        row, salt, profile = await self._read(request.contact_id)
        profiles.merge(profile, request.profile, request.update_mask.paths)
        profiles.normalise_contact(profile)
        [digest] = await self._transit.hmac(keys.INDEX_KEY, [given])
        [sealed] = await self._seal(request.contact_id, salt, profile)
        call.entry.about([str(row.member_id)])

        async def work(connection: AsyncConnection) -> Answer:
            values = {"contact_id": request.contact_id, "version": row.version, "sealed": sealed}
            version = None
            if etag(row.version) == request.etag and await store.lock_member(connection, str(row.member_id)):
                version = await store.update_contact(connection, values)
            if version is None:
                raise EtagStale
            return {"version": version}

        answer = await self._mutations.run(call, digest, work, subject_id=request.contact_id)
        return contact({**row._asdict(), **answer}, profile.SerializeToString())

    async def remove(self, call: Call, request: api.RemoveContactRequest) -> None:
        """Destroy a contact, salt first. Raises ContactNotFound, LegallyHeld, RequestIdReused."""
        [digest] = await self._transit.hmac(keys.INDEX_KEY, [content(call.method.name, request)])

        async def work(connection: AsyncConnection) -> Answer:
            await holds.keep_out_new(connection)
            member_id = await store.lock_contact(connection, request.contact_id)
            if member_id is None:
                raise ContactNotFound
            if await holds.members(connection, [member_id]) or await holds.records(connection, [request.contact_id]):
                raise holds.LegallyHeld
            await store.destroy_salts(connection, [keys.contact_unit(request.contact_id)])
            await store.remove_contact(connection, request.contact_id)
            return {}

        await self._mutations.run(call, digest, work, subject_id=request.contact_id)
        self._keys.forget([keys.contact_unit(request.contact_id)])

    async def _read(self, contact_id: str) -> tuple[Row[Any], bytes, api.ContactProfile]:
        async with reading(self._engine) as connection:
            row = await store.contact(connection, contact_id)
        if row is None:
            raise ContactNotFound
        [salt] = await self._keys.unwrap([row.wrapped_salt])
        place = keys.contact_place(contact_id)
        [profile] = await unseal(self._transit, keys.PII_KEY, [Closed(salt, place, row.sealed)])
        if not isinstance(profile, bytes) or not isinstance(salt, bytes):
            raise errors.SealBroken
        return row, salt, api.ContactProfile.FromString(profile)

    async def _seal(self, contact_id: str, salt: bytes, profile: api.ContactProfile) -> Sequence[str]:
        item = Open(salt, keys.contact_place(contact_id), profile.SerializeToString())
        return await seal(self._transit, keys.PII_KEY, [item])

    async def _open(self, found: Sequence[Any]) -> Sequence[api.Contact]:
        salts = await self._keys.unwrap([row["wrapped_salt"] for row in found])
        closed = [
            Closed(salt, keys.contact_place(str(row["contact_id"])), row["sealed"])
            for salt, row in zip(salts, found, strict=True)
        ]
        opened = await unseal(self._transit, keys.PII_KEY, closed)
        return [contact(row, _whole(item)) for row, item in zip(found, opened, strict=True)]


def contact(row: Any, profile: bytes) -> api.Contact:
    """Return the contact of a row and its opened profile."""
    return api.Contact(
        contact_id=str(row["contact_id"]), member_id=str(row["member_id"]), added_at=timestamp(row["added_at"]),
        profile=api.ContactProfile.FromString(profile), etag=etag(row["version"]),
    )  # fmt: skip


def _whole(item: bytes | errors.DomainError) -> bytes:
    if isinstance(item, bytes):
        return item
    raise item
