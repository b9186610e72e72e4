"""Records about a member (제1조 ②③, 제7조, 제8조): batches of any kinds, each item with an answer of its own.

What a record stands under is checked by the policy before anything is written, and what may have changed meanwhile - the
member, its consents, the day - once more under lock, in the transaction that writes.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date

from onggi.errors.v1 import error_reason_pb2 as reasons
from onggi.identity.v1 import record_service_pb2 as api
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import kst, page
from chassis.call import Call
from chassis.database import DatabaseRefused, Hot
from chassis.erasure_keys import ErasureKeys
from chassis.errors import DomainError, InvalidField, Violation, item_error
from chassis.mutation import Answer, Mutations
from chassis.policy.calendars import Calendars
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.request_content import content
from chassis.transit import Transit
from services.identity import keys, record_store
from services.identity.failures import ConsentRequired, MemberNotFound
from services.identity.field_records import FieldRecords
from services.identity.log_records import NO_PARTITION, LogRecords
from services.identity.record_intake import Fresh, Intake, period_ended

_DEFAULT_PAGE = 50
_DEFAULT_KIND = "login"
_NEWEST = date(9999, 12, 31)


class Records:
    """Adds and lists records of all kinds."""

    def __init__(
        self, engine: AsyncEngine, hot: Hot, mutations: Mutations, transit: Transit, erasure_keys: ErasureKeys, *,
        policy: PrivacyPolicy,
    ) -> None:  # fmt: skip
        self._mutations = mutations
        self._transit = transit
        self._policy = policy
        self._kinds = policy.retention.records
        self._intake = Intake(policy.retention, Calendars(policy))
        self._fields = FieldRecords(hot, transit, erasure_keys)
        self._logs = {
            name: LogRecords(name, engine, hot, transit, erasure_keys, category=kind.stands_under[0])
            for name, kind in self._kinds.items()
            if kind.kept == "by month"
        }

    async def append(self, call: Call, request: api.AppendRecordsRequest) -> Sequence[str | reasons.ItemError]:
        """Add records; return the id or the error of each. Raises RequestIdReused.

        A record that would outlive its period is refused (PERIOD_ENDED): each of its bases is over, or its day was
        destroyed or is about to be.
        """
        [digest] = await self._transit.hmac(keys.INDEX_KEY, [content(call.method.name, request)])
        today = kst.today()
        version = self._policy.version_on(today)
        taken = [self._intake.take(record, today) for record in request.records]
        fresh = [item for item in taken if isinstance(item, Fresh)]
        bodies = {kind: await logs.seal(_of(kind, fresh), version) for kind, logs in self._logs.items()}
        fields = await self._fields.seal(self._by_field(fresh))

        async def work(connection: AsyncConnection) -> Answer:
            allowed, refused = await _allowed(connection, fresh)
            for kind, logs in self._logs.items():
                wanted = _of(kind, allowed)
                added = await logs.add(connection, wanted, bodies[kind])
                refused |= {item.record_id: period_ended() for item in wanted if item.record_id not in added}
            await self._fields.add(connection, self._by_field(allowed), fields, version)
            return {"results": [_kept(item, refused) for item in taken]}

        try:
            answer = await self._mutations.run(call, digest, work)
        except DatabaseRefused as error:
            if error.state == NO_PARTITION:  # dropped meanwhile by another process; the retry makes it again
                for logs in self._logs.values():
                    logs.forget_partitions()
            raise
        return [item if isinstance(item, str) else reasons.ItemError(**item) for item in answer["results"]]

    async def list(self, call: Call, request: api.ListRecordsRequest) -> tuple[Sequence[api.Record], str]:
        """Return a page of a member's records of one kind, newest day first, and the next page's token.

        Raises MemberNotFound, InvalidField for a kind that the policy does not have.
        """
        kind = request.kind or _DEFAULT_KIND
        if kind not in self._kinds:
            raise InvalidField([Violation("kind", "unknown")])
        size = request.page_size or _DEFAULT_PAGE
        day, record_id = page.key(request.page_token, page.day, page.identifier) or (_NEWEST, str(uuid.UUID(int=0)))
        if (logs := self._logs.get(kind)) is not None:
            return await logs.list(call, request.member_id, (day, record_id), size)
        return await self._fields.list(call, request.member_id, kind, (day, record_id), size)

    def _by_field(self, fresh: Sequence[Fresh]) -> Sequence[Fresh]:
        return [item for item in fresh if item.kind not in self._logs]


async def _allowed(
    connection: AsyncConnection, fresh: Sequence[Fresh]
) -> tuple[Sequence[Fresh], dict[str, DomainError]]:
    """Lock members and consents; return what may be added, and the errors of the others by record id."""
    living = await record_store.lock_living(connection, {item.record.member_id for item in fresh})
    wanted = {(item.record.member_id, name) for item in fresh for name in item.consents}
    given = await record_store.lock_consents(connection, wanted)
    refused: dict[str, DomainError] = {}
    for item in fresh:
        if item.record.member_id not in living:
            refused[item.record_id] = MemberNotFound()
        elif not {(item.record.member_id, name) for name in item.consents} <= given:
            refused[item.record_id] = ConsentRequired()
    return [item for item in fresh if item.record_id not in refused], refused


def _of(kind: str, fresh: Sequence[Fresh]) -> Sequence[Fresh]:
    return [item for item in fresh if item.kind == kind]


def _kept(item: Fresh | DomainError, refused: Mapping[str, DomainError]) -> str | dict[str, str | int]:
    """Return an item's answer as it is kept for a repeated request: a random id, or names of a field and its rule."""
    if isinstance(item, Fresh) and item.record_id not in refused:
        return item.record_id
    error = item_error(refused[item.record_id] if isinstance(item, Fresh) else item)
    return {"code": error.code, "reason": error.reason, "field": error.field, "rule": error.rule}
