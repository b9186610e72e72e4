"""The file of an import, line by line: what each line holds as an item of the contract, or why it holds none.

Read from any byte on, so that an import can be taken up where it stood; one line in memory at a time. What is wrong is told
by reason, field and rule, never by the value.
"""

import csv
import json
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from onggi.payment_vault.v1.instrument_pb2 import BankAccount, Card, CashReceiptIdentifier, Instrument
from onggi.payment_vault.v1.tokenization_service_pb2 import TokenizeItem

from cli.failures import UsageError

COLUMNS: Final = ("member_id", "kind", "number", "expiry", "bank_code", "business_registration_number")
CASH_RECEIPTS: Final = ("mobile_phone", "card_number", "business_registration_number")
KINDS: Final = ("card", "bank_account", *(f"cash_receipt_{name}" for name in CASH_RECEIPTS))
MOST_BYTES: Final = 2048
"""Of a line; five hundred of them stay below what a server takes."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a line has no token: reason and rule by their names in the contract, and the field."""

    reason: str
    field: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line by its number (the first is 1) and the byte behind it."""

    number: int
    end: int
    item: TokenizeItem | Refused


class ImportFile:
    """An open file of cards and accounts. Use as a context manager. Raises UsageError for one that cannot be read."""

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() not in {".csv", ".jsonl"}:
            raise UsageError("the file's name must end in .csv or .jsonl")
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from error
        self.size = path.stat().st_size
        self._is_csv = path.suffix.lower() == ".csv"
        self._header: tuple[str, ...] = COLUMNS
        self._first, self._first_number = 0, 1
        if self._is_csv:
            self._header = _header(self._file.readline(MOST_BYTES))
            self._first, self._first_number = self._file.tell(), 2
        elif self._file.read(len(BOM_UTF8)) == BOM_UTF8:
            self._first = len(BOM_UTF8)

    def lines(self, offset: int = 0, number: int = 0) -> Iterator[Line]:
        """Yield the lines behind byte `offset`, the last of which was line `number`; (0, 0) begins at the first.

        Empty lines are passed over.
        """
        self._file.seek(offset or self._first)
        number = number if offset else self._first_number - 1
        while raw := self._file.readline(MOST_BYTES + 1):
            number += 1
            too_long = len(raw) > MOST_BYTES
            while len(raw) > MOST_BYTES and not raw.endswith(b"\n"):
                raw = self._file.readline(MOST_BYTES + 1)
                if len(raw) <= MOST_BYTES:
                    break
            end = self._file.tell()
            if too_long:
                yield Line(number, end, Refused("MALFORMED_LINE", rule="too_long"))
            elif raw.strip():
                yield Line(number, end, self._item(raw))

    def _item(self, raw: bytes) -> TokenizeItem | Refused:
        try:
            text = raw.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            return Refused("MALFORMED_LINE", rule="utf8")
        values = self._csv(text) if self._is_csv else _json(text)
        return values if isinstance(values, Refused) else _item(values)

    def _csv(self, text: str) -> dict[str, str] | Refused:
        try:
            cells = next(csv.reader([text], strict=True))
        except (csv.Error, StopIteration):
            return Refused("MALFORMED_LINE", rule="csv")
        if len(cells) != len(self._header):
            return Refused("MALFORMED_LINE", rule="columns")
        return {name: cell.strip() for name, cell in zip(self._header, cells, strict=True)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _header(raw: bytes) -> tuple[str, ...]:
    try:
        cells: Sequence[str] = next(csv.reader([raw.decode("utf-8-sig").rstrip("\r\n")]))
    except (UnicodeDecodeError, csv.Error, StopIteration):
        cells = ()
    names = tuple(cell.strip() for cell in cells)
    if not {"member_id", "kind", "number"} <= set(names) <= set(COLUMNS) or len(set(names)) != len(names):
        raise UsageError(f"the first line of the CSV file wants names of columns, of: {', '.join(COLUMNS)}")
    return names


def _json(text: str) -> dict[str, str] | Refused:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):  # their texts repeat the value
        return Refused("MALFORMED_LINE", rule="json")
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        return Refused("MALFORMED_LINE", rule="object_of_texts")
    if not set(document) <= set(COLUMNS):
        return Refused("MALFORMED_LINE", rule="columns")
    return document


def _item(values: dict[str, str]) -> TokenizeItem | Refused:
    given = {name for name, value in values.items() if value}
    kind, number = values.get("kind", ""), values.get("number", "")
    business = values.get("business_registration_number", "")
    if kind == "card":
        instrument = Instrument(
            card=Card(number=number, expiry=values.get("expiry", ""), business_registration_number=business)
        )
        others = {"bank_code"}
    elif kind == "bank_account":
        account = BankAccount(
            number=number, bank_code=values.get("bank_code", ""), business_registration_number=business
        )
        instrument, others = Instrument(bank_account=account), {"expiry"}
    elif kind in KINDS:
        receipt = CashReceiptIdentifier(**{kind.removeprefix("cash_receipt_"): number})
        instrument, others = Instrument(cash_receipt=receipt), {"expiry", "bank_code", "business_registration_number"}
    else:
        return Refused("INVALID_FIELD", "kind", "unknown")
    if wrong := sorted(given & others):
        return Refused("INVALID_FIELD", wrong[0], "not_of_this_kind")
    return TokenizeItem(member_id=values.get("member_id", ""), instrument=instrument)
