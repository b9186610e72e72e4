"""How a personal value may look in a file: the spellings of the value and the encodings of each spelling.

Someone who logs, escapes, transports or "anonymises" a value leaves one of these forms behind. An unkeyed digest counts
as a leak: who can guess a number can hash it (PCI DSS 3.5.1.1).
"""

import base64
import contextlib
import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus

_NUMBER: Final = re.compile(r"\+?[0-9][0-9 -]{6,}[0-9]")
_ESCAPE: Final = re.compile(r"\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|%[0-9A-F]{2}")
_DIGESTS: Final = ("md5", "sha1", "sha256", "sha512")
_INTEGERS: Final = range(10**12, 2**63)
"""Numbers that, kept as a binary integer, can be told from chance and fit into 64 bits."""


def spellings(value: str) -> list[str]:
    """The value as given, and for a number its digits alone and with the usual separators."""
    if _NUMBER.fullmatch(value) is None:
        return [value]
    number = re.sub("[ -]", "", value)
    forms = [value, number]
    if len(number) == 16:
        groups = [number[at : at + 4] for at in range(0, 16, 4)]
        forms += ["-".join(groups), " ".join(groups)]
    elif len(number) == 10:
        forms.append(f"{number[:3]}-{number[3:5]}-{number[5:]}")
    elif len(number) == 11 and number.startswith("0"):
        forms += [f"{number[:3]}-{number[3:7]}-{number[7:]}", f"+82{number[1:]}"]
    return list(dict.fromkeys(forms))


def encodings(spelling: str) -> dict[str, bytes]:
    """Encoding name -> bytes to look for; what equals an earlier encoding is left out."""
    distinct: dict[bytes, str] = {}
    for name, pattern in (*_texts(spelling), *_integers(spelling)):
        distinct.setdefault(pattern, name)
    return {name: pattern for pattern, name in distinct.items()}


def digests(spelling: str) -> dict[str, bytes]:
    """Name -> digest of the spelling without a key, in each way it may be written."""
    found: dict[str, bytes] = {}
    for algorithm in _DIGESTS:
        digest = hashlib.new(algorithm, spelling.encode(), usedforsecurity=False).digest()
        standard, urlsafe = base64.b64encode(digest).rstrip(b"="), base64.urlsafe_b64encode(digest).rstrip(b"=")
        found[algorithm] = digest
        found[f"{algorithm}, hex"] = digest.hex().encode()
        found[f"{algorithm}, HEX"] = digest.hex().upper().encode()
        found[f"{algorithm}, base64"] = standard
        if urlsafe != standard:
            found[f"{algorithm}, base64url"] = urlsafe
    return found


def _texts(text: str) -> Iterator[tuple[str, bytes]]:
    raw = text.encode()
    yield "UTF-8", raw
    yield "UTF-8, decomposed", unicodedata.normalize("NFD", text).encode()
    yield "UTF-16 LE", text.encode("utf-16-le")
    yield "UTF-16 BE", text.encode("utf-16-be")
    with contextlib.suppress(UnicodeEncodeError):
        yield "CP949", text.encode("cp949")
    yield "reversed", text[::-1].encode()
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    for shift in range(3):
        yield f"base64, shift {shift}", _base64(raw, shift)
        yield f"base64url, shift {shift}", _base64(raw, shift).translate(bytes.maketrans(b"+/", b"-_"))
    for name, escaped in (
        ("JSON", json.dumps(text)[1:-1]),
        ("percent", quote(text, safe="")),
        ("form", quote_plus(text)),
        ("octal escapes", _escaped(raw, "\\{:03o}")),
        ("hex escapes", _escaped(raw, "\\x{:02x}")),
    ):
        yield name, escaped.encode()
        yield f"{name}, other case", _ESCAPE.sub(_swap_case, escaped).encode()


def _integers(text: str) -> Iterator[tuple[str, bytes]]:
    if not (text.isascii() and text.isdigit()) or (number := int(text)) not in _INTEGERS:
        return
    yield "packed decimal", bytes.fromhex(text if len(text) % 2 == 0 else f"0{text}")
    yield "64-bit integer LE", number.to_bytes(8, "little")
    yield "64-bit integer BE", number.to_bytes(8, "big")
    yield "varint", _varint(number)


def _base64(raw: bytes, shift: int) -> bytes:
    """The characters that stay the same whatever stands before and after, with `shift` (0..2) bytes before."""
    encoded = base64.b64encode(bytes(shift) + raw)
    return encoded[math.ceil(8 * shift / 6) : 8 * (shift + len(raw)) // 6]


def _escaped(raw: bytes, pattern: str) -> str:
    return "".join(chr(byte) if byte < 0x80 else pattern.format(byte) for byte in raw)


def _swap_case(escape: re.Match[str]) -> str:
    return escape[0].swapcase().replace("\\U", "\\u").replace("\\X", "\\x")


def _varint(number: int) -> bytes:
    groups = [number >> shift & 0x7F for shift in range(0, number.bit_length(), 7)]
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])
