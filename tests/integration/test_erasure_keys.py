"""How long a process remembers a salt, on the real database and key server; only the clock is moved."""

from types import SimpleNamespace
from uuid import uuid4

import pytest

from chassis import errors
from chassis.database import Hot, connect
from chassis.erasure_keys import ErasureKeys
from chassis.transit import Transit
from dev.stack import Stack
from services.identity import keys
from tests.integration.log_rows import Log
from tests.integration.purges import change
from tests.integration.test_archive_movers import settings_of

pytestmark = pytest.mark.timeout(120)


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
