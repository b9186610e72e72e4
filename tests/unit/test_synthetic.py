"""The synthetic institutions: valid by every rule of the services, invented by every sign, and no value twice."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address, ip_network
from itertools import chain, cycle, islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from stdnum import luhn

from chassis.free_text import find_forbidden
from dev.leak_encodings import spellings
from dev.synthetic import Institution, institutions, planted_values
from dev.synthetic_numbers import NumberSource
from services.identity.numbers import business_number, email_address, mobile_number, phone_kind, phone_number
from services.payment_vault.bank_accounts import account_number, bank_code, is_usual_length
from services.payment_vault.instruments import card_number, parse_card_expiry

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
POLICY = Path(__file__).parents[2] / "policy" / "access.toml"


@pytest.fixture(scope="module")
def drawn() -> list[Institution]:
    """Two hundred institutions, as the demo loads them."""
    return institutions(200, seed=7, now=NOW)


def dealings_phones(institution: Institution) -> list[str]:
    """The telephone numbers in an institution's records."""
    dealings = institution.dealings
    return [dealings.inquirer.mobile_phone, dealings.notified.mobile_phone, dealings.payment.payer_phone]


def test_the_same_seed_gives_the_same_institutions(drawn: list[Institution]) -> None:
    """A run can be repeated from its seed, and another seed gives other people."""
    assert drawn == institutions(200, seed=7, now=NOW)
    assert drawn[0] != institutions(1, seed=8, now=NOW)[0]


def test_every_number_passes_the_checks_of_the_services(drawn: list[Institution]) -> None:
    """Check digits, Luhn, lengths by bank, expiry and numbering plan hold for each number."""
    for institution in drawn:
        business_number(institution.organization_number)
        business_number(institution.business_registration_number)
        assert phone_kind(phone_number(institution.representative_phone)) == "INTERNET"
        assert email_address(institution.email) == institution.email
        for contact in institution.contacts:
            mobile_number(contact.mobile_phone)
            assert email_address(contact.email) == contact.email
        for card in institution.cards:
            assert luhn.is_valid(card_number(card.number, luhn_strict_domestic=True))
            parse_card_expiry(card.expiry, NOW.date())
        for phone in dealings_phones(institution):
            mobile_number(phone)
        for person in (institution.dealings.inquirer, institution.dealings.notified):
            assert email_address(person.email) == person.email
        account = institution.account
        assert is_usual_length(
            bank_code(account.bank_code, NOW.date()), account_number(account.bank_code, account.number)
        )


def test_no_text_is_refused_as_free_text(drawn: list[Institution]) -> None:
    """Names, addresses, passwords and user agents hold nothing that the net for misplaced numbers catches."""
    for institution in drawn:
        texts = [institution.organization_name, institution.representative_name, institution.address]
        texts += [institution.password, *(contact.name for contact in institution.contacts)]
        texts += [login.user_agent for login in institution.logins]
        texts += [text for values in institution.dealings.planted().values() for text in values]
        assert [None] * len(texts) == [find_forbidden(text) for text in texts]


def test_nobody_of_this_world_is_meant(drawn: list[Institution]) -> None:
    """Tax office 999, exchange 0000, test card ranges, reserved domains, documentation addresses, no real district."""
    networks = [ip_network(name) for name in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
    for institution in drawn:
        assert institution.organization_number.startswith(("999-80-", "999-82-", "999-89-"))
        assert institution.business_registration_number.startswith(("999-81-", "999-86-", "999-87-", "999-88-"))
        assert institution.organization_name.startswith("가상")
        assert institution.address.split()[1] in {"가상구", "모의구"}
        for contact in institution.contacts:
            assert contact.mobile_phone.startswith("010-0000-")
            assert contact.email.endswith(".example")
        assert all(phone.startswith("010-0000-") for phone in dealings_phones(institution))
        for person in (institution.dealings.inquirer, institution.dealings.notified):
            assert person.email.endswith(".example")
        for login in institution.logins:
            assert any(ip_address(login.ip_address) in network for network in networks)


def test_each_institution_is_complete(drawn: list[Institution]) -> None:
    """Two or three contacts, one or two cards, and one log-in in each of the last 52 weeks, newest first."""
    for institution in drawn:
        assert len(institution.contacts) in {2, 3}
        assert len(institution.cards) in {1, 2}
        times = [login.occurred_at for login in institution.logins]
        assert len(times) == 52
        assert times == sorted(times, reverse=True)
        assert NOW > times[0] > times[-1] > NOW - timedelta(days=364)


def test_no_planted_value_stands_for_two_things(drawn: list[Institution]) -> None:
    """A value found tells what it is: no two items or persons share one; network addresses alone come again."""
    planted = planted_values(drawn)
    counts = Counter(chain.from_iterable(planted.values()))

    assert {1} == set(counts.values())
    assert len(planted["contact_name"]) == sum(len(institution.contacts) for institution in drawn)
    assert len(planted["card_number"]) == sum(len(institution.cards) for institution in drawn)
    assert len(planted["access_log"]) == 2 * 200 * 52


def test_planted_values_can_be_told_from_chance(drawn: list[Institution]) -> None:
    """Each is long enough to be searched, and none stands in the policy, which services may print."""
    policy = POLICY.read_text()
    for item, values in planted_values(drawn).items():
        for value in values:
            assert all(len(form.encode()) >= 9 for form in spellings(value)), item
            assert value not in policy, item


@pytest.mark.parametrize("kind", ["telephone", "business"])
def test_numbers_come_to_an_end_with_an_error(kind: str) -> None:
    """A class has ten thousand numbers; whoever asks for more is told so, and does not wait for ever."""
    numbers, drawn = NumberSource(Random(1)), list[str]()
    draw = partial(numbers.phone, "010") if kind == "telephone" else partial(numbers.business_number, ("81",))

    with pytest.raises(LookupError, match=kind):
        drawn.extend(iter(draw, ""))

    assert 9_900 < len(set(drawn)) == len(drawn) <= 10_000


class Stuck(Random):
    """Chance that has run dry: always the same choice, and the digits over and over."""

    def __init__(self, digits: str) -> None:
        super().__init__(1)
        self._digits = cycle(digits)

    def choice(self, seq: Any) -> Any:
        """The first."""
        return seq[0]

    def choices(self, *_: object, k: int = 1, **__: object) -> list[Any]:
        """So many of the digits, from where the last call left off."""
        return list(islice(self._digits, k))


DRAWS: dict[str, Callable[[NumberSource], object]] = {
    "business": lambda numbers: numbers.business_number(("81",)),
    "telephone": lambda numbers: numbers.phone("010"),
    "card": NumberSource.card,
    "account": NumberSource.account,
    "approval": NumberSource.approval,
}


@pytest.mark.parametrize("kind", DRAWS)
def test_no_kind_of_number_waits_for_ever_for_a_new_one(kind: str) -> None:
    """Where chance gives nothing that was not drawn before, it ends with an error that says what is missing."""
    numbers = NumberSource(Stuck("0123456789"))
    drawn: list[object] = []

    with pytest.raises(LookupError, match=f"no {kind} number is left"):
        drawn.extend(iter(partial(DRAWS[kind], numbers), ""))

    assert 1 <= len(set(drawn)) == len(drawn) <= 10


@pytest.mark.parametrize("kind", ["account", "approval"])
def test_a_number_without_a_pattern_is_never_drawn(kind: str) -> None:
    """A file of zeros must not look like a leak: where chance gives such numbers alone, there is none."""
    with pytest.raises(LookupError, match=f"no {kind} number is left"):
        DRAWS[kind](NumberSource(Stuck("0001")))
