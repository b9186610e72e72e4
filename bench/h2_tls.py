"""Sockets that never block once they are open: all that has come is read at once, what the socket cannot take waits.

Records of TLS pass through memory, so that one system call moves many of them.
"""

import socket
import ssl
from pathlib import Path
from typing import Final

_SECONDS: Final = 10.0
_READ: Final = 262_144
_RECORD: Final = 16_384


class ConnectionFailed(OSError):
    """The server does not speak HTTP/2, or closed the connection before its settings came."""


def context(ca: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the client's side of mutual TLS; the three are PEM files."""
    made = ssl.create_default_context(cafile=str(ca))
    made.load_cert_chain(certificate, key)
    made.set_alpn_protocols(["h2"])
    return made


class PlainSocket:
    """An open socket in the clear; `fileno` is for `select`."""

    def __init__(self, address: str) -> None:
        """Connect to `host:port`.

        Raises:
            OSError: what the socket raises.

        """
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), _SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unsent = b""
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._socket.fileno()

    @property
    def has_unsent(self) -> bool:
        """Whether the socket was full: write again when it is writable."""
        return bool(self._unsent)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def write(self, data: bytes) -> None:
        """Send, or keep what the socket cannot take; empty data sends what was kept."""
        if self._unsent:
            data = self._unsent + data
        try:
            self._unsent = data[self._socket.send(data) :]
        except BlockingIOError:
            self._unsent = data

    def read(self) -> bytes | None:
        """Return what has come, b"" when it is nothing whole yet, None when the server has closed the connection."""
        try:
            return self._socket.recv(_READ) or None
        except BlockingIOError:
            return b""


class TlsSocket(PlainSocket):
    """The same over mutual TLS."""

    def __init__(self, address: str, server_name: str, tls: ssl.SSLContext) -> None:
        """Connect to `host:port` and shake hands.

        Raises:
            ConnectionFailed: the server closed, or does not speak HTTP/2.
            OSError: what the socket or TLS raises.

        """
        super().__init__(address)
        self._socket.settimeout(_SECONDS)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._shake_hands()
        self._socket.setblocking(False)

    def write(self, data: bytes) -> None:
        """Send, or keep what the socket cannot take; empty data sends what was kept."""
        while data:
            data = data[self._tls.write(data) :]
        super().write(self._outgoing.read())

    def read(self) -> bytes | None:
        """Return what has come, b"" when it is no whole record yet, None when the server has closed the connection."""
        sealed = super().read()
        if not sealed:
            return sealed
        self._incoming.write(sealed)
        records = []
        try:
            while self._incoming.pending or self._tls.pending():
                records.append(self._tls.read(_RECORD))
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            return b"".join(records) or None
        return records[0] if len(records) == 1 else b"".join(records)

    def _shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._socket.sendall(self._outgoing.read())
                sealed = self._socket.recv(_READ)
                if not sealed:
                    raise ConnectionFailed("the server closed the connection during the handshake") from None
                self._incoming.write(sealed)
        self._socket.sendall(self._outgoing.read())
        if self._tls.selected_alpn_protocol() != "h2":
            raise ConnectionFailed("the server does not speak HTTP/2")
