"""A plain dump of a database, read by columns: what stands in it that looks like a number, and what could be a digest."""

import base64
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from stdnum import luhn

_COPY = re.compile(r"COPY (?:public\.)?\"?(\w+)\"? \((.*)\) FROM stdin;")
# A number in one piece or as it is printed in groups, and not a piece of an id, a ciphertext or a longer number.
_NUMBER = re.compile(r"(?<![0-9A-Za-z+/=_-])[0-9](?:[ -]?[0-9]){7,}(?![0-9A-Za-z+/=_-])")
_CARD_LENGTHS = range(13, 20)
_TEXT = re.compile(r"[0-9A-Za-z+/_-]{11,}")
_HEX = re.compile(r"[0-9A-Fa-f]{16,}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHORTEST = 8
"""Bytes of a digest by which it is known, were it cut: of 10^8 guesses and 10^7 texts none agrees in these by chance."""


class Cell(NamedTuple):
    """A value, and where it stands."""

    table: str
    column: str
    text: str


def cells(dump: Path) -> Iterator[Cell]:
    """Every value of every table; a line outside of one comes as a cell without table and column."""
    table, columns = "", [""]
    with dump.open(encoding="utf-8") as lines:
        for raw in lines:
            line = raw.rstrip("\n")
            if not table:
                if begun := _COPY.fullmatch(line):
                    table, columns = begun[1], begun[2].split(", ")
                else:
                    yield Cell("", "", line)
            elif line == "\\.":
                table = ""
            else:
                for column, text in zip(columns, line.split("\t"), strict=True):
                    if text != "\\N":
                        yield Cell(table, column, text)


def numbers(text: str) -> list[str]:
    """The numbers of eight digits and more, without what stands between their groups."""
    return [re.sub("[ -]", "", found) for found in _NUMBER.findall(text)] if len(text) > 7 else []


def is_card(number: str) -> bool:
    """Whether a scanner would take it for the number of a card."""
    return len(number) in _CARD_LENGTHS and luhn.is_valid(number)


def prefixes(texts: Iterable[str]) -> set[bytes]:
    """The first bytes of all that could be a digest: hexadecimal of either case, base64 of either alphabet, UUIDs."""
    found: set[bytes] = set()
    for text in texts:
        if len(text) < 11:
            continue
        for word in _TEXT.findall(text):
            found.add(base64.urlsafe_b64decode(word[:11].translate(_URL_SAFE) + "=")[:SHORTEST])
        for word in _HEX.findall(text):
            found.add(bytes.fromhex(word[: 2 * SHORTEST]))
        for word in _UUID.findall(text):
            found.add(bytes.fromhex(word.replace("-", "")[: 2 * SHORTEST]))
    return found


_URL_SAFE = str.maketrans("+/", "-_")
