"""Records that are kept by field: each under a salt of its own, so that it can end with the last basis that keeps it.

In SQL stand the member's random id, the kind, the day and the bases with their event dates, which the periods need;
what is told in the record is sealed.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from itertools import islice
from typing import Any

from onggi.identity.v1 import record_service_pb2 as api
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import page
from chassis.call import Call
from chassis.database import Hot
from chassis.erasure_keys import ErasureKeys
from chassis.errors import DomainError
from chassis.instants import timestamp
from chassis.kst import KST
from chassis.ledger import INSERT_ROWS
from chassis.sealing import Closed, Open, seal, unseal
from chassis.transit import Transit
from services.identity import keys, record_store
from services.identity.failures import MemberNotFound
from services.identity.record_intake import Fresh
from services.identity.record_store import SealedField

# So many salts and fields go to the key service at once; all of a full batch's would keep others waiting.
_SLICE = 1992
_LIST = f"""
WITH data AS MATERIALIZED (
    SELECT record_id, member_id, occurred_on, policy_version FROM record
    WHERE member_id = $2::uuid AND kind = $3 AND state = 'LIVE' AND (occurred_on, record_id) < ($4::date, $5::uuid)
    ORDER BY occurred_on DESC, record_id DESC LIMIT $6),
found AS (
    SELECT member_id::text AS lookup, ARRAY[member_id] AS subjects FROM member
    WHERE member_id = $2::uuid AND state = 'ACTIVE'),
log AS ({INSERT_ROWS})
SELECT data.*, found.lookup,
    (SELECT json_agg(json_build_array(category, event_date, ended_on) ORDER BY category)::text FROM record_basis AS b
     WHERE b.record_id = data.record_id) AS bases,
    (SELECT json_agg(json_build_array(f.field, k.wrapped_salt, f.sealed))::text FROM record_field AS f
     JOIN erasure_key AS k ON k.unit = 'record:' || f.record_id || ':' || f.field
     WHERE f.record_id = data.record_id) AS fields
FROM found LEFT JOIN data ON true ORDER BY occurred_on DESC, record_id DESC
"""


class FieldRecords:
    """Seals, adds and lists records of all kinds that are kept by field."""

    def __init__(self, hot: Hot, transit: Transit, erasure_keys: ErasureKeys) -> None:
        self._hot = hot
        self._transit = transit
        self._keys = erasure_keys

    async def seal(self, fresh: Sequence[Fresh]) -> Mapping[str, Sequence[SealedField]]:
        """Return the sealed fields of records, by record id. Raises KeyServiceUnavailable."""
        plain = iter([(item.record_id, field, text) for item in fresh for field, text in item.fields.items()])
        sealed: dict[str, list[SealedField]] = {}
        while part := list(islice(plain, _SLICE)):
            for field in await self._seal(part):
                sealed.setdefault(field.record_id, []).append(field)
        return sealed

    async def _seal(self, plain: Sequence[tuple[str, str, str]]) -> Sequence[SealedField]:
        salts = await self._keys.make(len(plain))
        ciphertexts = await seal(self._transit, keys.PII_KEY, [
            Open(salt, keys.field_place(record_id, field), value.encode())
            for (salt, _), (record_id, field, value) in zip(salts, plain, strict=True)
        ])  # fmt: skip
        return [
            SealedField(record_id, field, keys.field_unit(record_id, field), wrapped, ciphertext)
            for (record_id, field, _), (_, wrapped), ciphertext in zip(plain, salts, ciphertexts, strict=True)
        ]

    async def add(
        self, connection: AsyncConnection, fresh: Sequence[Fresh], sealed: Mapping[str, Sequence[SealedField]],
        policy_version: str,
    ) -> None:  # fmt: skip
        """Add records with their bases, salts and fields."""
        if not fresh:
            return
        await record_store.add_records(connection, [
            (item.record_id, item.record.member_id, item.kind, item.day, policy_version) for item in fresh
        ])  # fmt: skip
        await record_store.add_bases(connection, [(item.record_id, basis) for item in fresh for basis in item.bases])
        await record_store.add_fields(connection, [field for item in fresh for field in sealed[item.record_id]])

    async def list(
        self, call: Call, member_id: str, kind: str, before: tuple[date, str], size: int
    ) -> tuple[Sequence[api.Record], str]:
        """Return a page of a member's records of a kind, newest day first, and the next token. Raises MemberNotFound."""
        call.entry.seek(member_id, MemberNotFound)
        found = await self._hot.record(_LIST, [call.entry], member_id, kind, *before, size + 1)
        if not found:
            raise MemberNotFound
        shown = [row for row in found if row["record_id"] is not None]
        last = shown[size - 1] if len(shown) > size else None
        token = page.token(last["occurred_on"].isoformat(), str(last["record_id"])) if last else ""
        return await self._open(kind, shown[:size]), token

    async def _open(self, kind: str, rows: Sequence[Any]) -> Sequence[api.Record]:
        stored = [(row["record_id"], *each) for row in rows for each in json.loads(row["fields"] or "[]")]
        salts = await self._keys.unwrap([wrapped for _, _, wrapped, _ in stored])
        closed = [
            Closed(salt, keys.field_place(str(record_id), field), sealed)
            for salt, (record_id, field, _, sealed) in zip(salts, stored, strict=True)
        ]
        opened = await unseal(self._transit, keys.PII_KEY, closed)
        records = {row["record_id"]: _record(row) for row in rows}
        for (record_id, field, _, _), value in zip(stored, opened, strict=True):
            if isinstance(value, DomainError):
                raise value
            setattr(getattr(records[record_id], kind), field, value.decode())
        for record in records.values():
            getattr(record, kind).SetInParent()  # a record of which no field is left is still of its kind
        return list(records.values())


def _record(row: Any) -> api.Record:
    return api.Record(
        record_id=str(row["record_id"]), member_id=str(row["member_id"]), policy_version=row["policy_version"],
        occurred_at=timestamp(datetime.combine(row["occurred_on"], time(), KST)),
        standings=[
            api.Standing(category=category, event_date=event_date or "", ended_on=ended_on or "")
            for category, event_date, ended_on in json.loads(row["bases"] or "[]")
        ],
    )  # fmt: skip
