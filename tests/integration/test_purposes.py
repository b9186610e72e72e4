"""Purposes that stand on a consent show nobody without it; full views differ by caller and purpose (AC-11, 제5조)."""

import asyncio
from collections.abc import Mapping
from itertools import product
from typing import Any

import grpc
import pytest
from onggi.access.v1.access_context_pb2 import VIEW_UNSPECIFIED
from onggi.identity.v1.member_service_pb2 import MemberProfile

from chassis.policy.load import load
from dev.environment import ROOT
from services.identity.profiles import normalise_member
from tests.integration import examples
from tests.integration.bad_input import assert_recorded
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log
from tests.integration.memberships import MEMBERS, end, find, get, give, withdraw

pytestmark = pytest.mark.timeout(120)

REFUSED = (grpc.StatusCode.PERMISSION_DENIED, "CONSENT_REQUIRED")


async def registered(clients: Clients) -> tuple[str, MemberProfile]:
    """A new member's id and what it told, in the form in which it is kept."""
    request = examples.register()
    made = await clients.call("portal", f"{MEMBERS}/RegisterMember", request)
    normalise_member(request.profile)
    return made.message.member.member_id, request.profile


async def both(clients: Clients, member_id: str, email: str, purpose: str) -> list[Outcome]:
    """The two ways to a member, as marketing."""
    return [
        await get(clients, member_id, "marketing", purpose),
        await find(clients, email, "marketing", purpose),
    ]


@pytest.mark.parametrize("purpose", ["marketing", "statistics"])
async def test_nobody_is_seen_without_the_consent(clients: Clients, log: Log, purpose: str) -> None:
    """제5조, 법15: before the consent, after it, after its withdrawal; other consents and other purposes change nothing."""
    member_id, profile = await registered(clients)
    other = {"marketing": "statistics", "statistics": "marketing"}[purpose]
    assert (await give(clients, member_id, other)).code is grpc.StatusCode.OK

    for outcome in await both(clients, member_id, profile.email, purpose):
        assert (outcome.code, outcome.reason) == REFUSED
        row = await assert_recorded(log, outcome)
        assert (row["purpose"], row["items"]) == (purpose, [])
    assert (await give(clients, member_id, purpose)).code is grpc.StatusCode.OK
    for outcome in await both(clients, member_id, profile.email, purpose):
        shown = outcome.message.member
        assert shown.member_id == member_id
        assert shown.profile.organization_name == profile.organization_name, "names no person, so has no mask"
        assert shown.profile.email != profile.email
        row = await assert_recorded(log, outcome)
        assert [str(subject) for subject in row["subject_ids"]] == [member_id]
    assert (await end(clients, member_id, purpose)).code is grpc.StatusCode.OK
    for outcome in await both(clients, member_id, profile.email, purpose):
        assert (outcome.code, outcome.reason) == REFUSED
    assert (await get(clients, member_id)).message.member.profile == profile, "what needs no consent is not touched"


async def test_no_consent_and_no_person_are_one_answer(clients: Clients, log: Log) -> None:
    """Who has not consented cannot be told from who is not there: absent, unregistered or left (제5조, AC-07)."""
    member_id, profile = await registered(clients)
    left, left_profile = await registered(clients)
    assert (await give(clients, left)).code is grpc.StatusCode.OK
    assert (await withdraw(clients, left)).code is grpc.StatusCode.OK

    outcomes = [
        *await both(clients, member_id, profile.email, "marketing"),
        *await both(clients, examples.new_id(), f"{examples.WORDS.letters(10)}@nobody.example", "marketing"),
        *await both(clients, left, left_profile.email, "marketing"),
    ]

    assert {(outcome.code, outcome.reason) for outcome in outcomes} == {REFUSED}
    told = {
        outcome.everything.replace(outcome.record_id.encode(), b"").replace(outcome.trace_id.encode(), b"")
        for outcome in outcomes
    }
    assert len({len(each) for each in told}) == 1
    rows = [await assert_recorded(log, outcome) for outcome in outcomes]
    assert {(row["status"], row["error_reason"]) for row in rows} == {("PERMISSION_DENIED", "CONSENT_REQUIRED")}


async def test_calls_of_one_crowd_are_judged_each_by_its_purpose(clients: Clients, log: Log) -> None:
    """One flush carries reads with and without consent of the same people; each hears its own answer (AC-11)."""
    consenting, _ = await registered(clients)
    silent, _ = await registered(clients)
    absent = examples.new_id()
    assert (await give(clients, consenting)).code is grpc.StatusCode.OK
    asked = [
        (member_id, caller, purpose)
        for member_id, (caller, purpose) in product(
            (consenting, silent, absent),
            (("portal", "membership"), ("marketing", "marketing"), ("marketing", "statistics"), ("billing", "billing")),
        )
    ] * 8
    examples.RANDOM.shuffle(asked)

    outcomes = await asyncio.gather(*(get(clients, *each) for each in asked))

    for (member_id, caller, purpose), outcome in zip(asked, outcomes, strict=True):
        needs = caller == "marketing"
        if member_id == absent or (needs and (member_id, purpose) != (consenting, "marketing")):
            expected = REFUSED if needs else (grpc.StatusCode.NOT_FOUND, "MEMBER_NOT_FOUND")
        else:
            expected = (grpc.StatusCode.OK, "")
        assert (outcome.code, outcome.reason) == expected, (caller, purpose)
        row = await assert_recorded(log, outcome)
        assert row["purpose"] == purpose


FULL: Mapping[tuple[str, str], set[str]] = {
    ("portal", "membership"): {
        "email", "organization_name", "organization_number", "business_registration_number", "representative_name",
        "address", "representative_phone",
    },
    ("billing", "billing"): {
        "email", "organization_name", "business_registration_number", "representative_name", "address",
        "representative_phone",
    },
    ("support", "support"): {"organization_name", "representative_phone"},
    ("marketing", "marketing"): set(),
    ("marketing", "statistics"): set(),
}  # fmt: skip
"""Caller and purpose -> the items of a member that it sees in full, written by hand a second time."""
UNMASKED = {"organization_name"}
"""Names no person, so it is the same in every view."""


@pytest.mark.parametrize(("caller", "purpose"), FULL)
async def test_a_full_view_has_what_caller_and_purpose_allow(
    clients: Clients, log: Log, caller: str, purpose: str
) -> None:
    """AC-11, 기준12①: the allowed items in full, all others masked; the log has what was shown in full."""
    member_id, profile = await registered(clients)
    for consent in ("marketing", "statistics"):
        await give(clients, member_id, consent)

    full, masked = (
        await get(clients, member_id, caller, purpose),
        await get(clients, member_id, caller, purpose, VIEW_UNSPECIFIED),
    )

    assert equal_fields(full.message.member.profile, profile) == FULL[caller, purpose] | UNMASKED
    assert equal_fields(masked.message.member.profile, profile) == UNMASKED
    assert set((await log.one_row_of(full))["items"]) == FULL[caller, purpose]
    assert (await log.one_row_of(masked))["items"] == []


def equal_fields(shown: Any, told: Any) -> set[str]:
    """The fields that are shown as they were told."""
    return {field.name for field in told.DESCRIPTOR.fields if getattr(shown, field.name) == getattr(told, field.name)}


def test_consents_are_asked_wherever_their_purpose_may_be_stated() -> None:
    """제5조: a purpose that stands on a consent opens nothing but the two RPCs whose statement looks at the consent."""
    policy = load(ROOT / "policy")
    need_consent = {name for name, purpose in policy.purposes.purposes.items() if purpose.consent}
    opened = {
        rpc
        for rpc, accounts in policy.access.rules.items()
        for purposes in accounts.values()
        if need_consent & set(purposes)
    }
    assert need_consent == {"marketing", "statistics"}
    assert opened == {f"{MEMBERS}/GetMember", f"{MEMBERS}/FindMember"}
