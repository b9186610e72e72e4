"""The custodian at work, callers who go on meanwhile, and a backup to look into afterwards."""

import asyncio
import base64
import os
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import hvac.exceptions
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.keys.v1 import key_service_pb2 as api
from onggi.keys.v1.key_service_pb2_grpc import KeyServiceStub

from dev import postgres_home
from dev.stack import Stack
from tests.e2e.faults import query
from tests.e2e.known import Known
from tests.integration.clients import credentials_of, secure_channel

WHY = AccessContext(purpose="key_custody", reason="monthly rotation")
_LOOPS = 4


class Custodian:
    """The key custodian's calls to the vault, each of which must succeed."""

    def __init__(self, stack: Stack) -> None:
        files = stack.client_credentials("key-custodian")
        self._channel = secure_channel(stack, "payment_vault", credentials_of(files))
        self.keys: Any = KeyServiceStub(self._channel)

    async def key(self, name: str) -> Any:
        """The key as ListKeys shows it."""
        listed = await self.keys.ListKeys(api.ListKeysRequest(access=WHY), timeout=30)
        return next(key for key in listed.keys if key.name == name)

    async def rotate(self, name: str, request_id: str = "") -> Any:
        """Rotate; the key."""
        request = api.RotateKeyRequest(access=WHY, request_id=request_id or str(uuid4()), key=name)
        return (await self.keys.RotateKey(request, timeout=30)).key

    async def rewrap(self, name: str, stop_after: int = 0) -> list[Any]:
        """Rewrap; the steps of progress, at most so many: then the call is cancelled."""
        steps = []
        call = self.keys.RewrapKey(api.RewrapKeyRequest(access=WHY, key=name), timeout=120)
        async for step in call:
            steps.append(step)
            if len(steps) == stop_after:
                call.cancel()
                break
        return steps

    async def retire(self, name: str, request_id: str = "") -> Any:
        """Retire; the key."""
        request = api.RetireKeyRequest(access=WHY, request_id=request_id or str(uuid4()), key=name)
        return (await self.keys.RetireKey(request, timeout=60)).key

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close()


@dataclass
class Load:
    """How the calls of a load ended, by kind and code."""

    ended: Counter[str] = field(default_factory=Counter)

    @property
    def failed(self) -> dict[str, int]:
        """Those that did not end well."""
        return {what: number for what, number in self.ended.items() if not what.endswith(" OK")}


@asynccontextmanager
async def under_load(known: Known) -> AsyncIterator[Load]:
    """Tokenize, GetToken and Detokenize, several of each at a time, until the block ends; nothing is retried."""
    load, stopping, billing = Load(), asyncio.Event(), known.billing
    held = list(known.tokens.items())

    async def loop(kind: str, start: int) -> None:
        at = start
        while not stopping.is_set():
            at += _LOOPS
            one, token = held[at % len(held)]
            if kind == "Tokenize":
                [one] = known.fresh(1)
                answer = await billing.ask(billing.tokens.Tokenize, one.request())
            elif kind == "GetToken":
                answer = await billing.ask(billing.tokens.GetToken, one.masked_read(token))
            else:
                answer = await billing.ask(billing.reveals.Detokenize, one.reveal(token))
            load.ended[f"{kind} {answer.code} {answer.reason}".rstrip()] += 1

    kinds = ("Tokenize", "GetToken", "Detokenize")
    loops = [asyncio.create_task(loop(kind, start)) for kind in kinds for start in range(_LOOPS)]
    try:
        yield load
    finally:
        stopping.set()
        await asyncio.gather(*loops)


async def all_open(known: Known) -> bool:
    """Reveal every token, a hundred at a time; whether each gave its number."""
    billing, held = known.billing, list(known.tokens.items())
    for start in range(0, len(held), 100):
        part = held[start : start + 100]
        answers = await asyncio.gather(
            *(billing.ask(billing.reveals.Detokenize, one.reveal(token)) for one, token in part)
        )
        for (one, _), answer in zip(part, answers, strict=True):
            if answer.code != "OK" or answer.message.instrument.card.number != one.number:
                return False
    return True


def dump(stack: Stack, file: Path, database: str = "payment_vault", *, form: str = "custom") -> None:
    """A backup of a database, as an operator makes it; `form`: custom, or plain to be read."""
    _run(stack, "pg_dump", [f"--format={form}", f"--file={file}", database])


async def restored(stack: Stack, file: Path, statement: str, *arguments: object) -> list[Any]:
    """Restore the backup into a database of its own, ask it, and drop it."""
    await query(stack, "postgres", "CREATE DATABASE restored")
    try:
        await asyncio.to_thread(_run, stack, "pg_restore", ["--dbname=restored", "--exit-on-error", str(file)])
        return await query(stack, "restored", statement, *arguments)
    finally:
        await query(stack, "postgres", "DROP DATABASE restored WITH (FORCE)")


def opens(stack: Stack, key: str, ciphertext: str, context: bytes | None = None) -> bytes | None:
    """What a ciphertext decrypts to for one who may do everything at OpenBao, or None where it is refused (400)."""
    body: dict[str, str] = {"ciphertext": ciphertext}
    if context is not None:
        body["context"] = base64.b64encode(context).decode()
    try:
        answer = stack.openbao.client().write_data(f"transit/decrypt/{key}", data=body)
    except hvac.exceptions.InvalidRequest:
        return None
    return base64.b64decode(answer["data"]["plaintext"])


def _run(stack: Stack, program: str, arguments: Sequence[str]) -> None:
    login = stack.postgres.login("payment_vault", "postgres")
    where = [f"--host={login.host}", f"--port={login.port}", f"--username={login.user}", "--no-password"]
    subprocess.run(
        [str(postgres_home.programs(postgres_home.server_account()) / program), *where, *arguments],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C", "PGPASSWORD": login.password},
        check=True,
    )
