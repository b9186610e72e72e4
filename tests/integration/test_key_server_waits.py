"""A key server that is busy is not one that is gone: what counts is how long it takes, not how long its queue is here."""

import time
from pathlib import Path

import pytest

from chassis.errors import KeyServiceUnavailable
from chassis.keep_alive import CONNECTIONS
from chassis.transit import BATCH_LIMIT
from tests.integration.key_server_stub import LIMIT_SECONDS, logged_in


async def test_a_long_queue_is_no_outage(tmp_path: Path) -> None:
    """Four rounds of 0.4 s over all connections take longer than one request may, and all are answered, in order."""
    items = [str(number).encode() for number in range(4 * CONNECTIONS * BATCH_LIMIT)]
    async with logged_in(tmp_path, {"k": 0.4}) as (_, transit):
        began = time.monotonic()
        found = await transit.hmac("k", items)
    assert time.monotonic() - began > LIMIT_SECONDS
    assert len(found) == len(items)
    assert len(set(found)) == len(items)


async def test_a_request_that_takes_too_long_is_an_outage(tmp_path: Path) -> None:
    """A server that takes longer than the limit for one request is unavailable, and that is known before it would answer."""
    async with logged_in(tmp_path, {"k": 5 * LIMIT_SECONDS}) as (_, transit):
        began = time.monotonic()
        with pytest.raises(KeyServiceUnavailable):
            await transit.hmac("k", [b"x"])
    assert LIMIT_SECONDS <= time.monotonic() - began < 5 * LIMIT_SECONDS
