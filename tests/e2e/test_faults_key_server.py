"""OpenBao stopped, hung, sealed, blocked or forgetful: calls say UNAVAILABLE in time, nothing is lost, no restart."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dev.stack import Stack
from tests.e2e.faults import DEADLINE, SERVICES, SLACK, Figures, freeze, health, query, says, thaw
from tests.e2e.known import ANSWERED, EVERY, Known, slowest, tally, unlogged

pytestmark = pytest.mark.timeout(120)

REFUSED = {"UNAVAILABLE KEY_SERVICE_UNAVAILABLE": 20}
_TO_UNREADY, _TO_READY = 8.0, 15.0
_HELD_OPEN = """
SELECT usename FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND usename IN ('identity', 'payment_vault')
"""


def _block_audit(stack: Stack) -> None:
    """Put a directory in the place of the audit file and have OpenBao open it again: it cannot, and records nothing."""
    file = stack.openbao.audit_file
    file.rename(file.with_suffix(".aside"))
    file.mkdir()
    _reopen(stack)


def _unblock_audit(stack: Stack) -> None:
    file = stack.openbao.audit_file
    file.rmdir()
    file.with_suffix(".aside").rename(file)
    _reopen(stack)


def _reopen(stack: Stack) -> None:
    os.kill(stack.openbao.process.pid, signal.SIGHUP)


def _unseal(stack: Stack) -> None:
    stack.openbao.process.stop()
    stack.openbao.start()


FAULTS: dict[str, tuple[Callable[[Stack], Any], Callable[[Stack], Any]]] = {
    "stopped": (lambda stack: stack.openbao.stop(), lambda stack: stack.openbao.start()),
    "hung": (lambda stack: freeze(stack.openbao.process), lambda stack: thaw(stack.openbao.process)),
    "sealed": (lambda stack: stack.openbao.client().sys.seal(), _unseal),
    "unable to audit": (_block_audit, _unblock_audit),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_without_keys_calls_are_refused_in_time_and_recorded(
    breakable: Stack, figures: Figures, fault: str
) -> None:
    """Each call answers UNAVAILABLE in its deadline and has its log row; readiness follows; no restart (V1, H1, D1)."""
    break_it, mend_it = FAULTS[fault]
    pids = [breakable.services[service].pid for service in SERVICES]
    async with Known(breakable) as known:
        try:
            await asyncio.to_thread(break_it, breakable)
            unready = asyncio.create_task(says(breakable, "NOT_SERVING", _TO_UNREADY))
            waves = [await known.wave()]
            seconds = [await unready]
            alive = [await health(breakable, service, "liveness") for service in SERVICES]
            waves.append(await known.wave())
            held = await query(breakable, "postgres", _HELD_OPEN)
        finally:
            await asyncio.to_thread(mend_it, breakable)
        seconds.append(await says(breakable, "SERVING", _TO_READY))
        healed = await known.wave()
        missing = sum([await unlogged(breakable, wave) for wave in [*waves, healed]])
        figures(f"OpenBao {fault}: unready after {seconds[0]:.1f} s, ready again after {seconds[1]:.1f} s, slowest of "
              f"2 x 80 refusals {max(map(slowest, waves)):.2f} s, log rows missing {missing}")  # fmt: skip

        assert [tally(wave) for wave in waves] == [dict.fromkeys(EVERY, REFUSED)] * 2
        assert max(map(slowest, waves)) < DEADLINE + SLACK
        assert alive == ["SERVING", "SERVING"]
        assert held == [], "a transaction was held open while a key was waited for"
        assert missing == 0
        assert tally(healed) == dict.fromkeys(EVERY, ANSWERED)
        assert pids == [breakable.services[service].pid for service in SERVICES]
        await known.is_whole()


async def test_a_revoked_token_costs_one_login(breakable: Stack, figures: Figures) -> None:
    """When OpenBao has forgotten every login, the next call of each role logs in once and succeeds (V2)."""
    async with Known(breakable) as known:
        offset = breakable.openbao.audit_file.stat().st_size
        breakable.openbao.client().sys.revoke_prefix("auth/cert")
        healed = await known.wave()
        logins = _logins(breakable.openbao.audit_file, offset)
        figures(f"every token revoked: {tally(healed)}, logins {logins}")

        assert tally(healed) == dict.fromkeys(EVERY, ANSWERED)
        assert logins == {"identity": 1, "payment-vault-tokenize": 1, "payment-vault-detokenize": 1}
        await known.is_whole()


def _logins(audit_file: Path, offset: int) -> dict[str, int]:
    """The logins that the audit log has told of since the offset, by role."""
    counts: dict[str, int] = {}
    with audit_file.open("rb") as file:
        file.seek(offset)
        for entry in map(json.loads, file):
            if entry["type"] == "response" and entry["request"]["path"] == "auth/cert/login":
                role = entry["auth"]["metadata"]["cert_name"]
                counts[role] = counts.get(role, 0) + 1
    return counts
