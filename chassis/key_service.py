"""KeyService for any holder: rotate, rewrap, retire. Which columns a key's ciphertexts stand in is the holder's to say.

What changes a key at Vault is idempotent by being read back: the version that a request starts from is durable, with its
log row, before anything is done, and a request that is asked again goes on from there.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from onggi.errors.v1 import error_reason_pb2 as reasons
from onggi.keys.v1 import key_service_pb2 as api
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import errors
from chassis.call import Call
from chassis.database import Hot
from chassis.erasure_keys import ErasureKeys
from chassis.errors import Code, Violation
from chassis.key_rewrap import Rewrapper, Target
from chassis.key_rows import KeyRows, SealedColumn
from chassis.mutation import Mutations
from chassis.request_content import content
from chassis.transit import KeyState, Transit

_SCAN_SECONDS = 120.0
# No flush is under way for longer: what was sealed or read under an old version has landed, or opened, by then.
SETTLE_SECONDS = 5.0


class KeyUnknown(errors.DomainError):
    """A key of another holder, or of nobody, or one that is not rotated here."""

    code, reason = Code.INVALID_ARGUMENT, reasons.ERROR_REASON_KEY_UNKNOWN
    message = "this holder has no such key"

    def __init__(self) -> None:
        super().__init__([Violation("key", "unknown")])


class KeyInUse(errors.DomainError):
    """Nothing was done: whoever retires a version that a row stands under, destroys the row."""

    code, reason = Code.FAILED_PRECONDITION, reasons.ERROR_REASON_KEY_IN_USE
    message = "rows stand under versions before the newest"


@dataclass(frozen=True)
class Holder:
    """What KeyService needs of a holder.

    ``login``: makes the login for the life of keys, which is opened for a call and given back after it. ``transit`` and
    ``index_key``: the login that the holder works with anyway, for request digests; ``erasure_keys`` unwrap with it too.
    """

    engine: AsyncEngine
    columns: Sequence[SealedColumn]
    login: Callable[[], Transit]
    transit: Transit
    index_key: str
    erasure_keys: ErasureKeys


class KeyServicer:
    """onggi.keys.v1.KeyService."""

    def __init__(self, holder: Holder, *, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._holder = holder
        self._mutations = Mutations(holder.engine)
        self._settle = settle_seconds

    async def list_keys(self, request: api.ListKeysRequest, call: Call) -> api.ListKeysResponse:
        """Show all keys. Raises KeyServiceUnavailable, DatabaseUnavailable."""
        names = sorted({column.key for column in self._holder.columns})
        async with self._opened() as (keys, rows):
            return api.ListKeysResponse(keys=[await _shown(keys, rows, name) for name in names])

    async def rotate_key(self, request: api.RotateKeyRequest, call: Call) -> api.RotateKeyResponse:
        """Add a version, once a request. Raises KeyUnknown, RequestIdReused, KeyServiceUnavailable."""
        self._check(call, request.key)
        async with self._opened() as (keys, rows):
            newest = (await keys.key_state(request.key)).newest

            async def start(_: AsyncConnection) -> dict[str, Any]:
                return {"newest": newest}

            newest = (await self._once(call, request, start))["newest"]
            if (await keys.key_state(request.key)).newest <= newest:
                with suppress(errors.KeyServiceUnavailable):  # in doubt: it is read back
                    await keys.rotate_key(request.key)
                if (await keys.key_state(request.key)).newest <= newest:
                    raise errors.KeyServiceUnavailable
            return api.RotateKeyResponse(key=await _shown(keys, rows, request.key))

    async def rewrap_key(self, request: api.RewrapKeyRequest, call: Call) -> AsyncIterator[api.RewrapKeyResponse]:
        """Return the progress of a rewrap. Raises KeyUnknown; what Rewrapper.run raises comes with the stream."""
        self._check(call, request.key)
        return self._rewrap(request.key, call)

    async def _rewrap(self, key: str, call: Call) -> AsyncIterator[api.RewrapKeyResponse]:
        async with self._opened() as (keys, rows):
            newest = (await keys.key_state(key)).newest
            rewrapper = Rewrapper(rows, keys, self._holder.erasure_keys.unwrap, call, Target(key, newest))
            async for progress in rewrapper.run():
                yield api.RewrapKeyResponse(rewrapped=progress.rewrapped, left=progress.left)

    async def retire_key(self, request: api.RetireKeyRequest, call: Call) -> api.RetireKeyResponse:
        """Make the versions before the newest useless. Raises KeyUnknown, KeyInUse, RequestIdReused, and unavailabilities.

        First the tables, then Vault: from the fence on no row can come under an old version, and what was read before
        it has been opened when Vault's floor rises.
        """
        self._check(call, request.key)
        async with self._opened() as (keys, rows):
            state = await keys.key_state(request.key)

            async def start(_: AsyncConnection) -> dict[str, Any]:
                if await rows.standing(request.key, state.newest):
                    raise KeyInUse
                return {"oldest": state.newest}

            oldest = (await self._once(call, request, start))["oldest"]
            if state.oldest_kept < oldest:
                await self._fence(rows, request.key, state, oldest)
                await asyncio.sleep(self._settle)
                with suppress(errors.KeyServiceUnavailable):  # in doubt: it is read back
                    await keys.set_floors(request.key, oldest)
                    await keys.trim_key(request.key, oldest)
                if (await keys.key_state(request.key)).oldest_kept < oldest:
                    raise errors.KeyServiceUnavailable
            return api.RetireKeyResponse(key=await _shown(keys, rows, request.key))

    async def _fence(self, rows: KeyRows, key: str, state: KeyState, oldest: int) -> None:
        # Who sealed just before the rotation shall land, and not be refused by the fence.
        await asyncio.sleep(min(self._settle, max(0.0, state.newest_made_at + self._settle - time.time())))
        await rows.fence(key, oldest)
        if await rows.standing(key, oldest):  # one has come between the count and the fence
            await rows.fence(key, state.oldest_usable)
            raise KeyInUse

    def _check(self, call: Call, key: str) -> None:
        if key not in {column.key for column in self._holder.columns}:
            raise KeyUnknown
        call.entry.resource_ids.append(key)

    async def _once(self, call: Call, request: Message, start: Any) -> dict[str, Any]:
        [digest] = await self._holder.transit.hmac(self._holder.index_key, [content(call.method.name, request)])
        return await self._mutations.run(call, digest, start)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[Transit, KeyRows]]:
        """Give the login for the life of keys and a connection with time for a scan, for as long as a call takes."""
        keys = self._holder.login()
        rows = KeyRows(Hot(self._holder.engine, "keys", _SCAN_SECONDS), self._holder.columns)
        await keys.start()
        try:
            yield keys, rows
        finally:
            await rows.close()
            await keys.log_out()
            await keys.close()


async def _shown(keys: Transit, rows: KeyRows, name: str) -> api.Key:
    state = await keys.key_state(name)
    versions = [api.KeyVersion(version=version, rows=number) for version, number in (await rows.tally(name)).items()]
    return api.Key(
        name=name, newest=state.newest, oldest_usable=state.oldest_usable, oldest_kept=state.oldest_kept,
        versions=sorted(versions, key=lambda version: version.version),
    )  # fmt: skip
