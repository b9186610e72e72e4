"""The commands that change a member."""

from typing import Annotated

import typer
from google.protobuf.field_mask_pb2 import FieldMask
from onggi.identity.v1.member_service_pb2 import (
    MemberProfile,
    RegisterMemberRequest,
    UpdateMemberRequest,
    WithdrawMemberRequest,
)
from onggi.identity.v1.member_service_pb2_grpc import MemberServiceStub
from rich.console import Group

from cli import access, answer, asking, member_fields
from cli.failures import UsageError
from cli.kept_view import kept_table
from cli.session import Session

Etag = Annotated[str, typer.Option("--etag", help="The version that you have read.", show_default=False)]
NewPassword = Annotated[bool, typer.Option("--password", help="Ask for a new 비밀번호.")]


def register(
    session: Session,
    *,
    purpose: access.Purpose,
    email: member_fields.Email = "",
    organization_name: member_fields.OrganizationName = "",
    organization_number: member_fields.OrganizationNumber = "",
    business_registration_number: member_fields.BusinessNumber = "",
    representative_name: member_fields.RepresentativeName = "",
    address: member_fields.Address = "",
    representative_phone: member_fields.RepresentativePhone = "",
    json_file: member_fields.JsonFile = None,
    password_file: member_fields.PasswordFile = None,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Register a member. The password is asked for or read from a file; it is never an argument."""
    options = {name: value for name, value in locals().items() if name in member_fields.FIELDS}
    values, password = member_fields.given(options, json_file)
    request = RegisterMemberRequest(
        access=access.context(purpose, reason, ticket),
        request_id=access.request_id(request_id),
        profile=MemberProfile(**values),
        password=member_fields.password(password, password_file),
    )
    identity = session.remote("identity")
    answer.one(session, identity.call(MemberServiceStub(identity.channel).RegisterMember, request))


def update(
    session: Session,
    *,
    member: access.Member,
    purpose: access.Purpose,
    etag: Etag,
    email: member_fields.Email = "",
    organization_name: member_fields.OrganizationName = "",
    organization_number: member_fields.OrganizationNumber = "",
    business_registration_number: member_fields.BusinessNumber = "",
    representative_name: member_fields.RepresentativeName = "",
    address: member_fields.Address = "",
    representative_phone: member_fields.RepresentativePhone = "",
    json_file: member_fields.JsonFile = None,
    password: NewPassword = False,
    password_file: member_fields.PasswordFile = None,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Change the values that are given, and no others, if the member is still at the version that you have read."""
    options = {name: value for name, value in locals().items() if name in member_fields.FIELDS}
    values, new_password = member_fields.given(options, json_file)
    if new_password is not None or password or password_file is not None:
        new_password = member_fields.password(new_password, password_file)
    paths = [*values, *(["password"] if new_password is not None else [])]
    if not paths:
        raise UsageError("give at least one value to change")
    request = UpdateMemberRequest(
        access=access.context(purpose, reason, ticket),
        request_id=access.request_id(request_id),
        member_id=member,
        etag=etag,
        profile=MemberProfile(**values),
        password=new_password or "",
        update_mask=FieldMask(paths=paths),
    )
    identity = session.remote("identity")
    answer.one(session, identity.call(MemberServiceStub(identity.channel).UpdateMember, request))


def withdraw(
    session: Session,
    *,
    member: access.Member,
    purpose: access.Purpose,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
    yes: access.Yes = False,
) -> None:
    """End a membership (회원탈퇴): no read from now on, destruction with the next purge. It cannot be undone."""
    asking.confirm_if_person("End this membership? It cannot be undone.", yes=yes)
    request = WithdrawMemberRequest(
        access=access.context(purpose, reason, ticket), request_id=access.request_id(request_id), member_id=member
    )
    identity = session.remote("identity")
    response = identity.call(MemberServiceStub(identity.channel).WithdrawMember, request)
    left = f"left on {response.withdrawn_on}; what is kept all the same, and until when:"
    answer.one(session, response, Group(left, kept_table(response.kept)))
