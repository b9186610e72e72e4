"""What fault tests share: callers who time and keep every answer, an independent view of the database, health, freezing.

The answers come from the services; whether they are true is decided by the superuser's own SQL.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Self
from uuid import uuid4

import asyncpg
import grpc
import grpc.aio
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_health.v1 import health_pb2
from grpc_status import rpc_status
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.identity.v1.member_service_pb2_grpc import MemberServiceStub
from onggi.payment_vault.v1.detokenization_service_pb2 import DetokenizeRequest
from onggi.payment_vault.v1.detokenization_service_pb2_grpc import DetokenizationServiceStub
from onggi.payment_vault.v1.instrument_pb2 import Card, Instrument
from onggi.payment_vault.v1.tokenization_service_pb2 import GetTokenRequest, TokenizeRequest
from onggi.payment_vault.v1.tokenization_service_pb2_grpc import TokenizationServiceStub
from onggi.purge.v1.purge_service_pb2_grpc import PurgeServiceStub

from dev.identities import Credentials, account, server_name
from dev.processes import Process
from dev.stack import Stack
from dev.synthetic_numbers import NumberSource

Figures = Callable[[str], None]
"""Takes what a test has measured, to be printed at the end of the run."""

BILLING = AccessContext(purpose="billing", reason="fault test", ticket="FAULT-1")
DEADLINE = 3.0
SLACK = 0.5
SERVICES = ("identity", "payment_vault")


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended, after how many seconds, and the id of its entry in the processing log."""

    code: str
    reason: str
    record_id: str
    seconds: float
    message: Any = None


class Caller:
    """One workload's channels to identity and the vault; leaving the context closes them."""

    def __init__(self, stack: Stack, files: Credentials) -> None:
        self._channels = {name: _channel(stack.addresses[name], files, name) for name in SERVICES}
        identity, vault = self._channels.values()
        self.members = MemberServiceStub(identity)
        self.tokens = TokenizationServiceStub(vault)
        self.reveals = DetokenizationServiceStub(vault)
        self.purges = PurgeServiceStub(vault)

    async def ask(self, method: Any, request: Message, seconds: float = DEADLINE) -> Answer:
        """Call once under a deadline."""
        began = time.monotonic()
        call = method(request, timeout=seconds)
        try:
            message = await call
        except grpc.aio.AioRpcError as error:
            trailers = dict(error.trailing_metadata() or ())
            return Answer(
                error.code().name, _reason(error), str(trailers.get("onggi-record-id", "")), time.monotonic() - began
            )
        record_id = str(dict(await call.trailing_metadata())["onggi-record-id"])
        return Answer("OK", "", record_id, time.monotonic() - began, message)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for channel in self._channels.values():
            await channel.close()


def _channel(address: str, files: Credentials, service: str) -> grpc.aio.Channel:
    credentials = grpc.ssl_channel_credentials(
        files.ca.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes()
    )
    options: list[tuple[str, str | int]] = [
        ("grpc.ssl_target_name_override", server_name(account(service))),
        ("grpc.enable_http_proxy", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),  # a killed server is back within seconds
        ("grpc.max_reconnect_backoff_ms", 500),
    ]
    return grpc.aio.secure_channel(address, credentials, options)


def _reason(error: grpc.aio.AioRpcError) -> str:
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    info = ErrorInfo()
    return next((str(info.reason) for detail in (status.details if status else ()) if detail.Unpack(info)), "")


@dataclass(frozen=True, slots=True)
class Registration:
    """A card of a member, as one client asks for its token; `request_id` stays the same at every retry."""

    member_id: str
    number: str
    payer: str
    request_id: str = field(default_factory=lambda: str(uuid4()))

    def request(self) -> TokenizeRequest:
        """The call that makes the token."""
        card = Card(business_registration_number=self.payer, number=self.number, expiry="12/40")
        return TokenizeRequest(
            access=BILLING, request_id=self.request_id, member_id=self.member_id, instrument=Instrument(card=card)
        )

    def masked_read(self, token: str) -> GetTokenRequest:
        """The call that reads the token masked."""
        return GetTokenRequest(access=BILLING, member_id=self.member_id, token=token)

    def reveal(self, token: str) -> DetokenizeRequest:
        """The call that reveals the number."""
        return DetokenizeRequest(access=BILLING, member_id=self.member_id, token=token)


def registrations(count: int, members: int, seed: int) -> list[Registration]:
    """`count` cards of `members` members, no two the same; the seed decides the numbers."""
    numbers = NumberSource(Random(seed))
    payers = [(str(uuid4()), numbers.business_number(("81",)).replace("-", "")) for _ in range(members)]
    return [
        Registration(payers[at % members][0], numbers.card().replace("-", ""), payers[at % members][1])
        for at in range(count)
    ]


async def query(stack: Stack, service: str, statement: str, *arguments: object) -> list[asyncpg.Record]:
    """Run one statement as the superuser, on a connection of its own, past every right and trigger of the services."""
    login = stack.postgres.login(service, "postgres")
    connection = await asyncpg.connect(
        host=login.host, port=login.port, database=login.database, user=login.user, password=login.password
    )
    try:
        await connection.execute("SET session_replication_role = replica")  # no triggers: we are the intruder here
        return list(await connection.fetch(statement, *arguments))
    finally:
        await connection.close()


async def logged(stack: Stack, service: str, record_ids: Sequence[str]) -> dict[str, list[asyncpg.Record]]:
    """The log rows of the calls with these record ids: that of the access, and that of the outcome where it has one."""
    found: dict[str, list[asyncpg.Record]] = {}
    statement = """
        SELECT a.record_id AS call, l.* FROM (SELECT DISTINCT record_id, trace_id, span_id FROM processing_log
        WHERE record_id = ANY($1::text[]::uuid[])) AS a JOIN processing_log AS l USING (trace_id, span_id)
        ORDER BY l.recorded_at, l.phase
    """
    for row in await query(stack, service, statement, list(record_ids)):
        found.setdefault(str(row["call"]), []).append(row)
    return found


async def health(stack: Stack, service: str, name: str = "") -> str:
    """What the health port says: SERVING, NOT_SERVING, or UNREACHABLE."""
    address = stack.ports.address(f"{service}_health")
    async with grpc.aio.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await check(health_pb2.HealthCheckRequest(service=name), timeout=2.0)
        except grpc.aio.AioRpcError:
            return "UNREACHABLE"
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


async def until(condition: Callable[[], Awaitable[bool]], seconds: float) -> float:
    """Wait for the condition and return after how many seconds it held; fails when it does not hold in time."""
    began = time.monotonic()
    while not await condition():
        assert time.monotonic() - began < seconds, f"not within {seconds:g} s"
        await asyncio.sleep(0.1)
    return time.monotonic() - began


async def says(stack: Stack, status: str, seconds: float) -> float:
    """Wait until the readiness of both services says so; return after how many seconds."""

    async def agreed() -> bool:
        return [await health(stack, service) for service in SERVICES] == [status, status]

    return await until(agreed, seconds)


def freeze(process: Process) -> None:
    """SIGSTOP the process and its children, the process first so that it makes no more: a hung host."""
    _signal_all(process.pid, signal.SIGSTOP)


def thaw(process: Process) -> None:
    """SIGCONT all of them."""
    _signal_all(process.pid, signal.SIGCONT)


def _signal_all(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, FileNotFoundError):  # a child may end meanwhile
        os.kill(pid, number)
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            _signal_all(int(child), number)
