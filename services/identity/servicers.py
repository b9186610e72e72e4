"""Between the contract and the domain: no SQL, no rules."""

from onggi.identity.v1 import consent_service_pb2 as consent_api
from onggi.identity.v1 import contact_service_pb2 as contact_api
from onggi.identity.v1 import member_service_pb2 as member_api
from onggi.identity.v1 import record_service_pb2 as record_api

from chassis.call import Call
from services.identity.consents import Consents
from services.identity.contacts import Contacts
from services.identity.members import Members
from services.identity.reading import MemberReader
from services.identity.record_events import RecordEvents
from services.identity.records import Records
from services.identity.withdrawal import Withdrawals


class MemberServicer:
    """onggi.identity.v1.MemberService."""

    def __init__(self, members: Members, reader: MemberReader, withdrawals: Withdrawals) -> None:
        self._members = members
        self._reader = reader
        self._withdrawals = withdrawals

    async def register_member(
        self, request: member_api.RegisterMemberRequest, call: Call
    ) -> member_api.RegisterMemberResponse:
        return member_api.RegisterMemberResponse(member=await self._members.register(call, request))

    async def get_member(self, request: member_api.GetMemberRequest, call: Call) -> member_api.GetMemberResponse:
        return member_api.GetMemberResponse(member=await self._reader.get(call, request.member_id))

    async def find_member(self, request: member_api.FindMemberRequest, call: Call) -> member_api.FindMemberResponse:
        field = request.WhichOneof("key") or ""
        return member_api.FindMemberResponse(member=await self._reader.find(call, field, getattr(request, field)))

    async def update_member(
        self, request: member_api.UpdateMemberRequest, call: Call
    ) -> member_api.UpdateMemberResponse:
        return member_api.UpdateMemberResponse(member=await self._members.update(call, request))

    async def withdraw_member(
        self, request: member_api.WithdrawMemberRequest, call: Call
    ) -> member_api.WithdrawMemberResponse:
        withdrawn_on, kept = await self._withdrawals.withdraw(call, request)
        return member_api.WithdrawMemberResponse(withdrawn_on=withdrawn_on, kept=kept)


class ConsentServicer:
    """onggi.identity.v1.ConsentService."""

    def __init__(self, consents: Consents) -> None:
        self._consents = consents

    async def give_consent(
        self, request: consent_api.GiveConsentRequest, call: Call
    ) -> consent_api.GiveConsentResponse:
        return consent_api.GiveConsentResponse(consent=await self._consents.give(call, request))

    async def withdraw_consent(
        self, request: consent_api.WithdrawConsentRequest, call: Call
    ) -> consent_api.WithdrawConsentResponse:
        return consent_api.WithdrawConsentResponse(consent=await self._consents.withdraw(call, request))

    async def list_consents(
        self, request: consent_api.ListConsentsRequest, call: Call
    ) -> consent_api.ListConsentsResponse:
        return consent_api.ListConsentsResponse(consents=await self._consents.list(call, request.member_id))

    async def list_outdated_consents(
        self, request: consent_api.ListOutdatedConsentsRequest, call: Call
    ) -> consent_api.ListOutdatedConsentsResponse:
        found, token = await self._consents.outdated(call, request)
        return consent_api.ListOutdatedConsentsResponse(consents=found, next_page_token=token)


class ContactServicer:
    """onggi.identity.v1.ContactService."""

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts

    async def add_contact(self, request: contact_api.AddContactRequest, call: Call) -> contact_api.AddContactResponse:
        return contact_api.AddContactResponse(contact=await self._contacts.add(call, request))

    async def get_contact(self, request: contact_api.GetContactRequest, call: Call) -> contact_api.GetContactResponse:
        return contact_api.GetContactResponse(contact=await self._contacts.get(call, request.contact_id))

    async def list_contacts(
        self, request: contact_api.ListContactsRequest, call: Call
    ) -> contact_api.ListContactsResponse:
        found, token = await self._contacts.list(call, request)
        return contact_api.ListContactsResponse(contacts=found, next_page_token=token)

    async def update_contact(
        self, request: contact_api.UpdateContactRequest, call: Call
    ) -> contact_api.UpdateContactResponse:
        return contact_api.UpdateContactResponse(contact=await self._contacts.update(call, request))

    async def remove_contact(
        self, request: contact_api.RemoveContactRequest, call: Call
    ) -> contact_api.RemoveContactResponse:
        await self._contacts.remove(call, request)
        return contact_api.RemoveContactResponse()


class RecordServicer:
    """onggi.identity.v1.RecordService."""

    def __init__(self, records: Records, events: RecordEvents) -> None:
        self._records = records
        self._events = events

    async def append_records(
        self, request: record_api.AppendRecordsRequest, call: Call
    ) -> record_api.AppendRecordsResponse:
        outcome = await self._records.append(call, request)
        return record_api.AppendRecordsResponse(results=[
            record_api.RecordResult(record_id=item) if isinstance(item, str) else record_api.RecordResult(error=item)
            for item in outcome
        ])  # fmt: skip

    async def list_records(self, request: record_api.ListRecordsRequest, call: Call) -> record_api.ListRecordsResponse:
        found, token = await self._records.list(call, request)
        return record_api.ListRecordsResponse(records=found, next_page_token=token)

    async def note_event(self, request: record_api.NoteEventRequest, call: Call) -> record_api.NoteEventResponse:
        return record_api.NoteEventResponse(standings=await self._events.note(call, request))
