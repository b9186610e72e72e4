"""``make bench-rewrap``: rewrapping the vault's tokens through KeyService beside the same ciphertexts at the bare key server.

The bare figure has the batches of 249 that Vault's request limit allows, four in flight, contexts made beforehand, results
thrown away. Ours reads the rows, unwraps the salts, rewraps, and puts every row back with its log rows, durably. The
service has one core, everything else the other.
"""

import asyncio
import base64
import json
import os
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import asyncpg
import grpc.aio
import uvloop
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.keys.v1 import key_service_pb2 as life
from onggi.payment_vault.v1 import instrument_pb2 as instruments
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens

from bench.processes import OTHER_CORE, SERVER_CORE, pin
from chassis.erasure_keys import context
from chassis.settings import TlsSettings, VaultSettings
from chassis.transit import BATCH_LIMIT, Sealed, Transit
from dev.identities import account, server_name
from dev.postgres import SUPERUSER
from dev.stack import Stack
from dev.synthetic_numbers import NumberSource
from services.payment_vault import key_places, keys

BUILD: Final = Path("build/bench-rewrap")
TOKENS: Final = int(os.environ.get("ONGGI_BENCH_TOKENS", "200000"))
A_MEMBER: Final = 5
KEY: Final = "card"
_IN_FLIGHT: Final = 4
_CALL: Final = 1_000
_WHY: Final = AccessContext(purpose="key_custody", reason="benchmark")


def main() -> int:
    """Measure, print, write build/rewrap.json; return 1 when a row is left behind."""
    BUILD.mkdir(parents=True, exist_ok=True)
    os.sched_setaffinity(0, OTHER_CORE)  # inherited by everything that the stack starts
    stack = Stack(BUILD / "stack", progress=print, services=("payment_vault",))
    if stack.directory.exists():
        stack.erase()
    with stack:
        found = uvloop.run(_measure(stack))
    Path("build/rewrap.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found))
    return int(found["left"] > 0)


async def _measure(stack: Stack) -> dict[str, float]:
    await _fill(stack)
    pin(stack.services["payment_vault"].pid or 0, SERVER_CORE)
    async with _channel(stack, "key-custodian") as channel:
        rotate = _unary(channel, "RotateKey", life.RotateKeyResponse)
        await rotate(life.RotateKeyRequest(access=_WHY, request_id=str(uuid.uuid4()), key=KEY).SerializeToString())
        bare = await _bare(stack)
        stream: Any = channel.unary_stream(
            "/onggi.keys.v1.KeyService/RewrapKey", response_deserializer=life.RewrapKeyResponse.FromString
        )
        began = time.monotonic()
        steps = [step async for step in stream(life.RewrapKeyRequest(access=_WHY, key=KEY).SerializeToString())]
        step = steps[-1]
        ours = step.rewrapped / (time.monotonic() - began)
    return {"rewrapped": step.rewrapped, "left": step.left, "per_second": ours, "bare": bare, "ratio": ours / bare}


async def _fill(stack: Stack) -> None:
    """Store so many cards of a fifth as many members."""
    numbers = NumberSource(Random(4))
    payer = numbers.business_number(("81",))
    async with _channel(stack, "billing") as channel:
        call: Any = channel.unary_unary(
            "/onggi.payment_vault.v1.TokenizationService/BatchTokenize",
            response_deserializer=tokens.BatchTokenizeResponse.FromString,
        )
        members: list[str] = []
        for start in range(0, TOKENS, _CALL):
            members = [str(uuid.uuid4()) for _ in range(_CALL // A_MEMBER)]
            items = [
                tokens.TokenizeItem(
                    member_id=members[at % len(members)],
                    instrument=instruments.Instrument(
                        card=instruments.Card(number=numbers.card(), expiry="12/40", business_registration_number=payer)
                    ),
                )
                for at in range(min(_CALL, TOKENS - start))
            ]
            request = tokens.BatchTokenizeRequest(
                access=AccessContext(purpose="billing"), request_id=str(uuid.uuid4()), items=items
            )
            await call(request.SerializeToString(), timeout=60)


async def _bare(stack: Stack) -> float:
    """Return the ciphertexts a second that the key server rewraps when nothing else is done."""
    batches = await _ciphertexts(stack)
    files = stack.service_credentials("payment_vault")
    tls = TlsSettings(certificate_file=files.certificate, key_file=files.key, ca_file=files.ca)
    vault = VaultSettings(address=stack.openbao.address, ca_file=stack.openbao.ca_file, auth="cert", timeout_seconds=10)
    transit = Transit(vault, tls, key_places.KEYS_ROLE)
    await transit.start()
    waiting = iter(batches)

    async def work() -> None:
        for batch in waiting:
            await transit.rewrap(KEY, batch)

    began = time.monotonic()
    await asyncio.gather(*(work() for _ in range(_IN_FLIGHT)))
    seconds = time.monotonic() - began
    await transit.close()
    return sum(map(len, batches)) / seconds


async def _ciphertexts(stack: Stack) -> list[Sequence[Sealed]]:
    login = stack.postgres.login("payment_vault", SUPERUSER)
    connection = await asyncpg.connect(
        host=login.host, port=login.port, database=login.database, user=login.user, password=login.password
    )
    rows = await connection.fetch("SELECT token, member_id, sealed FROM token")
    wrapped = await connection.fetch("SELECT unit, wrapped_salt FROM erasure_key")
    await connection.close()
    client = stack.openbao.client()
    salts: dict[str, bytes] = {}
    for start in range(0, len(wrapped), BATCH_LIMIT):
        part = wrapped[start : start + BATCH_LIMIT]
        body = {"batch_input": [{"ciphertext": row["wrapped_salt"]} for row in part]}
        opened = client.write_data(f"transit/decrypt/{keys.EPOCH_KEY}", data=body)["data"]["batch_results"]
        salts |= {row["unit"]: base64.b64decode(one["plaintext"]) for row, one in zip(part, opened, strict=True)}
    sealed = [
        Sealed(
            row["sealed"],
            context(salts[keys.member_unit(str(row["member_id"]))], keys.number_place(row["token"])),
        )
        for row in rows
    ]
    return [sealed[start : start + BATCH_LIMIT] for start in range(0, len(sealed), BATCH_LIMIT)]


def _channel(stack: Stack, caller: str) -> grpc.aio.Channel:
    files = stack.client_credentials(caller)
    credentials = grpc.ssl_channel_credentials(
        files.ca.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes()
    )
    options = [("grpc.ssl_target_name_override", server_name(account("payment_vault")))]
    return grpc.aio.secure_channel(stack.addresses["payment_vault"], credentials, options)


def _unary(channel: grpc.aio.Channel, method: str, response: Any) -> Any:
    return channel.unary_unary(f"/onggi.keys.v1.KeyService/{method}", response_deserializer=response.FromString)


if __name__ == "__main__":
    sys.exit(main())
