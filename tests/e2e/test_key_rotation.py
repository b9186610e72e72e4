"""Keys rotate, rows are rewrapped and old versions retired under load without a failed call; what was retired is gone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.purge.v1 import purge_service_pb2 as purge

from chassis.database import Hot, connect
from chassis.erasure_keys import ErasureKeys, context
from chassis.transit import Transit
from dev.stack import Stack
from services.payment_vault import keys
from services.payment_vault.settings import Settings
from tests.e2e.faults import Caller, Figures, query
from tests.e2e.key_life import Custodian, all_open, dump, opens, restored, under_load
from tests.e2e.known import Known
from tests.integration import process_settings

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]

TOKENS = 2_000
KEYS = ("card", "masked", "epoch-payment-vault")
_SALT = "SELECT wrapped_salt FROM erasure_key WHERE unit = $1"
_SEALED = "SELECT sealed, sealed_masked FROM token WHERE token = $1"
_WHY = AccessContext(purpose="destruction", reason="a test")


@pytest.fixture
async def custodian(keyed: Stack) -> AsyncIterator[Custodian]:
    """The key custodian, whose channel is closed after the test."""
    opened = Custodian(keyed)
    yield opened
    await opened.close()


async def _destroy(stack: Stack, members: list[str]) -> None:
    """Destroy what the vault holds of the members, as retention has it done."""
    async with Caller(stack, stack.service_credentials("retention")) as retention:
        plan_id = str(uuid4())
        prepare = purge.PreparePurgeRequest(
            access=_WHY, plan_id=plan_id, epoch=1, category="R-03", through="2026-01-01", subject_ids=members
        )
        prepared = await retention.purges.PreparePurge(prepare, timeout=10)
        execute = purge.ExecutePurgeRequest(
            access=_WHY, plan_id=plan_id, epoch=1, category="R-03", limit=3, digest=prepared.digest
        )
        left = len(members)
        while left:
            left = (await retention.purges.ExecutePurge(execute, timeout=10)).remaining


async def test_a_rotation_under_load_fails_no_call_and_ends_what_was_before(
    keyed: Stack, custodian: Custodian, figures: Figures, tmp_path: Path
) -> None:
    """CR-08: card, masked and epoch rotate, rewrap and retire while calls go on: 0 fail, and old ciphertexts are dead.

    So are the salts of members that were destroyed between a backup and the retirement, restored from that backup; and
    members that are destroyed while their salts are rewrapped stay destroyed.
    """
    async with Known(keyed) as known:
        for _ in range(TOKENS // 250):
            await known.tokenize(known.fresh(250, members=40))
        doomed = known.fresh(40, members=20)
        for one in doomed:
            await known.tokenize([one])
        members = list(dict.fromkeys(one.member_id for one in doomed))
        early, late = members[:10], members[10:]
        dump(keyed, tmp_path / "vault.dump")
        await _destroy(keyed, early)
        unit = keys.member_unit(early[0])
        [backup] = await restored(keyed, tmp_path / "vault.dump", _SALT, unit)
        assert opens(keyed, "epoch-payment-vault", backup["wrapped_salt"]), "until the key's version is gone"

        one, token = next((one, token) for one, token in known.tokens.items() if one not in doomed)
        [before] = await query(keyed, "payment_vault", _SEALED, token)
        [salt_before] = await query(keyed, "payment_vault", _SALT, keys.member_unit(one.member_id))
        for gone in doomed:
            del known.tokens[gone]

        async with under_load(known) as load:
            for name in KEYS:
                newest = (await custodian.rotate(name)).newest
                cut = await custodian.rewrap(name, stop_after=2)
                purge_them = _destroy(keyed, late) if name == KEYS[-1] else asyncio.sleep(0)
                steps, _ = await asyncio.gather(custodian.rewrap(name), purge_them)
                assert steps[-1].left == 0
                assert cut[0].left >= steps[0].left, "begun again, it goes on with what is left"
                retired = await custodian.retire(name)
                assert (retired.oldest_usable, retired.oldest_kept) == (newest, newest)
                assert [version.version for version in retired.versions] == [newest]
        figures(f"rotation of {', '.join(KEYS)} over {TOKENS} tokens: {dict(sorted(load.ended.items()))}")

        assert load.failed == {}
        assert sum(load.ended.values()) > 300
        assert await all_open(known)
        [after] = await query(keyed, "payment_vault", _SEALED, token)
        [salt_after] = await query(keyed, "payment_vault", _SALT, keys.member_unit(one.member_id))
        salt = opens(keyed, "epoch-payment-vault", salt_after["wrapped_salt"])
        assert salt is not None
        number, masked = context(salt, keys.number_place(token)), context(salt, keys.masked_place(token))
        assert opens(keyed, "card", after["sealed"], number)
        assert opens(keyed, "masked", after["sealed_masked"], masked)
        assert opens(keyed, "card", before["sealed"], number) is None
        assert opens(keyed, "masked", before["sealed_masked"], masked) is None
        assert opens(keyed, "epoch-payment-vault", salt_before["wrapped_salt"]) is None
        [backup] = await restored(keyed, tmp_path / "vault.dump", _SALT, unit)
        assert opens(keyed, "epoch-payment-vault", backup["wrapped_salt"]) is None
        units = [keys.member_unit(member) for member in members]
        living = "SELECT unit FROM erasure_key WHERE unit = ANY($1) AND wrapped_salt IS NOT NULL"
        assert await query(keyed, "payment_vault", living, units) == []


async def test_a_key_that_rows_stand_under_is_not_retired(keyed: Stack, custodian: Custodian) -> None:
    """CR-07: after a rotation and before the rewrap the old version is KEY_IN_USE, and everything still opens."""
    async with Known(keyed) as known:
        rotated = await custodian.rotate("card")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await custodian.retire("card")

        assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert (await custodian.key("card")).oldest_usable < rotated.newest
        await known.is_whole()


async def test_a_repeated_request_rotates_once(keyed: Stack, custodian: Custodian) -> None:
    """The same request_id again gives the same version; another gives the next. Each is in the log under its action."""
    request_id = str(uuid4())
    first = await custodian.rotate("masked", request_id)
    again = await custodian.rotate("masked", request_id)
    other = await custodian.rotate("masked")

    assert (again.newest, other.newest) == (first.newest, first.newest + 1)
    rows = await query(
        keyed, "payment_vault",
        "SELECT action, actor_type, resource_ids, purpose FROM processing_log WHERE request_id = $1", request_id,
    )  # fmt: skip
    assert [tuple(row) for row in rows] == [("KEY_ROTATE", "HUMAN", ["masked"], "key_custody")] * 2


async def test_a_row_under_a_retired_version_is_refused_by_its_table(keyed: Stack, custodian: Custodian) -> None:
    """Who sealed before the rotation and writes after the retirement is refused: no row is left that nobody can open."""
    async with Known(keyed) as known:
        token = next(iter(known.tokens.values()))
        [old] = await query(keyed, "payment_vault", _SEALED, token)
        await custodian.rotate("card")
        await custodian.rewrap("card")
        await custodian.retire("card")

        with pytest.raises(Exception, match="sealed_of_card"):
            await query(keyed, "payment_vault", "UPDATE token SET sealed = $2 WHERE token = $1", token, old["sealed"])
        await known.is_whole()


async def test_a_kept_salt_outlives_the_version_it_was_wrapped_under(keyed: Stack, custodian: Custodian) -> None:
    """What a process remembers of a unit may be older than a retirement: it reads again, and the call does not fail."""
    settings = process_settings.read(Settings, keyed, "payment_vault")
    transit = Transit(settings.vault, settings.tls, keys.TOKENIZE_ROLE)
    engine = connect(settings.database)
    hot = Hot(engine, "salts")
    await transit.start()
    try:
        remembering = ErasureKeys(transit, keys.EPOCH_KEY, hot)
        unit = keys.member_unit(str(uuid4()))
        salt = (await remembering.ensure([unit]))[unit]
        await custodian.rotate(keys.EPOCH_KEY)
        await custodian.rewrap(keys.EPOCH_KEY)
        await custodian.retire(keys.EPOCH_KEY)
        remembering._kept.clear()  # the plain one is forgotten first, the wrapped one is still there

        assert await remembering.ensure([unit]) == {unit: salt}
        assert await remembering.ensure([unit]) == {unit: salt}, "and the new one is remembered"
    finally:
        await transit.close()
        await hot.close()
        await engine.dispose()


async def test_a_row_that_does_not_open_keeps_its_version(keyed: Stack, custodian: Custodian) -> None:
    """A moved ciphertext is left as it is, told of, and bars the retirement until somebody has looked."""
    async with Known(keyed) as known:
        pair = list(known.tokens.values())[:2]
        swap = (
            "UPDATE token AS t SET sealed = o.sealed FROM token AS o "
            "WHERE t.token = ANY($1) AND o.token = ANY($1) AND t.token <> o.token"
        )
        await query(keyed, "payment_vault", swap, pair)
        await custodian.rotate("card")
        steps = await custodian.rewrap("card")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await custodian.retire("card")
        await query(keyed, "payment_vault", swap, pair)

        assert steps[-1].left == 2
        assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert (await custodian.rewrap("card"))[-1].left == 0
        await known.is_whole()
