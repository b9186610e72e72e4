"""Loads the synthetic institutions through the services, as the portal does: many calls at once.

What it adds up to is known from the institutions themselves, so that later steps can compare.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import uuid4

from google.protobuf.message import Message
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.identity.v1.consent_service_pb2 import ConsentChannel, GiveConsentRequest
from onggi.identity.v1.contact_service_pb2 import AddContactRequest, ContactProfile
from onggi.identity.v1.member_service_pb2 import MemberProfile, RegisterMemberRequest
from onggi.identity.v1.record_kinds_pb2 import LoginRecord
from onggi.identity.v1.record_service_pb2 import AppendRecordsRequest, Record
from onggi.payment_vault.v1.instrument_pb2 import BankAccount, Card, Instrument
from onggi.payment_vault.v1.tokenization_service_pb2 import BatchTokenizeRequest, TokenizeItem

from dev.demo_calls import Answer, Caller
from dev.demo_records import CONSENTS, records
from dev.demo_screen import DemoFailed, Screen
from dev.synthetic import ContactPerson, Institution

_CALLS_AT_ONCE: Final = 16
_RECORDS_A_CALL: Final = 1000
_TOKENS_A_CALL: Final = 100
_MEMBERSHIP: Final = AccessContext(purpose="membership", ticket="DEMO-1")
_BILLING: Final = AccessContext(purpose="billing", ticket="DEMO-1")

Thing = TypeVar("Thing")
Result = TypeVar("Result")
Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, slots=True)
class Loaded:
    """An institution as the services know it.

    `tokens`: its cards' in the order of its cards, then its account's. `records`: kind -> id of the record.
    """

    institution: Institution
    member_id: str
    tokens: tuple[str, ...]
    records: Mapping[str, str]


async def load(portal: Caller, institutions: Sequence[Institution], screen: Screen) -> list[Loaded]:
    """Register every institution with all that it has.

    Raises:
        DemoFailed: a call or an item of a batch was refused.
    """
    with screen.progress() as progress:

        async def all_of(name: str, things: Sequence[Thing], do: Callable[[Thing], Awaitable[Result]]) -> list[Result]:
            task = progress.add_task(name, total=len(things))
            free = asyncio.Semaphore(_CALLS_AT_ONCE)

            async def one(thing: Thing) -> Result:
                async with free:
                    result = await do(thing)
                progress.advance(task)
                return result

            return list(await asyncio.gather(*map(one, things)))

        async def add(pair: tuple[str, ContactPerson]) -> None:
            await _add_contact(portal, *pair)

        async def consent(pair: tuple[str, str]) -> None:
            await give_consent(portal, *pair)

        async def append(batch: Sequence[Record]) -> list[str]:
            return await _append(portal, batch)

        async def tokenize(batch: Sequence[TokenizeItem]) -> list[str]:
            return await _tokenize(portal, batch)

        async def register(institution: Institution) -> str:
            return await _register(portal, institution)

        ids = await all_of("members, each with an Argon2id password", institutions, register)
        members = list(zip(ids, institutions, strict=True))
        await all_of("contacts", [(member, person) for member, each in members for person in each.contacts], add)
        await all_of("consents", [(member, name) for member in ids for name in CONSENTS], consent)
        now = datetime.now(UTC)
        kinds = [(kind, record) for member, each in members for kind, record in records(member, each, now).items()]
        batches = _batches([record for _, record in kinds], _RECORDS_A_CALL)
        appended = await all_of(f"records of other kinds, {_RECORDS_A_CALL} a call", batches, append)
        logins = [record for member, each in members for record in _logins(member, each)]
        await all_of(f"log-ins, {_RECORDS_A_CALL} a call", _batches(logins, _RECORDS_A_CALL), append)
        items = [item for member, each in members for item in _items(member, each)]
        taken = await all_of(f"cards and accounts, {_TOKENS_A_CALL} a call", _batches(items, _TOKENS_A_CALL), tokenize)
    tokens = itertools.chain.from_iterable(taken)
    record_ids = zip(kinds, itertools.chain.from_iterable(appended), strict=True)
    by_member: dict[str, dict[str, str]] = {member: {} for member in ids}
    for (kind, record), record_id in record_ids:
        by_member[record.member_id][kind] = record_id
    return [
        Loaded(each, member, tuple(next(tokens) for _ in _items(member, each)), by_member[member])
        for member, each in members
    ]


async def give_consent(portal: Caller, member_id: str, name: str) -> None:
    """Note a member's consent (동의), given on the website.

    Raises:
        DemoFailed: it was refused.
    """
    request = GiveConsentRequest(
        access=_MEMBERSHIP,
        request_id=str(uuid4()),
        member_id=member_id,
        consent=name,
        channel=ConsentChannel.CONSENT_CHANNEL_WEB,
    )
    _answered("GiveConsent", await portal.call(portal.consents.GiveConsent, request))


async def _register(portal: Caller, institution: Institution) -> str:
    profile = MemberProfile(
        email=institution.email,
        organization_name=institution.organization_name,
        organization_number=institution.organization_number,
        business_registration_number=institution.business_registration_number,
        representative_name=institution.representative_name,
        address=institution.address,
        representative_phone=institution.representative_phone,
    )
    request = RegisterMemberRequest(
        access=_MEMBERSHIP, request_id=str(uuid4()), profile=profile, password=institution.password
    )
    answer = _answered("RegisterMember", await portal.call(portal.members.RegisterMember, request))
    return answer.member.member_id


async def _add_contact(portal: Caller, member_id: str, person: ContactPerson) -> None:
    profile = ContactProfile(name=person.name, mobile_phone=person.mobile_phone, email=person.email)
    request = AddContactRequest(access=_MEMBERSHIP, request_id=str(uuid4()), member_id=member_id, profile=profile)
    _answered("AddContact", await portal.call(portal.contacts.AddContact, request))


async def _append(portal: Caller, batch: Sequence[Record]) -> list[str]:
    request = AppendRecordsRequest(access=_MEMBERSHIP, request_id=str(uuid4()), records=batch)
    response = _answered("AppendRecords", await portal.call(portal.records.AppendRecords, request))
    _all_taken("AppendRecords", response.results)
    return [result.record_id for result in response.results]


async def _tokenize(portal: Caller, items: Sequence[TokenizeItem]) -> list[str]:
    request = BatchTokenizeRequest(access=_BILLING, request_id=str(uuid4()), items=items)
    response = _answered("BatchTokenize", await portal.call(portal.tokens.BatchTokenize, request))
    _all_taken("BatchTokenize", response.results)
    return [result.token.token for result in response.results]


def _logins(member_id: str, institution: Institution) -> Iterable[Record]:
    for login in institution.logins:
        body = LoginRecord(ip_address=login.ip_address, user_agent=login.user_agent)
        record = Record(member_id=member_id, login=body)
        record.occurred_at.FromDatetime(login.occurred_at)
        yield record


def _items(member_id: str, institution: Institution) -> list[TokenizeItem]:
    payer = institution.business_registration_number
    cards = [
        Instrument(card=Card(business_registration_number=payer, number=card.number, expiry=card.expiry))
        for card in institution.cards
    ]
    account = BankAccount(
        bank_code=institution.account.bank_code, business_registration_number=payer, number=institution.account.number
    )
    instruments = [*cards, Instrument(bank_account=account)]
    return [TokenizeItem(member_id=member_id, instrument=instrument) for instrument in instruments]


def _batches(things: Sequence[Thing], size: int) -> list[Sequence[Thing]]:
    return [things[at : at + size] for at in range(0, len(things), size)]


def _answered(rpc: str, answer: Answer[Response]) -> Response:
    if answer.message is None:
        raise DemoFailed(f"{rpc}: {answer}")
    return answer.message


def _all_taken(rpc: str, results: Iterable[Message]) -> None:
    refused = [getattr(result, "error") for result in results if result.HasField("error")]  # noqa: B009 - two types
    if refused:
        raise DemoFailed(f"{rpc}: {len(refused)} items refused, the first with {refused[0].code} {refused[0].rule}")
