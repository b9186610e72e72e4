"""Masked reads of tokens, many calls at once: one statement for rows and log rows, then one batch to open the views.

The masked view was sealed under a key of its own, and is opened with a login that has no right to a number. The log row is
durable before anything is decrypted. Numbers are ``reveals``' affair.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from onggi.payment_vault.v1 import instrument_pb2 as api

from chassis import spans
from chassis.batcher import Batcher
from chassis.call import Call
from chassis.database import Hot
from chassis.errors import DomainError, reason_name
from chassis.ledger import INSERT_ROWS
from services.payment_vault.failures import TokenNotFound
from services.payment_vault.opening import COLUMNS, LIVING, Opener, Pair, copy, pair_of
from services.payment_vault.page_tokens import Position
from services.payment_vault.tokens import is_token

_DEFAULT_PAGE = 50
_FIRST = Position(datetime.fromisoformat("0001-01-02T00:00:00+00:00"), "")
GET = f"""
WITH wanted AS (SELECT DISTINCT * FROM unnest($2::text[], $3::uuid[]) AS w (token, member_id)),
data AS MATERIALIZED (SELECT {COLUMNS} FROM wanted JOIN token AS t USING (token, member_id) {LIVING}),
found AS (SELECT token || member_id AS lookup, ARRAY[member_id] AS subjects FROM data),
log AS ({INSERT_ROWS})
SELECT * FROM data
"""
_LIST = f"""
WITH found AS (SELECT NULL::text AS lookup, NULL::uuid[] AS subjects WHERE false),
log AS ({INSERT_ROWS})
SELECT {COLUMNS} FROM token AS t {LIVING}
WHERE t.member_id = $2::uuid AND (t.created_at, t.token) > ($3::timestamptz, $4::text)
ORDER BY t.created_at, t.token LIMIT $5
"""


class Wanted(NamedTuple):
    """One call for one token."""

    call: Call
    pair: Pair


class TokenReader:
    """Reads tokens, masked."""

    def __init__(self, hot: Hot, opener: Opener) -> None:
        self._hot = hot
        self._opener = opener
        self._batcher: Batcher[Wanted, api.Token] = Batcher("tokens masked", self._flush)

    async def get(self, call: Call, pair: Pair) -> api.Token:
        """Return the token, masked. Raises TokenNotFound."""
        if not is_token(pair.token):
            raise TokenNotFound
        entry = call.entry
        entry.lookup, entry.missing_reason = pair.token + pair.member_id, reason_name(TokenNotFound.reason)
        return await self._batcher.submit(Wanted(call, pair), call.deadline)

    async def show(self, call: Call, pair: Pair) -> api.Token:
        """Return the token, for a call whose row is durable already. Raises TokenNotFound."""
        with spans.flush("read tokens", [call.entry]):
            return _whole(copy((await self._fetch_all([], [pair])).get(pair)))

    async def list(
        self, call: Call, member_id: str, size: int, after: Position | None
    ) -> tuple[Sequence[api.Token], Position | None]:
        """Return a page of a member's tokens, oldest first, and where it ends; None where no other follows."""
        size = size or _DEFAULT_PAGE
        found = await self._hot.record(_LIST, [call.entry], member_id, *(after or _FIRST), size + 1)
        last = found[size - 1] if len(found) > size else None
        opened = await self._opener.open(found[:size])
        shown = [_whole(opened[pair_of(row)]) for row in found[:size]]
        return shown, Position(last["created_at"], last["token"]) if last else None

    async def _flush(self, wanted: Sequence[Wanted]) -> Sequence[api.Token | DomainError]:
        found = await self._fetch([item.call for item in wanted], [item.pair for item in wanted])
        return [copy(found.get(item.pair)) for item in wanted]

    async def _fetch(self, calls: Sequence[Call], pairs: Sequence[Pair]) -> Mapping[Pair, api.Token | DomainError]:
        with spans.flush("read tokens", [call.entry for call in calls]):
            return await self._fetch_all(calls, pairs)

    async def _fetch_all(self, calls: Sequence[Call], pairs: Sequence[Pair]) -> Mapping[Pair, api.Token | DomainError]:
        known = [pair for pair in pairs if is_token(pair.token)]
        entries = [call.entry for call in calls]
        found = await self._hot.record(GET, entries, [pair.token for pair in known], [pair.member_id for pair in known])
        self._batcher.go_on()  # PostgreSQL has done its part
        return await self._opener.open(found)

    async def close(self) -> None:
        """Finish what waits."""
        await self._batcher.close()


def _whole(token: api.Token | DomainError) -> api.Token:
    """A list shows all or says why not: a hole in it would be read as "there is no more"."""
    if isinstance(token, DomainError):
        raise token
    return token
