"""The connections that transit batches travel on: kept, opened anew when they broke, and never with another's answer."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme

from chassis.keep_alive import Broken, KeepAlive


class Peer:
    """An HTTP/1.1 server by hand: counts its connections, and does to a request what the test says."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests = 0
        self.close_after = False
        self.break_off = 0
        self.delay = 0.0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length")
                )
                body = await reader.readexactly(length)
                self.requests += 1
                if self.break_off:
                    self.break_off -= 1
                    break
                await asyncio.sleep(self.delay)
                part = b"%x\r\n%s\r\n" % (len(body), body)
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + part + b"0\r\n\r\n")
                await writer.drain()
                if self.close_after:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


@asynccontextmanager
async def serving(timeout: float = 2.0) -> AsyncIterator[tuple[Peer, KeepAlive]]:
    """A peer over TLS and a client of it."""
    ca, peer = trustme.CA(), Peer()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("localhost").configure_cert(context)
    server = await asyncio.start_server(peer, "localhost", 0, ssl=context)
    trusting = ssl.create_default_context()
    ca.configure_trust(trusting)
    client = KeepAlive(f"https://localhost:{server.sockets[0].getsockname()[1]}", trusting, timeout)
    try:
        yield peer, client
    finally:
        client.close()
        server.close()


async def test_one_connection_serves_many_requests() -> None:
    """The handshake is paid once; each answer belongs to its request, chunked or not."""
    async with serving() as (peer, client):
        answers = [await client.post("/x", {"A": "b"}, b"%d" % number) for number in range(20)]

        assert answers == [(200, b"%d" % number) for number in range(20)]
        assert peer.connections == 1


async def test_requests_side_by_side_have_connections_of_their_own() -> None:
    """Never two exchanges on one connection, and never more than eight connections."""
    async with serving() as (peer, client):
        peer.delay = 0.02
        answers = await asyncio.gather(*(client.post("/x", {}, b"%d" % number) for number in range(40)))

        assert answers == [(200, b"%d" % number) for number in range(40)]
        assert peer.connections == 8


async def test_a_connection_that_broke_while_unused_costs_no_request() -> None:
    """The server may close an idle connection in the moment a request goes out on it: it is sent again on a new one."""
    async with serving() as (peer, client):
        await client.post("/x", {}, b"1")
        peer.break_off = 1

        assert await client.post("/x", {}, b"2") == (200, b"2")
        assert (peer.connections, peer.requests) == (2, 3)


async def test_what_breaks_on_a_new_connection_is_told() -> None:
    """Once more and no further: a server that breaks off every request is not asked for ever."""
    async with serving() as (peer, client):
        peer.break_off = 5

        with pytest.raises(Broken):
            await client.post("/x", {}, b"1")
        assert peer.requests == 1


async def test_a_late_answer_meets_no_other_request() -> None:
    """A request that ran out of time takes its connection with it; the next has a new one and its own answer."""
    async with serving(timeout=1.0) as (peer, client):
        peer.delay = 2.0
        with pytest.raises(TimeoutError):
            await client.post("/x", {}, b"late")
        peer.delay = 0.0

        assert await client.post("/x", {}, b"next") == (200, b"next")
        assert peer.connections == 2


async def test_a_server_that_closes_after_each_answer_is_no_trouble() -> None:
    """What the server says of the connection counts; here it says nothing and closes."""
    async with serving() as (peer, client):
        peer.close_after = True
        for number in range(3):
            assert await client.post("/x", {}, b"%d" % number) == (200, b"%d" % number)
            await asyncio.sleep(0.02)
