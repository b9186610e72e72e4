"""Between the contract and the domain: no SQL, no rules."""

from onggi.identity.v1 import contact_service_pb2 as contact_api
from onggi.identity.v1 import member_service_pb2 as member_api
from onggi.identity.v1 import record_service_pb2 as record_api

from chassis.call import Call
from chassis.errors import item_error
from services.identity.contacts import Contacts
from services.identity.members import Members
from services.identity.reading import MemberReader
from services.identity.records import Records


class MemberServicer:
    """onggi.identity.v1.MemberService."""

    def __init__(self, members: Members, reader: MemberReader) -> None:
        self._members = members
        self._reader = reader

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
        return member_api.WithdrawMemberResponse(withdrawn_on=await self._members.withdraw(call, request))


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

    def __init__(self, records: Records) -> None:
        self._records = records

    async def append_records(
        self, request: record_api.AppendRecordsRequest, call: Call
    ) -> record_api.AppendRecordsResponse:
        outcome = await self._records.append(call, request)
        return record_api.AppendRecordsResponse(results=[
            record_api.RecordResult(record_id=item) if isinstance(item, str)
            else record_api.RecordResult(error=item_error(item))
            for item in outcome
        ])  # fmt: skip

    async def list_records(self, request: record_api.ListRecordsRequest, call: Call) -> record_api.ListRecordsResponse:
        found, token = await self._records.list(call, request)
        return record_api.ListRecordsResponse(records=found, next_page_token=token)
