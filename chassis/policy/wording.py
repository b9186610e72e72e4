"""How the published text says a period, a day, an article, a clock: by language, from the data alone."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Literal

from chassis.policy.duration import Period
from chassis.policy.retention import AT_ONCE, OPEN

Language = Literal["ko", "en"]

_AFTER_LEAVING = "membership_ended"
_SYLLABLES = (0xAC00, 0xD7A3)
_FINALS = 28
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def korean_period(period: str) -> str:
    """Return "3년", "1개월", "1년 6개월", "35일" for a category's period; "지체 없이" for at once, "별도로 정함" for open."""
    if period in (AT_ONCE, OPEN):
        return {AT_ONCE: "지체 없이", OPEN: "별도로 정함"}[period]
    parsed = Period.parse(period)
    parts = ((parsed.years, "년"), (parsed.months, "개월"), (parsed.days, "일"))
    return " ".join(f"{number}{unit}" for number, unit in parts if number)


def english_period(period: str) -> str:
    """Return "3 years", "1 month", "1 year 6 months", "35 days" for a category's period; "at once", "no set period"."""
    if period in (AT_ONCE, OPEN):
        return {AT_ONCE: "at once", OPEN: "no set period"}[period]
    parsed = Period.parse(period)
    parts = ((parsed.years, "year"), (parsed.months, "month"), (parsed.days, "day"))
    return " ".join(_counted(number, unit) for number, unit in parts if number)


def korean_published(period: str, start_event: str) -> str:
    """Return the period as the tables of 제7·8조 have it: "탈퇴 후 1년" where it counts from there, else "3년"."""
    return f"탈퇴 후 {korean_period(period)}" if start_event == _AFTER_LEAVING else korean_period(period)


def english_published(period: str, start_event: str) -> str:
    """Return the period as the tables of Articles 7 and 8 have it: "1 year after withdrawal", else "3 years"."""
    return f"{english_period(period)} after withdrawal" if start_event == _AFTER_LEAVING else english_period(period)


def _english_article(reference: str) -> str:
    found = re.match(r"제(\d+)조", reference)
    return f"Article {found[1]}" if found else reference


def _english_day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def josa(word: str, closed: str, open_: str) -> str:
    """Return the particle (조사) that follows a word, by whether its last syllable ends in a consonant; both if unknown."""
    last = next((ord(character) for character in reversed(word) if character.isalnum()), 0)
    if _SYLLABLES[0] <= last <= _SYLLABLES[1]:
        return closed if (last - _SYLLABLES[0]) % _FINALS else open_
    return f"{closed}({open_})"


def _any_of(words: Iterable[str], conjunction: str) -> str:
    return f" {conjunction} ".join(words)


KOREAN: Mapping[str, Callable[..., str]] = {
    "period": korean_period,
    "published": korean_published,
    "day": lambda day: f"{day.year}년 {day.month}월 {day.day}일",
    "within": lambda days: f"{days}일 이내" if days else "지체 없이",
    "article": str,
    "either": lambda words: _any_of(words, "또는"),
    "josa": josa,
}
"""What the Korean templates call."""

ENGLISH: Mapping[str, Callable[..., str]] = {
    "period": english_period,
    "published": english_published,
    "day": _english_day,
    "within": lambda days: f"within {_counted(days, 'day')}" if days else "without delay",
    "article": _english_article,
    "either": lambda words: _any_of(words, "or"),
}
"""What the English templates call: the same names."""

WORDS: Mapping[Language, Mapping[str, Callable[..., str]]] = {"ko": KOREAN, "en": ENGLISH}
