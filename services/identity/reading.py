"""Reads of members, many calls at once: one statement for rows and log rows, then one batch to open what they seal.

The log row is durable before anything is decrypted; the very statement that looks decides whether it says NOT_FOUND.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import asyncpg
from onggi.identity.v1 import member_service_pb2 as api

from chassis import spans
from chassis.batcher import Batcher
from chassis.call import Call
from chassis.database import Hot
from chassis.erasure_keys import ErasureKeys
from chassis.errors import DomainError, reason_name
from chassis.instants import timestamp
from chassis.ledger import INSERT_ROWS
from chassis.sealing import Closed, unseal
from chassis.transit import Transit
from services.identity import keys, profiles
from services.identity.failures import MemberNotFound

_COLUMNS = "m.member_id, m.sealed, m.version, m.registered_at, k.wrapped_salt"
_JOIN = "m.state = 'ACTIVE' JOIN erasure_key AS k ON k.unit = 'member:' || m.member_id"


def _statement(data: str) -> str:
    return f"""
    WITH wanted AS (SELECT DISTINCT unnest($2::text[]) AS lookup),
    data AS MATERIALIZED ({data}),
    found AS (SELECT DISTINCT ON (lookup) lookup, ARRAY[member_id] AS subjects FROM data),
    log AS ({INSERT_ROWS})
    SELECT * FROM data
    """


BY_ID = _statement(
    f"SELECT w.lookup, {_COLUMNS} FROM wanted AS w JOIN member AS m ON m.member_id = w.lookup::uuid AND {_JOIN}"
)
BY_INDEX = _statement(
    " UNION ALL ".join(
        f"SELECT w.lookup, {_COLUMNS} FROM wanted AS w JOIN member AS m ON m.{column} = w.lookup AND {_JOIN}"
        for column in ("email_index", "organization_number_index", "business_number_index")
    )
)


class Wanted(NamedTuple):
    """A call that reads a member, by id or by the field and value of an exact look-up."""

    call: Call
    field: str
    value: str


class MemberReader:
    """Two batchers, one by id and one by blind index."""

    def __init__(self, hot: Hot, transit: Transit, erasure_keys: ErasureKeys) -> None:
        self._hot = hot
        self._transit = transit
        self._keys = erasure_keys
        self._by_id: Batcher[Wanted, api.Member] = Batcher("members by id", self._flush_by_id)
        self._by_index: Batcher[Wanted, api.Member] = Batcher("members by index", self._flush_by_index)

    async def get(self, call: Call, member_id: str) -> api.Member:
        """Return the member. Raises MemberNotFound."""
        return await self._by_id.submit(Wanted(call, "", member_id), call.deadline)

    async def find(self, call: Call, field: str, value: str) -> api.Member:
        """Return the member that has exactly this value. Raises MemberNotFound, InvalidField."""
        profiles.index_input(field, value)  # a malformed value fails here and alone
        return await self._by_index.submit(Wanted(call, field, value), call.deadline)

    async def _flush_by_id(self, wanted: Sequence[Wanted]) -> Sequence[api.Member | DomainError]:
        return await self._read(BY_ID, wanted, [item.value for item in wanted])

    async def _flush_by_index(self, wanted: Sequence[Wanted]) -> Sequence[api.Member | DomainError]:
        inputs = [profiles.index_input(item.field, item.value) for item in wanted]
        return await self._read(BY_INDEX, wanted, await self._transit.hmac(keys.INDEX_KEY, inputs))

    async def _read(
        self, statement: str, wanted: Sequence[Wanted], lookups: Sequence[str]
    ) -> Sequence[api.Member | DomainError]:
        with spans.flush("read members", [item.call.entry for item in wanted]):
            return await self._read_all(statement, wanted, lookups)

    async def _read_all(
        self, statement: str, wanted: Sequence[Wanted], lookups: Sequence[str]
    ) -> Sequence[api.Member | DomainError]:
        missing = reason_name(MemberNotFound.reason)
        for item, lookup in zip(wanted, lookups, strict=True):
            item.call.entry.lookup, item.call.entry.missing_reason = lookup, missing
        entries = [item.call.entry for item in wanted]
        found = await self._hot.record(statement, entries, list(lookups))
        by_lookup = {row["lookup"]: row for row in found}
        opened = dict(zip(by_lookup, await self._open(list(by_lookup.values())), strict=True))
        return [_copy(opened.get(lookup)) for lookup in lookups]

    async def _open(self, found: Sequence[asyncpg.Record]) -> list[api.Member | DomainError]:
        salts = await self._keys.unwrap([row["wrapped_salt"] for row in found])
        closed = [
            Closed(salt, keys.member_place(str(row["member_id"])), row["sealed"])
            for salt, row in zip(salts, found, strict=True)
        ]
        plain = await unseal(self._transit, keys.PII_KEY, closed)
        return [member(row, item) if isinstance(item, bytes) else item for row, item in zip(found, plain, strict=True)]

    async def close(self) -> None:
        """Finish what waits."""
        await asyncio.gather(self._by_id.close(), self._by_index.close())


def _copy(member_or_error: api.Member | DomainError | None) -> api.Member | DomainError:
    """Each call masks its own answer in place, so two calls for one member must not share a message."""
    if isinstance(member_or_error, api.Member):
        copy = api.Member()
        copy.CopyFrom(member_or_error)
        return copy
    return member_or_error or MemberNotFound()


def member(row: Any, profile: bytes) -> api.Member:
    """Return the member of a row and its opened profile."""
    return api.Member(
        member_id=str(row["member_id"]),
        profile=api.MemberProfile.FromString(profile),
        registered_at=timestamp(row["registered_at"]),
        etag=etag(row["version"]),
    )


def etag(version: int) -> str:
    """Return the etag of a version."""
    return f"v{version}"
