"""How the demo calls the services: as one of the callers, with its certificate, over mutual TLS.

Every answer names the entry that the call has in the processing log; the demo keeps these receipts and compares them
with the log in the end.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Generic, Self, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from onggi.identity.v1.archive_service_pb2_grpc import ArchiveServiceStub
from onggi.identity.v1.consent_service_pb2_grpc import ConsentServiceStub
from onggi.identity.v1.contact_service_pb2_grpc import ContactServiceStub
from onggi.identity.v1.member_service_pb2_grpc import MemberServiceStub
from onggi.identity.v1.record_service_pb2_grpc import RecordServiceStub
from onggi.payment_vault.v1.detokenization_service_pb2_grpc import DetokenizationServiceStub
from onggi.payment_vault.v1.tokenization_service_pb2_grpc import TokenizationServiceStub
from onggi.retention.v1.retention_service_pb2_grpc import RetentionServiceStub

from dev.identities import CALLERS, SERVICES, Credentials, account, server_name
from dev.stack import Stack

_CALL_SECONDS: Final = 60.0
_MAX_BYTES: Final = 16 << 20

Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, slots=True)
class Answer(Generic[Response]):
    """How a call ended. `code` is the name of the gRPC status, `reason` that of the error ("" for OK)."""

    code: str
    reason: str
    record_id: str
    message: Response | None

    @property
    def response(self) -> Response:
        """The response of a call that was answered.

        Raises:
            RuntimeError: it was refused.
        """
        if self.message is None:
            raise RuntimeError(f"the call ended with {self.code} {self.reason}")
        return self.message

    def __str__(self) -> str:
        return f"{self.code} {self.reason}".rstrip()


@dataclass
class Receipts:
    """What the log must hold: entry id -> the bytes of request and response, to see whom the call was about."""

    calls: dict[str, bytes] = field(default_factory=dict)

    def about(self, subject: str) -> set[str]:
        """Ids of the entries of calls in which the subject's id was named."""
        return {record_id for record_id, content in self.calls.items() if subject.encode() in content}


class Caller:
    """One caller's channels and stubs. An asynchronous context manager: leaving it closes the channels."""

    def __init__(self, stack: Stack, name: str, receipts: Receipts) -> None:
        self.name = f"{CALLERS[name]}/{name}"
        self._receipts = receipts
        files = stack.client_credentials(name)
        self._channels = {s: secure_channel(stack.addresses[s], files, account(s)) for s in SERVICES}
        archive, identity, vault, retention = self._channels.values()
        self.archive = ArchiveServiceStub(archive)
        self.consents = ConsentServiceStub(identity)
        self.members = MemberServiceStub(identity)
        self.contacts = ContactServiceStub(identity)
        self.records = RecordServiceStub(identity)
        self.tokens = TokenizationServiceStub(vault)
        self.reveals = DetokenizationServiceStub(vault)
        self.plans = RetentionServiceStub(retention)

    async def call(
        self, method: "grpc.aio.UnaryUnaryMultiCallable[Any, Response]", request: Message
    ) -> Answer[Response]:
        """Call once and keep the receipt."""
        call = method(request, timeout=_CALL_SECONDS)
        try:
            response = await call
        except grpc.aio.AioRpcError as error:
            record_id = self.keep(error.trailing_metadata(), request.SerializeToString())
            return Answer(error.code().name, _reason(error), record_id, None)
        content = request.SerializeToString() + response.SerializeToString()
        return Answer("OK", "", self.keep(await call.trailing_metadata(), content), response)

    def keep(self, trailers: object, content: bytes) -> str:
        """Keep the receipt in the trailers and return the entry's id; "" where no service has answered."""
        record_id = str(dict(trailers or ()).get("onggi-record-id", ""))  # type: ignore[call-overload]
        if record_id:
            self._receipts.calls[record_id] = content
        return record_id

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for channel in self._channels.values():
            await channel.close()


def secure_channel(address: str, files: Credentials, service_account: str) -> grpc.aio.Channel:
    """A channel with a client certificate to a server that must be `service_account`."""
    credentials = grpc.ssl_channel_credentials(
        files.ca.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes()
    )
    options: list[tuple[str, str | int]] = [
        ("grpc.ssl_target_name_override", server_name(service_account)),
        ("grpc.max_receive_message_length", _MAX_BYTES),
        ("grpc.enable_http_proxy", 0),
    ]
    return grpc.aio.secure_channel(address, credentials, options)


def _reason(error: grpc.aio.AioRpcError) -> str:
    """The reason in the status details; the status' own text where a call never reached a service."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    info = ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            return str(info.reason)
    return error.details() or ""
