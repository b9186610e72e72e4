"""Every clause of the published policy has its place in the data, or its gap."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from chassis.policy.load import load
from chassis.policy.privacy_policy import CHAPTERS, PrivacyPolicy
from tests.contract.walk import ROOT

POLICY: PrivacyPolicy = load(ROOT / "policy")
PAGE = (ROOT / "docs" / "policy-gaps.md").read_text(encoding="utf-8")

CLAUSES: Mapping[str, tuple[str, ...]] = {
    "전문": ("contacts.publisher.laws",),
    "제1조 ① 1": ("collection.groups.membership", "gap no-attachments"),
    "제1조 ① 2": ("collection.groups.card", "collection.groups.transfer", "gap last-settlement"),
    "제1조 ②": ("collection.groups.generated", "retention.records.usage", "retention.records.login"),
    "제1조 ③": (
        "collection.groups.inquiry", "collection.groups.cash_receipt", "collection.groups.notification_target",
        "collection.groups.vpn_second_factor", "purposes.consents.notification_target", "purposes.consents.vpn_second_factor",
        "gap people-behind-members", "gap consent-text", "gap consent-records", "gap cash-receipt",
    ),
    "제2조": ("collection.channels", "gap collection-channels"),
    "제3조": ("purposes.purposes.billing",),
    "제4조": (
        "purposes.purposes.membership", "purposes.purposes.support", "gap rejoin-limit", "gap legal-representatives",
        "gap notices",
    ),
    "제5조": (
        "purposes.purposes.marketing", "purposes.purposes.statistics", "purposes.consents.marketing",
        "gap statistics-aggregates",
    ),
    "제6조 ①②": ("processors.processors.naver_cloud", "gap processor"),
    "제6조 ③": ("processors.exceptions", "gap disclosures"),
    "제4장 (원칙)": (
        "destruction.within_days", "retention.holds.articles", "purposes.purposes.legal_hold", "gap legal-holds",
    ),
    "제7조 부정이용 기록": ("retention.categories.R-04", "retention.categories.R-23"),
    "제7조 문의 내용": ("retention.categories.R-05",),
    "제7조 제휴 내용": ("retention.categories.R-06",),
    "제7조 악성감염파일": ("retention.categories.R-07", "gap no-attachments"),
    "제7조 산업안전보건법": ("retention.categories.R-08",),
    "제8조 계약·청약철회": ("retention.categories.R-09a",),
    "제8조 대금결제·공급": ("retention.categories.R-09b",),
    "제8조 불만·분쟁": ("retention.categories.R-09c",),
    "제8조 표시·광고": ("retention.categories.R-09d",),
    "제8조 세법 장부·증빙": ("retention.categories.R-10", "gap tax-offshore", "gap tax-losses", "gap tax-deadline"),
    "제8조 전자금융 거래": (
        "retention.categories.R-11", "gap small-transactions", "gap electronic-finance-maximum", "gap credit-information",
    ),
    "제8조 로그인 기록": ("retention.categories.R-12",),
    "제9조": ("destruction.store", "destruction.paper_store", "gap separation-before-leaving", "gap paper"),
    "제10조": ("destruction.methods", "destruction.irreversible", "gap paper"),
    "제11조 ①②③": ("rights.rights", "rights.pages", "rights.channels", "gap rights-cases", "gap verification"),
    "제11조 ④": ("rights.recipients_told", "gap correction-freeze", "gap disclosures"),
    "제11조 ⑤": ("purposes.purposes.tax", "retention.categories.R-10.purpose"),
    "제12조": ("cookies.stored_on", "gap cookie-refusal"),
    "제13조": ("cookies.observed", "cookies.aim"),
    "제14조": ("cookies.choices", "cookies.instructions", "gap cookie-refusal"),
    "제15조": ("safeguards.measures.one_way_password", "gap verification"),
    "제16조": ("safeguards.measures.encrypted_transport", "gap backups", "gap antivirus"),
    "제17조": ("safeguards.measures.limited_staff", "gap staff-passwords", "gap training"),
    "제18조": ("gap privacy-body",),
    "제19조": ("contacts.officers.chief", "contacts.agencies", "gap rights-cases", "gap officer-names"),
    "제20조": ("contacts.linked_sites_covered",),
    "제21조": ("contacts.notice", "versions.versions", "gap notices"),
    "부칙": ("versions.versions",),
}  # fmt: skip
"""Clause -> where it stands in the policy, and what of it is a gap."""


def gaps() -> set[str]:
    """Every gap that the policy or the table above names."""
    measures = dict(POLICY.safeguards.measures).values()
    named = [*POLICY.collection.items.values(), *POLICY.retention.categories.values(), *measures]
    told = [place.removeprefix("gap ") for places in CLAUSES.values() for place in places if place.startswith("gap ")]
    return {each.gap for each in named if each.gap} | set(told)


def listed(page: str) -> list[str]:
    """The gaps that the page explains: its headings in backticks."""
    return re.findall(r"^## `([a-z0-9-]+)`$", page, re.MULTILINE)


def at(place: str) -> Any:
    """What stands at a dotted key of the policy. Raises KeyError or AttributeError."""
    value: Any = POLICY
    for step in place.split("."):
        value = value[step] if isinstance(value, Mapping) else getattr(value, step)
    return value


@pytest.mark.parametrize("clause", CLAUSES)
def test_a_clause_has_its_place(clause: str) -> None:
    """What the clause says stands in the data, as far as it is no gap (GV-01)."""
    places = [place for place in CLAUSES[clause] if not place.startswith("gap ")]

    assert [place for place in places if at(place) in (None, "", (), {})] == []
    assert CLAUSES[clause]


def test_a_place_that_is_not_there_is_told() -> None:
    """The table cannot name what the policy does not have."""
    for place in ("retention.categories.R-99", "contacts.postman"):
        with pytest.raises((KeyError, AttributeError)):
            at(place)


def test_every_article_is_in_the_table() -> None:
    """제1조 to 제21조, all of them, as the chapters have them."""
    articles = {article for part in CHAPTERS for article in getattr(POLICY, part).clauses}
    rows = {re.sub(r"^(제\d+조).*", r"\1", clause) for clause in CLAUSES}

    assert articles == {f"제{number}조" for number in range(1, 22)}
    assert articles <= rows
    assert rows - articles == {"전문", "제4장 (원칙)", "부칙"}


def test_every_gap_is_explained_and_every_explanation_needed() -> None:
    """docs/policy-gaps.md has one heading for each gap that the policy or the table names, and for no other."""
    assert sorted(listed(PAGE)) == sorted(gaps())


def test_a_gap_that_is_not_explained_is_told() -> None:
    """Without its heading a gap would be missed: the check can fail."""
    assert gaps() - set(listed(PAGE.replace("## `processor`", "## The processor"))) == {"processor"}
