"""Salts of the erasure units: what is destroyed at once shares one, and its loss destroys it.

A unit is a data subject at a service (``member:<id>``), or, for log-like records that end by their date, a day
(``login:<date>``). Its 32 random bytes are wrapped under the transit key "epoch" and stored in one row; every value of
the unit is encrypted under a context that begins with them. Destroying the row makes the values undecryptable.
"""

import os
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from chassis import errors
from chassis.database import Hot
from chassis.transit import Plain, Sealed, Transit

T = TypeVar("T")

SALT_BYTES = 32
_KEEP_SECONDS = 60.0
_KEEP_AT_MOST = 50_000

_FIND = "SELECT unit, wrapped_salt FROM erasure_key WHERE unit = ANY($1::text[])"
# In one order, as everybody adds here: of two that add the same units in two orders each would wait for the other.
_ADD = """
INSERT INTO erasure_key (unit, wrapped_salt)
SELECT * FROM unnest($1::text[], $2::text[]) AS new (unit, wrapped_salt) ORDER BY unit ON CONFLICT (unit) DO NOTHING
"""


class Place(NamedTuple):
    """Where a value stands. A ciphertext that was moved elsewhere does not decrypt."""

    service: str
    table: str
    row: str
    group: str


def context(salt: bytes, place: Place) -> bytes:
    """Return the derivation context of a value: the unit's salt, then its place."""
    return salt + "|".join(place).encode()


class ErasureKeys:
    """Finds, makes and unwraps salts; keeps plain ones for at most a minute."""

    def __init__(self, transit: Transit, epoch_key: str, hot: Hot) -> None:
        self._transit = transit
        self._epoch_key = epoch_key
        self._hot = hot
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._wrapped_by_unit: OrderedDict[str, tuple[float, str]] = OrderedDict()

    async def unwrap(self, wrapped: Sequence[str]) -> list[bytes | errors.SealBroken]:
        """Return the salts, in order. Raises KeyServiceUnavailable."""
        found: dict[str, bytes | errors.SealBroken] = {}
        for item in dict.fromkeys(wrapped):
            # Looked up once: what is kept now may be over, or have made room for another, when Vault has answered.
            if (salt := self._recall(item)) is not None:
                found[item] = salt
        if missing := [item for item in dict.fromkeys(wrapped) if item not in found]:
            plain = await self._transit.decrypt(self._epoch_key, [Sealed(item) for item in missing])
            for item, opened in zip(missing, plain, strict=True):
                found[item] = opened
                if isinstance(opened, bytes):
                    _keep(self._kept, item, opened)
        return [found[item] for item in wrapped]

    async def make(self, number: int) -> list[tuple[bytes, str]]:
        """Return new salts, each plain and wrapped, for units that the caller adds in its own transaction.

        Raises KeyServiceUnavailable.
        """
        salts = [os.urandom(SALT_BYTES) for _ in range(number)]
        wrapped = await self._transit.encrypt(self._epoch_key, [Plain(salt) for salt in salts])
        return list(zip(salts, wrapped, strict=True))

    async def ensure(self, units: Sequence[str]) -> Mapping[str, bytes | errors.DomainError]:
        """Return the salt of each unit, made where there is none; SubjectDestroyed for a unit whose salt is gone.

        Raises KeyServiceUnavailable, DatabaseUnavailable. What it returns is right only for a statement that locks the
        unit's row again: the unit may be destroyed in between.
        """
        wanted = list(dict.fromkeys(units))
        wrapped: dict[str, str | None] = {unit: kept for unit in wanted if (kept := self._known(unit))}
        if unknown := [unit for unit in wanted if unit not in wrapped]:
            wrapped |= await self._read(unknown)
        salts = await self._salts(wrapped)
        # What was kept, or read a moment ago, may have been rewrapped since, and the version that it stands under retired.
        if old := [unit for unit, salt in salts.items() if not isinstance(salt, bytes)]:
            again = await self._read(old)
            salts |= await self._salts({unit: item for unit, item in again.items() if item != wrapped[unit]})
            wrapped |= again
        return {
            unit: salts[unit] if wrapped[unit] is not None and unit in salts else errors.SubjectDestroyed()
            for unit in wanted
        }

    async def _salts(self, wrapped: Mapping[str, str | None]) -> dict[str, bytes | errors.DomainError]:
        living = {unit: item for unit, item in wrapped.items() if item is not None}
        return dict(zip(living, await self.unwrap(list(living.values())), strict=True))

    async def _read(self, units: Sequence[str]) -> dict[str, str | None]:
        """Read what stands, or add it, and keep it for a minute from now, however often it is used meanwhile."""
        found = await self._find_or_add(units)
        for unit, item in found.items():
            self._wrapped_by_unit.pop(unit, None)
            if item is not None:
                _keep(self._wrapped_by_unit, unit, item)
        return found

    async def _find_or_add(self, units: Sequence[str]) -> dict[str, str | None]:
        found = {row["unit"]: row["wrapped_salt"] for row in await self._hot.fetch(_FIND, units)}
        if new := [unit for unit in units if unit not in found]:
            made = await self.make(len(new))
            await self._hot.fetch(_ADD, new, [wrapped for _, wrapped in made])
            # Whoever was first has won; read back what stands.
            found |= {row["unit"]: row["wrapped_salt"] for row in await self._hot.fetch(_FIND, new)}
        return found

    def forget(self, units: Sequence[str]) -> None:
        """Drop what is kept of destroyed units."""
        for unit in units:
            if (known := self._wrapped_by_unit.pop(unit, None)) is not None:
                self._kept.pop(known[1], None)

    def _recall(self, wrapped: str) -> bytes | None:
        return _fresh(self._kept, wrapped)

    def _known(self, unit: str) -> str | None:
        return _fresh(self._wrapped_by_unit, unit)


def _fresh(kept: OrderedDict[str, tuple[float, T]], key: str) -> T | None:
    entry = kept.get(key)
    if entry is None or entry[0] < time.monotonic():
        kept.pop(key, None)
        return None
    return entry[1]


def _keep(kept: OrderedDict[str, tuple[float, T]], key: str, value: T) -> None:
    kept[key] = (time.monotonic() + _KEEP_SECONDS, value)
    if len(kept) > _KEEP_AT_MOST:
        kept.popitem(last=False)
