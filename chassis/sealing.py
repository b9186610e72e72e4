"""Seals messages for storage: one ciphertext for a row's field group, bound to its unit's salt and its place."""

from collections.abc import Sequence
from typing import NamedTuple

from chassis import errors
from chassis.erasure_keys import Place, context
from chassis.transit import Plain, Sealed, Transit


class Open(NamedTuple):
    """A plaintext to seal, with its unit's salt and its place."""

    salt: bytes
    place: Place
    plaintext: bytes


class Closed(NamedTuple):
    """A ciphertext to open, with its unit's salt (or the reason why there is none) and its place."""

    salt: bytes | errors.DomainError
    place: Place
    ciphertext: str


async def seal(transit: Transit, key: str, items: Sequence[Open]) -> list[str]:
    """Return the ciphertexts, in order. Raises KeyServiceUnavailable."""
    return await transit.encrypt(key, [Plain(item.plaintext, context(item.salt, item.place)) for item in items])


async def unseal(transit: Transit, key: str, items: Sequence[Closed]) -> list[bytes | errors.DomainError]:
    """Return the plaintexts, in order, each alone failing with its own error. Raises KeyServiceUnavailable."""
    ready = [item for item in items if isinstance(item.salt, bytes)]
    sealed = [Sealed(item.ciphertext, _context(item)) for item in ready]
    plain = iter(await transit.decrypt(key, sealed) if sealed else [])
    return [next(plain) if isinstance(item.salt, bytes) else item.salt for item in items]


def _context(item: Closed) -> bytes:
    assert isinstance(item.salt, bytes)
    return context(item.salt, item.place)
