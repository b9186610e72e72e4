"""The client of a load: the connection in use, those that still end their calls, and one wait for all of them."""

import select
import ssl
import time
from dataclasses import dataclass
from typing import Final

from bench.h2_calls import Calls, Done, Kept
from bench.h2_frames import RequestHeaders
from bench.h2_tls import ConnectionFailed, PlainSocket, TlsSocket

LOST: Final = "LOST"
_SECONDS: Final = 10.0


@dataclass(frozen=True)
class Target:
    """Who is called: `host:port`, the name in its certificate, and the client's side of mutual TLS; None: in the clear."""

    address: str
    server_name: str
    tls: ssl.SSLContext | None


@dataclass(frozen=True)
class _Link:
    """A connection: its socket and its calls."""

    socket: PlainSocket
    calls: Calls

    def fileno(self) -> int:
        return self.socket.fileno()


class Client:
    """Calls of one method. When the server goes away, or stream numbers run out, the next call opens a new connection."""

    def __init__(self, target: Target, headers: RequestHeaders, kept: Kept) -> None:
        """Connect.

        Raises:
            OSError: the server cannot be reached, or not so.

        """
        self._target = target
        self._headers = headers
        self._kept = kept
        self._links: list[_Link] = []
        self._link = self._open()

    @property
    def in_flight(self) -> int:
        """The calls that are not over."""
        return sum(link.calls.in_flight for link in self._links)

    def start(self, body: bytes, due: float) -> None:
        """Begin a call with a prefixed message; it is sent by the next `wait`. `due` comes back when it is over.

        Raises:
            OSError: a new connection was needed and could not be opened.

        """
        if self._link.calls.closing:
            self._link = self._open()
        self._link.calls.start(body, due)

    def wait(self, seconds: float) -> list[Done]:
        """Send what is due, wait for an answer at most so long, and return the calls that are over."""
        for link in self._links:
            self._send(link)
        full = [link for link in self._links if link.socket.has_unsent]
        readable, writable, _ = select.select(self._links, full, (), seconds)
        for link in writable:
            self._send(link)
        done: list[Done] = []
        for link in readable:
            received = _read(link.socket)
            done += link.calls.end_all(LOST) if received is None else link.calls.feed(received)
            if link.calls.closing and not link.calls.in_flight:
                self._links.remove(link)
                link.socket.close()
        return done

    def close(self, status: str) -> list[Done]:
        """Close every connection; what is still in flight ends with `status`."""
        done: list[Done] = []
        for link in self._links:
            done += link.calls.end_all(status)
            link.socket.close()
        self._links.clear()
        return done

    def _send(self, link: _Link) -> None:
        frames = link.calls.take()
        if not frames and not link.socket.has_unsent:
            return
        try:
            link.socket.write(frames)
        except ConnectionError:
            link.calls.closing = True  # what its server still said can be read; then it reads as closed

    def _open(self) -> _Link:
        target = self._target
        if target.tls is None:
            socket = PlainSocket(target.address)
        else:
            socket = TlsSocket(target.address, target.server_name, target.tls)
        link = _Link(socket, Calls(self._headers, self._kept))
        link.socket.write(link.calls.take())
        end = time.monotonic() + _SECONDS
        while not link.calls.settled:
            readable, _, _ = select.select([link], (), (), max(0.0, end - time.monotonic()))
            received = _read(link.socket) if readable else None
            if received is None:
                raise ConnectionFailed("the server's settings did not come")
            link.calls.feed(received)
        self._links.append(link)
        return link


def _read(socket: PlainSocket) -> bytes | None:
    try:
        return socket.read()
    except ConnectionError:
        return None
