"""``make bench-rewrap``: rewrapping the vault's tokens through KeyService beside the same ciphertexts at the bare key server.

The bare figure has the batches of 249 that Vault's request limit allows, four in flight, contexts made beforehand, results
thrown away, its client on the server's core; it is taken before and after ours. Ours reads the rows, unwraps the salts,
rewraps, and puts every row back with its log rows, durably. The service has one core, everything else the other.
"""

import asyncio
import base64
import json
import os
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import grpc.aio
import uvloop
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.keys.v1 import key_service_pb2 as life
from onggi.payment_vault.v1 import instrument_pb2 as instruments
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens

from bench import rows
from bench.cpu import Meter, notes, settle
from bench.figures import Row, Target
from bench.processes import OTHER_CORE, SERVER_CORE, on, pin
from chassis.erasure_keys import context
from chassis.settings import TlsSettings, VaultSettings
from chassis.transit import BATCH_LIMIT, Sealed, Transit
from dev.identities import account, server_name
from dev.stack import Stack
from dev.synthetic_numbers import NumberSource
from services.payment_vault import key_places, keys

BUILD: Final = Path("build/bench-rewrap")
TARGET: Final = Target(0.50, 0.75)
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
        pin(stack.services["payment_vault"].pid, SERVER_CORE)
        found = uvloop.run(measure(stack, TOKENS, {}))
    stack.erase()
    Path("build/rewrap.json").write_text(json.dumps(found.as_json(), indent=2) + "\n")
    print(json.dumps(found.as_json()))
    return int(found.left > 0)


@dataclass(frozen=True)
class Rewrapped:
    """How many ciphertexts were rewrapped and how many were left; ciphertexts a second, ours and the bare key server's."""

    rewrapped: int
    left: int
    rate: float
    bare: float
    cpu: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, float]:
        """Return it as build/rewrap.json has it."""
        return {
            "rewrapped": self.rewrapped, "left": self.left, "per_second": self.rate, "bare": self.bare,
            "ratio": self.rate / self.bare,
        }  # fmt: skip

    def row(self) -> Row:
        """Return the row of the table."""
        name = f"rewrap of {self.rewrapped:,} tokens, against bare transit rewrap in batches"
        return Row(name, self.rate, self.bare, TARGET, "tokens/s", cpu=self.cpu, notes=notes(self.cpu))


async def measure(stack: Stack, wanted: int, others: Mapping[str, int]) -> Rewrapped:
    """Have so many tokens at least, rotate their key and rewrap them all, whoever stored them.

    ``others``: pids of what works beside the service, by name.
    """
    service = stack.services["payment_vault"].pid
    await _fill(stack, wanted)
    settle([service])
    async with _channel(stack, "key-custodian") as channel:
        batches = await _ciphertexts(stack)
        rotate = _unary(channel, "RotateKey", life.RotateKeyResponse)
        await rotate(life.RotateKeyRequest(access=_WHY, request_id=str(uuid.uuid4()), key=KEY).SerializeToString())
        before = await _bare(stack, batches)
        meter, own, began = Meter({"server": service, **others}), time.process_time(), time.monotonic()
        rewrapped, left = await _rewrap(channel)
        seconds = time.monotonic() - began
        cpu = meter.shares(seconds) | {"client": (time.process_time() - own) / seconds}
        after = await _bare(stack, batches)
    return Rewrapped(rewrapped, left, rewrapped / seconds, (before + after) / 2, cpu)


async def _rewrap(channel: grpc.aio.Channel) -> tuple[int, int]:
    """Rewrap all, again from where it stands when the key server was away; return how many, and how many are left."""
    stream: Any = channel.unary_stream(
        "/onggi.keys.v1.KeyService/RewrapKey", response_deserializer=life.RewrapKeyResponse.FromString
    )
    request = life.RewrapKeyRequest(access=_WHY, key=KEY).SerializeToString()
    before, left = 0, -1
    for last in (False, False, True):
        rewrapped = 0
        try:
            async for step in stream(request):
                rewrapped, left = step.rewrapped, step.left
            return before + rewrapped, left
        except grpc.aio.AioRpcError as error:
            if last or error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
        before += rewrapped
    raise AssertionError


async def _fill(stack: Stack, wanted: int) -> None:
    """Store cards until there are so many, five of a member."""
    connection = await rows.connect(stack, "payment_vault")
    there = await connection.fetchval("SELECT count(*) FROM token WHERE kind = 'card'")
    await connection.close()
    numbers = NumberSource(Random(4))
    payer = numbers.business_number(("81",))
    async with _channel(stack, "billing") as channel:
        call: Any = channel.unary_unary(
            "/onggi.payment_vault.v1.TokenizationService/BatchTokenize",
            response_deserializer=tokens.BatchTokenizeResponse.FromString,
        )
        members: list[str] = []
        for start in range(there, wanted, _CALL):
            members = [str(uuid.uuid4()) for _ in range(_CALL // A_MEMBER)]
            items = [
                tokens.TokenizeItem(
                    member_id=members[at % len(members)],
                    instrument=instruments.Instrument(
                        card=instruments.Card(number=numbers.card(), expiry="12/40", business_registration_number=payer)
                    ),
                )
                for at in range(min(_CALL, wanted - start))
            ]
            request = tokens.BatchTokenizeRequest(
                access=AccessContext(purpose="billing"), request_id=str(uuid.uuid4()), items=items
            )
            await call(request.SerializeToString(), timeout=60)


async def _bare(stack: Stack, batches: Sequence[Sequence[Sealed]]) -> float:
    """Return the ciphertexts a second that the key server rewraps when nothing else is done."""
    files = stack.service_credentials("payment_vault")
    tls = TlsSettings(certificate_file=files.certificate, key_file=files.key, ca_file=files.ca)
    vault = VaultSettings(address=stack.openbao.address, ca_file=stack.openbao.ca_file, auth="cert", timeout_seconds=10)
    transit = Transit(vault, tls, key_places.KEYS_ROLE)
    await transit.start()
    waiting = iter(batches)

    async def work() -> None:
        for batch in waiting:
            await transit.rewrap(KEY, batch)

    with on(SERVER_CORE):
        began = time.monotonic()
        await asyncio.gather(*(work() for _ in range(_IN_FLIGHT)))
        seconds = time.monotonic() - began
    await transit.close()
    return sum(map(len, batches)) / seconds


async def _ciphertexts(stack: Stack) -> list[Sequence[Sealed]]:
    connection = await rows.connect(stack, "payment_vault")
    found = await connection.fetch("SELECT token, member_id, sealed FROM token WHERE kind = 'card'")
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
        for row in found
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
