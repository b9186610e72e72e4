"""Records about a member's use of the service: log-in records (로그인 기록, R-12).

In SQL stand the member's random id and the day of the event, which the period needs; address, time of day and user agent
are sealed under the day's salt, since the records of a day end together.
"""

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from onggi.identity.v1 import record_service_pb2 as api
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import contract, errors, page
from chassis.call import Call
from chassis.database import DATABASE_ERRORS, DatabaseRefused, Hot
from chassis.erasure_keys import ErasureKeys
from chassis.errors import DomainError, InvalidField, Violation, reason_name
from chassis.instants import instant
from chassis.kst import event_date
from chassis.ledger import INSERT_ROWS
from chassis.mutation import Answer, Mutations
from chassis.request_content import content
from chassis.sealing import Closed, Open, seal, unseal
from chassis.transit import Transit
from services.identity import keys
from services.identity.failures import MemberNotFound

NO_PARTITION = "23514"
_DEFAULT_PAGE = 50
_LATEST = timedelta(days=1)
_OLDEST = date(2000, 1, 1)
_NEWEST = date(9999, 12, 31)

_LIVING = text(
    "SELECT member_id FROM member WHERE member_id = ANY(CAST(:ids AS uuid[])) AND state = 'ACTIVE' FOR SHARE"
)
_OPEN_DAYS = text("SELECT unit FROM erasure_key WHERE unit = ANY(:units) AND wrapped_salt IS NOT NULL FOR SHARE")
_PARTITION = text("SELECT ensure_login_record_partition(:month)")
_ADD = text("""
INSERT INTO login_record (record_id, member_id, event_date, sealed)
SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:members AS uuid[]), CAST(:days AS date[]), CAST(:sealed AS text[]))
""")
_LIST = f"""
WITH data AS MATERIALIZED (
    SELECT r.record_id, r.member_id, r.event_date, r.sealed, k.wrapped_salt FROM login_record AS r
    JOIN erasure_key AS k ON k.unit = 'login:' || r.event_date
    WHERE r.member_id = $2::uuid AND (r.event_date, r.record_id) < ($3::date, $4::uuid)
    ORDER BY r.event_date DESC, r.record_id DESC LIMIT $5),
found AS (
    SELECT member_id::text AS lookup, ARRAY[member_id] AS subjects FROM member
    WHERE member_id = $2::uuid AND state = 'ACTIVE'),
log AS ({INSERT_ROWS})
SELECT data.*, found.lookup FROM found LEFT JOIN data ON true ORDER BY event_date DESC, record_id DESC
"""


class Fresh(NamedTuple):
    """A record that is fit to be added: its new id and its day in Korea."""

    record_id: str
    day: date
    record: api.Record


class Records:
    """Adds and reads records."""

    def __init__(
        self, engine: AsyncEngine, hot: Hot, mutations: Mutations, transit: Transit, erasure_keys: ErasureKeys
    ) -> None:
        self._engine = engine
        self._hot = hot
        self._mutations = mutations
        self._transit = transit
        self._keys = erasure_keys
        self._months: set[date] = set()

    async def append(self, call: Call, request: api.AppendRecordsRequest) -> Sequence[str | DomainError]:
        """Add records; return the id or the error of each. Raises RequestIdReused.

        A record whose day was destroyed already is refused (PERIOD_ENDED): it would outlive its period.
        """
        [digest] = await self._transit.hmac(keys.INDEX_KEY, [content(call.method.name, request)])
        outcome: list[Fresh | DomainError] = [_fresh(record) for record in request.records]
        units = {keys.login_unit(str(item.day)) for item in outcome if isinstance(item, Fresh)}
        salts = await self._keys.ensure(sorted(units))
        outcome = [_in_time(item, salts) for item in outcome]
        fresh = [item for item in outcome if isinstance(item, Fresh)]
        sealed = dict(zip((item.record_id for item in fresh), await self._seal(fresh, salts), strict=True))
        await self._make_partitions({item.day.replace(day=1) for item in fresh})

        async def work(connection: AsyncConnection) -> Answer:
            await self._insert(connection, outcome, sealed)
            return {"ids": [item.record_id if isinstance(item, Fresh) else None for item in outcome]}

        try:
            answer = await self._mutations.run(call, digest, work)
        except DatabaseRefused as error:
            if error.state == NO_PARTITION:  # dropped meanwhile by another process; the retry makes it again
                self._months.clear()
            raise
        return [
            record_id if record_id is not None else _error(item)
            for record_id, item in zip(answer["ids"], outcome, strict=True)
        ]

    async def _insert(
        self, connection: AsyncConnection, outcome: list[Fresh | DomainError], sealed: dict[str, str]
    ) -> None:
        """Add what still may be added, now that members and days are locked; put errors in the place of the others."""
        fresh = [item for item in outcome if isinstance(item, Fresh)]
        members = list({item.record.member_id for item in fresh})
        days = list({keys.login_unit(str(item.day)) for item in fresh})
        living = {str(found) for found in await connection.scalars(_LIVING, {"ids": members})}
        open_days = set(await connection.scalars(_OPEN_DAYS, {"units": days}))
        for index, item in enumerate(outcome):
            if isinstance(item, Fresh) and item.record.member_id not in living:
                outcome[index] = MemberNotFound()
            elif isinstance(item, Fresh) and keys.login_unit(str(item.day)) not in open_days:
                outcome[index] = _period_ended()
        added = [item for item in outcome if isinstance(item, Fresh)]
        await connection.execute(_ADD, {
            "ids": [item.record_id for item in added], "members": [item.record.member_id for item in added],
            "days": [item.day for item in added], "sealed": [sealed[item.record_id] for item in added],
        })  # fmt: skip

    async def list(self, call: Call, request: api.ListRecordsRequest) -> tuple[Sequence[api.Record], str]:
        """Return a page of a member's records, newest day first, and the next page's token. Raises MemberNotFound."""
        size = request.page_size or _DEFAULT_PAGE
        day, record_id = _before(request.page_token)
        call.entry.lookup, call.entry.missing_reason = request.member_id, reason_name(MemberNotFound.reason)
        found = await self._hot.record(_LIST, [call.entry], request.member_id, day, record_id, size + 1)
        if not found:
            raise MemberNotFound
        shown = [row for row in found if row["record_id"] is not None]
        last = shown[size - 1] if len(shown) > size else None
        token = page.token(last["event_date"].isoformat(), str(last["record_id"])) if last else ""
        opened = await self._open(shown[:size])
        return sorted(opened, key=lambda record: record.occurred_at.ToNanoseconds(), reverse=True), token

    async def _seal(self, fresh: Sequence[Fresh], salts: Any) -> Sequence[str]:
        return await seal(self._transit, keys.PII_KEY, [
            Open(salts[keys.login_unit(str(item.day))], keys.login_place(item.record_id), _body(item.record))
            for item in fresh
        ])  # fmt: skip

    async def _open(self, found: Sequence[Any]) -> Sequence[api.Record]:
        salts = await self._keys.unwrap([row["wrapped_salt"] for row in found])
        closed = [
            Closed(salt, keys.login_place(str(row["record_id"])), row["sealed"])
            for salt, row in zip(salts, found, strict=True)
        ]
        opened = await unseal(self._transit, keys.PII_KEY, closed)
        return [_record(row, item) for row, item in zip(found, opened, strict=True)]

    async def _make_partitions(self, months: set[date]) -> None:
        """Make the months' partitions, outside of the transaction that fills them: it must not hold their lock."""
        for month in sorted(months - self._months):
            try:
                async with self._engine.begin() as connection:
                    await connection.execute(_PARTITION, {"month": month})
            except DATABASE_ERRORS:
                raise errors.DatabaseUnavailable from None
            self._months.add(month)


def _fresh(record: api.Record) -> Fresh | DomainError:
    """Check one item: the contract's rules, and a time that has come and is not absurd."""
    if (error := contract.check_item(record)) is not None:
        return error
    try:
        occurred_at = instant(record.occurred_at, "occurred_at")
    except InvalidField as failure:
        return failure
    if occurred_at > datetime.now(UTC) + _LATEST:
        return InvalidField([Violation("occurred_at", "in_the_future")])
    day = event_date(occurred_at)
    if day < _OLDEST:
        return InvalidField([Violation("occurred_at", "too_old")])
    return Fresh(str(uuid.uuid4()), day, record)


def _in_time(item: Fresh | DomainError, salts: Any) -> Fresh | DomainError:
    if isinstance(item, Fresh) and not isinstance(salts[keys.login_unit(str(item.day))], bytes):
        return _period_ended()
    return item


def _period_ended() -> DomainError:
    return InvalidField([Violation("occurred_at", "PERIOD_ENDED")])


def _error(item: Fresh | DomainError) -> DomainError:
    """The error of an item that the first answer to this request_id had refused; the content is the same."""
    return item if isinstance(item, DomainError) else MemberNotFound()


def _body(record: api.Record) -> bytes:
    bare = api.Record(occurred_at=record.occurred_at, login=record.login)
    return bare.SerializeToString()


def _record(row: Any, body: bytes | DomainError) -> api.Record:
    if isinstance(body, DomainError):
        raise body
    record = api.Record.FromString(body)
    record.record_id, record.member_id = str(row["record_id"]), str(row["member_id"])
    return record


def _before(page_token: str) -> tuple[date, str]:
    day, record_id = page.key(page_token, page.day, page.identifier) or (_NEWEST, str(uuid.UUID(int=0)))
    return day, record_id
