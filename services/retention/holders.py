"""The holders of personal data, as retention speaks to them: PurgeService over mutual TLS, purpose "destruction".

Channels are opened for one piece of work and closed after it, so that a renewed certificate is used and a holder that
has moved is found. Retention passes the ids of subjects from one holder to another and keeps those alone that a hold names.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

import grpc.aio
import structlog
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.purge.v1 import purge_service_pb2 as api

from chassis import channel, errors
from chassis.channel import PeerSettings
from chassis.cutoffs import messages
from chassis.settings import TlsSettings
from services.retention.categories import Due
from services.retention.plan import Part
from services.retention.refusals import HolderUnavailable, Overtaken

log = structlog.get_logger()

Answer = TypeVar("Answer", bound=Message)

DEADLINES = {
    "PreparePurge": 30.0, "ExecutePurge": 30.0, "VerifyPurge": 60.0, "ListKept": 5.0, "SetHold": 15.0,
    "ConfirmHolds": 30.0,
}  # fmt: skip
"""Seconds that a holder has for each call."""
ACCESS = AccessContext(purpose="destruction")


class Holders:
    """Where the holders are. ``names``: theirs."""

    def __init__(self, peers: Mapping[str, PeerSettings], tls: TlsSettings) -> None:
        self._peers = peers
        self._tls = tls
        self.names = tuple(peers)

    @asynccontextmanager
    async def connected(self, plan_id: str, epoch: int, traceparent: str) -> AsyncIterator["Connected"]:
        """Give the holders for one attempt at a plan. ``traceparent``: of the call or job that asks them."""
        async with self.asked(traceparent) as lines:
            yield Connected(lines, plan_id, epoch)

    @asynccontextmanager
    async def asked(self, traceparent: str) -> AsyncIterator["Lines"]:
        """Give lines to the holders. ``traceparent``: of the call or job that asks them."""
        async with AsyncExitStack() as stack:
            channels = {}
            for name, peer in self._peers.items():
                channels[name] = channel.connect(peer, self._tls)
                stack.push_async_callback(channels[name].close)
            yield Lines(channels, traceparent)


class Lines:
    """The holders, for calls of PurgeService. ``names``: theirs."""

    def __init__(self, channels: Mapping[str, grpc.aio.Channel], traceparent: str) -> None:
        self._channels = channels
        self._traceparent = traceparent
        self.names = tuple(channels)

    async def call(self, holder: str, method: str, request: Message, answer: type[Answer]) -> Answer:
        """Make one call. Raises HolderUnavailable, or Overtaken where the holder knows a newer attempt."""
        try:
            return await channel.call(
                self._channels[holder], f"onggi.purge.v1.PurgeService/{method}", request, answer,
                timeout=DEADLINES[method], traceparent=self._traceparent,
            )  # fmt: skip
        except grpc.aio.AioRpcError as error:
            reason = reason_of(error)
            log.warning("holder refused or failed", holder=holder, rpc=method, status=error.code().name, reason=reason)
            raise (Overtaken if reason == "STALE_EPOCH" else HolderUnavailable) from None


class Connected:
    """The holders, under one attempt at a plan.

    Every call raises HolderUnavailable, or Overtaken where a holder knows a newer attempt. ``lines``: to the holders.
    """

    def __init__(self, lines: Lines, plan_id: str, epoch: int) -> None:
        self.lines = lines
        self._call = lines.call
        self._plan_id = plan_id
        self._epoch = epoch

    async def prepare(self, due: Due, subject_ids: list[str], page_token: str) -> api.PreparePurgeResponse:
        """Have a holder fix its set, or a page more of it."""
        request = api.PreparePurgeRequest(
            access=ACCESS, plan_id=self._plan_id, epoch=self._epoch, category=due.category,
            through=due.through.isoformat(), cutoffs=messages(due.by_version), subject_ids=subject_ids,
            page_token=page_token,
        )  # fmt: skip
        return await self._call(due.holder, "PreparePurge", request, api.PreparePurgeResponse)

    async def execute(self, part: Part, limit: int) -> api.ExecutePurgeResponse:
        """Have a holder destroy at most ``limit`` units of its set."""
        request = api.ExecutePurgeRequest(
            access=ACCESS,
            plan_id=self._plan_id,
            epoch=self._epoch,
            category=part.category,
            limit=limit,
            digest=part.digest,
        )
        return await self._call(part.holder, "ExecutePurge", request, api.ExecutePurgeResponse)

    async def verify(self, part: Part) -> api.VerifyPurgeResponse:
        """Have a holder look, under another role, whether anything of its set is left."""
        request = api.VerifyPurgeRequest(
            access=ACCESS, plan_id=self._plan_id, epoch=self._epoch, category=part.category
        )
        return await self._call(part.holder, "VerifyPurge", request, api.VerifyPurgeResponse)


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """Return the reason in the ErrorInfo of a holder's answer, or an empty string; never its message."""
    for key, value in error.trailing_metadata() or ():
        if key == errors.STATUS_DETAILS and isinstance(value, bytes):
            try:
                details = Status.FromString(value).details
            except DecodeError:
                return ""
            info = ErrorInfo()
            if any(detail.Unpack(info) for detail in details) and info.domain == errors.DOMAIN:
                return str(info.reason)
    return ""
