"""How long a process remembers a salt, on the real database and key server; only the clock is moved."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from uuid import uuid4

import pytest

from chassis import errors
from chassis.database import Hot, connect
from chassis.erasure_keys import ErasureKeys
from chassis.transit import Sealed, Transit
from dev.postgres import SUPERUSER
from dev.stack import Stack
from services.identity import keys
from tests.integration.log_rows import Log, session
from tests.integration.purges import change
from tests.integration.test_archive_movers import settings_of

pytestmark = pytest.mark.timeout(120)


async def test_a_salt_that_is_forgotten_meanwhile_is_still_given(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute that ends while the key server opens another salt takes nobody's away: both members are there."""
    settings = settings_of(stack)
    transit, engine = Transit(settings.vault, settings.tls, keys.VAULT_ROLE), connect(settings.database)
    hot = Hot(engine, "salts")
    await transit.start()
    now = [1000.0]
    monkeypatch.setattr("chassis.erasure_keys.time", SimpleNamespace(monotonic=lambda: now[0]))
    decrypt = transit.decrypt

    async def slowly(key: str, items: Sequence[Sealed]) -> list[bytes | errors.SealBroken]:
        now[0] += 2
        return await decrypt(key, items)

    try:
        remembering = ErasureKeys(transit, keys.EPOCH_KEY, hot)
        early, late = (keys.member_unit(str(uuid4())) for _ in range(2))
        first = await remembering.ensure([early])
        now[0] += 1
        await remembering.ensure([late])
        now[0] += 58
        monkeypatch.setattr(transit, "decrypt", slowly)
        third = keys.member_unit(str(uuid4()))
        found = await remembering.ensure([early, late, third])
        assert [type(salt) for salt in found.values()] == [bytes, bytes, bytes]
        assert found[early] == first[early]
    finally:
        await transit.close()
        await hot.close()
        await engine.dispose()


async def test_a_salt_in_use_is_forgotten_after_a_minute_too(
    stack: Stack, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LC-03: use does not prolong it: a unit destroyed by another replica is destroyed here within the minute."""
    settings = settings_of(stack)
    transit, engine = Transit(settings.vault, settings.tls, keys.VAULT_ROLE), connect(settings.database)
    hot = Hot(engine, "salts")
    await transit.start()
    now = [1000.0]
    monkeypatch.setattr("chassis.erasure_keys.time", SimpleNamespace(monotonic=lambda: now[0]))
    try:
        remembering, unit = ErasureKeys(transit, keys.EPOCH_KEY, hot), keys.member_unit(str(uuid4()))
        salt = (await remembering.ensure([unit]))[unit]
        destroy = "UPDATE erasure_key SET wrapped_salt = NULL, destroyed_at = now() WHERE unit = $1"
        await change(log, destroy, unit)
        now[0] += 40
        assert await remembering.ensure([unit]) == {unit: salt}, "a statement that locks the unit's row finds it gone"
        now[0] += 30

        found = (await remembering.ensure([unit]))[unit]
        assert isinstance(found, errors.SubjectDestroyed)
    finally:
        await transit.close()
        await hot.close()
        await engine.dispose()


async def test_units_are_added_in_one_order_whoever_asks(stack: Stack) -> None:
    """R-03: a batch of new members while a plan marks some of them as gone: one waits, and neither is broken off."""
    settings = settings_of(stack)
    transit, engine = Transit(settings.vault, settings.tls, keys.VAULT_ROLE), connect(settings.database)
    hot = Hot(engine, "salts")
    await transit.start()
    first, second = sorted(keys.member_unit(str(uuid4())) for _ in range(2))
    add = "INSERT INTO erasure_key (unit, destroyed_at) VALUES ($1, now()) ON CONFLICT (unit) DO NOTHING"
    waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
    try:
        remembering = ErasureKeys(transit, keys.EPOCH_KEY, hot)
        async with session(stack.postgres.login("identity", SUPERUSER)) as marking, marking.transaction():
            await marking.execute(add, first)
            asked = asyncio.create_task(remembering.ensure([second, first]))
            while not await marking.fetch(waits):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await marking.execute(add, second)
        found = await asked
        assert {unit: type(salt) for unit, salt in found.items()} == dict.fromkeys(
            (first, second), errors.SubjectDestroyed
        ), "who was first has marked both"
    finally:
        await transit.close()
        await hot.close()
        await engine.dispose()
