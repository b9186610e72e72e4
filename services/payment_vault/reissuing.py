"""ReissueToken: the instrument gets a new token, and the old one is destroyed in the same transaction.

What is sealed is bound to its token, so it is opened and sealed again: opened with the login that reveals, sealed with
the login that makes tokens, which neither does for the other. Nothing of the number is answered. The row itself stays,
with its lifetime and its fingerprints, so that the instrument's next Tokenize finds the new token.
"""

import asyncio
from typing import Any

from onggi.payment_vault.v1 import detokenization_service_pb2 as api
from onggi.payment_vault.v1 import instrument_pb2 as instruments
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.call import Call
from chassis.erasure_keys import ErasureKeys
from chassis.errors import DomainError
from chassis.mutation import Answer, Mutations
from chassis.request_content import content
from chassis.sealing import Closed, Open, seal, unseal
from chassis.transit import Transit
from services.payment_vault import keys
from services.payment_vault.failures import TokenNotFound
from services.payment_vault.opening import Pair
from services.payment_vault.reading import TokenReader
from services.payment_vault.tokens import is_token, new_token

# The salt first and then the token, as everybody locks them: a purge waits, or comes first and leaves nothing here.
_SALT = text("SELECT wrapped_salt FROM erasure_key WHERE unit = :unit AND wrapped_salt IS NOT NULL FOR SHARE")
_FIND = text("""
SELECT kind, sealed, sealed_masked FROM token WHERE token = :token AND member_id = CAST(:member_id AS uuid)
AND (expires_at IS NULL OR expires_at > transaction_timestamp()) FOR UPDATE
""")
_REPLACE = text("""
UPDATE token SET token = :new, sealed = :sealed, sealed_masked = :masked, created_at = transaction_timestamp()
WHERE token = :token
""")


class Reissuer:
    """Gives new tokens for old. ``opening`` may decrypt numbers, ``sealing`` may encrypt them; neither may do both."""

    def __init__(
        self, mutations: Mutations, opening: Transit, sealing: Transit, erasure_keys: ErasureKeys, reader: TokenReader
    ) -> None:
        self._mutations = mutations
        self._opening = opening
        self._sealing = sealing
        self._keys = erasure_keys
        self._reader = reader

    async def reissue(self, call: Call, request: api.ReissueTokenRequest) -> instruments.Token:
        """Return the new token, masked. Raises TokenNotFound, RequestIdReused, and what is unavailable."""
        if not is_token(request.token):
            raise TokenNotFound
        [digest] = await self._sealing.hmac(keys.INDEX_KEY, [content(call.method.name, request)])

        async def work(connection: AsyncConnection) -> Answer:
            return {"token": await self._replace(connection, request.member_id, request.token)}

        answer = await self._mutations.run(call, digest, work, subject_id=request.member_id)
        return await self._reader.show(call, Pair(answer["token"], request.member_id))

    async def _replace(self, connection: AsyncConnection, member_id: str, token: str) -> str:
        wrapped = await connection.scalar(_SALT, {"unit": keys.member_unit(member_id)})
        found = (await connection.execute(_FIND, {"token": token, "member_id": member_id})).one_or_none()
        if wrapped is None or found is None:
            raise TokenNotFound
        [salt] = await self._keys.unwrap([wrapped])
        if not isinstance(salt, bytes):
            raise salt
        new = new_token(found.kind)
        sealed, masked = await asyncio.gather(
            self._again(found.kind, Closed(salt, keys.number_place(token), found.sealed), new),
            self._masked_again(Closed(salt, keys.masked_place(token), found.sealed_masked), new),
        )
        await connection.execute(_REPLACE, {"token": token, "new": new, "sealed": sealed, "masked": masked})
        return new

    async def _again(self, kind: str, closed: Closed, new: str) -> str:
        key = keys.NUMBER_KEYS[kind]
        plain = _opened(await unseal(self._opening, key, [closed]))
        return await self._seal(key, closed, plain, keys.number_place(new))

    async def _masked_again(self, closed: Closed, new: str) -> str:
        plain = _opened(await unseal(self._sealing, keys.MASKED_KEY, [closed]))
        return await self._seal(keys.MASKED_KEY, closed, plain, keys.masked_place(new))

    async def _seal(self, key: str, closed: Closed, plain: bytes, place: Any) -> str:
        assert isinstance(closed.salt, bytes)
        [sealed] = await seal(self._sealing, key, [Open(closed.salt, place, plain)])
        return sealed


def _opened(found: list[bytes | DomainError]) -> bytes:
    [plain] = found
    if isinstance(plain, DomainError):
        raise plain
    return plain
