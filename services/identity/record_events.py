"""Start events (기산점) of records that somebody has to note, such as the closing of an inquiry."""

from datetime import date

from onggi.identity.v1 import record_service_pb2 as api
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import kst
from chassis.call import Call
from chassis.errors import InvalidField, Violation
from chassis.mutation import Answer, Mutations
from chassis.policy.calendars import Calendars
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.request_content import content
from chassis.transit import Transit
from services.identity import keys, record_store
from services.identity.failures import RecordNotFound
from services.identity.record_bases import RecordBases, wrong_day


class RecordEvents:
    """Notes and corrects the dates of start events."""

    def __init__(self, mutations: Mutations, transit: Transit, policy: PrivacyPolicy) -> None:
        self._mutations = mutations
        self._transit = transit
        self._categories = policy.retention.categories
        self._bases = RecordBases(policy.retention, Calendars(policy))

    async def note(self, call: Call, request: api.NoteEventRequest) -> list[api.Standing]:
        """Note the date of an event; return the bases of the record. Raises RecordNotFound, InvalidField.

        A member that has left has no record here: its bases count from the day it left.
        """
        today = kst.today()
        if rule := wrong_day(request.event_date, today):
            raise InvalidField([Violation("event_date", rule)])
        if request.category not in self._categories:
            raise InvalidField([Violation("category", "NOT_A_BASIS")])
        if not self._bases.can_be_noted(request.category):
            raise InvalidField([Violation("category", "NOT_NOTED")])
        day = date.fromisoformat(request.event_date)
        [digest] = await self._transit.hmac(keys.INDEX_KEY, [content(call.method.name, request)])

        async def work(connection: AsyncConnection) -> Answer:
            if not await record_store.lock_living(connection, [request.member_id]):
                raise RecordNotFound
            record = await record_store.lock_record(connection, request.member_id, request.record_id)
            if record is None:
                raise RecordNotFound
            if day < record.occurred_on:
                raise InvalidField([Violation("event_date", "BEFORE_THE_RECORD")])
            if not await record_store.note_event(connection, request.record_id, request.category, day):
                raise InvalidField([Violation("category", "NOT_A_BASIS")])
            found = await record_store.bases(connection, request.record_id)
            return {"bases": [[str(part or "") for part in basis] for basis in found]}

        answer = await self._mutations.run(call, digest, work, subject_id=request.member_id)
        return [api.Standing(category=name, event_date=event, ended_on=end) for name, event, end in answer["bases"]]
