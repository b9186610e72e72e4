"""A member leaves (회원탈퇴): consents end, open start events come, and the answer lists what is kept all the same.

All of it is one transaction. The list names random ids, items and articles and no value, so it is kept with the request:
asked again when identity cannot read any more what has moved to the archive, it is the same. It goes with the member, at the
next plan for R-01; from then on there is no such member here, and ExplainRetention tells what is kept.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from onggi.identity.v1 import member_service_pb2 as api
from onggi.purge.v1.purge_service_pb2 import Kept
from onggi.retention.v1.kept_item_pb2 import KeptItem
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import holds, kst
from chassis.call import Call
from chassis.mutation import Answer, Mutations
from chassis.policy.calendars import Calendars
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.request_content import content
from chassis.transit import Transit
from services.identity import keys, store
from services.identity.failures import MemberNotFound
from services.identity.kept import KeptRecords
from services.identity.kept_items import KeptItems
from services.identity.maxima import Leaving


class Withdrawals:
    """The end of memberships. ``left`` is called once a withdrawal is durable: what only laws keep may move."""

    def __init__(
        self, mutations: Mutations, transit: Transit, policy: PrivacyPolicy, left: Callable[[], object]
    ) -> None:
        self._mutations = mutations
        self._transit = transit
        self._keeper = KeptRecords(policy)
        self._told = KeptItems(policy)
        self._maxima = Leaving(policy.retention, Calendars(policy))
        self._left = left

    async def withdraw(self, call: Call, request: api.WithdrawMemberRequest) -> tuple[str, Sequence[KeptItem]]:
        """End the membership; return the date in Korea and what is kept.

        Raises MemberNotFound, RequestIdReused, PolicyIncomplete.
        """
        [digest] = await self._transit.hmac(keys.INDEX_KEY, [content(call.method.name, request)])
        on = kst.today()

        async def work(connection: AsyncConnection) -> Answer:
            await holds.keep_out_new(connection)  # what the answer says of them is true while it is made
            if not await store.withdraw(connection, request.member_id, on):
                raise MemberNotFound
            await store.end_consents(connection, request.member_id, on)
            await store.leave_records(connection, request.member_id, on)
            await self._maxima.note(connection, request.member_id, on)
            kept = await self._keeper.kept(connection, request.member_id, None)
            articles = (await holds.Standing.read(connection)).articles
            # In a thread: of a member with very many records it takes seconds, and others' calls are answered meanwhile.
            told = await asyncio.to_thread(self._tell, on, kept, articles)
            return {"withdrawn_on": on.isoformat(), "kept": told}

        answer = await self._mutations.run(call, digest, work, subject_id=request.member_id)
        self._left()
        return str(answer["withdrawn_on"]), [ParseDict(item, KeptItem()) for item in answer.get("kept", ())]

    def _tell(self, on: date, kept: Sequence[Kept], articles: Mapping[str, str]) -> list[dict[str, Any]]:
        told = self._told.beyond(on, kept, articles)
        return [MessageToDict(item, preserving_proto_field_name=True) for item in told]
