"""What identity, or the archive, keeps of a member or of one record: each basis with its start event and its items.

No value is read. Ends are not told here: they follow from the policy, whoever asks computes them.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from onggi.identity.v1 import contact_service_pb2, member_service_pb2, record_kinds_pb2
from onggi.options.v1 import options_pb2 as options
from onggi.purge.v1 import purge_service_pb2 as api
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.holds import Standing
from chassis.kept import Key, Part, hold_entry
from chassis.kst import event_date
from chassis.policy.privacy_policy import PrivacyPolicy

Found = AsyncIterator[api.Kept]

MEMBER, CONSENT = "R-01", "R-15"
# Kind -> its table: kept by month, so that a whole day of them ends at once.
LOG_LIKE = {"login": "login_record", "usage": "usage_record"}

_MESSAGES = {
    name: descriptor
    for module in (member_service_pb2, contact_service_pb2, record_kinds_pb2)
    for name, descriptor in module.DESCRIPTOR.message_types_by_name.items()
}
# Records in their order first, and of each its bases, so that no more of them are looked at than are returned.
_RECORDS = """
SELECT r.kind, r.record_id, r.member_id, r.policy_version, b.category, b.event_date, b.ended_on,
       ARRAY(SELECT f.field FROM record_field AS f WHERE f.record_id = r.record_id) AS fields
FROM (SELECT kind COLLATE "C" AS kind, record_id, member_id, policy_version FROM record
      WHERE {key} = CAST(:id AS uuid) AND (kind COLLATE "C", record_id) >= (:kind, CAST(:record_id AS uuid))
      ORDER BY kind COLLATE "C", record_id) AS r
CROSS JOIN LATERAL (SELECT category COLLATE "C" AS category, event_date, ended_on FROM record_basis AS b
                    WHERE b.record_id = r.record_id) AS b
WHERE (r.kind, r.record_id, b.category) > (:kind, CAST(:record_id AS uuid), :category)
ORDER BY r.kind, r.record_id, b.category LIMIT CAST(:size AS bigint)
"""
_FIRST_ID = str(UUID(int=0))
_DAYS = "SELECT DISTINCT event_date, member_id FROM {table} WHERE {key} = CAST(:id AS uuid) ORDER BY event_date"
_HELD_LOG_LIKE = """
SELECT DISTINCT r.record_id, r.event_date FROM {table} AS r JOIN legal_hold AS h ON h.record_id = r.record_id
WHERE r.member_id = CAST(:id AS uuid)
"""
_MEMBER = text("SELECT registered_at, withdrawn_on FROM member WHERE member_id = CAST(:id AS uuid)")
_CONTACTS = """
SELECT c.contact_id, c.member_id, c.added_at, m.withdrawn_on FROM contact AS c JOIN member AS m ON m.member_id = c.member_id
WHERE c.{key} = CAST(:id AS uuid) ORDER BY c.contact_id
"""
_CONSENTS = """
SELECT consent_id, member_id, policy_version, withdrawn_on FROM consent WHERE {key} = CAST(:id AS uuid) ORDER BY consent_id
"""


class KeptRecords:
    """What one of the two databases keeps. ``holder``: "identity" or "archive", which has records by field alone."""

    def __init__(self, policy: PrivacyPolicy, holder: str = "identity") -> None:
        self._policy = policy
        self._holder = holder
        self._items = dict(_items(policy))
        self._there: dict[tuple[str, str, frozenset[str]], Sequence[str]] = {}

    async def kept(
        self, connection: AsyncConnection, member_id: str | None, record_id: str | None, part: Part | None = None
    ) -> Sequence[api.Kept]:
        """Return one entry for each basis of what is kept of the member, or of the one record; log-like kinds by day.

        And one for each legal hold on a thing; on log-like days of a member, one a kind.
        With ``part`` of records, of which there can be many, that part alone.
        """
        holds = await Standing.read(connection)
        found = [item async for item in self._records(connection, member_id, record_id, part, holds)]
        if self._holder == "identity":
            others = [item async for item in self._log_like(connection, member_id, record_id)]
            others += [item async for item in self._people(connection, member_id, record_id)]
            others += [item async for item in self._consents(connection, member_id, record_id)]
            found += [*others, *_held(others, member_id, holds)]
            found += [item async for item in self._held_log_like(connection, member_id, holds)]
        return found

    async def _records(
        self, connection: AsyncConnection, member_id: str | None, record_id: str | None, part: Part | None,
        holds: Standing,
    ) -> Found:  # fmt: skip
        after, size = part or (Key(), None)
        values = {
            "id": member_id or record_id, "kind": after.kind, "record_id": after.record_id or _FIRST_ID,
            "category": after.category, "size": size,
        }  # fmt: skip
        told = None
        # Row by row from a cursor: a member can have very many, and others' calls are answered meanwhile.
        async for row in await connection.stream(text(_RECORDS.format(key=_key(member_id))), values):
            message = self._policy.retention.records[row.kind].message
            if row.record_id != told:
                told = row.record_id
                for hold in holds.of(str(row.member_id), str(row.record_id)):
                    items = self._items_there("", message, frozenset(row.fields))
                    entry = hold_entry(hold, row.kind, str(row.record_id), items, row.policy_version)
                    entry.member_id = _owner(row, record_id)
                    yield entry
            yield api.Kept(
                kind=row.kind, record_id=str(row.record_id), category=row.category, event_date=_day(row.event_date),
                ended_on=_day(row.ended_on), policy_version=row.policy_version,
                items=self._items_there(row.category, message, frozenset(row.fields)), member_id=_owner(row, record_id),
            )  # fmt: skip

    async def _log_like(self, connection: AsyncConnection, member_id: str | None, record_id: str | None) -> Found:
        for kind, table in LOG_LIKE.items():
            known = self._policy.retention.records[kind]
            [category] = known.stands_under
            statement = text(_DAYS.format(table=table, key=_key(member_id)))
            for row in await connection.execute(statement, {"id": member_id or record_id}):
                yield api.Kept(
                    kind=kind, record_id=record_id or "", category=category, event_date=_day(row.event_date),
                    items=self._items_of(category, [known.message]),
                    policy_version=self._policy.version_on(row.event_date), member_id=_owner(row, record_id),
                )  # fmt: skip

    async def _held_log_like(self, connection: AsyncConnection, member_id: str | None, holds: Standing) -> Found:
        """Tell the holds on single records of a member: the days that they are of say nothing of them."""
        for kind, table in LOG_LIKE.items() if member_id is not None else ():
            for row in await connection.execute(text(_HELD_LOG_LIKE.format(table=table)), {"id": member_id}):
                items = self._items_of("", [self._policy.retention.records[kind].message])
                version = self._policy.version_on(row.event_date)
                for hold in holds.of("", str(row.record_id)):
                    yield hold_entry(hold, kind, str(row.record_id), items, version)

    async def _people(self, connection: AsyncConnection, member_id: str | None, record_id: str | None) -> Found:
        if member_id is not None:
            for row in await connection.execute(_MEMBER, {"id": member_id}):
                items = self._items_of(MEMBER, ["MemberProfile", "RegisterMemberRequest"])
                yield self._person("member", member_id, row.registered_at, row.withdrawn_on, items)
        statement = text(_CONTACTS.format(key=_key(member_id, "contact_id")))
        for row in await connection.execute(statement, {"id": member_id or record_id}):
            items = self._items_of(MEMBER, ["ContactProfile"])
            contact = self._person("contact", str(row.contact_id), row.added_at, row.withdrawn_on, items)
            contact.member_id = _owner(row, record_id)
            yield contact

    def _person(
        self, kind: str, person: str, since: datetime, withdrawn_on: date | None, items: Sequence[str]
    ) -> api.Kept:
        return api.Kept(
            kind=kind, record_id=person, category=MEMBER, event_date=_day(withdrawn_on), items=items,
            policy_version=self._policy.version_on(event_date(since)),
        )  # fmt: skip

    async def _consents(self, connection: AsyncConnection, member_id: str | None, record_id: str | None) -> Found:
        statement = text(_CONSENTS.format(key=_key(member_id, "consent_id")))
        for row in await connection.execute(statement, {"id": member_id or record_id}):
            yield api.Kept(
                kind="consent", record_id=str(row.consent_id), category=CONSENT, event_date=_day(row.withdrawn_on),
                policy_version=row.policy_version, member_id=_owner(row, record_id),
            )  # fmt: skip

    def _items_there(self, category: str, message: str, fields: frozenset[str]) -> Sequence[str]:
        """Worked out once for all records with the same fields. ``category``: "" for what any category keeps."""
        key = (category, message, fields)
        if key not in self._there:
            self._there[key] = self._items_of(category, [message], fields)
        return self._there[key]

    def _items_of(self, category: str, messages: Sequence[str], fields: Collection[str] | None = None) -> list[str]:
        categories = [category] if category else self._policy.retention.categories
        return sorted({
            item
            for message in messages
            for name in categories
            for field, item in self._items.get((name, message), {}).items()
            if fields is None or field in fields
        })  # fmt: skip


def _items(policy: PrivacyPolicy) -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    """Yield ((category, message), field -> item) for what the categories keep of this service's messages."""
    for name, category in policy.retention.categories.items():
        for message, descriptor in _MESSAGES.items():
            paths = [path.partition(".") for path in category.keeps]
            fields = [descriptor.fields_by_name[field] for of, _, field in paths if of == message]
            if fields:
                yield (
                    (name, message),
                    {field.name: field.GetOptions().Extensions[options.personal].item for field in fields},
                )


def _held(told: Sequence[api.Kept], member_id: str | None, holds: Standing) -> Iterator[api.Kept]:
    """Yield the holds on the things that these entries are of, each with all items of the thing."""
    ordered = sorted(told, key=_thing)
    for (kind, record_id), entries in groupby(ordered, key=_thing):
        of_thing = list(entries)
        items = {item for entry in of_thing for item in entry.items}
        for hold in holds.of(member_id or of_thing[0].member_id, record_id):
            entry = hold_entry(hold, kind, record_id, items, of_thing[0].policy_version)
            entry.member_id = of_thing[0].member_id
            yield entry


def _thing(entry: api.Kept) -> tuple[str, str]:
    return entry.kind, entry.record_id


def _key(member_id: str | None, own: str = "record_id") -> str:
    return own if member_id is None else "member_id"


def _day(day: date | None) -> str:
    return day.isoformat() if day is not None else ""


def _owner(row: Any, record_id: str | None) -> str:
    """Whose it is, where that was not given."""
    return str(row.member_id) if record_id is not None else ""
