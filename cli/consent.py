"""`onggi consent`: what a member has consented to (동의), and the end of it (동의 철회)."""

from enum import StrEnum
from typing import Annotated

import typer
from onggi.identity.v1.consent_service_pb2 import (
    Consent,
    ConsentChannel,
    GiveConsentRequest,
    ListConsentsRequest,
    WithdrawConsentRequest,
)
from onggi.identity.v1.consent_service_pb2_grpc import ConsentServiceStub

from cli import access, answer, asking
from cli.command import with_session
from cli.detail import enum_name, listing
from cli.printable import kst
from cli.session import Session

commands = typer.Typer(help="Consents (동의) of a member, each by its name in the policy.", no_args_is_help=True)


class Channel(StrEnum):
    """How a consent was given (제2조); the names of the contract's ConsentChannel."""

    WEB = "web"
    PAPER = "paper"
    PHONE = "phone"
    EMAIL = "email"
    EVENT = "event"


Name = Annotated[
    str, typer.Argument(metavar="CONSENT", help="Its name in the policy, such as marketing.", show_default=False)
]
How = Annotated[Channel, typer.Option("--channel", help="How it was given (제2조).", show_default=False)]


def give(
    session: Session,
    *,
    member: access.Member,
    consent: Name,
    channel: How,
    purpose: access.Purpose,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Note a consent, under the version of the policy that is in force."""
    request = GiveConsentRequest(
        access=access.context(purpose, reason, ticket),
        request_id=access.request_id(request_id),
        member_id=member,
        consent=consent,
        channel=ConsentChannel.Value(f"CONSENT_CHANNEL_{channel.name}"),
    )
    identity = session.remote("identity")
    answer.one(session, identity.call(ConsentServiceStub(identity.channel).GiveConsent, request))


def withdraw(
    session: Session,
    *,
    member: access.Member,
    consent: Name,
    purpose: access.Purpose,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
    yes: access.Yes = False,
) -> None:
    """End a consent (동의 철회) at once: the next purge destroys what no other basis keeps. It cannot be undone."""
    asking.confirm_if_person("End this consent? What only it keeps will be destroyed.", yes=yes)
    request = WithdrawConsentRequest(
        access=access.context(purpose, reason, ticket),
        request_id=access.request_id(request_id),
        member_id=member,
        consent=consent,
    )
    identity = session.remote("identity")
    answer.one(session, identity.call(ConsentServiceStub(identity.channel).WithdrawConsent, request))


def list_consents(
    session: Session,
    *,
    member: access.Member,
    purpose: access.Purpose,
    reason: access.Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """List the consents of a member, living and withdrawn, newest first."""
    request = ListConsentsRequest(access=access.context(purpose, reason, ticket), member_id=member)
    identity = session.remote("identity")
    consents = identity.call(ConsentServiceStub(identity.channel).ListConsents, request).consents
    table = listing(("consent", "version", "channel", "given", "withdrawn"), [_line(one) for one in consents])
    answer.many(session, "consents", consents, table, more=False)


def _line(one: Consent) -> tuple[str, ...]:
    channel = enum_name(Consent.DESCRIPTOR.fields_by_name["channel"], one.channel).lower()
    return one.consent, one.policy_version, channel, kst(one.given_at), kst(one.withdrawn_at)


commands.command("give")(with_session()(give))
commands.command("withdraw")(with_session()(withdraw))
commands.command("list")(with_session()(list_consents))
