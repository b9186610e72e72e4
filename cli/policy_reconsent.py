"""`onggi policy reconsent`: who must be asked again, since a consent no longer covers what it did when it was given.

The policy's files say which consents are outdated and since which version; whose they are, the identity service says.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

import typer
from onggi.identity.v1.consent_service_pb2 import Consent, ListOutdatedConsentsRequest
from onggi.identity.v1.consent_service_pb2_grpc import ConsentServiceStub

from chassis.policy.privacy_policy import PrivacyPolicy
from cli import access
from cli.detail import listing
from cli.failures import UsageError
from cli.json_output import as_object
from cli.log_search import NO_LIMIT
from cli.paging import collect
from cli.policy_files import BESIDE_THE_PROGRAM, Directory, opened
from cli.printable import kst
from cli.session import Session

_VERSIONS_A_CALL: Final = 50
_PAGE_SIZE: Final = 1000
_COLUMNS: Final = ("consent", "given under", "asked because of", "member", "given")

Offline = Annotated[bool, typer.Option("--offline", help="Tell which consents, from the files alone, and nobody's.")]
Purpose = Annotated[str, typer.Option("--purpose", help="이용 목적.")]
Reason = Annotated[
    str,
    typer.Option(
        "--reason", help="Why, in a few words without personal data; required unless --offline.", show_default=False
    ),
]

Outdated = Mapping[str, Mapping[str, str]]
"""Consent -> the version that it was given under -> the first version that it does not cover."""


def reconsent(
    session: Session,
    *,
    directory: Directory = BESIDE_THE_PROGRAM,
    offline: Offline = False,
    purpose: Purpose = "membership",
    reason: Reason = "",
    ticket: access.Ticket = "",
) -> None:
    """List the members that must be asked again for a consent (제21조), each with the version that is why.

    Consents that were withdrawn, and those of members who have left, are not among them. All are listed, and the
    processing log names each. With --offline: the consents, by the version that they were given under.
    """
    policy = opened(directory)
    if offline:
        _tell_consents(session, policy)
        return
    if not reason.strip():
        raise UsageError("give --reason: members are looked up; --offline tells what the files say")
    outdated = outdated_consents(policy)
    found = list(_found(session, outdated, ListOutdatedConsentsRequest(access=access.context(purpose, reason, ticket))))
    if session.options.json:
        newest = policy.versions.versions[-1].id
        session.print_json({"newest": newest, "consents": [_as_object(one, outdated) for one in found]})
    elif found:
        session.out.print(listing(_COLUMNS, [_line(one, outdated) for one in found]))
    else:
        session.note("nobody must be asked again")


def outdated_consents(policy: PrivacyPolicy) -> Outdated:
    """The consents that must be asked for again, under each of the versions for which they must."""
    outdated: dict[str, dict[str, str]] = {}
    for version in policy.versions.versions:
        for name, because in policy.asked_again(version.id).items():
            outdated.setdefault(name, {})[version.id] = because
    return {name: outdated[name] for name in sorted(outdated)}


def _found(session: Session, outdated: Outdated, request: ListOutdatedConsentsRequest) -> Iterator[Consent]:
    """The consents of living members, by name. Raises CallError, UsageError; asks nobody where nothing is outdated."""
    for name, because in outdated.items():
        identity = session.remote("identity")
        method = ConsentServiceStub(identity.channel).ListOutdatedConsents
        versions = list(because)
        request.consent = name
        for start in range(0, len(versions), _VERSIONS_A_CALL):
            request.policy_versions[:] = versions[start : start + _VERSIONS_A_CALL]
            found: list[Consent] = []
            collect(identity, method, request, lambda page: page.consents, into=found, limit=NO_LIMIT,
                    page_size=_PAGE_SIZE)  # fmt: skip
            yield from found


def _as_object(one: Consent, outdated: Outdated) -> Mapping[str, str]:
    return {
        "consent": one.consent,
        "given_under": one.policy_version,
        "asked_because": outdated[one.consent][one.policy_version],
        "member_id": one.member_id,
        "given_at": as_object(one).get("given_at", ""),
    }


def _line(one: Consent, outdated: Outdated) -> tuple[str, ...]:
    because = outdated[one.consent][one.policy_version]
    return one.consent, one.policy_version, because, one.member_id, kst(one.given_at)


def _tell_consents(session: Session, policy: PrivacyPolicy) -> None:
    """Whoever has given one under such a version, and has not withdrawn it, is to be asked."""
    versions = policy.versions.versions
    again = {version.id: list(policy.asked_again(version.id)) for version in versions}
    if session.options.json:
        session.print_json({"newest": versions[-1].id, "ask_again": again})
        return
    lines = []
    for version in versions:
        consents = [f"{name} ({policy.purposes.consents[name].korean})" for name in again[version.id]]
        lines.append((version.id, version.effective_on.isoformat(), ", ".join(consents) or "none"))
    session.out.print(listing(("given under version", "in force since", "consents to ask for again"), lines))
