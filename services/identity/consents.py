"""Consents (동의): given under the policy version in force, and one day withdrawn, with every basis that stands on them.

A member who has left has no consent any more, but records may still stand under one for their period (제7조). They end
when the former member says so, here and in the archive (법 제37조).
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from onggi.identity.v1 import consent_service_pb2 as api
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import kst, page
from chassis.call import Call
from chassis.database import Hot
from chassis.entry import Entry
from chassis.errors import Violation
from chassis.instants import timestamp
from chassis.ledger import INSERT_ROWS
from chassis.mutation import Answer, Mutations
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.request_content import content
from chassis.transit import Transit
from services.identity import keys, store
from services.identity.failures import ConsentNotFound, ConsentUnknown, MemberNotFound

_PREFIX = "CONSENT_CHANNEL_"
_COLUMNS = "consent_id, member_id, name, policy_version, channel, given_at, withdrawn_at"
# The update changes nothing: it finds the living one, and whoever withdraws it at the same time comes before or after.
_GIVE = text(f"""
INSERT INTO consent (consent_id, member_id, name, policy_version, channel)
VALUES (CAST(:consent_id AS uuid), CAST(:member_id AS uuid), :name, :policy_version, :channel)
ON CONFLICT (member_id, name) WHERE withdrawn_at IS NULL DO UPDATE SET withdrawn_at = consent.withdrawn_at
RETURNING {_COLUMNS}
""")
_WITHDRAW = text(f"""
UPDATE consent SET withdrawn_at = transaction_timestamp(), withdrawn_on = :on
WHERE member_id = CAST(:member_id AS uuid) AND name = :name AND withdrawn_at IS NULL RETURNING {_COLUMNS}
""")
# One that does not cover any more what it did is succeeded by the new one; nothing that stands on it ends.
_SUCCEED = text("""
UPDATE consent SET withdrawn_at = transaction_timestamp(), withdrawn_on = :on
WHERE member_id = CAST(:member_id AS uuid) AND name = :name AND withdrawn_at IS NULL AND policy_version = ANY(:outdated)
""")
_OF_FORMER_MEMBER = text(f"""
SELECT {_COLUMNS} FROM consent AS c WHERE c.member_id = CAST(:member_id AS uuid) AND c.name = :name
AND NOT EXISTS (SELECT 1 FROM member AS m WHERE m.member_id = c.member_id AND m.state = 'ACTIVE')
ORDER BY c.given_at DESC LIMIT 1
""")
_LIST = f"""
WITH data AS MATERIALIZED (SELECT {_COLUMNS} FROM consent WHERE member_id = $2::uuid),
found AS (SELECT member_id::text AS lookup, ARRAY[member_id] AS subjects FROM member
          WHERE member_id = $2::uuid AND state = 'ACTIVE'),
log AS ({INSERT_ROWS})
SELECT data.* FROM found LEFT JOIN data ON true ORDER BY given_at DESC, consent_id
"""
# Each version is read in the order of the index and no further than the page, however many consents there are.
# The one row beyond the page, which tells that there is another, is not shown, so its member is no subject.
_OUTDATED = f"""
WITH data AS MATERIALIZED (
    SELECT one.* FROM unnest($3::text[]) AS given (version) CROSS JOIN LATERAL (
        SELECT {_COLUMNS} FROM consent AS c
        WHERE c.name = $2::text AND c.policy_version = given.version AND c.withdrawn_at IS NULL
        AND c.consent_id > $4::uuid
        AND (SELECT true FROM member AS m WHERE m.member_id = c.member_id AND m.state = 'ACTIVE')
        ORDER BY c.consent_id LIMIT $5::int + 1) AS one
    ORDER BY one.consent_id LIMIT $5::int + 1),
found AS (SELECT $2::text AS lookup, ARRAY(SELECT member_id FROM data ORDER BY consent_id LIMIT $5::int) AS subjects),
log AS ({INSERT_ROWS})
SELECT * FROM data ORDER BY consent_id
"""
_DEFAULT_PAGE = 50
_FIRST = str(uuid.UUID(int=0))


class ArchivedConsents(Protocol):
    """Tells the archive, which this service cannot read, that a former member's consent has ended."""

    async def end_consent(self, member_id: str, categories: Sequence[str], on: date, entry: Entry) -> None:
        """End these bases of all records of the member that are there; may be repeated."""
        ...


class Consents:
    """Reads and changes of consents."""

    def __init__(
        self, hot: Hot, mutations: Mutations, transit: Transit, policy: PrivacyPolicy, archive: ArchivedConsents
    ) -> None:
        self._hot = hot
        self._mutations = mutations
        self._transit = transit
        self._policy = policy
        self._archive = archive

    async def give(self, call: Call, request: api.GiveConsentRequest) -> api.Consent:
        """Note a consent, or return the living one, unless it must be asked for again: then the new one succeeds it.

        Raises ConsentUnknown, MemberNotFound, RequestIdReused.
        """
        if request.consent not in self._policy.purposes.consents:
            raise ConsentUnknown([Violation("consent", "unknown")])
        [digest] = await self._transit.hmac(keys.INDEX_KEY, [content(call.method.name, request)])
        on = kst.today()
        values = {
            "consent_id": str(uuid.uuid4()), "member_id": request.member_id, "name": request.consent,
            "policy_version": self._policy.version_on(on),
            "channel": api.ConsentChannel.Name(request.channel).removeprefix(_PREFIX),
            "on": on, "outdated": self._outdated(request.consent, on),
        }  # fmt: skip

        async def work(connection: AsyncConnection) -> Answer:
            return _answer(await renew(connection, values))

        return _consent(await self._mutations.run(call, digest, work, subject_id=request.member_id))

    def _outdated(self, consent: str, on: date) -> Sequence[str]:
        """The versions before the one in force under which the consent was given for something else than now."""
        in_force = self._policy.version_on(on)
        known = [version.id for version in self._policy.versions.versions]
        before = known[: known.index(in_force)]
        return [version for version in before if consent in self._policy.asked_again(version)]

    async def withdraw(self, call: Call, request: api.WithdrawConsentRequest) -> api.Consent:
        """End a consent, and every basis that stands on it. Raises ConsentNotFound, RequestIdReused."""
        [digest] = await self._transit.hmac(keys.INDEX_KEY, [content(call.method.name, request)])
        categories = self._standing_on(request.consent)
        on = kst.today()
        values = {"member_id": request.member_id, "name": request.consent, "on": on}

        async def work(connection: AsyncConnection) -> Answer:
            await store.hold_member(connection, request.member_id)
            living = (await connection.execute(_WITHDRAW, values)).one_or_none()
            row = living or (await connection.execute(_OF_FORMER_MEMBER, values)).one_or_none()
            if row is None:
                raise ConsentNotFound
            # Nothing moves from here on: each record is in the archive and ended there, or it is here and ended here.
            await store.lock_records(connection, request.member_id)
            if living is None:
                await self._archive.end_consent(request.member_id, categories, on, call.entry)
            await store.end_bases(connection, request.member_id, categories, on)
            return _answer(row)

        return _consent(await self._mutations.run(call, digest, work, subject_id=request.member_id))

    async def list(self, call: Call, member_id: str) -> Sequence[api.Consent]:
        """Return the consents of a member, newest first. Raises MemberNotFound."""
        call.entry.seek(member_id, MemberNotFound)
        found = await self._hot.record(_LIST, [call.entry], member_id)
        if not found:
            raise MemberNotFound
        return [_consent(row) for row in found if row["consent_id"] is not None]

    async def outdated(self, call: Call, request: api.ListOutdatedConsentsRequest) -> tuple[Sequence[api.Consent], str]:
        """Return a page of the living consents given under these versions, by their ids, and the next page's token.

        Raises ConsentUnknown, PageTokenInvalid.
        """
        if request.consent not in self._policy.purposes.consents:
            raise ConsentUnknown([Violation("consent", "unknown")])
        size = request.page_size or _DEFAULT_PAGE
        (after,) = page.key(request.page_token, page.identifier) or (_FIRST,)
        call.entry.lookup = request.consent
        versions = list(request.policy_versions)
        found = await self._hot.record(_OUTDATED, [call.entry], request.consent, versions, after, size)
        token = page.token(str(found[size - 1]["consent_id"])) if len(found) > size else ""
        return [_consent(row) for row in found[:size]], token

    def _standing_on(self, consent: str) -> Sequence[str]:
        categories = self._policy.retention.categories
        return sorted(name for name, category in categories.items() if category.consent == consent)


async def renew(connection: AsyncConnection, values: Mapping[str, object]) -> Row[Any]:
    """Give a consent, in the place of one that is outdated; return what lives. Raises MemberNotFound."""
    if not await store.hold_member(connection, str(values["member_id"])):
        raise MemberNotFound
    await connection.execute(_SUCCEED, values)
    return (await connection.execute(_GIVE, values)).one()


def _answer(row: Row[Any]) -> Answer:
    known = row._asdict()
    moments = {name: known[name].isoformat() for name in ("given_at", "withdrawn_at") if known[name] is not None}
    return {
        **known,
        "consent_id": str(row.consent_id),
        "member_id": str(row.member_id),
        "withdrawn_at": None,
        **moments,
    }


def _consent(row: Any) -> api.Consent:
    withdrawn_at = row["withdrawn_at"]
    return api.Consent(
        consent_id=str(row["consent_id"]), member_id=str(row["member_id"]), consent=row["name"],
        policy_version=row["policy_version"], channel=api.ConsentChannel.Value(_PREFIX + row["channel"]),
        given_at=_timestamp(row["given_at"]),
        withdrawn_at=None if withdrawn_at is None else _timestamp(withdrawn_at),
    )  # fmt: skip


def _timestamp(moment: datetime | str) -> Any:
    return timestamp(datetime.fromisoformat(moment) if isinstance(moment, str) else moment)
