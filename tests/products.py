"""Instruments of every kind and scheme, drawn at random: numbers with right check digits that belong to nobody."""

import random
import re
from datetime import date
from typing import Any

from onggi.payment_vault.v1 import instrument_pb2 as instruments
from stdnum import luhn

from services.payment_vault.bank_accounts import banks

STEMS = ("4", "51", "2221", "35", "62", "60", "94", "65")
BUSINESS = "123-45-67891"


class Products:
    """Draws instruments, one kind after the other. The same seed gives the same ones; `today` says which banks are open."""

    def __init__(self, seed: int, today: date) -> None:
        self._random = random.Random(seed)
        self._today = today
        self._banks = [code for code, bank in banks().items() if bank.takes_accounts(today) and bank.kind == "bank"]

    def draw(self, count: int) -> list[instruments.Instrument]:
        """So many: a card, an account, a cash-receipt identifier, and so on."""
        makers = (self.card, self.account, self.receipt)
        return [makers[number % 3]() for number in range(count)]

    def card(self) -> instruments.Instrument:
        """A card of any scheme, with a Luhn digit, good for some time."""
        stem = self._random.choice(STEMS)
        stem += self._digits(15 - len(stem))
        year = self._today.year % 100 + self._random.randint(1, 14)
        expiry = f"{self._random.randint(1, 12):02}/{year:02}"
        return instruments.Instrument(card=instruments.Card(
            number=stem + luhn.calc_check_digit(stem), expiry=expiry, business_registration_number=BUSINESS))  # fmt: skip

    def account(self) -> instruments.Instrument:
        """An account at any bank that is open; one in ten begins with zeros."""
        number = self._digits(self._random.randint(10, 14))
        number = "000" + number[3:] if self._random.random() < 0.1 else number
        return instruments.Instrument(bank_account=instruments.BankAccount(
            bank_code=self._random.choice(self._banks), number=number, business_registration_number=BUSINESS))  # fmt: skip

    def receipt(self) -> instruments.Instrument:
        """A cash-receipt identifier of two of the three types."""
        mobile = self._random.random() < 0.5
        number = {"mobile_phone": "010" + self._digits(8)} if mobile else {"card_number": "1" + self._digits(17)}
        return instruments.Instrument(cash_receipt=instruments.CashReceiptIdentifier(**number))

    def respelled(self, instrument: instruments.Instrument) -> instruments.Instrument:
        """The same instrument as somebody else might type it: in groups, with dashes or blanks, in full width."""
        copy = instruments.Instrument()
        copy.CopyFrom(instrument)
        part, field = _number_field(copy)
        text = self._random.choice(("-", " ", "")).join(re.findall(".{1,4}", getattr(part, field)))
        wide = self._random.random() < 0.3
        setattr(part, field, text.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)}) if wide else text)
        return copy

    def _digits(self, count: int) -> str:
        return f"{self._random.randrange(10**count):0{count}}"


def number_of(instrument: instruments.Instrument) -> str:
    """The number as it stands in the instrument."""
    part, field = _number_field(instrument)
    return str(getattr(part, field))


def _number_field(instrument: instruments.Instrument) -> tuple[Any, str]:
    part: Any = getattr(instrument, instrument.WhichOneof("kind") or "")
    return part, "number" if hasattr(part, "number") else part.WhichOneof("identifier")
