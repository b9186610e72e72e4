"""The access policy as the chain asks it: who may call, what is seen in full, which purposes stand on a consent or a law."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from chassis import access, errors
from chassis.caller import UNIDENTIFIED, Caller, parse
from chassis.policy.load import of_documents
from tests.integration.policy_versions import with_periods
from tests.unit.policy_documents import ROOT, having

GET_MEMBER = "onggi.identity.v1.MemberService/GetMember"
BEFORE = {
    "membership": {
        "email", "organization_name", "organization_number", "business_registration_number", "representative_name",
        "address", "representative_phone", "contact_name", "contact_mobile_phone", "contact_email",
    },
    "billing": {
        "email", "organization_name", "business_registration_number", "representative_name", "address",
        "representative_phone", "contact_name", "contact_email", "card_number", "card_expiry", "bank_code", "account_number",
        "cash_receipt_mobile_phone", "cash_receipt_card_number",
    },
    "support": {"organization_name", "representative_phone", "contact_name", "contact_mobile_phone"},
}  # fmt: skip
"""What each purpose of 제2장 shows in full, as reviewed."""


@pytest.fixture(scope="module")
def policy() -> access.Policy:
    """The policy of the repository."""
    return access.load(ROOT / "policy")


def caller(account: str) -> Caller:
    """A caller by its account."""
    namespace, _, name = account.partition("/")
    return parse(f"spiffe://onggi/ns/{namespace}/sa/{name}".encode(), "onggi")


@pytest.mark.parametrize(
    ("account", "purpose"),
    [
        ("apps/portal", "membership"),
        ("apps/portal", "billing"),
        ("apps/billing", "billing"),
        ("staff/support", "support"),
    ],
)
def test_a_caller_sees_what_its_purpose_shows(policy: access.Policy, account: str, purpose: str) -> None:
    """Caller x purpose x items: the portal, billing and support see in full what was reviewed (AC-11)."""
    assert policy.full_view_for(caller(account), purpose) == BEFORE[purpose]


@pytest.mark.parametrize("account", ["apps/marketing", "apps/stranger", "onggi/retention", "staff/retention-operator"])
def test_everybody_else_sees_nothing_in_full(policy: access.Policy, account: str) -> None:
    """Who has no full view sees masked values under every purpose (AC-12)."""
    assert {policy.full_view_for(caller(account), purpose) for purpose in policy.consents} == {frozenset()}


def test_a_purpose_of_another_shows_nothing(policy: access.Policy) -> None:
    """The items of a purpose are those of its callers, not of everybody who states it."""
    assert policy.full_view_for(caller("staff/support"), "billing") == frozenset()


def test_purposes_of_chapter_five_need_a_consent(policy: access.Policy) -> None:
    """Marketing and statistics see nobody without a consent; no other purpose needs one (제5조)."""
    needed = {purpose: policy.consent_for(purpose) for purpose in policy.consents if policy.consent_for(purpose)}

    assert needed == {"marketing": "marketing", "statistics": "statistics"}
    assert policy.consent_for("no such purpose") == ""


def test_the_archive_opens_for_purposes_of_the_law_alone() -> None:
    """Each category of the archive is read under a purpose of the kind "law"; daily work is none (LC-06, 제9조 ②)."""
    whole = of_documents(having("versions", ("versions", 0, "source"), "a paper"))
    kinds = {name: purpose.kind for name, purpose in whole.purposes.purposes.items()}

    categories = whole.retention.categories.values()
    assert {"law"} == {kinds[category.purpose] for category in categories if category.store == "archive"}
    assert "law" not in {kinds[name] for name in ("membership", "billing", "support", "marketing", "destruction")}


def test_what_is_not_written_is_refused(policy: access.Policy) -> None:
    """No rule, no purpose, no certificate: each is refused for its own reason (AC-01)."""
    with pytest.raises(errors.CallerUnidentified):
        policy.enforce(UNIDENTIFIED, GET_MEMBER, "membership")
    with pytest.raises(errors.AccessDenied):
        policy.enforce(caller("apps/stranger"), GET_MEMBER, "membership")
    with pytest.raises(errors.PurposeNotAllowed):
        policy.enforce(caller("apps/portal"), GET_MEMBER, "billing")
    with pytest.raises(errors.PurposeUnknown):
        policy.check_purpose("curiosity")
    with pytest.raises(errors.PurposeRequired):
        policy.check_purpose("")
    policy.enforce(caller("apps/marketing"), GET_MEMBER, "statistics")


def test_the_version_is_the_one_in_force(tmp_path: Path) -> None:
    """LG-01: the version that the log names changes on its day in Korea (here 2026-03-16), whenever the process started."""
    with time_machine.travel(datetime(2026, 3, 15, 14, 59, tzinfo=UTC)) as clock:
        policy = access.load(with_periods(tmp_path, R_05="4 years"))
        assert policy.version() == "1"
        clock.shift(120)
        assert policy.version() == "2"


def test_a_refused_policy_starts_nothing(tmp_path: Path) -> None:
    """A process does not start on a policy that is not whole."""
    with pytest.raises(ValueError, match=r"access\.toml: is missing"):
        access.load(tmp_path)
