"""Reads of members, many calls at once: one statement for rows and log rows, then one batch to open what they seal.

The log row is durable before anything is decrypted; the very statement that looks decides whether it says NOT_FOUND,
or, under a purpose that stands on a consent, CONSENT_REQUIRED: then nobody without that living consent is found.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import asyncpg
from onggi.identity.v1 import member_service_pb2 as api

from chassis import spans
from chassis.batcher import Batcher
from chassis.call import Call
from chassis.database import Hot
from chassis.erasure_keys import ErasureKeys
from chassis.errors import DomainError
from chassis.instants import timestamp
from chassis.ledger import INSERT_ROWS
from chassis.sealing import Closed, unseal
from chassis.transit import Transit
from services.identity import keys, profiles
from services.identity.failures import ConsentRequired, MemberNotFound

_COLUMNS = "m.member_id, m.sealed, m.version, m.registered_at, k.wrapped_salt"
_SALT = "JOIN erasure_key AS k ON k.unit = 'member:' || m.member_id"
# A scalar subquery, since for EXISTS the planner may choose to read all consents; and no bare name, or it may choose to
# read all of that name.
_CONSENT = """(w.consent = '' OR (SELECT true FROM consent AS c
    WHERE c.member_id = m.member_id AND c.name || '' = w.consent AND c.withdrawn_at IS NULL))"""


def _statement(data: str) -> str:
    return f"""
    WITH wanted AS (SELECT DISTINCT * FROM unnest($2::text[], $3::text[], $4::text[]) AS w (lookup, value, consent)),
    data AS MATERIALIZED ({data}),
    found AS (SELECT DISTINCT ON (lookup) lookup, ARRAY[member_id] AS subjects FROM data),
    log AS ({INSERT_ROWS})
    SELECT * FROM data
    """


def _members(condition: str) -> str:
    # LATERAL with an OFFSET is looked up row by row; of a plain join of a small table a plan is made that reads all of it.
    return f"""
    SELECT w.lookup, {_COLUMNS} FROM wanted AS w
    CROSS JOIN LATERAL (SELECT * FROM member WHERE {condition} AND state = 'ACTIVE' OFFSET 0) AS m {_SALT} WHERE {_CONSENT}
    """


BY_ID = _statement(_members("member_id = w.value::uuid"))
BY_INDEX = _statement(
    " UNION ALL ".join(
        _members(f"{column} = w.value")
        for column in ("email_index", "organization_number_index", "business_number_index")
    )
)


class Wanted(NamedTuple):
    """A call that reads a member, by id or by the field and value of an exact look-up; the consent that it needs, or ""."""

    call: Call
    field: str
    value: str
    consent: str


class MemberReader:
    """Two batchers, one by id and one by blind index. ``consent_for``: purpose -> the consent that it stands on, or ""."""

    def __init__(
        self, hot: Hot, transit: Transit, erasure_keys: ErasureKeys, consent_for: Callable[[str], str]
    ) -> None:
        self._hot = hot
        self._transit = transit
        self._keys = erasure_keys
        self._consent_for = consent_for
        self._by_id: Batcher[Wanted, api.Member] = Batcher("members by id", self._flush_by_id)
        self._by_index: Batcher[Wanted, api.Member] = Batcher("members by index", self._flush_by_index)

    async def get(self, call: Call, member_id: str) -> api.Member:
        """Return the member. Raises MemberNotFound, or ConsentRequired under a purpose that stands on a consent."""
        return await self._by_id.submit(self._wanted(call, "", member_id), call.deadline)

    async def find(self, call: Call, field: str, value: str) -> api.Member:
        """Return the member that has exactly this value. Raises MemberNotFound, ConsentRequired, InvalidField."""
        profiles.index_input(field, value)  # a malformed value fails here and alone
        return await self._by_index.submit(self._wanted(call, field, value), call.deadline)

    def _wanted(self, call: Call, field: str, value: str) -> Wanted:
        return Wanted(call, field, value, self._consent_for(call.entry.purpose))

    async def _flush_by_id(self, wanted: Sequence[Wanted]) -> Sequence[api.Member | DomainError]:
        return await self._read(BY_ID, wanted, [item.value for item in wanted])

    async def _flush_by_index(self, wanted: Sequence[Wanted]) -> Sequence[api.Member | DomainError]:
        inputs = [profiles.index_input(item.field, item.value) for item in wanted]
        return await self._read(BY_INDEX, wanted, await self._transit.hmac(keys.INDEX_KEY, inputs))

    async def _read(
        self, statement: str, wanted: Sequence[Wanted], values: Sequence[str]
    ) -> Sequence[api.Member | DomainError]:
        with spans.flush("read members", [item.call.entry for item in wanted]):
            return await self._read_all(statement, wanted, values)

    async def _read_all(
        self, statement: str, wanted: Sequence[Wanted], values: Sequence[str]
    ) -> Sequence[api.Member | DomainError]:
        lookups = [f"{item.consent} {value}" for item, value in zip(wanted, values, strict=True)]
        for item, lookup in zip(wanted, lookups, strict=True):
            item.call.entry.seek(lookup, _missing(item))
        entries, consents = [item.call.entry for item in wanted], [item.consent for item in wanted]
        found = await self._hot.record(statement, entries, lookups, list(values), consents)
        for batcher in (self._by_id, self._by_index):
            batcher.go_on()  # PostgreSQL has done its part
        by_lookup = {row["lookup"]: row for row in found}
        opened = dict(zip(by_lookup, await self._open(list(by_lookup.values())), strict=True))
        return [_copy(opened.get(lookup) or _missing(item)()) for lookup, item in zip(lookups, wanted, strict=True)]

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


def _missing(item: Wanted) -> type[DomainError]:
    """Return what a call hears that finds nobody: whether there is such a person is no affair of a consent's purpose."""
    return ConsentRequired if item.consent else MemberNotFound


def _copy(member_or_error: api.Member | DomainError) -> api.Member | DomainError:
    """Each call masks its own answer in place, so two calls for one member must not share a message."""
    if isinstance(member_or_error, api.Member):
        copy = api.Member()
        copy.CopyFrom(member_or_error)
        return copy
    return member_or_error


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
