"""How periods, days, clocks and particles are said."""

from datetime import date

import pytest

from chassis.policy.wording import WORDS, english_published, josa, korean_published


@pytest.mark.parametrize(
    ("period", "korean", "english"),
    [
        ("3 years", "3년", "3 years"),
        ("1 year", "1년", "1 year"),
        ("6 months", "6개월", "6 months"),
        ("1 month", "1개월", "1 month"),
        ("35 days", "35일", "35 days"),
        ("1 year 6 months", "1년 6개월", "1 year 6 months"),
        ("at once", "지체 없이", "at once"),
        ("open", "별도로 정함", "no set period"),
    ],
)
def test_a_period_is_said_in_both_languages(period: str, korean: str, english: str) -> None:
    """Every form that chapter 4 can have."""
    assert WORDS["ko"]["period"](period) == korean
    assert WORDS["en"]["period"](period) == english


def test_what_counts_from_leaving_says_so() -> None:
    """탈퇴 후 1년, as 제7조 has it; other starts stand in the annex (R-04)."""
    assert korean_published("1 year", "membership_ended") == "탈퇴 후 1년"
    assert korean_published("1 year", "occurred") == "1년"
    assert english_published("1 year", "membership_ended") == "1 year after withdrawal"


def test_days_and_clocks_are_said_in_both_languages() -> None:
    """A date, and the days to an answer; none is without delay (DS-01)."""
    day = date(2023, 6, 9)
    assert (WORDS["ko"]["day"](day), WORDS["en"]["day"](day)) == ("2023년 6월 9일", "9 June 2023")
    assert (WORDS["ko"]["within"](10), WORDS["en"]["within"](1)) == ("10일 이내", "within 1 day")
    assert (WORDS["ko"]["within"](0), WORDS["en"]["within"](0)) == ("지체 없이", "without delay")
    assert WORDS["en"]["article"]("제7조") == "Article 7"


@pytest.mark.parametrize(
    ("word", "particle"),
    [
        ("코스콤", "은"),
        ("회사", "는"),
        ("홈페이지의 '공지사항'", "은"),
        ("파기(소각)", "은"),
        ("CISO", "은(는)"),
        ("", "은(는)"),
    ],
)
def test_a_particle_follows_the_last_syllable(word: str, particle: str) -> None:
    """Closed syllables take 은, open ones 는; where nobody can tell, both."""
    assert josa(word, "은", "는") == particle
