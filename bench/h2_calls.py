"""The unary gRPC calls of one HTTP/2 connection, without its socket: bytes in, bytes out, no object for a call.

What a call costs here is taken from the servers under measurement, when they share the core with their client.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import grpc

from bench import h2_frames as h2
from bench.h2_frames import HEAD, RequestHeaders

STATUSES: Final[Mapping[int | None, str]] = {code.value[0]: code.name for code in grpc.StatusCode}
NO_STATUS: Final = "NO_STATUS"
NOT_SENT: Final = "NOT_SENT"
LAST_STREAM: Final = 2**31 - 1
_CANCEL: Final = b"\x00\x00\x00\x08"
_LAST_HEADERS: Final = h2.END_HEADERS | h2.END_STREAM
_REPORT: Final = 2**24  # bytes of answers after which the peer is told that they have been taken

Done = tuple[float, str, int]
"""A call that is over: when it was due, how it ended, the bytes of its answer with the 5 of gRPC's prefix.

It ended with a gRPC status, with `RST_STREAM <code>`, with `NOT_SENT` (the server closes the connection and has not
looked at it), with `NO_STATUS` (an answer without one), or with what the owner of the connection says of it.
"""


@dataclass
class _Upload:
    """A request of which the peer's windows have not yet let everything through."""

    stream: int
    rest: bytes
    window: int


@dataclass
class _Peer:
    """What the server's settings allow."""

    streams: int = LAST_STREAM
    window: int = h2.DEFAULT_WINDOW
    frame: int = h2.DEFAULT_FRAME


@dataclass
class Kept:
    """The answers of the first calls, by stream, of which `wanted` are kept."""

    wanted: int = 0
    answers: list[bytearray] = field(default_factory=list)


class Calls:
    """The calls in flight and what is to be written for them."""

    def __init__(self, headers: RequestHeaders, kept: Kept) -> None:
        self._headers = headers
        self._block, self._next_block = headers.first, headers.rest
        self._kept = kept
        self._keeping: dict[int, bytearray] = {}
        self._peer = _Peer()
        self._window = h2.DEFAULT_WINDOW
        self._unreported = 0
        self._next = 1
        self._due: dict[int, float] = {}
        self._sizes: dict[int, int] = {}
        self._waiting: deque[tuple[bytes, float]] = deque()
        self._uploads: deque[_Upload] = deque()
        self._fragment = b""
        self._fragment_flags = 0
        self._unparsed = b""
        self._frames: list[bytes] = [h2.opening()]
        self.settled = False
        """Whether the server's settings are known."""
        self.closing = False
        """Whether no further call may be started: the server is going away, or the stream numbers have run out."""

    @property
    def in_flight(self) -> int:
        """The calls that are not over."""
        return len(self._due) + len(self._waiting)

    def take(self) -> bytes:
        """Return what is to be written now."""
        if not self._frames:
            return b""
        written = b"".join(self._frames)
        self._frames.clear()
        return written

    def start(self, body: bytes, due: float) -> None:
        """Begin a call with a prefixed message; it waits while the server allows no further stream."""
        if self._waiting or len(self._due) >= self._peer.streams:
            self._waiting.append((body, due))
        else:
            self._begin(body, due)

    def _begin(self, body: bytes, due: float) -> None:
        stream, size = self._next, len(body)
        self._next = stream + 2
        if stream + 2 > LAST_STREAM:
            self.closing = True
        self._due[stream] = due
        self._sizes[stream] = 0
        if len(self._kept.answers) < self._kept.wanted:
            self._keeping[stream] = bytearray()
            self._kept.answers.append(self._keeping[stream])
        block, self._block = self._block, self._next_block
        peer = self._peer
        head = HEAD.pack(len(block) << 8 | h2.HEADERS, h2.END_HEADERS, stream)
        if self._uploads or size > self._window or size > peer.window or size > peer.frame:
            self._frames += (head, block)
            self._uploads.append(_Upload(stream, body, peer.window))
            self._upload()
        else:
            self._window -= size
            self._frames += (head, block, HEAD.pack(size << 8, h2.END_STREAM, stream), body)

    def _upload(self) -> None:
        while self._uploads:
            upload = self._uploads[0]
            size = min(len(upload.rest), self._window, upload.window, self._peer.frame)
            if size <= 0:
                return
            part, upload.rest = upload.rest[:size], upload.rest[size:]
            self._window -= size
            upload.window -= size
            self._frames.append(h2.frame(h2.DATA, 0 if upload.rest else h2.END_STREAM, upload.stream, part))
            if not upload.rest:
                self._uploads.popleft()

    def feed(self, received: bytes) -> list[Done]:
        """Take what the server has sent and return the calls that it ends."""
        data = self._unparsed + received if self._unparsed else received
        done: list[Done] = []
        at, end, sizes = 0, len(data), self._sizes
        while end - at >= HEAD.size:
            head, flags, stream = HEAD.unpack_from(data, at)
            begin, length, kind = at + HEAD.size, head >> 8, head & 0xFF
            if begin + length > end:
                break
            at = begin + length
            if kind == h2.DATA and not flags and stream in sizes:
                self._unreported += length
                sizes[stream] += length
                if stream in self._keeping:
                    self._keeping[stream] += data[begin:at]
            elif kind == h2.HEADERS and flags == _LAST_HEADERS:
                self._end(stream, STATUSES.get(h2.grpc_status(data[begin:at]), NO_STATUS), done)
            elif kind != h2.HEADERS or flags != h2.END_HEADERS:  # an answer's first headers say nothing new
                self._rare(kind, flags, stream, data[begin:at], done)
        self._unparsed = data[at:]
        if self._unreported > _REPORT:
            self._frames.append(h2.window_update(self._unreported))
            self._unreported = 0
        while self._waiting and not self.closing and len(self._due) < self._peer.streams:
            self._begin(*self._waiting.popleft())
        return done

    def end_all(self, status: str) -> list[Done]:
        """End every call that is in flight, and start none any more."""
        self.closing = True
        done: list[Done] = []
        for stream in list(self._due):
            self._end(stream, status, done)
        self._drop_waiting(done)
        return done

    def _end(self, stream: int, status: str, done: list[Done]) -> None:
        due = self._due.pop(stream, None)
        if due is None:
            return
        done.append((due, status, self._sizes.pop(stream)))
        if self._uploads and any(upload.stream == stream for upload in self._uploads):
            self._uploads = deque(upload for upload in self._uploads if upload.stream != stream)
            self._frames.append(h2.frame(h2.RST_STREAM, 0, stream, _CANCEL))

    def _drop_waiting(self, done: list[Done]) -> None:
        done += [(due, NOT_SENT, 0) for _, due in self._waiting]
        self._waiting.clear()

    def _rare(self, kind: int, flags: int, stream: int, payload: bytes, done: list[Done]) -> None:
        """Take a frame that not every call has."""
        if kind == h2.DATA:
            self._data(flags, stream, payload, done)
        elif kind in (h2.HEADERS, h2.CONTINUATION):
            self._fragment_of_headers(kind, flags, stream, payload, done)
        elif kind == h2.SETTINGS and not flags & h2.ACK:
            self._settings(payload)
        elif kind == h2.PING and not flags & h2.ACK:
            self._frames.append(h2.frame(h2.PING, h2.ACK, 0, payload))
        elif kind == h2.WINDOW_UPDATE:
            self._widen(stream, int.from_bytes(payload, "big"))
        elif kind == h2.RST_STREAM:
            self._end(stream, f"RST_STREAM {int.from_bytes(payload, 'big')}", done)
        elif kind == h2.GOAWAY:
            self.closing = True
            last = int.from_bytes(payload[:4], "big")
            for unseen in [number for number in self._due if number > last]:
                self._end(unseen, NOT_SENT, done)
            self._drop_waiting(done)

    def _data(self, flags: int, stream: int, payload: bytes, done: list[Done]) -> None:
        self._unreported += len(payload)  # padding counts too
        if stream not in self._sizes:
            return
        message = h2.unpadded(payload, h2.DATA, flags)
        self._sizes[stream] += len(message)
        if stream in self._keeping:
            self._keeping[stream] += message
        if flags & h2.END_STREAM:  # an answer of gRPC ends with headers
            self._end(stream, NO_STATUS, done)

    def _fragment_of_headers(self, kind: int, flags: int, stream: int, payload: bytes, done: list[Done]) -> None:
        if kind == h2.HEADERS:
            self._fragment, self._fragment_flags = b"", flags
        self._fragment += h2.unpadded(payload, kind, flags) if kind == h2.HEADERS else payload
        if flags & h2.END_HEADERS and self._fragment_flags & h2.END_STREAM:
            self._end(stream, STATUSES.get(h2.grpc_status(self._fragment), NO_STATUS), done)

    def _settings(self, payload: bytes) -> None:
        given = h2.settings(payload)
        peer = self._peer
        window = given.get(h2.INITIAL_WINDOW_SIZE, peer.window)
        for upload in self._uploads:
            upload.window += window - peer.window  # RFC 9113 section 6.9.2
        peer.window = window
        peer.streams = given.get(h2.MAX_CONCURRENT_STREAMS, peer.streams)
        peer.frame = given.get(h2.MAX_FRAME_SIZE, peer.frame)
        if given.get(h2.HEADER_TABLE_SIZE, h2.DEFAULT_TABLE) < self._headers.table_size:
            self._block = self._next_block = self._headers.unindexed
        self._frames.append(h2.frame(h2.SETTINGS, h2.ACK, 0))
        self.settled = True
        self._upload()

    def _widen(self, stream: int, size: int) -> None:
        if stream == 0:
            self._window += size
        for upload in self._uploads:
            if upload.stream == stream:
                upload.window += size
        self._upload()
