"""The few parts of HTTP/2 (RFC 9113) and HPACK (RFC 7541) that a unary gRPC call needs, as bytes.

Responses are asked for without a dynamic header table, so a header block can be read by itself and the status be found
by its literal name.
"""

import struct
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD: Final = struct.Struct(">IBI")
"""A frame's head: 24 bits length and 8 bits type, flags, stream."""

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITY: Final = 0x20

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 1, 2, 3, 4, 5
WINDOW: Final = 2**31 - 1
"""The largest window, bytes: a stream of ours never waits for another one."""
DEFAULT_WINDOW: Final = 65_535
DEFAULT_FRAME: Final = 16_384
DEFAULT_TABLE: Final = 4_096
_ENTRY_OVERHEAD: Final = 32  # RFC 7541 section 4.1
_FIRST_DYNAMIC_INDEX: Final = 62
_STATUS: Final = b"\x0bgrpc-status"
_STATUS_DIGITS: Final = (1, 2)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return a frame, head and payload."""
    return HEAD.pack(len(payload) << 8 | kind, flags, stream) + payload


def opening() -> bytes:
    """Return what a client sends first: the preface, its settings, and the connection's window opened wide."""
    settings = struct.pack(">HIHIHI", HEADER_TABLE_SIZE, 0, ENABLE_PUSH, 0, INITIAL_WINDOW_SIZE, WINDOW)
    return PREFACE + frame(SETTINGS, 0, 0, settings) + window_update(WINDOW - DEFAULT_WINDOW)


def window_update(size: int) -> bytes:
    """Return the frame that gives the peer `size` bytes more for the connection."""
    return frame(WINDOW_UPDATE, 0, 0, size.to_bytes(4, "big"))


def message(raw: bytes) -> bytes:
    """Return a message as gRPC puts it into DATA: not compressed, its length, itself."""
    return b"\x00" + len(raw).to_bytes(4, "big") + raw


class RequestHeaders:
    """The header block of every call of a method: spelt out in a connection's first call, indices in all others.

    So do the usual clients, and a server is not to be slower or faster with this one. `unindexed` is for a server that
    keeps too small a table: it sets the table's size to 0 and spells everything out.
    """

    def __init__(self, path: str, authority: str, timeout: str) -> None:
        """Prepare the blocks; `timeout` is as in gRPC's header, such as "10S"."""
        fields = [
            (":path", path), (":authority", authority), ("te", "trailers"),
            ("content-type", "application/grpc"), ("grpc-timeout", timeout),
        ]  # fmt: skip
        indices = range(_FIRST_DYNAMIC_INDEX + len(fields) - 1, _FIRST_DYNAMIC_INDEX - 1, -1)  # the newest is first
        fixed = b"\x83\x87"  # :method POST, :scheme https, from the static table
        self.table_size = sum(len(name) + len(value) + _ENTRY_OVERHEAD for name, value in fields)
        self.first = fixed + b"".join(b"\x40" + _text(name) + _text(value) for name, value in fields)
        self.rest = fixed + bytes(0x80 | index for index in indices)
        self.unindexed = b"\x20" + fixed + b"".join(b"\x00" + _text(name) + _text(value) for name, value in fields)


def grpc_status(block: bytes) -> int | None:
    """Return the gRPC status code in a block of headers that uses no dynamic table, None when it has none.

    The name cannot occur in a value: its length byte is a control character, which gRPC percent-encodes or puts in
    base 64.
    """
    at = block.find(_STATUS)
    if at < 0:
        return None
    at += len(_STATUS)
    size = block[at]
    digits = block[at + 1 : at + 1 + size]
    return int(digits) if size in _STATUS_DIGITS and digits.isdigit() else None


def unpadded(payload: bytes, kind: int, flags: int) -> bytes:
    """Return the payload of a DATA or HEADERS frame without padding and priority."""
    begin, end = 0, len(payload)
    if flags & PADDED:
        begin, end = 1, end - payload[0]
    if kind == HEADERS and flags & PRIORITY:
        begin += 5
    return payload[begin:end]


def settings(payload: bytes) -> dict[int, int]:
    """Return the settings of a SETTINGS frame."""
    return dict(struct.iter_unpack(">HI", payload))


def _text(text: str) -> bytes:
    raw = text.encode()
    if len(raw) >= 127:
        raise ValueError(f"{len(raw)} bytes do not fit the one byte of length that is used here")
    return bytes([len(raw)]) + raw
