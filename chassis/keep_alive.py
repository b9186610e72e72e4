"""HTTP/1.1 to one server over connections that stay open: what the batches of the hot path travel on.

A general client took a seventh of the serving core; this one does what the batches need and no more: POST with a body, a
whole answer, limits of time. httptools parses the answers (docs/adr/0014).
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

import httptools

# More requests at once make each of them slower and nothing faster: one process cannot ask for more than this gives.
CONNECTIONS = 8
# A connection unused for longer is opened anew, well before a server closes it.
_IDLE_SECONDS = 45.0
# A thousand items are two dozen requests: one that waits here for a connection has not begun, and may wait longer.
_WAITS = 5


class Broken(ConnectionError):
    """The connection ended before the answer was whole. Whether the server did anything is unknown."""


class KeepAlive:
    """Connections to ``base``, ``https://host:port``. ``timeout``: seconds for one request, from its sending on."""

    def __init__(self, base: str, context: ssl.SSLContext, timeout: float) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._head = f"Host: {parts.netloc}\r\nContent-Type: application/json\r\n"
        self._context = context
        self._timeout = timeout
        self._free: list[_Connection] = []
        self._places = asyncio.Semaphore(CONNECTIONS)

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Return status and body. Only for what may be sent twice. Raises OSError (Broken among them) or TimeoutError."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path} HTTP/1.1\r\n{self._head}{lines}Content-Length: {len(body)}\r\n\r\n"
        async with asyncio.timeout(self._timeout * _WAITS):
            await self._places.acquire()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(head.encode("latin-1") + body)
        finally:
            self._places.release()

    async def _send(self, request: bytes) -> tuple[int, bytes]:
        if (connection := self._idle()) is not None:
            try:
                return await self._exchange(connection, request)
            except Broken:
                pass  # the server may have closed it while it lay unused
        return await self._exchange(await self._open(), request)

    async def _exchange(self, connection: "_Connection", request: bytes) -> tuple[int, bytes]:
        try:
            answer = await connection.exchange(request)
        except BaseException:
            connection.close()  # an answer that nobody waits for must not meet the next request
            raise
        if connection.reusable:
            connection.idle_until = asyncio.get_running_loop().time() + _IDLE_SECONDS
            self._free.append(connection)
        return answer

    def _idle(self) -> "_Connection | None":
        now = asyncio.get_running_loop().time()
        while self._free:
            connection = self._free.pop()  # the one used last: the others grow old and are closed
            if connection.reusable and connection.idle_until > now:
                return connection
            connection.close()
        return None

    async def _open(self) -> "_Connection":
        _, connection = await asyncio.get_running_loop().create_connection(
            _Connection, self._host, self._port, ssl=self._context, server_hostname=self._host
        )
        return connection

    def close(self) -> None:
        """Close what is open and unused."""
        while self._free:
            self._free.pop().close()


class _Connection(asyncio.Protocol):
    """One connection; one exchange at a time."""

    def __init__(self) -> None:
        self.reusable = False
        self.idle_until = 0.0
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._body: list[bytes] = []

    async def exchange(self, request: bytes) -> tuple[int, bytes]:
        """Send the request; return status and body of the answer."""
        if self._transport is None or self._transport.is_closing():
            raise Broken
        self.reusable = False
        self._answer = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._body = []
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Close the connection."""
        self.reusable = False
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        self._transport, self.reusable = cast("asyncio.Transport", transport), True

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self.reusable = False
        self._fail()

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes of an answer; any that nobody asked for end the connection."""
        if self._parser is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()
            self._fail()

    def on_body(self, body: bytes) -> None:
        """httptools: a piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """httptools: the answer is whole."""
        assert self._parser is not None
        self.reusable = self._parser.should_keep_alive()
        status, self._parser = self._parser.get_status_code(), None
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((status, b"".join(self._body)))

    def _fail(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Broken())
