"""OpenTelemetry in a serving process: what may leave it, and how.

Ordinary child spans (Vault, SQL) go through the SDK's batch processor and may be dropped. They pass a gate: attributes by
allow-list, no events, no status text, so that no exception message and no personal value can reach a collector. Access
spans are not made here but from committed rows of the processing log, by a process of their own (``span_process``).
"""

from collections.abc import Sequence
from typing import Any

import grpc
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, Status

from chassis.access_spans import SCHEMA_URL
from chassis.settings import TelemetrySettings, TlsSettings

# Names of the semantic conventions (1.45.0), and our own under "onggi.".
ALLOWED = frozenset({"server.address", "onggi.batch_size", "onggi.key", "db.system.name", "db.operation.name"})


class Gate(SpanExporter):
    """Lets through what is allowed and nothing else."""

    def __init__(self, settings: TelemetrySettings, tls: TlsSettings) -> None:
        self._settings = settings
        self._tls = tls
        self._stamp = tls.stamp()
        self._exporter = _exporter(settings, tls)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the spans without what is not allowed, under the certificate that is on disk now."""
        if (stamp := self._tls.stamp()) != self._stamp:
            self._exporter.shutdown()
            self._stamp, self._exporter = stamp, _exporter(self._settings, self._tls)
        return self._exporter.export([_allowed(span) for span in spans])

    def shutdown(self) -> None:
        """Stop the exporter behind the gate."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the exporter behind the gate."""
        return self._exporter.force_flush(timeout_millis)


def _exporter(settings: TelemetrySettings, tls: TlsSettings) -> SpanExporter:
    options: Any = (("grpc.ssl_target_name_override", settings.otlp_server_name),) if settings.otlp_server_name else ()
    credentials = grpc.ssl_channel_credentials(
        tls.ca_file.read_bytes(), tls.key_file.read_bytes(), tls.certificate_file.read_bytes()
    )
    return OTLPSpanExporter(settings.otlp_address, credentials=credentials, timeout=5.0, channel_options=options)


def _allowed(span: ReadableSpan) -> ReadableSpan:
    attributes = {name: value for name, value in (span.attributes or {}).items() if name in ALLOWED}
    return ReadableSpan(
        name=span.name, context=span.context, parent=span.parent, resource=span.resource, attributes=attributes,
        links=[Link(link.context) for link in span.links], kind=span.kind,
        instrumentation_scope=span.instrumentation_scope, status=Status(span.status.status_code),
        start_time=span.start_time, end_time=span.end_time,
    )  # fmt: skip


class Telemetry:
    """The provider of the process's ordinary spans."""

    def __init__(self, service: str, settings: TelemetrySettings, tls: TlsSettings) -> None:
        resource = Resource({"service.name": service, "service.namespace": "onggi"}, SCHEMA_URL)
        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(Gate(settings, tls)))
        trace.set_tracer_provider(self._provider)

    def close(self) -> None:
        """Send what waits, within the SDK's own limit of time."""
        self._provider.shutdown()
