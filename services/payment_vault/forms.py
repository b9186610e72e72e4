"""An instrument brought into one form: checked, masked, and with the inputs of its fingerprints."""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple, TypeVar

from onggi.payment_vault.v1 import instrument_pb2 as api

from chassis.contents import conceal
from chassis.digits import NumberError, business_number
from chassis.errors import InvalidField, Violation
from services.payment_vault import cash_receipts
from services.payment_vault.bank_accounts import account_number, bank_code
from services.payment_vault.instruments import card_number, parse_card_expiry

CARD, BANK_ACCOUNT, CASH_RECEIPT = "card", "bank_account", "cash_receipt"

T = TypeVar("T")


class Form(NamedTuple):
    """``number`` and ``whole`` tell instruments apart: by the number alone, and by everything that was registered.

    ``last_day``: the Korean day on which a card may be used for the last time; None for what has none.
    """

    kind: str
    instrument: api.Instrument
    masked: api.Instrument
    number: str
    whole: str
    last_day: date | None = None


def form(instrument: api.Instrument, today: date, *, luhn_strict_domestic: bool = False) -> Form:
    """Return the instrument in one form. Raises InvalidField with field and reason, never the value.

    ``today``: the Korean day; a card is good through the last day of its month.
    """
    kind = instrument.WhichOneof("kind")
    if kind == CARD:
        return _card(instrument.card, today, luhn_strict_domestic=luhn_strict_domestic)
    if kind == CASH_RECEIPT:
        return _cash_receipt(instrument.cash_receipt)
    return _bank_account(instrument.bank_account, today)


def _card(card: api.Card, today: date, *, luhn_strict_domestic: bool) -> Form:
    checks = _Checks(CARD)
    number = checks.take("number", lambda: card_number(card.number, luhn_strict_domestic=luhn_strict_domestic)) or ""
    business = (
        checks.take("business_registration_number", lambda: business_number(card.business_registration_number)) or ""
    )
    expiry = checks.take("expiry", lambda: parse_card_expiry(card.expiry, today))
    checks.finish()
    clean = api.Card(number=number, expiry=card.expiry, business_registration_number=business)
    whole = f"{number}|{card.expiry}|{business}"
    return _form(CARD, api.Instrument(card=clean), number, whole, expiry.last_day() if expiry else None)


def _bank_account(account: api.BankAccount, today: date) -> Form:
    checks = _Checks(BANK_ACCOUNT)
    code = checks.take("bank_code", lambda: bank_code(account.bank_code, today)) or ""
    # Which lengths a number may have is the bank's affair: without a bank there is nothing to say of the number.
    number = (checks.take("number", lambda: account_number(code, account.number)) if code else None) or ""
    business = (
        checks.take("business_registration_number", lambda: business_number(account.business_registration_number)) or ""
    )
    checks.finish()
    clean = api.BankAccount(bank_code=code, number=number, business_registration_number=business)
    return _form(BANK_ACCOUNT, api.Instrument(bank_account=clean), f"{code}|{number}", f"{code}|{number}|{business}")


def _cash_receipt(identifier: api.CashReceiptIdentifier) -> Form:
    checks, field = _Checks(CASH_RECEIPT), cash_receipts.field_of(identifier)
    number = checks.take(field, lambda: cash_receipts.number_of(identifier)) or ""
    checks.finish()
    # The type tag is part of what tells two apart: a mobile number and a card are never one, whatever their digits.
    clean, tagged = api.CashReceiptIdentifier(**{field: number}), f"{field}|{number}"
    return _form(CASH_RECEIPT, api.Instrument(cash_receipt=clean), tagged, tagged)


def _form(kind: str, instrument: api.Instrument, number: str, whole: str, last_day: date | None = None) -> Form:
    masked = api.Instrument()
    masked.CopyFrom(instrument)
    conceal(masked, ())
    return Form(kind, instrument, masked, number, whole, last_day)


class _Checks:
    """Collects the violations of an instrument, so that a caller learns of all at once."""

    def __init__(self, kind: str) -> None:
        self._prefix = f"instrument.{kind}."
        self._violations: list[Violation] = []

    def take(self, field: str, check: Callable[[], T]) -> T | None:
        """Return what the check gives, or None where it refuses: ``finish`` tells of it."""
        try:
            return check()
        except NumberError as error:
            self._violations.append(Violation(self._prefix + field, error.reason))
            return None

    def finish(self) -> None:
        if self._violations:
            raise InvalidField(self._violations)
