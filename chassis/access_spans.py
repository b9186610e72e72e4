"""What the trace has of an access: a committed row of the processing log as an OTLP span.

Straight from the row into the protocol's messages. Most of a span is the same for every call of a caller to a method,
so that part is made once and copied; the rest costs ten microseconds. Free text (the reason) stays in the ledger.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, SpanFlags, Status

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.45.0"
SCOPE: Final = "onggi.processing_log"
# Attribute -> column, of what many calls have in common.
_ALIKE: Final = {
    "rpc.method": "rpc_method",
    "rpc.status_code": "status",
    "client.address": "peer_address",
    "onggi.actor": "actor",
    "onggi.actor_type": "actor_type",
    "onggi.action": "action",
    "onggi.purpose": "purpose",
    "onggi.error_reason": "error_reason",
    "onggi.policy_version": "policy_version",
    "onggi.phase": "phase",
}
COLUMNS: Final = (
    "record_id", "occurred_at", "recorded_at", "trace_id", "span_id", "parent_span_id", "subject_ids", "subject_count",
    "resource_ids", "ticket", "request_id", "items", *_ALIKE.values(),
)  # fmt: skip
"""The columns of the log that a span is made of, in the order in which ``request`` takes them."""

# A server span is an error when the server failed, not when the caller did (semantic conventions, gRPC).
_SERVER_FAULTS: Final = frozenset({
    "UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
})  # fmt: skip
_LOCAL: Final = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
_REMOTE: Final = _LOCAL | SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
_RECORD_ID, _RECORDED_AT, _SUBJECT_COUNT = range(3)  # where every template has these attributes
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def request(service: str, rows: Iterable[Sequence[Any]]) -> ExportTraceServiceRequest:
    """Return the spans of these rows, each with the values of COLUMNS, as one request to a trace receiver.

    Raises ValueError for an id that is not hexadecimal.
    """
    message = ExportTraceServiceRequest()
    own: ResourceSpans = message.resource_spans.add(schema_url=SCHEMA_URL)
    _add(own.resource.attributes, "service.name", service)
    _add(own.resource.attributes, "service.namespace", "onggi")
    scope = own.scope_spans.add(schema_url=SCHEMA_URL)
    scope.scope.name = SCOPE
    for row in rows:
        _fill(scope.spans.add(), row)
    return message


def _fill(span: Span, row: Sequence[Any]) -> None:
    (record_id, occurred_at, recorded_at, trace_id, span_id, parent_span_id, subject_ids, subject_count, resource_ids,
     ticket, request_id, items, *alike) = row  # fmt: skip
    span.CopyFrom(_template(tuple(items), *alike))
    span.trace_id = bytes.fromhex(trace_id)
    span.span_id = bytes.fromhex(span_id)
    if parent_span_id:
        span.parent_span_id = bytes.fromhex(parent_span_id)
        span.flags = _REMOTE
    span.start_time_unix_nano = _nanoseconds(occurred_at)
    span.end_time_unix_nano = max(_nanoseconds(recorded_at), span.start_time_unix_nano)
    attributes = span.attributes
    attributes[_RECORD_ID].value.string_value = str(record_id)
    attributes[_RECORDED_AT].value.string_value = recorded_at.isoformat()
    attributes[_SUBJECT_COUNT].value.int_value = subject_count
    if subject_ids:
        _add_all(attributes, "onggi.subject_ids", map(str, subject_ids))
    if resource_ids:
        _add_all(attributes, "onggi.resource_ids", resource_ids)
    if ticket:
        _add(attributes, "onggi.ticket", ticket)
    if request_id:
        _add(attributes, "onggi.request_id", request_id)


@lru_cache(maxsize=2048)
def _template(items: tuple[str, ...], *alike: str) -> Span:
    values = dict(zip(_ALIKE, alike, strict=True))
    failed = values["rpc.status_code"] in _SERVER_FAULTS
    span = Span(name=values["rpc.method"], kind=Span.SPAN_KIND_SERVER, flags=_LOCAL)
    span.status.code = Status.STATUS_CODE_ERROR if failed else Status.STATUS_CODE_UNSET
    for name in ("onggi.record_id", "onggi.recorded_at", "onggi.subject_count"):
        span.attributes.add(key=name)
    for name, value in {"rpc.system.name": "grpc", "error.type": values["onggi.error_reason"], **values}.items():
        if value:
            _add(span.attributes, name, value)
    if items:
        _add_all(span.attributes, "onggi.items", items)
    return span


def _add(attributes: "RepeatedCompositeFieldContainer[KeyValue]", name: str, value: str) -> None:
    attribute = attributes.add()
    attribute.key = name
    attribute.value.string_value = value


def _add_all(attributes: "RepeatedCompositeFieldContainer[KeyValue]", name: str, values: Iterable[str]) -> None:
    attribute = attributes.add()
    attribute.key = name
    array = attribute.value.array_value.values
    for value in values:
        array.add().string_value = value


def _nanoseconds(instant: datetime) -> int:
    since = instant - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
