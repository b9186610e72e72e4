"""The OTLP trace receiver as the span export has it: one unary call for each batch, over mutual TLS."""

from typing import Final

import grpc
import grpc.aio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from chassis.settings import TelemetrySettings, TlsSettings

MAX_BYTES: Final = 4 * 1024 * 1024
"""What a gRPC server takes in one message unless it was told otherwise."""

_EXPORT: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_SECONDS: Final = 5.0


class TraceReceiver:
    """A channel under the certificate that is on disk now; opened when something is to be sent."""

    def __init__(self, settings: TelemetrySettings, tls: TlsSettings) -> None:
        self._settings = settings
        self._tls = tls
        self._stamp: tuple[int, ...] = ()
        self._channel: grpc.aio.Channel | None = None

    async def take(self, request: bytes) -> int:
        """Have an encoded ExportTraceServiceRequest taken; return how many of its spans were rejected for good.

        Waits at most five seconds for the receiver. Raises grpc.aio.AioRpcError, OSError for a missing certificate.
        """
        export: grpc.aio.UnaryUnaryMultiCallable[bytes, ExportTraceServiceResponse] = (await self._open()).unary_unary(
            _EXPORT, response_deserializer=ExportTraceServiceResponse.FromString
        )
        answer = await export(request, timeout=_SECONDS, wait_for_ready=True)
        return answer.partial_success.rejected_spans

    async def close(self) -> None:
        """Close the channel; the next batch opens another one."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    async def _open(self) -> grpc.aio.Channel:
        stamp = self._tls.stamp()
        if self._channel is None or stamp != self._stamp:
            await self.close()
            self._stamp, self._channel = stamp, _channel(self._settings, self._tls)
        return self._channel


def _channel(settings: TelemetrySettings, tls: TlsSettings) -> grpc.aio.Channel:
    name = settings.otlp_server_name
    credentials = grpc.ssl_channel_credentials(
        tls.ca_file.read_bytes(), tls.key_file.read_bytes(), tls.certificate_file.read_bytes()
    )
    options = [("grpc.ssl_target_name_override", name)] if name else []
    return grpc.aio.secure_channel(settings.otlp_address, credentials, options)
