"""The table of categories: who holds them, when they end, what goes with what."""

from datetime import date

import pytest

from services.retention.categories import CATEGORIES, chosen
from services.retention.refusals import CategoryUnknown

TODAY = date(2026, 11, 24)


def names(*asked: str) -> list[str]:
    """Names of the categories that are planned for those asked for."""
    return [category.name for category in chosen(asked)]


def test_what_has_no_period_is_due_today() -> None:
    """Member data and payment means end with the membership, at once (R-01, R-03)."""
    assert TODAY == CATEGORIES["R-01"].through(TODAY) == CATEGORIES["R-03"].through(TODAY)


def test_login_records_are_due_after_three_months() -> None:
    """The day's own end is still kept: an event of 24 August lasts to 24 November (R-12)."""
    assert date(2026, 8, 23) == CATEGORIES["R-12"].through(TODAY)


def test_nothing_named_is_everything() -> None:
    """A plan without categories is for all of them, each after the one that it follows."""
    assert ["R-01", "R-03", "R-12"] == names()


@pytest.mark.parametrize("asked", ["R-01", "R-03"])
def test_members_and_their_tokens_are_planned_together(asked: str) -> None:
    """Once the members are gone nobody would know whose tokens are due (R-01, R-03)."""
    assert ["R-01", "R-03"] == names(asked)
    assert ["R-12"] == names("R-12")


def test_an_unknown_category_is_refused() -> None:
    """The error names the field and no value."""
    with pytest.raises(CategoryUnknown) as caught:
        chosen(["R-01", "R-99"])
    assert ["categories"] == [violation.field for violation in caught.value.violations]


def test_every_category_names_its_article_and_a_known_leader() -> None:
    """What is destroyed can say why, and follows only what is in the table and before it."""
    seen: set[str] = set()
    for name, category in CATEGORIES.items():
        assert category.article
        assert category.follows is None or category.follows in seen
        seen.add(name)
