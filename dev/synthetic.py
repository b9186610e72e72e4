"""Synthetic institutions for the demo and the benchmarks: complete, checkable and recognisably invented.

Everything is drawn from a seed. Every value that a leak scan looks for is long enough and occurs once, so that finding
it somewhere is never a coincidence; `planted_values` lists them by the name of their data item.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from dev.synthetic_dealings import Dealings, dealings
from dev.synthetic_numbers import NumberSource
from dev.synthetic_words import WordSource

_BUSINESS_CLASSES: Final = ("81", "86", "87", "88")  # companies
_ORGANISATION_CLASSES: Final = ("80", "82", "89")  # bodies without one
_DOCUMENTATION_NETWORKS: Final = ("192.0.2", "198.51.100", "203.0.113")  # RFC 5737
_BROWSERS: Final = ("Windows NT 10.0; Win64", "Macintosh; Intel Mac OS X", "X11; Linux", "Linux; Android")
_WEEKS: Final = 52
_WEEK_SECONDS: Final = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class ContactPerson:
    """A person who acts for an institution (담당자)."""

    name: str
    mobile_phone: str
    email: str


@dataclass(frozen=True, slots=True)
class PaymentCard:
    """A card: number in dashed groups, expiry as MM/YY."""

    number: str
    expiry: str


@dataclass(frozen=True, slots=True)
class Account:
    """A bank account: KFTC code of the bank, number without dashes."""

    bank_code: str
    number: str


@dataclass(frozen=True, slots=True)
class Login:
    """One log-in; `marker` is the part of the user agent that no other log-in has."""

    occurred_at: datetime
    ip_address: str
    user_agent: str
    marker: str


@dataclass(frozen=True, slots=True)
class Institution:
    """A financial institution with its contacts, means of payment, dealings and a year of log-ins, newest first."""

    email: str
    password: str
    organization_name: str
    organization_number: str
    business_registration_number: str
    representative_name: str
    address: str
    representative_phone: str
    contacts: tuple[ContactPerson, ...]
    cards: tuple[PaymentCard, ...]
    account: Account
    logins: tuple[Login, ...]
    dealings: Dealings


def institutions(count: int, *, seed: int, now: datetime) -> list[Institution]:
    """`count` institutions, at most fifteen hundred; the same seed and `now` (aware) give the same ones."""
    random = Random(seed)
    numbers, words = NumberSource(random), WordSource(random)
    return [_institution(random, numbers, words, now.astimezone(UTC)) for _ in range(count)]


def planted_values(institutions: Iterable[Institution]) -> dict[str, list[str]]:
    """What must be found nowhere, by data item.

    Left out is what is too short or too common to prove anything: bank codes and expiry dates.
    """
    planted: dict[str, set[str]] = {}
    for institution in institutions:
        for item, values in _items(institution).items():
            planted.setdefault(item, set()).update(values)
    return {item: sorted(values) for item, values in planted.items()}


def _items(institution: Institution) -> Mapping[str, list[str]]:
    contacts, logins = institution.contacts, institution.logins
    return {
        **institution.dealings.planted(),
        "email": [institution.email],
        "password": [institution.password],
        "organization_name": [institution.organization_name],
        "organization_number": [institution.organization_number],
        "business_registration_number": [institution.business_registration_number],
        "representative_name": [institution.representative_name],
        "address": [institution.address],
        "representative_phone": [institution.representative_phone],
        "contact_name": [contact.name for contact in contacts],
        "contact_mobile_phone": [contact.mobile_phone for contact in contacts],
        "contact_email": [contact.email for contact in contacts],
        "card_number": [card.number for card in institution.cards],
        "account_number": [institution.account.number],
        "ip_address": [login.ip_address for login in logins],
        "access_log": [text for login in logins for text in (login.user_agent, login.marker)],
    }


def _institution(random: Random, numbers: NumberSource, words: WordSource, now: datetime) -> Institution:
    domain = f"{words.letters(8)}.example"
    return Institution(
        email=f"{words.letters(10)}@{domain}",
        password=f"{words.letters(16)}!",
        organization_name=words.organisation(),
        organization_number=numbers.business_number(_ORGANISATION_CLASSES),
        business_registration_number=numbers.business_number(_BUSINESS_CLASSES),
        representative_name=words.person(),
        address=words.address(),
        representative_phone=numbers.phone("070"),
        contacts=tuple(
            ContactPerson(words.person(), numbers.phone("010"), f"{words.letters(10)}@{domain}")
            for _ in range(random.randint(2, 3))
        ),
        cards=tuple(PaymentCard(numbers.card(), _expiry(random, now)) for _ in range(random.randint(1, 2))),
        account=Account(*numbers.account()),
        logins=tuple(_login(random, words, now, week) for week in range(_WEEKS)),
        dealings=dealings(random, numbers, words),
    )


def _expiry(random: Random, now: datetime) -> str:
    return f"{random.randint(1, 12):02}/{(now.year + random.randint(1, 4)) % 100:02}"


def _login(random: Random, words: WordSource, now: datetime, week: int) -> Login:
    marker = words.letters(14)
    return Login(
        occurred_at=now - timedelta(seconds=week * _WEEK_SECONDS + random.randint(60, _WEEK_SECONDS - 60)),
        ip_address=f"{random.choice(_DOCUMENTATION_NETWORKS)}.{random.randint(1, 254)}",
        user_agent=f"Mozilla/5.0 ({random.choice(_BROWSERS)}) OnggiDemo/1.0 {marker}",
        marker=marker,
    )
