"""Tokens as the tests of the vault make and ask for them, and a hand on their time."""

from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from onggi.payment_vault.v1 import instrument_pb2 as instruments
from onggi.payment_vault.v1 import tokenization_service_pb2 as api

from dev.postgres import SUPERUSER
from dev.stack import Stack
from tests.integration import examples
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import open_as

_TOKENIZATION = "onggi.payment_vault.v1.TokenizationService"
_DETOKENIZATION = "onggi.payment_vault.v1.DetokenizationService"
TOKENIZE, GET, LIST = f"{_TOKENIZATION}/Tokenize", f"{_TOKENIZATION}/GetToken", f"{_TOKENIZATION}/ListTokens"
DELETE = f"{_TOKENIZATION}/DeleteToken"
REVEAL, REISSUE = f"{_DETOKENIZATION}/Detokenize", f"{_DETOKENIZATION}/ReissueToken"
BATCH_REVEAL = f"{_DETOKENIZATION}/BatchDetokenize"


def ahead(**span: float) -> Timestamp:
    """A time so far from now."""
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(UTC) + timedelta(**span))
    return stamp


async def put(
    clients: Clients, member_id: str, instrument: instruments.Instrument | None = None, **asked: Any
) -> instruments.Token:
    """Store an instrument with an end as asked."""
    request = examples.tokenize(member_id, instrument)
    request.MergeFrom(api.TokenizeRequest(**asked))
    token: instruments.Token = (await clients.call("billing", TOKENIZE, request)).message.token
    return token


async def ask(clients: Clients, rpc: str, member_id: str, token: str = "", *, caller: str = "billing") -> Outcome:
    """Call an RPC about a token, or about all tokens of a member."""
    request = examples.example(rpc, "billing")
    if rpc == BATCH_REVEAL:
        request.items[0].member_id, request.items[0].token = member_id, token
    else:
        request.member_id = member_id
    if hasattr(request, "token"):
        request.token = token
    return await clients.call(caller, rpc, request)


async def let_expire(stack: Stack, token: str) -> None:
    """Put a token's end into the past, as time does; by the superuser, without the triggers that want a log row."""
    connection = await open_as(stack.postgres.login("payment_vault", SUPERUSER))
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE token SET expires_at = now() - interval '1 second' WHERE token = $1", token)
    finally:
        await connection.close()
