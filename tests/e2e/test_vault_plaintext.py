"""A dump of the databases in the wrong hands: no number in it, and none that could be guessed by hashing (PV-03, PV-04)."""

import base64
import hashlib
import random
import secrets
import time
import zlib
from pathlib import Path
from typing import NamedTuple

import pytest
from stdnum import luhn

from dev.leak_scan import scan
from dev.stack import Stack
from services.payment_vault.forms import CARD
from tests.e2e.digest_guesses import ALGORITHMS, GUESSES, Hit, Target, forms, hits
from tests.e2e.faults import Figures, query
from tests.e2e.key_life import dump
from tests.e2e.sized import Stored
from tests.e2e.written import cells, is_card, numbers, prefixes
from tests.products import number_of

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

# Sixteen or thirty-two random hexadecimal digits, all of them decimal once in a while; W3C Trace Context. A number that is
# stored would be found here all the same.
_RANDOM = frozenset({"trace_id", "span_id", "parent_span_id"})
_CONTROL = "written_control"
_SAMPLE = 300


class Plants(NamedTuple):
    """What was put into the database for the search to find: numbers of a card and of a stored account, digests, a marker."""

    card: str
    account: str
    guessed: str
    digests: list[str]
    marker: str


async def test_a_dump_has_no_number_and_no_digest_of_one(
    sized: Stack, stored: Stored, figures: Figures, tmp_path: Path
) -> None:
    """PV-03, PV-04: searched for all stored numbers, all that looks like a card, and 6 million candidates' digests."""
    target = _target(stored)
    plants = _plants(stored, target)
    await query(sized, "payment_vault", f"CREATE TABLE {_CONTROL} (value text NOT NULL)")
    for value in (plants.card, _grouped(plants.account), plants.marker, *plants.digests):
        await query(sized, "payment_vault", f"INSERT INTO {_CONTROL} VALUES ($1)", value)
    files = {name: tmp_path / f"{name}.sql" for name in ("payment_vault", "identity")}
    for name, file in files.items():
        dump(sized, file, name, form="plain")
    await query(sized, "payment_vault", f"DROP TABLE {_CONTROL}")

    known = {digits for one in stored.held if (digits := number_of(one.instrument))}
    cards, found, texts = _read(files, known)
    size = sum(file.stat().st_size for file in files.values())
    assert cards == [(_CONTROL, plants.card)], "the planted one alone"
    assert found == [(_CONTROL, "value")], "the planted one alone"

    sample = random.sample(sorted(one for one in known - {plants.account} if len(one) > 10), _SAMPLE)
    report = scan({"dump": list(files.values())}, {"number": sample}, {"dump": plants.marker})
    assert report.clean, report.as_json()["hit_list"][:5]

    began = time.monotonic()
    everywhere = hits(target, texts)
    seconds = time.monotonic() - began
    planted = {Hit(plants.guessed, form, name) for form in range(6) for name in ALGORITHMS}
    assert set(everywhere) == planted, "the planted digests, every one, and no other"
    figures(
        f"dump of {size >> 20} MB: 0 of {len(known)} stored numbers, 0 other numbers of cards (2 of 2 planted found), 0 of "
        f"{report.patterns} encodings of {_SAMPLE}; 6 x {GUESSES} candidates by {len(ALGORITHMS)} algorithms in "
        f"{seconds:.0f} s: 0 hits ({len(planted)} of {len(planted)} planted found)"
    )


async def test_no_short_checksum_of_a_number_stands_in_its_row(sized: Stack, stored: Stored) -> None:
    """PV-04: what is too short to be looked for everywhere (CRC-32, Adler-32) is not in the card's own row."""
    numbers_by_token = {token: number_of(one.instrument) for one, token in zip(stored.held, stored.tokens, strict=True)}
    rows = await query(sized, "payment_vault", "SELECT token, t::text FROM token AS t")
    assert len(rows) >= len(numbers_by_token)
    for token, row in rows:
        if token in numbers_by_token:
            for checksum in (zlib.crc32, zlib.adler32):
                value = checksum(numbers_by_token[token].encode())
                assert not [text for text in (f"{value:08x}", f"{value:08X}", f"{value:010}") if text in row]


def _target(stored: Stored) -> Target:
    card = next(
        one for one in stored.held if one.instrument.WhichOneof("kind") == CARD and len(number_of(one.instrument)) == 16
    )
    number = number_of(card.instrument)
    payer = card.instrument.card.business_registration_number.replace("-", "")
    return Target(number[:6], number[-4:], card.member_id, card.instrument.card.expiry, payer)


def _plants(stored: Stored, target: Target) -> Plants:
    """The digest of each form under each algorithm, in hexadecimal and base64 by turns, some as Vault writes its own."""
    guessed = f"{target.first}{secrets.randbelow(GUESSES):06}{target.last}"
    digests = []
    for at, text in enumerate(forms(guessed, target)):
        for number, name in enumerate(ALGORITHMS):
            raw = hashlib.new(name, text.encode()).digest()
            written = (
                raw.hex(),
                base64.b64encode(raw).decode(),
                raw.hex().upper(),
                base64.urlsafe_b64encode(raw).decode().rstrip("="),
            )[(at + number) % 4]
            digests.append(f"vault:v1:{written}" if number % 2 else written)
    stem = "999999" + f"{secrets.randbelow(10**9):09}"
    account = next(number for one in stored.held if len(number := number_of(one.instrument)) == 10)
    marker = f"onggi-control-{secrets.token_hex(12)}"
    return Plants(stem + luhn.calc_check_digit(stem), account, guessed, digests, marker)


def _grouped(number: str) -> str:
    return f"{number[:3]}-{number[3:6]}-{number[6:]}"


def _read(files: dict[str, Path], known: set[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]], set[bytes]]:
    """(Table and number of each that looks like a card's; table and column of each stored number; starts of digests)."""
    cards: list[tuple[str, str]] = []
    found: list[tuple[str, str]] = []
    texts: set[bytes] = set()
    for file in files.values():
        for cell in cells(file):
            for number in numbers(cell.text):
                if number in known:
                    found.append((cell.table, cell.column))
                if is_card(number) and cell.column not in _RANDOM:
                    cards.append((cell.table, number))
            texts |= prefixes([cell.text])
    return cards, found, texts
