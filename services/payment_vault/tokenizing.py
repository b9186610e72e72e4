"""Tokenize, many calls at once: one round of Vault batches side by side, then one statement for everything.

The statement settles all races by itself: the unique fingerprint gives the same instrument the same token, the
idempotency key gives the same request the same answer, and the lock on the member's salt keeps a purge and a late write
apart. A known and a new instrument take the same path.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from chassis import spans
from chassis.batcher import Batcher
from chassis.call import Call
from chassis.database import Hot
from chassis.detached import detached
from chassis.entry import Entry, carried
from chassis.erasure_keys import ErasureKeys
from chassis.errors import DatabaseUnavailable, DomainError, RequestIdReused, SubjectDestroyed, reason_name
from chassis.ledger import INSERT_ROWS
from chassis.sealing import Open, seal
from chassis.transit import Transit
from services.payment_vault import keys
from services.payment_vault.failures import TokenNotFound
from services.payment_vault.fingerprints import Fingerprints, fingerprints, key_input
from services.payment_vault.forms import Form
from services.payment_vault.lifetime import Lifetime
from services.payment_vault.tokens import Stored, new_token

# Looked up is by LATERAL and ANY alone, since the connection joins by hash (``Hot``).
STORE = f"""
WITH item AS (
    SELECT * FROM unnest($2::int[], $3::text[], $4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::text[],
                         $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::boolean[])
    AS i (ord, caller, request_id, digest, member_id, token, kind, number_fingerprint, fingerprint, sealed, sealed_masked,
          expires_at, one_time)),
seen AS (
    SELECT i.ord, k.digest = i.digest AS same, k.token FROM item AS i CROSS JOIN LATERAL (
        SELECT digest, answer ->> 'token' AS token FROM idempotency
        WHERE caller = i.caller AND request_id = i.request_id OFFSET 0) AS k),
living AS MATERIALIZED (
    SELECT unit FROM erasure_key WHERE wrapped_salt IS NOT NULL
    AND unit = ANY (ARRAY(SELECT DISTINCT 'member:' || member_id FROM item)) ORDER BY unit FOR SHARE),
fresh AS (
    SELECT i.* FROM item AS i JOIN living ON living.unit = 'member:' || i.member_id
    WHERE NOT EXISTS (SELECT 1 FROM seen WHERE seen.ord = i.ord)),
stored AS (
    INSERT INTO token (token, member_id, kind, number_fingerprint, fingerprint, sealed, sealed_masked, expires_at, one_time)
    SELECT DISTINCT ON (fingerprint) token, member_id, kind, number_fingerprint, fingerprint, sealed, sealed_masked,
                                     expires_at, one_time
    FROM fresh ORDER BY fingerprint, ord
    ON CONFLICT (fingerprint) DO UPDATE SET expires_at = excluded.expires_at RETURNING token, fingerprint, created_at),
kept AS (
    INSERT INTO idempotency (caller, request_id, digest, answer, subject_id)
    SELECT f.caller, f.request_id, f.digest, jsonb_build_object('token', s.token), f.member_id
    FROM fresh AS f JOIN stored AS s USING (fingerprint)
    ON CONFLICT DO NOTHING RETURNING caller, request_id),
found AS (
    SELECT substr(unit, 8) AS lookup, ARRAY[substr(unit, 8)::uuid] AS subjects FROM living),
log AS ({INSERT_ROWS})
SELECT i.ord, seen.same, coalesce(s.token, seen.token) AS token, coalesce(s.created_at, t.created_at) AS created_at,
       living.unit IS NOT NULL AS living, kept.request_id IS NOT NULL OR seen.ord IS NOT NULL AS settled
FROM item AS i
LEFT JOIN living ON living.unit = 'member:' || i.member_id
LEFT JOIN seen ON seen.ord = i.ord
LEFT JOIN stored AS s ON s.fingerprint = i.fingerprint AND seen.ord IS NULL
LEFT JOIN LATERAL (
    SELECT created_at FROM token
    WHERE token = seen.token AND (expires_at IS NULL OR expires_at > transaction_timestamp()) OFFSET 0) AS t ON true
LEFT JOIN kept ON kept.caller = i.caller AND kept.request_id = i.request_id
ORDER BY i.ord
"""


class Item(NamedTuple):
    """One instrument of one call. ``request_id`` is the item's own."""

    call: Call
    request_id: str
    member_id: str
    form: Form
    lifetime: Lifetime


class _Fresh(NamedTuple):
    """An item with its member's salt and the token that it gets if it is new."""

    item: Item
    salt: bytes
    token: str


class _Ready(NamedTuple):
    """An item with all that Vault has to do for it."""

    item: Item
    token: str
    fingerprints: Fingerprints
    sealed: str
    sealed_masked: str


class Tokenizer:
    """Stores instruments and gives their tokens."""

    def __init__(self, hot: Hot, transit: Transit, erasure_keys: ErasureKeys) -> None:
        self._hot = hot
        self._transit = transit
        self._keys = erasure_keys
        self._batcher: Batcher[Item, Stored] = Batcher("tokenize", self._flush)

    async def tokenize(self, item: Item) -> Stored:
        """Store one instrument. Raises SubjectDestroyed, RequestIdReused, and what Batcher.submit raises."""
        entry = item.call.entry
        entry.lookup, entry.missing_reason = item.member_id, reason_name(SubjectDestroyed.reason)
        return await self._batcher.submit(item, item.call.deadline)

    async def tokenize_all(self, items: Sequence[Item]) -> Sequence[Stored | DomainError]:
        """Store the instruments of one batch call, in a task of its own: a cancelled call cancels no commit."""
        return await detached(self._flush(items))

    async def _flush(self, items: Sequence[Item]) -> Sequence[Stored | DomainError]:
        if len({(item.call.caller.spiffe_id, item.request_id) for item in items}) == len(items):
            return await self._round(items)
        answers: dict[int, Stored | DomainError] = {}
        waiting = list(enumerate(items))
        while waiting:
            # The same request twice in one flush: the second goes into the next round and finds the first's answer.
            first: dict[tuple[str, str], int] = {}
            for number, item in waiting:
                first.setdefault((item.call.caller.spiffe_id, item.request_id), number)
            chosen = set(first.values())
            now = [(number, item) for number, item in waiting if number in chosen]
            results = await self._round([item for _, item in now])
            answers |= {number: result for (number, _), result in zip(now, results, strict=True)}
            waiting = [(number, item) for number, item in waiting if number not in answers]
        return [answers[number] for number in range(len(items))]

    async def _round(self, items: Sequence[Item]) -> Sequence[Stored | DomainError]:
        entries = list({id(item.call.entry): item.call.entry for item in items}.values())
        with spans.flush("tokenize", entries), carried(entries):
            return await self._carried(items, entries)

    async def _carried(self, items: Sequence[Item], entries: Sequence[Entry]) -> Sequence[Stored | DomainError]:
        units = [keys.member_unit(item.member_id) for item in items]
        salts = await self._keys.ensure(units)
        alive = [
            (item, salt) for item, unit in zip(items, units, strict=True) if isinstance(salt := salts[unit], bytes)
        ]
        ready = await self._prepare(alive)
        self._batcher.go_on()  # Vault has done its part
        stored = iter(await self._store(ready, entries))
        return [next(stored) if isinstance(salt, bytes) else salt for salt in (salts[unit] for unit in units)]

    async def _prepare(self, items: Sequence[tuple[Item, bytes]]) -> list[_Ready]:
        fresh = [_Fresh(item, salt, new_token(item.form.kind)) for item, salt in items]
        masked, digests, sealed = await asyncio.gather(
            seal(self._transit, keys.MASKED_KEY, [
                Open(one.salt, keys.masked_place(one.token), one.item.form.masked.SerializeToString()) for one in fresh
            ]),
            self._transit.hmac(keys.INDEX_KEY, [key_input(one.item.form, one.item.member_id) for one in fresh]),
            self._seal_numbers(fresh),
        )  # fmt: skip
        return [
            _Ready(one.item, one.token, _fingerprints(digest, one.item), number, view)
            for one, digest, number, view in zip(fresh, digests, sealed, masked, strict=True)
        ]

    async def _seal_numbers(self, fresh: Sequence[_Fresh]) -> list[str]:
        """Seal each number under the key of its kind, the kinds side by side."""
        sealed = [""] * len(fresh)

        async def seal_kind(kind: str, places: Sequence[int]) -> None:
            numbers = [
                Open(one.salt, keys.number_place(one.token), one.item.form.instrument.SerializeToString())
                for one in (fresh[at] for at in places)
            ]
            for at, ciphertext in zip(places, await seal(self._transit, keys.NUMBER_KEYS[kind], numbers), strict=True):
                sealed[at] = ciphertext

        by_kind: dict[str, list[int]] = {}
        for at, one in enumerate(fresh):
            by_kind.setdefault(one.item.form.kind, []).append(at)
        if len(by_kind) == 1:  # as nearly always: a task for it is felt
            await seal_kind(*by_kind.popitem())
        else:
            await asyncio.gather(*(seal_kind(kind, places) for kind, places in by_kind.items()))
        return sealed

    async def _store(self, ready: Sequence[_Ready], entries: Sequence[Entry]) -> Sequence[Stored | DomainError]:
        arguments = _columns(ready)
        try:
            found = await self._hot.record(STORE, entries, *arguments)
        except DatabaseUnavailable as error:
            if type(error) is not DatabaseUnavailable:
                raise  # refused: nothing is done
            # In doubt. The same statement again reads back what the first has stored, by request_id.
            found = await self._hot.record(STORE, entries, *arguments)
        return [_outcome(row, one.item) for row, one in zip(found, ready, strict=True)]

    async def close(self) -> None:
        """Finish what waits."""
        await self._batcher.close()


def _fingerprints(key: str, item: Item) -> Fingerprints:
    """A token with a lifetime of its own is the request's alone: its second fingerprint says so."""
    request = f"{item.call.caller.spiffe_id}|{item.request_id}" if item.lifetime.own else ""
    return fingerprints(key, item.form, request)


def _digest(one: _Ready) -> str:
    """Tell whether a repeated request_id is the same request: the same method, instrument and lifetime.

    A hash of a keyed digest, so keyed itself; the fingerprint of all of the instrument says all that was sent of it.
    """
    lives = one.item.lifetime
    content = f"{one.item.call.method.name}|{one.fingerprints.whole}|{lives.expires_at}|{lives.one_time}"
    return hashlib.sha256(content.encode()).hexdigest()


def _columns(ready: Sequence[_Ready]) -> list[list[Any]]:
    return [
        list(range(len(ready))),
        [one.item.call.caller.spiffe_id for one in ready],
        [one.item.request_id for one in ready],
        [_digest(one) for one in ready],
        [one.item.member_id for one in ready],
        [one.token for one in ready],
        [one.item.form.kind for one in ready],
        [one.fingerprints.number for one in ready],
        [one.fingerprints.whole for one in ready],
        [one.sealed for one in ready],
        [one.sealed_masked for one in ready],
        [one.item.lifetime.expires_at for one in ready],
        [one.item.lifetime.one_time for one in ready],
    ]


def _outcome(row: Any, item: Item) -> Stored | DomainError:
    if row["same"] is False:
        return RequestIdReused()
    if row["same"] is not None and row["created_at"] is None:
        return TokenNotFound()  # the first answer's token has been deleted since
    if row["token"] is None or (row["same"] is None and not row["living"]):
        return SubjectDestroyed()
    if not row["settled"]:
        # Another process has just used the same request_id; only a retry can tell with which content.
        return DatabaseUnavailable()
    return Stored(row["token"], row["created_at"], item.lifetime.expires_at, item.lifetime.one_time)
