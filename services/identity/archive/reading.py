"""Reads of the archive. A purpose is a key: it opens the records that have a basis for it, and of each what this keeps.

A legal hold has a key of its own. Anything else is refused and recorded, with the person whom it was about. What a purpose
does not open is not even fetched, and nothing is decrypted before the log row is durable.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from uuid import UUID

from onggi.identity.v1 import archive_service_pb2 as api
from onggi.identity.v1.record_service_pb2 import Record, Standing

from chassis import errors, page
from chassis.call import Call
from chassis.erasure_keys import ErasureKeys
from chassis.instants import timestamp
from chassis.kst import KST
from chassis.sealing import Closed, unseal
from chassis.transit import Transit
from services.identity import keys as identity_keys
from services.identity.archive import keys
from services.identity.archive.standings import Share, Standings
from services.identity.archive.store import Archived, ArchiveStore, StoredField
from services.identity.failures import RecordNotFound

_DEFAULT_PAGE = 50
_NEWEST = (date(9999, 12, 31), str(UUID(int=0)))


class ArchiveReader:
    """Reads of single records and of a former member's."""

    def __init__(self, store: ArchiveStore, transit: Transit, erasure_keys: ErasureKeys, standings: Standings) -> None:
        self._store = store
        self._transit = transit
        self._keys = erasure_keys
        self._standings = standings

    async def get(self, call: Call, record_id: str) -> Record:
        """Return what the purpose opens of a record. Raises RecordNotFound, PurposeNotAllowed."""
        found = await self._store.find(record_id)
        if found is None:
            raise RecordNotFound
        call.entry.about([found.member_id])
        share = self._share(found, call.entry.purpose)
        if share is None:
            raise errors.PurposeNotAllowed
        call.entry.seek(record_id, RecordNotFound)
        stored = await self._store.values_of_one(call, record_id, {record_id: share.fields})
        if stored is None:
            raise RecordNotFound
        values = await self._open(stored)
        return _record(found, share, values.get(record_id, {}))

    async def list(self, call: Call, request: api.ListArchivedRequest) -> tuple[Sequence[Record], str]:
        """Return a page of what the purpose opens, newest first, and the next page's token. Raises PurposeNotAllowed.

        A page can be shorter than its size where bases have ended and wait for their destruction.
        """
        size = request.page_size or _DEFAULT_PAGE
        before = page.key(request.page_token, page.day, page.identifier) or _NEWEST
        found = await self._page(request.member_id, (before[0], before[1]), call.entry.purpose, size + 1)
        shares = [(record, self._share(record, call.entry.purpose)) for record in found[:size]]
        opened = [(record, share) for record, share in shares if share is not None]
        shown = {record.record_id: share.fields for record, share in opened}
        values = await self._open(await self._store.values_of_many(call, shown))
        records = [_record(record, share, values.get(record.record_id, {})) for record, share in opened]
        last = found[size - 1] if len(found) > size else None
        return records, page.token(last.occurred_on.isoformat(), last.record_id) if last else ""

    async def _page(
        self, member_id: str, before: tuple[date, str], purpose: str, size: int
    ) -> Sequence[Archived]:  # fmt: skip
        if purpose == self._standings.hold_purpose:
            return await self._store.page_held(member_id, before, size)
        if categories := self._standings.of_purpose(purpose):
            return await self._store.page(member_id, before, categories, size)
        raise errors.PurposeNotAllowed

    def _share(self, found: Archived, purpose: str) -> Share | None:
        return self._standings.opened(found.kind, found.bases, found.policy_version, purpose, held=found.held)

    async def _open(self, stored: Sequence[StoredField]) -> Mapping[str, Mapping[str, str]]:
        salts = await self._keys.unwrap([item.wrapped_salt for item in stored])
        places = [identity_keys.field_place(item.record_id, item.field, keys.SERVICE) for item in stored]
        closed = [Closed(salt, place, item.sealed) for salt, place, item in zip(salts, places, stored, strict=True)]
        values: dict[str, dict[str, str]] = {}
        for item, value in zip(stored, await unseal(self._transit, keys.RECORD_KEY, closed), strict=True):
            if not isinstance(value, bytes):
                raise value
            values.setdefault(item.record_id, {})[item.field] = value.decode()
        return values


def _record(found: Archived, share: Share, values: Mapping[str, str]) -> Record:
    """Return the record with the bases that opened it and what they keep; its day as midnight in Korea."""
    record = Record(
        record_id=found.record_id, member_id=found.member_id, policy_version=found.policy_version,
        occurred_at=timestamp(datetime.combine(found.occurred_on, time.min, KST)),
        standings=[
            Standing(
                category=basis.category,
                event_date=basis.event_date.isoformat() if basis.event_date else "",
                ended_on=basis.ended_on.isoformat() if basis.ended_on else "",
            )
            for basis in share.bases
        ],
    )  # fmt: skip
    body = getattr(record, found.kind)
    body.SetInParent()
    for field, value in values.items():
        setattr(body, field, value)
    return record
