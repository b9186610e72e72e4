"""The load client without a socket: what it writes for a call, what it makes of what a server may send."""

import struct

import pytest

from bench import h2_frames as h2
from bench.h2_calls import Calls, Done, Kept
from bench.h2_load import Outcome

HEADERS = h2.RequestHeaders("/bench.Echo/Echo", "echo.internal", "10S")
SETTLED = h2.frame(h2.SETTINGS, 0, 0)
FIRST = h2.frame(h2.HEADERS, h2.END_HEADERS, 1, b"\x88@\x0ccontent-type\x10application/grpc")

Frame = tuple[int, int, int, bytes]


def settled(kept: Kept | None = None, settings: bytes = b"") -> Calls:
    """Calls of a connection whose server has sent its settings; what was written for it is taken."""
    calls = Calls(HEADERS, kept or Kept())
    calls.feed(h2.frame(h2.SETTINGS, 0, 0, settings))
    calls.take()
    return calls


def setting(number: int, value: int) -> bytes:
    """One setting."""
    return struct.pack(">HI", number, value)


def frames(written: bytes) -> list[Frame]:
    """What was written, as (type, flags, stream, payload)."""
    found, at = [], 0
    while at < len(written):
        head, flags, stream = h2.HEAD.unpack_from(written, at)
        at += h2.HEAD.size + (head >> 8)
        found.append((head & 0xFF, flags, stream, written[at - (head >> 8) : at]))
    return found


def trailers(stream: int, status: str = "0") -> bytes:
    """The trailers as gRPC's core writes them."""
    block = b"@\x0bgrpc-status" + bytes([len(status)]) + status.encode() + b"\x00\x0cgrpc-message\x00"
    return h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, block)


def answer(stream: int, raw: bytes = b"hello", status: str = "0") -> bytes:
    """A whole answer without its first headers."""
    return h2.frame(h2.DATA, 0, stream, h2.message(raw)) + trailers(stream, status)


def test_it_opens_with_the_preface_no_header_table_and_wide_windows() -> None:
    """The server may keep no table for its answers, so that their status can be found in them by name."""
    written = Calls(HEADERS, Kept()).take()
    assert written.startswith(h2.PREFACE)
    (kind, _, _, settings), (_, _, stream, size) = frames(written[len(h2.PREFACE) :])
    assert h2.SETTINGS == kind
    assert {h2.HEADER_TABLE_SIZE: 0, h2.ENABLE_PUSH: 0, h2.INITIAL_WINDOW_SIZE: 2**31 - 1} == h2.settings(settings)
    assert (0, 2**31 - 1) == (stream, int.from_bytes(size, "big") + h2.DEFAULT_WINDOW)


def test_the_first_call_spells_its_headers_out_and_the_next_name_their_places() -> None:
    """The places count from the newest entry, 62, back to the oldest (RFC 7541 section 2.3.3)."""
    calls = settled()
    calls.start(h2.message(b"a"), 0.0)
    calls.start(h2.message(b"b"), 0.0)
    first, body, second, _ = frames(calls.take())
    assert (h2.HEADERS, h2.END_HEADERS, 1, HEADERS.first) == first
    assert (h2.DATA, h2.END_STREAM, 1, b"\x00\x00\x00\x00\x01a") == body
    assert (h2.HEADERS, h2.END_HEADERS, 3, b"\x83\x87\xc2\xc1\xc0\xbf\xbe") == second


def test_a_server_without_a_table_gets_every_header_spelt_out() -> None:
    """Nothing is put into a table that the server does not keep, and its size is set to 0 as the standard asks."""
    calls = settled(settings=setting(h2.HEADER_TABLE_SIZE, 0))
    calls.start(h2.message(b"a"), 0.0)
    calls.start(h2.message(b"b"), 0.0)
    assert [HEADERS.unindexed, HEADERS.unindexed] == [frame[3] for frame in frames(calls.take())[::2]]
    assert HEADERS.unindexed.startswith(b"\x20\x83\x87\x00")


@pytest.mark.parametrize("cut", range(0, 120, 7))
def test_answers_are_read_wherever_they_are_cut(cut: int) -> None:
    """A read may end anywhere, within a head too; each call ends once, with its status and its length."""
    calls = settled()
    calls.start(h2.message(b"a"), 1.0)
    calls.start(h2.message(b"b"), 2.0)
    sent = FIRST + h2.frame(h2.DATA, 0, 1, h2.message(b"hello")) + answer(3, b"", "16") + trailers(1)
    done = calls.feed(sent[:cut]) + calls.feed(sent[cut:])
    assert [(2.0, "UNAUTHENTICATED", 5), (1.0, "OK", 10)] == done
    assert 0 == calls.in_flight


@pytest.mark.parametrize(
    ("block", "status"),
    [
        (b"@\x0bgrpc-status\x010", 0),
        (b"\x00\x0bgrpc-status\x0214\x00\x0cgrpc-message\x00", 14),
        (b"\x00\x17grpc-status-details-bin\x02CA@\x0bgrpc-status\x015", 5),
        (b"\x88@\x0ccontent-type\x10application/grpc", None),
        (b"@\x0bgrpc-status\x00", None),
        (b"@\x0bgrpc-status\x81\x07", None),
    ],
)
def test_the_status_is_read_from_its_literal(block: bytes, status: int | None) -> None:
    """A status that is missing, empty or coded otherwise is none, and never taken for success."""
    assert status == h2.grpc_status(block)


def test_an_answer_without_a_status_is_a_failure() -> None:
    """Headers that end the stream and say nothing of a status do not count as an answer."""
    calls = settled()
    calls.start(h2.message(b"a"), 1.0)
    assert [(1.0, "NO_STATUS", 0)] == calls.feed(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 1, b"\x88"))


def test_padding_and_split_headers_are_read() -> None:
    """Padding counts for nothing; headers that go on in a second frame are read as one block."""
    calls = settled()
    calls.start(h2.message(b"a"), 1.0)
    padded = h2.frame(h2.DATA, h2.PADDED, 1, b"\x03" + h2.message(b"hello") + b"\x00\x00\x00")
    split = h2.frame(h2.HEADERS, h2.END_STREAM, 1, b"@\x0bgrpc-st")
    ended = h2.frame(h2.CONTINUATION, h2.END_HEADERS, 1, b"atus\x010")
    assert [(1.0, "OK", 10)] == calls.feed(padded + split + ended)


def test_pings_and_settings_are_acknowledged() -> None:
    """Each gets one answer, an acknowledgement gets none."""
    calls = settled()
    calls.feed(h2.frame(h2.PING, 0, 0, b"12345678") + h2.frame(h2.PING, h2.ACK, 0, b"abcdefgh") + SETTLED)
    expected = [(h2.PING, h2.ACK, 0, b"12345678"), (h2.SETTINGS, h2.ACK, 0, b"")]
    assert expected == frames(calls.take())


def test_the_connections_window_holds_a_request_back() -> None:
    """No more than the window is sent; the rest follows when the server gives more, in frames that it can take."""
    calls = settled(settings=setting(h2.INITIAL_WINDOW_SIZE, 2**20))
    calls.start(bytes(70_000), 0.0)
    sent = [len(payload) for kind, _, _, payload in frames(calls.take()) if kind == h2.DATA]
    assert [16_384, 16_384, 16_384, 16_383] == sent
    calls.start(b"later", 0.0)
    assert [h2.HEADERS] == [kind for kind, *_ in frames(calls.take())]
    calls.feed(h2.window_update(70_000))
    (_, flags, stream, rest), (_, _, _, other) = frames(calls.take())
    assert (h2.END_STREAM, 1, 70_000 - h2.DEFAULT_WINDOW, b"later") == (flags, stream, len(rest), other)


def test_a_streams_window_holds_its_request_back() -> None:
    """A stream's window grows by its own update and by the difference that new settings make."""
    calls = settled(settings=setting(h2.INITIAL_WINDOW_SIZE, 10))
    calls.start(bytes(30), 0.0)
    calls.feed(h2.frame(h2.WINDOW_UPDATE, 0, 1, (5).to_bytes(4, "big")))
    calls.feed(h2.frame(h2.SETTINGS, 0, 0, setting(h2.INITIAL_WINDOW_SIZE, 100)))
    sent = [(flags, len(payload)) for kind, flags, _, payload in frames(calls.take()) if kind == h2.DATA]
    assert [(0, 10), (0, 5), (h2.END_STREAM, 15)] == sent


def test_an_answer_to_half_a_request_gives_the_other_half_up() -> None:
    """The server has answered before it has read all; the stream is reset and holds nobody up."""
    calls = settled(settings=setting(h2.INITIAL_WINDOW_SIZE, 10))
    calls.start(bytes(30), 1.0)
    calls.take()
    assert [(1.0, "PERMISSION_DENIED", 0)] == calls.feed(trailers(1, "7"))
    calls.start(b"next", 2.0)
    assert [h2.RST_STREAM, h2.HEADERS, h2.DATA] == [kind for kind, *_ in frames(calls.take())]


def test_a_call_waits_for_a_free_stream() -> None:
    """No more streams are open than the server allows; the next call goes out when one ends."""
    calls = settled(settings=setting(h2.MAX_CONCURRENT_STREAMS, 2))
    for due in (1.0, 2.0, 3.0):
        calls.start(b"x", due)
    assert [1, 1, 3, 3] == [stream for _, _, stream, _ in frames(calls.take())]
    assert 3 == calls.in_flight
    calls.feed(answer(1))
    assert [5, 5] == [stream for _, _, stream, _ in frames(calls.take())]


def test_a_reset_stream_is_a_failure_by_its_code() -> None:
    """The code is told, and what the server still sends for the stream is dropped."""
    calls = settled()
    calls.start(b"x", 1.0)
    assert [(1.0, "RST_STREAM 7", 0)] == calls.feed(h2.frame(h2.RST_STREAM, 0, 1, (7).to_bytes(4, "big")))
    assert [] == calls.feed(answer(1))


def test_going_away_ends_what_the_server_has_not_seen() -> None:
    """Streams above the last that the server has seen end; those below are answered yet; no new ones are begun."""
    calls = settled(settings=setting(h2.MAX_CONCURRENT_STREAMS, 2))
    for due in (1.0, 2.0, 3.0):
        calls.start(b"x", due)
    away = h2.frame(h2.GOAWAY, 0, 0, struct.pack(">II", 1, 0))
    assert [(2.0, "NOT_SENT", 0), (3.0, "NOT_SENT", 0)] == calls.feed(away)
    assert calls.closing
    assert [(1.0, "OK", 10)] == calls.feed(answer(1))


def test_the_last_stream_number_closes_the_connection_to_new_calls() -> None:
    """Numbers above 2^31 - 1 do not exist; the call with the last one still goes out."""
    calls = settled()
    calls._next = 2**31 - 1
    calls.start(b"x", 1.0)
    assert calls.closing
    assert [(1.0, "OK", 10)] == calls.feed(answer(2**31 - 1))


def test_the_server_is_told_of_what_was_read() -> None:
    """The connection's window would run dry after 2 GiB of answers; it is filled up long before."""
    calls = settled()
    calls.start(b"x", 1.0)
    part = h2.frame(h2.DATA, 0, 1, bytes(2**23))
    calls.take()
    calls.feed(part)
    assert b"" == calls.take()
    calls.feed(part + part)
    assert [(h2.WINDOW_UPDATE, 0, 0, (3 * 2**23).to_bytes(4, "big"))] == frames(calls.take())


def test_the_first_answers_are_kept_on_request() -> None:
    """Those of the first calls, in the order of the calls and not of the answers."""
    kept = Kept(2)
    calls = settled(kept)
    for due in (1.0, 2.0, 3.0):
        calls.start(b"x", due)
    calls.feed(answer(5, b"third") + answer(3, b"second") + answer(1, b"first"))
    assert [h2.message(b"first"), h2.message(b"second")] == kept.answers


def test_an_answer_of_another_length_is_a_failure() -> None:
    """Success without a message never counts, and with another length not when the length is known."""
    calls: list[Done] = [(0.0, "OK", 0), (0.0, "OK", 5), (0.0, "OK", 15), (0.0, "UNAVAILABLE", 0)]
    unknown, known = Outcome(), Outcome(expected_bytes=10)
    unknown.add(calls, 2.0)
    known.add(calls, 2.0)
    assert ([2.0, 2.0], {"WRONG_LENGTH": 1, "UNAVAILABLE": 1}) == (unknown.latencies, unknown.failures)
    assert ([2.0], {"WRONG_LENGTH": 2, "UNAVAILABLE": 1}) == (known.latencies, known.failures)
