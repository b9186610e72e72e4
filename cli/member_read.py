"""The commands that show a member and what belongs to it."""

from collections.abc import Iterable

from onggi.identity.v1.contact_service_pb2 import Contact, ListContactsRequest
from onggi.identity.v1.contact_service_pb2_grpc import ContactServiceStub
from onggi.identity.v1.member_service_pb2 import FindMemberRequest, GetMemberRequest
from onggi.identity.v1.member_service_pb2_grpc import MemberServiceStub
from onggi.identity.v1.record_service_pb2 import ListRecordsRequest, Record
from onggi.identity.v1.record_service_pb2_grpc import RecordServiceStub
from rich.table import Table

from cli import access, answer, asking, member_fields
from cli.detail import listing
from cli.failures import UsageError
from cli.printable import kst
from cli.session import Session


def get(
    session: Session,
    *,
    member: access.Member,
    purpose: access.Purpose,
    full: access.Full = False,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """Show a member, masked unless --full."""
    request = GetMemberRequest(
        access=access.context(purpose, reason, ticket), member_id=member, view=access.view(full=full)
    )
    identity = session.remote("identity")
    answer.one(session, identity.call(MemberServiceStub(identity.channel).GetMember, request))


def find(
    session: Session,
    *,
    purpose: access.Purpose,
    email: member_fields.Email = "",
    organization_number: member_fields.OrganizationNumber = "",
    business_registration_number: member_fields.BusinessNumber = "",
    full: access.Full = False,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """Find a member by one exact value; a value of - reads it from standard input."""
    keys = {
        "email": email,
        "organization_number": organization_number,
        "business_registration_number": business_registration_number,
    }
    chosen = [(name, value) for name, value in keys.items() if value]
    if len(chosen) != 1:
        raise UsageError("give one of --email, --organization-number, --business-registration-number")
    ((name, value),) = chosen
    request = FindMemberRequest(access=access.context(purpose, reason, ticket), view=access.view(full=full))
    setattr(request, name, asking.secret_file(value) if value == asking.STDIN else value)
    identity = session.remote("identity")
    answer.one(session, identity.call(MemberServiceStub(identity.channel).FindMember, request))


def contacts(
    session: Session,
    *,
    member: access.Member,
    purpose: access.Purpose,
    full: access.Full = False,
    limit: access.Limit = 50,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """List the contacts (담당자) of a member, oldest first."""
    request = ListContactsRequest(
        access=access.context(purpose, reason, ticket), member_id=member, view=access.view(full=full)
    )
    identity = session.remote("identity")
    answer.pages(
        identity,
        ContactServiceStub(identity.channel).ListContacts,
        request,
        "contacts",
        _contacts_table,
        limit=limit,
        page_size=200,
    )


def logins(
    session: Session,
    *,
    member: access.Member,
    purpose: access.Purpose,
    full: access.Full = False,
    limit: access.Limit = 50,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """List the log-in records (로그인 기록) of a member, newest first."""
    request = ListRecordsRequest(
        access=access.context(purpose, reason, ticket), member_id=member, view=access.view(full=full)
    )
    identity = session.remote("identity")
    answer.pages(
        identity,
        RecordServiceStub(identity.channel).ListRecords,
        request,
        "records",
        _logins_table,
        limit=limit,
        page_size=200,
    )


def _contacts_table(listed: Iterable[Contact]) -> Table:
    lines = [
        (one.contact_id, one.profile.name, one.profile.mobile_phone, one.profile.email, kst(one.added_at))
        for one in listed
    ]
    return listing(("contact", "이름", "휴대폰번호", "이메일", "added"), lines)


def _logins_table(listed: Iterable[Record]) -> Table:
    lines = [(one.record_id, kst(one.occurred_at), one.login.ip_address, one.login.user_agent) for one in listed]
    return listing(("record", "time", "IP", "user agent"), lines)
