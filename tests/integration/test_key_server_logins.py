"""A login that the key server has forgotten is made anew once, however many requests it refuses and when (V2)."""

import asyncio
from pathlib import Path

from tests.integration.key_server_stub import logged_in


async def test_requests_refused_at_the_same_time_share_one_login(tmp_path: Path) -> None:
    """Ten requests under a forgotten token: one login, and each has its answer."""
    async with logged_in(tmp_path, {"k": 0.0}) as (stub, transit):
        stub.forget()
        found = await asyncio.gather(*(transit.hmac("k", [b"%d" % number]) for number in range(10)))
    assert len({answer for [answer] in found}) == 10
    assert stub.logins == 2  # the one at the start, and one


async def test_a_refusal_that_comes_after_the_new_login_asks_for_no_other(tmp_path: Path) -> None:
    """A slow request under the forgotten token is refused when its neighbour has logged in already: that login serves."""
    async with logged_in(tmp_path, {"fast": 0.0, "slow": 0.5}) as (stub, transit):
        stub.forget()
        await asyncio.gather(transit.hmac("fast", [b"x"]), transit.hmac("slow", [b"y"]))
    assert stub.logins == 2
