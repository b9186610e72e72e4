"""The readings of a file: its bytes as they are, what its gzip streams unpack to, its log pages without their headers.

PostgreSQL cuts a WAL record, and a value in it, at each page of 8 kB and puts a header in between. Not read: zstd,
values that PostgreSQL compressed (only those above 2 kB are), and a value cut by the end of a WAL segment (16 MB).
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

_GZIP_MAGIC: Final = b"\x1f\x8b\x08"
_GZIP_WINDOW: Final = zlib.MAX_WBITS | 16
_GZIP_DEPTH: Final = 3
_MOST_UNPACKED_BYTES: Final = 256 << 20
_WAL_SIZES: Final = struct.Struct("<II")  # segment size and page size, in the header of a segment's first page
_WAL_SIZES_AT: Final = 32
_WAL_FIRST_HEADER_BYTES: Final = 40
_WAL_HEADER_BYTES: Final = 24


def layers(data: bytes, name: str) -> Iterator[tuple[bytes, str]]:
    """Each reading with its name; the first is the data itself under the name given.

    Raises:
        ValueError: a gzip stream unpacks to more than can be searched.
    """
    yield from _unzipped(data, name, _GZIP_DEPTH)
    if joined := _without_page_headers(data):
        yield joined, f"{name} (without page headers)"


def _unzipped(data: bytes, name: str, depth: int) -> Iterator[tuple[bytes, str]]:
    yield data, name
    at = data.find(_GZIP_MAGIC) if depth else -1
    while at >= 0:
        unpacked, length = _unzip(data, at)
        if unpacked:
            yield from _unzipped(unpacked, f"{name} (gzip at {at})", depth - 1)
        at = data.find(_GZIP_MAGIC, at + max(length, 1))


def _unzip(data: bytes, at: int) -> tuple[bytes, int]:
    """What the stream at `at` unpacks to, as far as it goes, and its length; nothing where the magic was a chance."""
    stream = zlib.decompressobj(_GZIP_WINDOW)
    try:
        unpacked = stream.decompress(memoryview(data)[at:], _MOST_UNPACKED_BYTES)
    except zlib.error:
        return b"", 0
    if stream.unconsumed_tail:
        raise ValueError(f"a gzip stream unpacks to more than {_MOST_UNPACKED_BYTES} bytes")
    return unpacked, len(data) - at - len(stream.unused_data)


def _without_page_headers(data: bytes) -> bytes:
    """The records of a WAL segment in one piece; nothing for other data."""
    if len(data) < _WAL_FIRST_HEADER_BYTES:
        return b""
    segment, page = _WAL_SIZES.unpack_from(data, _WAL_SIZES_AT)
    if segment != len(data) or page <= _WAL_FIRST_HEADER_BYTES or segment % page:
        return b""
    others = (data[at + _WAL_HEADER_BYTES : at + page] for at in range(page, segment, page))
    return b"".join([data[_WAL_FIRST_HEADER_BYTES:page], *others])
