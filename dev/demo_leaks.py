"""The leak scan over everything that the stack wrote, with a control planted in each class of file.

A control goes through the writer that would leak: PostgreSQL writes its heap, its WAL and its log, OpenBao its storage
and its audit log, the receiver its file of spans. Only the services' own logs get theirs by a line appended from
outside, because the services log no text of a caller. OpenBao's control is the name of a key, which its storage keeps
in clear; what it encrypts, the scan cannot see and an intruder neither.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg
import grpc
import hvac.exceptions
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from dev.identities import OTLP_RECEIVER, SERVICES, server_name
from dev.leak_scan import Report, scan
from dev.postgres import SUPERUSER, Postgres
from dev.stack import Stack

PROOFS: Final[Mapping[str, str]] = {
    "postgresql heap": "a row in a table of its own, through PostgreSQL and a checkpoint",
    "postgresql wal": "a row in a table of its own, through PostgreSQL's write-ahead log",
    "openbao storage": "the name of a transit key, through OpenBao; values are encrypted and cannot be planted",
    "openbao audit": "the path of a refused request, through OpenBao",
    "server logs": "a log message, through PostgreSQL",
    "service logs": "a line appended to the file: shows that the file is searched, not how it is written",
    "otlp capture": "an attribute of a span, through exporter and receiver",
}
"""Class of artefact -> how its control came there."""


async def keep_all_wal(postgres: Postgres) -> None:
    """Have PostgreSQL keep its whole write-ahead log, which also tells what stood in files that are gone by the end."""
    async with _superuser(postgres) as connection:
        await connection.execute("ALTER SYSTEM SET wal_keep_size = '4GB'")
        await connection.execute("SELECT pg_reload_conf()")


class Controls:
    """One value for each class of artefact, planted while the stack runs and looked for when it is stopped."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.values = {name: f"onggi-control-{secrets.token_hex(12)}" for name in PROOFS}

    def plant(self) -> None:
        """Plant all of them.

        Raises:
            Exception: a writer did not take its control.
        """
        asyncio.run(self._postgresql())
        self._openbao()
        self._span()
        with (self._stack.log_dir / "identity.log").open("a") as log:
            log.write(self.values["service logs"] + "\n")

    def roots(self) -> dict[str, list[Path]]:
        """Class of artefact -> its files and directories."""
        data, logs = self._stack.postgres.data_directory, sorted(self._stack.log_dir.iterdir())
        return {
            "postgresql heap": [path for path in sorted(data.iterdir()) if path.name != "pg_wal"],
            "postgresql wal": [data / "pg_wal"],
            "openbao storage": [self._stack.openbao.storage_directory],
            "openbao audit": [self._stack.openbao.audit_file],
            "server logs": [path for path in logs if not path.name.startswith(SERVICES)],
            "service logs": [path for path in logs if path.name.startswith(SERVICES)],
            "otlp capture": [self._stack.otlp_file],
        }

    def scan(self, values: Mapping[str, Sequence[str]], progress: Callable[[int], None]) -> Report:
        """Search everything. The stack must be stopped."""
        return scan(self.roots(), values, self.values, progress=progress)

    async def _postgresql(self) -> None:
        async with _superuser(self._stack.postgres) as connection:
            await connection.execute("CREATE TABLE leak_control (value text NOT NULL)")
            for name in ("postgresql heap", "postgresql wal"):
                await connection.execute("INSERT INTO leak_control VALUES ($1)", self.values[name])
            await connection.execute(f"DO $$ BEGIN RAISE LOG '{self.values['server logs']}'; END $$")
            await connection.execute("CHECKPOINT")

    def _openbao(self) -> None:
        client = self._stack.openbao.client()
        client.write_data(f"transit/keys/{self.values['openbao storage']}", data={"type": "aes256-gcm96"})
        with contextlib.suppress(hvac.exceptions.InvalidPath):
            client.secrets.transit.read_key(self.values["openbao audit"])

    def _span(self) -> None:
        files = self._stack.service_credentials("identity")
        exporter = OTLPSpanExporter(
            endpoint=self._stack.ports.address("otlp"),
            credentials=grpc.ssl_channel_credentials(
                files.ca.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes()
            ),
            channel_options=(("grpc.ssl_target_name_override", server_name(OTLP_RECEIVER)),),
        )
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        with provider.get_tracer(__name__).start_as_current_span("leak control") as span:
            span.set_attribute("onggi.control", self.values["otlp capture"])
        provider.shutdown()


@contextlib.asynccontextmanager
async def _superuser(postgres: Postgres) -> AsyncIterator[Any]:
    login = postgres.login("identity", SUPERUSER)
    connection = await asyncpg.connect(
        host=login.host, port=login.port, user=login.user, password=login.password, database=login.database
    )
    try:
        yield connection
    finally:
        await connection.close()
