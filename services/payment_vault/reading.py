"""Reads of tokens, many calls at once: one statement for rows and log rows, then one batch to open what they seal.

A masked read opens the masked view, which was sealed under a key of its own, with a login that has no right to a number.
A reveal opens the number, with the other login. In both the log row is durable before anything is decrypted.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
from onggi.payment_vault.v1 import instrument_pb2 as api

from chassis import spans
from chassis.batcher import Batcher
from chassis.call import Call
from chassis.database import Hot
from chassis.erasure_keys import ErasureKeys
from chassis.errors import DomainError, reason_name
from chassis.instants import timestamp
from chassis.ledger import INSERT_ROWS
from chassis.sealing import Closed, unseal
from chassis.transit import Transit
from services.payment_vault import keys
from services.payment_vault.failures import TokenNotFound
from services.payment_vault.page_tokens import Position
from services.payment_vault.tokens import Stored, is_token

_DEFAULT_PAGE = 50
_FIRST = Position(datetime.fromisoformat("0001-01-02T00:00:00+00:00"), "")
_COLUMNS = (
    "t.token, t.member_id, t.kind, t.sealed, t.sealed_masked, t.created_at, t.expires_at, t.one_time, k.wrapped_salt"
)
# A token whose time has come is unknown from that moment on, whether or not the sweeper has been there.
_SALT = (
    "JOIN erasure_key AS k ON k.unit = 'member:' || t.member_id AND k.wrapped_salt IS NOT NULL "
    "AND (t.expires_at IS NULL OR t.expires_at > transaction_timestamp())"
)

_GET = f"""
WITH wanted AS (SELECT DISTINCT * FROM unnest($2::text[], $3::uuid[]) AS w (token, member_id)),
data AS MATERIALIZED (SELECT {_COLUMNS} FROM wanted JOIN token AS t USING (token, member_id) {_SALT}),
found AS (SELECT token || member_id AS lookup, ARRAY[member_id] AS subjects FROM data),
log AS ({INSERT_ROWS})
SELECT * FROM data
"""
_LIST = f"""
WITH found AS (SELECT NULL::text AS lookup, NULL::uuid[] AS subjects WHERE false),
log AS ({INSERT_ROWS})
SELECT {_COLUMNS} FROM token AS t {_SALT}
WHERE t.member_id = $2::uuid AND (t.created_at, t.token) > ($3::timestamptz, $4::text)
ORDER BY t.created_at, t.token LIMIT $5
"""


class Pair(NamedTuple):
    """A token and the member that the caller says it belongs to."""

    token: str
    member_id: str


class Wanted(NamedTuple):
    """One call for one token."""

    call: Call
    pair: Pair


class TokenReader:
    """Reads tokens and opens one of their two sealed forms: ``masked`` views or numbers."""

    def __init__(self, hot: Hot, transit: Transit, erasure_keys: ErasureKeys, *, masked: bool) -> None:
        self._hot = hot
        self._transit = transit
        self._keys = erasure_keys
        self._masked = masked
        self._batcher: Batcher[Wanted, api.Token] = Batcher("tokens masked" if masked else "reveals", self._flush)

    async def get(self, call: Call, pair: Pair) -> api.Token:
        """Return the token; its instrument stands in ``masked``, whichever form was opened. Raises TokenNotFound."""
        if not is_token(pair.token):
            raise TokenNotFound
        entry = call.entry
        entry.lookup, entry.missing_reason = pair.token + pair.member_id, reason_name(TokenNotFound.reason)
        return await self._batcher.submit(Wanted(call, pair), call.deadline)

    async def get_all(self, call: Call, pairs: Sequence[Pair]) -> Sequence[api.Token | DomainError]:
        """Return the tokens of one batch call, TokenNotFound in the place of each that is not there."""
        found = await self._fetch([call], pairs)
        return [_copy(found.get(pair)) for pair in pairs]

    async def show(self, call: Call, pair: Pair) -> api.Token:
        """Return the token, for a call whose row is durable already. Raises TokenNotFound."""
        with spans.flush("read tokens", [call.entry]):
            return _whole(_copy((await self._fetch_all([], [pair])).get(pair)))

    async def list(
        self, call: Call, member_id: str, size: int, after: Position | None
    ) -> tuple[Sequence[api.Token], Position | None]:
        """Return a page of a member's tokens, oldest first, and where it ends; None where no other follows."""
        size = size or _DEFAULT_PAGE
        found = await self._hot.record(_LIST, [call.entry], member_id, *(after or _FIRST), size + 1)
        last = found[size - 1] if len(found) > size else None
        opened = await self._open(found[:size])
        shown = [_whole(opened[_pair(row)]) for row in found[:size]]
        return shown, Position(last["created_at"], last["token"]) if last else None

    async def _flush(self, wanted: Sequence[Wanted]) -> Sequence[api.Token | DomainError]:
        found = await self._fetch([item.call for item in wanted], [item.pair for item in wanted])
        return [_copy(found.get(item.pair)) for item in wanted]

    async def _fetch(self, calls: Sequence[Call], pairs: Sequence[Pair]) -> Mapping[Pair, api.Token | DomainError]:
        with spans.flush("read tokens", [call.entry for call in calls]):
            return await self._fetch_all(calls, pairs)

    async def _fetch_all(self, calls: Sequence[Call], pairs: Sequence[Pair]) -> Mapping[Pair, api.Token | DomainError]:
        known = [pair for pair in pairs if is_token(pair.token)]
        entries = [call.entry for call in calls]
        found = await self._hot.record(
            _GET, entries, [pair.token for pair in known], [pair.member_id for pair in known]
        )
        return await self._open(found)

    async def _open(self, found: Sequence[asyncpg.Record]) -> dict[Pair, api.Token | DomainError]:
        salts = await self._keys.unwrap([row["wrapped_salt"] for row in found])
        by_key: dict[str, list[int]] = {}
        for number, row in enumerate(found):
            by_key.setdefault(keys.MASKED_KEY if self._masked else keys.NUMBER_KEYS[row["kind"]], []).append(number)
        batches = await asyncio.gather(*(
            unseal(self._transit, key, [self._closed(found[number], salts[number]) for number in numbers])
            for key, numbers in by_key.items()
        ))  # fmt: skip
        opened = {
            number: plain
            for numbers, batch in zip(by_key.values(), batches, strict=True)
            for number, plain in zip(numbers, batch, strict=True)
        }
        return {_pair(row): _token(row, opened[number]) for number, row in enumerate(found)}

    def _closed(self, row: asyncpg.Record, salt: bytes | DomainError) -> Closed:
        if self._masked:
            return Closed(salt, keys.masked_place(row["token"]), row["sealed_masked"])
        return Closed(salt, keys.number_place(row["token"]), row["sealed"])

    async def close(self) -> None:
        """Finish what waits."""
        await self._batcher.close()


def _pair(row: asyncpg.Record) -> Pair:
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


def _whole(token: api.Token | DomainError) -> api.Token:
    """A list shows all or says why not: a hole in it would be read as "there is no more"."""
    if isinstance(token, DomainError):
        raise token
    return token


def _copy(found: Any) -> api.Token | DomainError:
    """Each call masks its own answer in place, so two calls for one token must not share a message."""
    if isinstance(found, api.Token):
        copy = api.Token()
        copy.CopyFrom(found)
        return copy
    return found if isinstance(found, DomainError) else TokenNotFound()
