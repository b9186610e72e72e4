"""The OTLP receiver of the laptop stack keeps what it has acknowledged and hears nobody without a certificate."""

import json

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from dev.identities import OTLP_RECEIVER, server_name
from dev.stack import Stack

pytestmark = pytest.mark.timeout(120)


def _export(stack: Stack, credentials: grpc.ChannelCredentials) -> None:
    request = trace_service_pb2.ExportTraceServiceRequest()
    spans = request.resource_spans.add(schema_url="https://opentelemetry.io/schemas/1.45.0")
    span = spans.scope_spans.add().spans.add(
        trace_id=b"\1" * 16, span_id=b"\2" * 8, name="onggi.test/Call", kind=Span.SPAN_KIND_SERVER
    )
    span.attributes.add(key="onggi.purpose").value.string_value = "support"
    span.status.code = Status.STATUS_CODE_ERROR
    target = stack.ports.address("otlp")
    options = [("grpc.ssl_target_name_override", server_name(OTLP_RECEIVER)), ("grpc.enable_http_proxy", 0)]
    with grpc.secure_channel(target, credentials, options=options) as channel:
        export = channel.unary_unary(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            request_serializer=trace_service_pb2.ExportTraceServiceRequest.SerializeToString,
            response_deserializer=trace_service_pb2.ExportTraceServiceResponse.FromString,
        )
        export(request, timeout=5)


def test_the_receiver_has_a_span_on_disk_before_it_answers(stack: Stack) -> None:
    """A span sent over mTLS stands in the file as one line when the export returns."""
    files = stack.service_credentials("identity")
    before = stack.otlp_file.read_text().count("\n")
    _export(
        stack,
        grpc.ssl_channel_credentials(files.ca.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes()),
    )

    lines = stack.otlp_file.read_text().splitlines()
    span = json.loads(lines[-1])
    assert len(lines) == before + 1
    assert (span["trace_id"], span["span_id"], span["parent_span_id"]) == ("01" * 16, "02" * 8, "")
    assert (span["name"], span["kind"], span["status"]["code"]) == ("onggi.test/Call", "SERVER", "ERROR")
    assert span["attributes"] == {"onggi.purpose": "support"}
    assert span["schema_url"] == "https://opentelemetry.io/schemas/1.45.0"


def test_the_receiver_hears_nobody_without_a_certificate(stack: Stack) -> None:
    """A client that trusts the authority and shows no certificate of its own gets no further than TLS."""
    before = stack.otlp_file.read_text()
    with pytest.raises(grpc.RpcError):
        _export(stack, grpc.ssl_channel_credentials(stack.service_credentials("identity").ca.read_bytes()))

    assert stack.otlp_file.read_text() == before
