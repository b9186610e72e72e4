"""Versions: notice, order, and what a change of a period does to what was collected before it (제21조, GV-02)."""

from datetime import date
from typing import Any

import pytest

from chassis.policy.load import Documents, of_documents
from chassis.policy.privacy_policy import PrivacyPolicy
from tests.unit.policy_documents import DOCUMENTS, Step, faults, having

FIRST = DOCUMENTS["versions"]["versions"][0]


def version(number: str, effective: date, *, announced: date | None = None, **more: Any) -> dict[str, Any]:
    """A version as the file has it; announced 30 days before it takes effect unless told otherwise."""
    told = announced or date.fromordinal(effective.toordinal() - 30)
    return {**FIRST, "id": number, "announced_on": told, "effective_on": effective, **more}


def change(category: str, before: str, after: str, **more: bool) -> dict[str, Any]:
    """A change of a period."""
    return {"category": category, "before": before, "after": after, **more}


def documents(*later: dict[str, Any], base: Documents = DOCUMENTS) -> Documents:
    """The policy with later versions."""
    return having("versions", ("versions",), [FIRST, *later], base)


def told(*later: dict[str, Any]) -> list[str]:
    """What the loader says of the policy with later versions, without the file's name."""
    return [f"{fault.key}: {fault.reason}" for fault in faults(documents(*later))]


def shorter_then_longer() -> PrivacyPolicy:
    """Inquiries (R-05): 3 years, 1 year since version 2, 2 years since version 3, 4 years since version 4."""
    years = having("retention", ("categories", "R-05", "period"), "4 years")
    return of_documents(
        documents(
            version("2", date(2027, 1, 1), changed=[change("R-05", "3 years", "1 year")]),
            version("3", date(2028, 1, 1), changed=[change("R-05", "1 year", "2 years")], materiality="material"),
            version("4", date(2029, 1, 1), changed=[change("R-05", "2 years", "4 years")], materiality="material"),
            base=years,
        )
    )


def test_the_first_version_took_effect_as_published() -> None:
    """부칙: in force since 2023-06-09; what is older counts under it too."""
    policy = of_documents(DOCUMENTS)

    assert [policy.version_on(day) for day in (date(2020, 1, 1), date(2023, 6, 9), date(2040, 1, 1))] == ["1"] * 3
    assert policy.versions.versions[0].effective_on == date(2023, 6, 9)


def test_a_version_is_in_force_from_its_day_on() -> None:
    """Until the day before, the version before it is."""
    policy = shorter_then_longer()

    assert policy.version_on(date(2026, 12, 31)) == "1"
    assert policy.version_on(date(2027, 1, 1)) == "2"
    assert policy.version_on(date(2029, 6, 1)) == "4"


@pytest.mark.parametrize(
    ("materiality", "days", "refused"),
    [("minor", 7, False), ("minor", 6, True), ("material", 30, False), ("material", 29, True), ("minor", -1, True)],
)
def test_a_version_is_announced_in_time(materiality: str, days: int, refused: bool) -> None:
    """At least 7 days before it takes effect, 30 where rights change materially (제21조)."""
    effective = date(2027, 3, 1)
    announced = date.fromordinal(effective.toordinal() - days)
    said = told(version("2", effective, announced=announced, materiality=materiality))

    assert bool(said) == refused
    assert all(line.startswith("versions.1.effective_on: is ") for line in said)


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ([version("1", date(2027, 1, 1))], "versions.1.id: is '1', as that of an earlier version"),
        ([version("2", date(2023, 6, 9))], "versions.1.effective_on: is not after that of the version before"),
        (
            [version("2", date(2027, 1, 1), changed=[change("R-05", "2 years", "1 year")])],
            "versions.1.changed: takes R-05 to '1 year', but what follows has '3 years'",
        ),
        (
            [version("2", date(2027, 1, 1), changed=[change("R-05", "3 years", "3 years")])],
            "versions.1.changed: leaves R-05 as it was",
        ),
        (
            [version("2", date(2027, 1, 1), changed=[change("R-05", "1 year", "3 years")])],
            "versions.1.materiality: is minor, but R-05 is kept longer under a consent",
        ),
        (
            [version("2", date(2027, 1, 1), changed=[change("R-05", "5 years", "3 years")] * 2)],
            "versions.1.changed: has a category twice",
        ),
        (
            [version("2", date(2027, 1, 1), changed=[change("R-05", "some time", "3 years")])],
            "versions.1.changed: has what is no period for R-05",
        ),
        (
            [version("2", date(2027, 1, 1), changed=[change("R-99", "1 year", "3 years")])],
            "versions.1.changed: names 'R-99', which chapters/4-retention.toml does not have",
        ),
        (
            [version("2", date(2027, 1, 1), changed=[change("R-05", "5 years", "3 years", to_existing=True)])],
            "versions.1.changed: lengthens R-05 for what is there; only a law can",
        ),
        (
            [version("2", date(2027, 1, 1), consents=["marketing"])],
            "versions.1.materiality: is minor, but marketing must be asked for again",
        ),
        (
            [version("2", date(2027, 1, 1), consents=["letters"], materiality="material")],
            "versions.1.consents: names 'letters', which is no consent",
        ),
    ],
)
def test_a_contradicting_version_is_refused(later: list[dict[str, Any]], said: str) -> None:
    """Ids, order and changes fit one another and chapter 4."""
    assert said in told(*later)


def test_the_first_version_changed_nothing() -> None:
    """There is nothing before it."""
    path: tuple[Step, ...] = ("versions", 0, "changed")
    said = faults(having("versions", path, [change("R-05", "1 year", "3 years")]))

    assert "versions.0.changed" in {fault.key for fault in said}


@pytest.mark.parametrize(
    ("collected_under", "in_force", "period"),
    [
        ("1", "1", "3 years"),  # announced is not in force
        ("1", "2", "1 year"),  # a shorter period applies at once
        ("2", "2", "1 year"),
        ("1", "3", "1 year"),  # a longer one not to what is there
        ("2", "3", "1 year"),
        ("3", "3", "2 years"),  # but to what is collected under it
        ("1", "4", "1 year"),
        ("3", "4", "2 years"),
        ("4", "4", "4 years"),
        ("4", "3", "4 years"),  # asked about a day before it was collected: what it was collected under holds
    ],
)
def test_a_shorter_period_applies_at_once_a_longer_one_to_what_is_new(
    collected_under: str, in_force: str, period: str
) -> None:
    """A record keeps the version it was collected under, but for a period that has become shorter since (rule 7)."""
    assert shorter_then_longer().period_for("R-05", collected_under, in_force) == period


def test_what_did_not_change_has_one_period_under_every_version() -> None:
    """Versions that are silent about a category leave it as it is."""
    policy = shorter_then_longer()

    assert {policy.period_for("R-09b", version, "4") for version in ("1", "2", "3", "4")} == {"5 years"}


def test_a_law_can_lengthen_what_is_there() -> None:
    """Where a law that gets longer covers what is already kept, the longer period applies to it too (제21조 제1항 단서)."""
    longer = having("retention", ("categories", "R-12", "statute"), "6 months")
    longer = having("retention", ("categories", "R-12", "period"), "6 months", longer)
    law = change("R-12", "3 months", "6 months", to_existing=True)
    policy = of_documents(documents(version("2", date(2027, 1, 1), changed=[law]), base=longer))

    assert policy.period_for("R-12", "1", "1") == "3 months"
    assert policy.period_for("R-12", "1", "2") == "6 months"


def test_a_change_is_that_of_the_period_in_force_for_the_owner() -> None:
    """R-11 of an auxiliary is published with 3 years, so a version takes it from there, and what is older keeps 3."""
    place: tuple[Step, ...] = ("categories", "R-11")
    base = having("settings", ("electronic_finance_role", "value"), "auxiliary")
    for table in ("when", "statute_when"):
        base = having("retention", (*place, table, "electronic_finance_role", "auxiliary"), "4 years", base)

    own = of_documents(
        documents(version("2", date(2027, 1, 1), changed=[change("R-11", "3 years", "4 years")]), base=base)
    )
    others = faults(
        documents(version("2", date(2027, 1, 1), changed=[change("R-11", "7 years", "5 years")]), base=base)
    )

    assert [own.period_for("R-11", *under) for under in (("1", "1"), ("1", "2"), ("2", "2"))] == [
        "3 years", "3 years", "4 years",
    ]  # fmt: skip
    assert [fault.reason for fault in others] == ["takes R-11 to '5 years', but what follows has '4 years'"]


def test_an_unknown_version_is_no_version() -> None:
    """A record under a version that the policy does not know is not dated by guess."""
    with pytest.raises(KeyError):
        of_documents(DOCUMENTS).period_for("R-05", "9")


def test_who_must_be_asked_again() -> None:
    """Consents given before a material version that keeps longer, or changes their scope, no longer cover it."""
    policy = of_documents(
        documents(
            version("2", date(2027, 1, 1), changed=[change("R-22", "5 months", "3 months")]),
            version("3", date(2028, 1, 1), consents=["marketing"], materiality="material"),
            version("4", date(2029, 1, 1), changed=[change("R-05", "1 year", "3 years")], materiality="material"),
        )
    )

    assert policy.asked_again("1") == {"marketing": "3", "inquiry_retention": "4"}
    assert policy.asked_again("2") == {"marketing": "3", "inquiry_retention": "4"}
    assert policy.asked_again("3") == {"inquiry_retention": "4"}
    assert policy.asked_again("4") == {}


def test_the_first_version_that_a_consent_does_not_cover_is_why_it_is_asked_for() -> None:
    """However many have changed it since; a period that was longer under one of them counts as much as a changed text."""
    longer = having("retention", ("categories", "R-05", "period"), "4 years")
    policy = of_documents(
        documents(
            version("2", date(2027, 1, 1), consents=["marketing"], materiality="material"),
            version("3", date(2028, 1, 1), changed=[change("R-05", "3 years", "4 years")], materiality="material"),
            version("4", date(2029, 1, 1), consents=["marketing", "inquiry_retention"], materiality="material"),
            base=longer,
        )
    )

    assert policy.asked_again("1") == {"inquiry_retention": "3", "marketing": "2"}
    assert policy.asked_again("2") == {"inquiry_retention": "3", "marketing": "4"}
    assert policy.asked_again("3") == {"inquiry_retention": "4", "marketing": "4"}


@pytest.mark.parametrize("number", ["2027년", "2 a", "", "4111-1111-1111-1111", "-2"])
def test_a_version_has_a_short_id(number: str) -> None:
    """Consents and records keep it, and calls name it: letters and digits, at most 16, and no room for more."""
    assert [line.partition(":")[0] for line in told(version(number, date(2027, 1, 1)))] == ["versions.1.id"]


def test_nobody_is_asked_again_for_less() -> None:
    """A period that gets shorter needs no consent."""
    policy = of_documents(documents(version("2", date(2027, 1, 1), changed=[change("R-05", "5 years", "3 years")])))

    assert policy.asked_again("1") == {}
