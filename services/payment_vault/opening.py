"""Opens what stands sealed of tokens: the masked view or the number, many rows at once."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import asyncpg
from onggi.payment_vault.v1 import instrument_pb2 as api

from chassis.erasure_keys import ErasureKeys
from chassis.errors import DomainError
from chassis.instants import timestamp
from chassis.sealing import Closed, unseal
from chassis.transit import Transit
from services.payment_vault import keys
from services.payment_vault.failures import TokenNotFound
from services.payment_vault.tokens import Stored

COLUMNS = (
    "t.token, t.member_id, t.kind, t.sealed, t.sealed_masked, t.created_at, t.expires_at, t.one_time, k.wrapped_salt"
)
"""What a statement selects for an Opener, of ``token AS t`` with LIVING joined to it."""

# A token whose time has come is unknown from that moment on, whether or not the sweeper has been there.
LIVING = (
    "JOIN erasure_key AS k ON k.unit = 'member:' || t.member_id AND k.wrapped_salt IS NOT NULL "
    "AND (t.expires_at IS NULL OR t.expires_at > transaction_timestamp())"
)


class Pair(NamedTuple):
    """A token and the member that the caller says it belongs to."""

    token: str
    member_id: str


class Opener:
    """Opens one of the two sealed forms: ``masked`` views, or numbers, for which its login needs the right."""

    def __init__(self, transit: Transit, erasure_keys: ErasureKeys, *, masked: bool) -> None:
        self._transit = transit
        self._keys = erasure_keys
        self._masked = masked

    async def open(self, rows: Sequence[asyncpg.Record]) -> dict[Pair, api.Token | DomainError]:
        """Return the tokens of these rows; the instrument stands in ``masked``, whichever form was opened.

        A row that does not open has its own error. Raises KeyServiceUnavailable.
        """
        salts = await self._keys.unwrap([row["wrapped_salt"] for row in rows])
        by_key: dict[str, list[int]] = {}
        for number, row in enumerate(rows):
            by_key.setdefault(keys.MASKED_KEY if self._masked else keys.NUMBER_KEYS[row["kind"]], []).append(number)
        batches = await asyncio.gather(*(
            unseal(self._transit, key, [self._closed(rows[number], salts[number]) for number in numbers])
            for key, numbers in by_key.items()
        ))  # fmt: skip
        opened = {
            number: plain
            for numbers, batch in zip(by_key.values(), batches, strict=True)
            for number, plain in zip(numbers, batch, strict=True)
        }
        return {pair_of(row): _token(row, opened[number]) for number, row in enumerate(rows)}

    def _closed(self, row: asyncpg.Record, salt: bytes | DomainError) -> Closed:
        if self._masked:
            return Closed(salt, keys.masked_place(row["token"]), row["sealed_masked"])
        return Closed(salt, keys.number_place(row["token"]), row["sealed"])


def pair_of(row: asyncpg.Record) -> Pair:
    """Return which token a row is of."""
    return Pair(row["token"], str(row["member_id"]))


def _token(row: asyncpg.Record, plain: bytes | DomainError) -> api.Token | DomainError:
    if isinstance(plain, DomainError):
        return plain
    stored = Stored(row["token"], row["created_at"], row["expires_at"], row["one_time"])
    return token_of(stored, str(row["member_id"]), api.Instrument.FromString(plain))


def token_of(stored: Stored, member_id: str, instrument: api.Instrument) -> api.Token:
    """Return the contract's message."""
    return api.Token(
        token=stored.token, member_id=member_id, masked=instrument, created_at=timestamp(stored.created_at),
        expires_at=timestamp(stored.expires_at) if stored.expires_at else None, one_time=stored.one_time,
    )  # fmt: skip


def copy(found: Any) -> api.Token | DomainError:
    """Each call masks its own answer in place, so two calls for one token must not share a message."""
    if isinstance(found, api.Token):
        mine = api.Token()
        mine.CopyFrom(found)
        return mine
    return found if isinstance(found, DomainError) else TokenNotFound()
