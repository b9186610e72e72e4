"""From identity's keys to the archive's: opens the fields that the archive gets, and no others, and seals them anew.

Each field gets a fresh salt. identity wraps it and cannot unwrap it again, so what it has sealed here it cannot read.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chassis import errors
from chassis.erasure_keys import SALT_BYTES
from chassis.sealing import Closed, Open, seal, unseal
from chassis.transit import Plain, Sealed, Transit
from services.identity import keys as identity_keys
from services.identity.archive import keys
from services.identity.archive.left_records import Left
from services.identity.archive.standings import Share


class SealedField(NamedTuple):
    """A field as the archive stores it."""

    field: str
    sealed: str
    wrapped_salt: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """A record on its way: as it was read here, what the archive gets of it, and those fields under the archive's key.

    Raises ValueError for a field that none of its bases keeps: no parcel with one is ever made.
    """

    left: Left
    share: Share
    fields: tuple[SealedField, ...]

    def __post_init__(self) -> None:
        if not {item.field for item in self.fields} <= self.share.fields:
            raise ValueError("a field that no basis keeps must not enter the archive")

    def as_json(self) -> Mapping[str, object]:
        """Return it as ``deposit_records`` takes it."""
        left = self.left
        return {
            "record_id": left.record_id, "member_id": left.member_id, "kind": left.kind,
            "occurred_on": left.occurred_on.isoformat(), "policy_version": left.policy_version,
            "bases": [
                {
                    "category": basis.category, "event_date": basis.event_date and basis.event_date.isoformat(),
                    "ended_on": basis.ended_on and basis.ended_on.isoformat(),
                }
                for basis in self.share.bases
            ],
            "fields": [field._asdict() for field in self.fields],
        }  # fmt: skip


class _Value(NamedTuple):
    record_id: str
    field: str
    plain: bytes | errors.DomainError


class Resealer:
    """Holds identity's log-in at the key service, which may encrypt under the archive's keys and not decrypt."""

    def __init__(self, transit: Transit) -> None:
        self._transit = transit

    async def reseal(self, found: Sequence[tuple[Left, Share]]) -> tuple[Sequence[Parcel], Sequence[str]]:
        """Return the parcels, and the ids of records that do not open. Raises KeyServiceUnavailable."""
        wanted = [(left, field) for left, share in found for field in sorted(left.fields.keys() & share.fields)]
        broken = {left.record_id for left, field in wanted if not left.fields[field][1]}
        values = await self._open([(left, field) for left, field in wanted if left.record_id not in broken])
        broken |= {value.record_id for value in values if not isinstance(value.plain, bytes)}
        sealed = await self._seal([value for value in values if value.record_id not in broken])
        parcels = [
            Parcel(left, share, tuple(sealed.get(left.record_id, ())))
            for left, share in found
            if left.record_id not in broken
        ]
        return parcels, sorted(broken)

    async def _open(self, wanted: Sequence[tuple[Left, str]]) -> Sequence[_Value]:
        if not wanted:
            return []
        stored = [left.fields[field] for left, field in wanted]
        # These salts are destroyed within the second, so they do not go through the store that keeps some for a minute.
        salts = await self._transit.decrypt(identity_keys.EPOCH_KEY, [Sealed(wrapped) for _, wrapped in stored])
        closed = [
            Closed(salt, identity_keys.field_place(left.record_id, field), sealed)
            for (left, field), (sealed, _), salt in zip(wanted, stored, salts, strict=True)
        ]
        plain = await unseal(self._transit, identity_keys.PII_KEY, closed)
        return [_Value(left.record_id, field, value) for (left, field), value in zip(wanted, plain, strict=True)]

    async def _seal(self, values: Sequence[_Value]) -> Mapping[str, Sequence[SealedField]]:
        if not values:
            return {}
        salts = [os.urandom(SALT_BYTES) for _ in values]
        wrapped = await self._transit.encrypt(keys.EPOCH_KEY, [Plain(salt) for salt in salts])
        sealed = await seal(self._transit, keys.RECORD_KEY, list(_opened(values, salts)))
        fields: dict[str, list[SealedField]] = {}
        for value, ciphertext, salt in zip(values, sealed, wrapped, strict=True):
            fields.setdefault(value.record_id, []).append(SealedField(value.field, ciphertext, salt))
        return fields


def _opened(values: Sequence[_Value], salts: Sequence[bytes]) -> Iterator[Open]:
    for value, salt in zip(values, salts, strict=True):
        assert isinstance(value.plain, bytes)
        yield Open(salt, identity_keys.field_place(value.record_id, value.field, keys.SERVICE), value.plain)
