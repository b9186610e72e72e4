"""One call on its way through the chain."""

from dataclasses import dataclass, field, replace

import grpc.aio
from google.protobuf.message import Message

from chassis import trace_context
from chassis.caller import UNIDENTIFIED, Caller
from chassis.contents import Contents
from chassis.contract import Method
from chassis.entry import Entry
from chassis.request_stream import RequestStream
from chassis.running import Running

_NOTHING: frozenset[str] = frozenset()


@dataclass(slots=True)
class Call:
    """What the links of the chain and the handler know of a call.

    ``deadline``: loop time at which the caller gives up, or None. ``running.stopping``: a stream
    should end now. ``full_view``: items that the answer may show in full. ``requests``: where the caller streams, the
    messages after the first; ``admitted``: one of these has passed the chain.
    """

    method: Method
    context: grpc.aio.ServicerContext[bytes, bytes]
    raw: bytes
    entry: Entry
    deadline: float | None
    running: Running
    caller: Caller = UNIDENTIFIED
    message: Message | None = None
    contents: Contents = field(default_factory=Contents)
    full_view: frozenset[str] = _NOTHING
    requests: RequestStream | None = None
    admitted: bool = False

    def following(self, raw: bytes) -> "Call":
        """Return the access that the next message of the stream is, with a row of its own."""
        return replace(self, raw=raw, entry=self.entry.following(), message=None, full_view=_NOTHING, requests=None)

    @property
    def traceparent(self) -> str:
        """The W3C Trace Context header that makes this call the parent of a call to another service."""
        return trace_context.traceparent(self.entry.trace_id, self.entry.span_id)
