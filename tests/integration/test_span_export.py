"""The export of access spans on real parts: all rows once, whatever their size, by one sender, until the very end."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from structlog.testing import capture_logs

from chassis.settings import SpanSettings
from chassis.span_export import BATCH, NEXT, SpanExporter
from chassis.trace_receiver import MAX_BYTES, TraceReceiver
from dev import environment
from dev.migration import migrate
from dev.postgres import SUPERUSER
from dev.processes import Process
from dev.stack import Stack
from tests.integration.log_rows import session, spans_of

pytestmark = pytest.mark.timeout(60)

SERVICE = "payment_vault"
ROWS = """
INSERT INTO processing_log (
    record_id, occurred_at, actor, actor_type, peer_address, subject_ids, subject_count, resource_ids, action, rpc_method,
    status, error_reason, items, purpose, reason, ticket, request_id, trace_id, span_id, parent_span_id, policy_version,
    phase)
SELECT gen_random_uuid(), transaction_timestamp(), 'spiffe://onggi/ns/apps/sa/billing', 'SERVICE', '192.0.2.7',
    ARRAY(SELECT gen_random_uuid() FROM generate_series(1, $2)), $2,
    ARRAY(SELECT 'tok_' || gen_random_uuid() FROM generate_series(1, $2)), 'CREATE',
    'onggi.payment_vault.v1.TokenizationService/Tokenize', 'OK', '', '{card}', 'payment', 'a reason', '', '',
    md5(random()::text), substr(md5(random()::text), 1, 16), '', '1', 'ACCESS'
FROM generate_series(1, $1)
"""
"""As many rows as $1, each with $2 subjects and tokens."""


class Measured(TraceReceiver):
    """The stack's receiver, and how large each message to it was."""

    def __init__(self, settings: SpanSettings) -> None:
        super().__init__(settings.telemetry, settings.tls)
        self.sizes: list[int] = []

    async def take(self, request: bytes) -> int:
        """Note the size and send."""
        self.sizes.append(len(request))
        return await super().take(request)


class Rejecting(trace_service_pb2_grpc.TraceServiceServicer):
    """A receiver that takes a message and says that two of its spans are not worth keeping."""

    async def Export(  # noqa: N802
        self, request: trace_service_pb2.ExportTraceServiceRequest, context: object
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        """Answer with a partial success."""
        answer = trace_service_pb2.ExportTraceServiceResponse()
        answer.partial_success.rejected_spans = 2
        return answer


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Parts without services: nobody writes and nobody sends but the test."""
    running = Stack(tmp_path_factory.mktemp("spans"), services=())
    running.start()
    migrate(SERVICE, running.migration_env_for(SERVICE), running.log_dir / "migrate.log")
    yield running
    running.erase()


@pytest.fixture
def settings(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> SpanSettings:
    """Settings as the process has them."""
    for name, value in environment.of_spans(stack.env_for(SERVICE)).items():
        monkeypatch.setenv(name, value)
    return SpanSettings()


@pytest.fixture
async def receiver(settings: SpanSettings) -> Measured:
    """The stack's receiver."""
    return Measured(settings)


@asynccontextmanager
async def sending(settings: SpanSettings, receiver: TraceReceiver) -> AsyncIterator[SpanExporter]:
    """An exporter that looks when the test says so."""
    exporter = SpanExporter(SERVICE, settings.database, receiver)
    try:
        yield exporter
    finally:
        await exporter.close()


async def write(stack: Stack, rows: int, ids: int = 1) -> None:
    """Write rows as the service does."""
    async with session(stack.postgres.login(SERVICE, SERVICE)) as connection:
        await connection.execute(ROWS, rows, ids)


async def written(stack: Stack) -> list[str]:
    """The record ids of the log, in the order of the transactions."""
    async with session(stack.postgres.login(SERVICE, SUPERUSER)) as connection:
        rows = await connection.fetch("SELECT record_id::text FROM processing_log ORDER BY xid, record_id")
    return [row[0] for row in rows]


def received(stack: Stack) -> list[str]:
    """The record ids of the spans that have come, as they came."""
    return [json.loads(line)["attributes"]["onggi.record_id"] for line in spans_of(stack)]


async def test_all_rows_come_once_and_in_order_in_messages_that_fit(
    stack: Stack, settings: SpanSettings, receiver: Measured
) -> None:
    """More rows than a batch has, and rows with a thousand ids each: no message is over gRPC's limit (A3).

    When all is sent, a look enters the log at the cursor and does not read what it has passed.
    """
    await write(stack, BATCH + 500)
    await write(stack, 40, ids=1000)
    await write(stack, 1)
    async with sending(settings, receiver) as exporter:
        while await exporter.export_once():
            pass
    assert received(stack) == await written(stack)
    assert len(receiver.sizes) > 3
    assert max(receiver.sizes) < MAX_BYTES
    async with session(stack.postgres.login(SERVICE, SUPERUSER)) as connection:
        await connection.execute("ANALYZE processing_log")
        [[plan]] = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {NEXT}")
    top = json.loads(plan)[0]["Plan"]
    assert top["Actual Rows"] == 0
    assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] < 100


async def test_one_message_that_is_too_large_is_sent_in_parts(
    stack: Stack, settings: SpanSettings, receiver: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch over the limit is halved until it fits, and what was left out is told to wait."""
    monkeypatch.setattr("chassis.span_export.MAX_BYTES", 20_000)
    await write(stack, 100)
    async with sending(settings, receiver) as exporter:
        while await exporter.export_once():
            pass
    assert received(stack) == await written(stack)
    assert len(receiver.sizes) >= 4
    assert max(receiver.sizes) <= 20_000


async def test_one_sends_at_a_time_and_another_takes_over(
    stack: Stack, settings: SpanSettings, receiver: Measured
) -> None:
    """While one exporter has the lock, a second sends nothing; when the first is gone, it does."""
    async with sending(settings, TraceReceiver(settings.telemetry, settings.tls)) as second:
        async with sending(settings, receiver) as first:
            await first.export_once()
            await write(stack, 3)
            assert not await second.export_once()
            assert len(received(stack)) == len(await written(stack)) - 3
        async with asyncio.timeout(20.0):  # the server needs a moment to see that the first is gone
            while len(received(stack)) < len(await written(stack)):
                await second.export_once()
    assert received(stack) == await written(stack)


async def test_spans_that_are_rejected_are_told_and_not_sent_again(stack: Stack, settings: SpanSettings) -> None:
    """A partial success is a success (OTLP): the cursor moves, and the log says how many are missing."""
    await write(stack, 5)
    server = grpc.aio.server()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Rejecting(), server)  # type: ignore[no-untyped-call]
    files = stack.service_credentials("otlp-receiver")
    credentials = grpc.ssl_server_credentials(
        [(files.key.read_bytes(), files.certificate.read_bytes())], files.ca.read_bytes(), require_client_auth=True
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    telemetry = settings.telemetry.model_copy(update={"otlp_address": f"127.0.0.1:{port}"})
    try:
        with capture_logs() as logs:
            async with sending(settings, TraceReceiver(telemetry, settings.tls)) as exporter:
                await exporter.export_once()
                assert not await exporter.export_once()
    finally:
        await server.stop(0)
    rejected = {"event": "the trace receiver rejected spans", "rejected": 2, "of": 5, "log_level": "error"}
    assert logs == [rejected]
    assert len(received(stack)) == len(await written(stack)) - 5


async def test_the_process_sends_what_is_committed_before_it_ends(stack: Stack, tmp_path: Path) -> None:
    """`python -m services.payment_vault spans`, told to end: the rows of that moment are sent first.

    It knows the auditor's login and the certificate; not the service's password, no way to OpenBao, no policy.
    """
    variables = environment.of_spans(stack.env_for(SERVICE))
    groups = {name.removeprefix("ONGGI_").split("__")[0] for name in variables if name.startswith("ONGGI_")}
    assert groups <= {"TLS", "DATABASE", "TELEMETRY", "LOG_LEVEL"}
    assert {"ONGGI_DATABASE__USER", "ONGGI_DATABASE__PASSWORD_FILE"}.isdisjoint(variables)
    log = tmp_path / "spans.log"
    process = Process(
        "spans",
        environment.spans(SERVICE),
        variables,
        log_file=log,
        pid_directory=tmp_path,
        ready=lambda: '"sending spans"' in log.read_text(),
        directory=environment.ROOT,
    )
    before = len(await written(stack))
    await asyncio.to_thread(process.start)
    try:
        await write(stack, 50)
    finally:
        began = asyncio.get_running_loop().time()
        await asyncio.to_thread(process.stop)
    assert asyncio.get_running_loop().time() - began < 4.0
    assert received(stack)[-50:] == (await written(stack))[before:]
    assert '"level": "warning"' not in log.read_text()
