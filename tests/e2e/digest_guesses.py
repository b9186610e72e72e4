"""Who has the dump and knows a card's first six and last four digits tries the other six: all of them, hashed without a key.

In processes of their own, since each guess holds the interpreter.
"""

import hashlib
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NamedTuple

from tests.e2e.written import SHORTEST

ALGORITHMS = ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b", "blake2s")
GUESSES = int(os.environ.get("ONGGI_HASH_GUESSES", "1000000"))
_PART = 50_000
_known: frozenset[bytes] = frozenset()


class Target(NamedTuple):
    """What is known of a card of sixteen digits: its masked view, its row, and what a guesser could learn elsewhere."""

    first: str
    last: str
    member_id: str
    expiry: str
    payer: str


class Hit(NamedTuple):
    """A digest that stands in the dump: of which number, how it was written and hashed."""

    number: str
    form: int
    algorithm: str


def forms(number: str, target: Target) -> tuple[str, ...]:
    """How the number may have been written when it was hashed; the last two are what the vault's own fingerprints are of."""
    groups = [number[at : at + 4] for at in range(0, 16, 4)]
    return (
        number,
        "-".join(groups),
        " ".join(groups),
        f"{number}|{target.expiry}",
        f"number|card|{target.member_id}|{number}",
        f"instrument|{number}|{target.expiry}|{target.payer}",
    )


def hits(target: Target, known: set[bytes]) -> list[Hit]:
    """Try every number between the known digits in every form under every algorithm."""
    with ProcessPoolExecutor(
        2, multiprocessing.get_context("spawn"), initializer=_know, initargs=(frozenset(known),)
    ) as pool:
        starts = range(0, GUESSES, _PART)
        found = pool.map(_try, [(target, start) for start in starts])
        return [hit for part in found for hit in part]


def _know(known: frozenset[bytes]) -> None:
    global _known  # noqa: PLW0603  # set once in each process
    _known = known


def _try(part: tuple[Target, int]) -> list[Hit]:
    target, start = part
    functions: list[tuple[str, Any]] = [(name, getattr(hashlib, name)) for name in ALGORITHMS]
    return [
        Hit(number, form, algorithm)
        for number in _numbers(target, start)
        for form, text in enumerate(forms(number, target))
        for raw in (text.encode(),)
        for algorithm, hashed in functions
        if hashed(raw).digest()[:SHORTEST] in _known
    ]


def _numbers(target: Target, start: int) -> Iterator[str]:
    for middle in range(start, min(start + _PART, GUESSES)):
        yield f"{target.first}{middle:06}{target.last}"
