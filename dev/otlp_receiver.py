"""A small real OTLP receiver: gRPC, mutual TLS, one JSON line per span, on disk before the exporter is answered.

python -m dev.otlp_receiver --address 127.0.0.1:4317 --certificate C --key K --ca CA --out spans.jsonl
"""

import argparse
import asyncio
import json
import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TextIO

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

_OPTIONS: Final = [
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    ("grpc.so_reuseport", 0),  # two receivers on one port would share the spans
]
_GRACE_SECONDS: Final = 5.0


class TraceReceiver(trace_service_pb2_grpc.TraceServiceServicer):
    """Appends what is exported to an open file."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    async def Export(  # noqa: N802 - the name is OTLP's
        self, request: trace_service_pb2.ExportTraceServiceRequest, _context: object
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        """Write every span of the request; the answer is a receipt."""
        for resource_spans in request.resource_spans:
            self._file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines(resource_spans))
        self._file.flush()
        return trace_service_pb2.ExportTraceServiceResponse()


def lines(spans: ResourceSpans) -> Iterator[dict[str, Any]]:
    """One JSON object per span: ids in hex, times in nanoseconds since the epoch, attributes as plain values."""
    resource = _attributes(spans.resource.attributes)
    for scope_spans in spans.scope_spans:
        for span in scope_spans.spans:
            yield {
                "trace_id": span.trace_id.hex(),
                "span_id": span.span_id.hex(),
                "parent_span_id": span.parent_span_id.hex(),
                "name": span.name,
                "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                "start_time_unix_nano": span.start_time_unix_nano,
                "end_time_unix_nano": span.end_time_unix_nano,
                "attributes": _attributes(span.attributes),
                "status": {
                    "code": Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
                    "message": span.status.message,
                },
                "events": [
                    {"name": e.name, "time_unix_nano": e.time_unix_nano, "attributes": _attributes(e.attributes)}
                    for e in span.events
                ],
                "links": [
                    {
                        "trace_id": link.trace_id.hex(),
                        "span_id": link.span_id.hex(),
                        "attributes": _attributes(link.attributes),
                    }
                    for link in span.links
                ],
                "resource": resource,
                "scope": scope_spans.scope.name,
                "schema_url": scope_spans.schema_url or spans.schema_url,
            }


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _plain(pair.value) for pair in pairs}


def _plain(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [_plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case "bytes_value":
            return value.bytes_value.hex()
        case kind:
            return getattr(value, kind)


async def serve(address: str, credentials: grpc.ServerCredentials, file: TextIO) -> None:
    """Receive into an open file until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for request in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(request, stopping.set)
    server = grpc.aio.server(options=_OPTIONS)
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(  # type: ignore[no-untyped-call]
        TraceReceiver(file), server
    )
    server.add_secure_port(address, credentials)
    await server.start()
    await stopping.wait()
    await server.stop(_GRACE_SECONDS)


def main() -> None:
    """Read the command line and serve; only clients with a certificate of the given authority are heard."""
    parser = argparse.ArgumentParser(description="An OTLP trace receiver that writes spans to a file.")
    parser.add_argument("--address", required=True, help="host:port to listen on")
    for name in ("certificate", "key", "ca", "out"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    given = parser.parse_args()
    credentials = grpc.ssl_server_credentials(
        [(given.key.read_bytes(), given.certificate.read_bytes())],
        root_certificates=given.ca.read_bytes(),
        require_client_auth=True,
    )
    descriptor = os.open(given.out, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        asyncio.run(serve(given.address, credentials, file))


if __name__ == "__main__":
    main()
