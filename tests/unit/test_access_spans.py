"""A row of the processing log as an access span: every attribute, and the very message that OpenTelemetry itself makes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from chassis import access_spans

NOON = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
FULL: dict[str, Any] = {
    "record_id": UUID(int=1), "occurred_at": NOON, "recorded_at": NOON + timedelta(microseconds=1234),
    "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "00f067aa0ba902b7", "parent_span_id": "b7ad6b7169203331",
    "subject_ids": [UUID(int=2), UUID(int=3)], "subject_count": 2, "resource_ids": ["tok_1", "tok_2"],
    "ticket": "CS-1042", "request_id": "6f0d2b0e-6d6c-4d39-9c3f-0a2f6a3c7d10", "items": ["email", "name"],
    "rpc_method": "onggi.identity.v1.MemberService/GetMember", "status": "NOT_FOUND", "peer_address": "192.0.2.7",
    "actor": "spiffe://onggi/ns/staff/sa/support", "actor_type": "HUMAN", "action": "READ", "purpose": "support",
    "error_reason": "MEMBER_NOT_FOUND", "policy_version": "2026-01-02", "phase": "ACCESS",
}  # fmt: skip
BARE: dict[str, Any] = FULL | {
    "parent_span_id": "", "subject_ids": [], "subject_count": 0, "resource_ids": [], "ticket": "", "request_id": "",
    "items": [], "status": "OK", "purpose": "", "error_reason": "", "policy_version": "",
    "recorded_at": NOON - timedelta(microseconds=1),
}  # fmt: skip
ROWS = {"full": FULL, "bare": BARE, "the server's fault": FULL | {"status": "INTERNAL", "phase": "OUTCOME"}}


def request(*rows: dict[str, Any]) -> ExportTraceServiceRequest:
    """What is sent for these rows."""
    return access_spans.request("identity", [[row[column] for column in access_spans.COLUMNS] for row in rows])


def by_opentelemetry(row: dict[str, Any]) -> ExportTraceServiceRequest:
    """The same span by the SDK's own classes and the exporter's own encoder, attributes in the order of ours."""
    trace_id = int(row["trace_id"], 16)
    parent = row["parent_span_id"] and SpanContext(trace_id, int(row["parent_span_id"], 16), True, SAMPLED)
    ours = {
        "onggi.record_id": str(row["record_id"]),
        "onggi.recorded_at": row["recorded_at"].isoformat(),
        "onggi.subject_count": row["subject_count"],
        "rpc.system.name": "grpc",
        "error.type": row["error_reason"],
        "rpc.method": row["rpc_method"],
        "rpc.status_code": row["status"],
        "client.address": row["peer_address"],
        **{f"onggi.{name}": row[name] for name in ("actor", "actor_type", "action", "purpose", "error_reason")},
        **{f"onggi.{name}": row[name] for name in ("policy_version", "phase", "items")},
        "onggi.subject_ids": [str(subject) for subject in row["subject_ids"]],
        **{f"onggi.{name}": row[name] for name in ("resource_ids", "ticket", "request_id")},
    }
    start, end = (
        (row[name] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
        for name in ("occurred_at", "recorded_at")
    )
    span = ReadableSpan(
        name=row["rpc_method"],
        context=SpanContext(trace_id, int(row["span_id"], 16), False, SAMPLED),
        parent=parent or None,
        resource=Resource({"service.name": "identity", "service.namespace": "onggi"}, access_spans.SCHEMA_URL),
        attributes={name: value for name, value in ours.items() if value not in ("", [])},
        kind=SpanKind.SERVER,
        instrumentation_scope=InstrumentationScope("onggi.processing_log", schema_url=access_spans.SCHEMA_URL),
        status=Status(StatusCode.ERROR if row["status"] == "INTERNAL" else StatusCode.UNSET),
        start_time=start,
        end_time=max(start, end),
    )
    return encode_spans([span])


@pytest.mark.parametrize("name", ROWS)
def test_the_message_is_opentelemetrys_own(name: str) -> None:
    """Resource, scope, ids, parent and its flags, kind, times, status and attributes are as the SDK encodes them."""
    assert request(ROWS[name]) == by_opentelemetry(ROWS[name])


def test_rows_that_are_alike_keep_what_is_their_own() -> None:
    """What is made once for many calls has nothing of one of them: each span is as if it were alone (LG-01)."""
    rows = [FULL, FULL | {"record_id": UUID(int=9), "subject_ids": [], "ticket": ""}, BARE, FULL]
    together = request(*rows).resource_spans[0].scope_spans[0].spans
    assert list(together) == [request(row).resource_spans[0].scope_spans[0].spans[0] for row in rows]


def test_the_reason_is_no_column_of_a_span() -> None:
    """Free text is not even read (LG-01)."""
    assert "reason" not in access_spans.COLUMNS
