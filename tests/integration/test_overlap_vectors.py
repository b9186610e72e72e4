"""Several bases at once, on the running services and at days to come: what is destroyed, moved, reduced and kept.

A member whose books close in December leaves on 2026-11-24; its last payment was on 2026-05-10.
"""

import json
import os
import subprocess
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from onggi.identity.v1 import record_service_pb2 as records
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens

from dev import environment
from dev.stack import Stack
from tests.integration import archives, examples, memberships, purges, record_examples, retention_days
from tests.integration.clients import Clients
from tests.integration.log_rows import Log
from tests.integration.retention_days import Days

pytestmark = pytest.mark.timeout(300)
stack, log = retention_days.stack, retention_days.log

TOKENS = "onggi.payment_vault.v1.TokenizationService"
LEFT = date(2026, 11, 24)
PAID = date(2026, 5, 10)
TAX = ["amount", "approval_number", "business_registration_number"]


async def leave_on(clients: Clients, log: Log, member_id: str, record_ids: list[str]) -> None:
    """Withdraw a member, wait for the move, and move the day of it to 2026-11-24."""
    today = memberships.today()
    await archives.leave(clients, log, member_id, record_ids)
    statement = "UPDATE record_basis SET event_date = $1 WHERE event_date = $2 AND record_id = ANY($3)"
    await purges.change(log, statement, LEFT, today, [UUID(each) for each in record_ids], database="archive")
    await purges.change(log, "UPDATE member SET withdrawn_on = $1 WHERE member_id = $2", LEFT, UUID(member_id))


async def member_with(clients: Clients, *consents: str) -> str:
    """A member with consents."""
    member_id = (await examples.new_member(clients)).member_id
    for consent in consents:
        await memberships.give(clients, member_id, consent)
    return member_id


async def add(clients: Clients, kind: str, member_id: str, *standings: records.Standing, **more: Any) -> str:
    """The id of a new record."""
    return await record_examples.add(clients, record_examples.record(kind, member_id, *standings, **more))


async def test_each_field_of_a_payment_lives_as_long_as_a_law_needs_it(
    stack: Stack, clients: Clients, log: Log
) -> None:
    """LC-10, R-01, R-04, R-09b, R-10, R-11: moved at once without the telephone, reduced on 2031-05-11, gone on 2032-04-01.

    The misuse of the same member goes on 2027-11-25, and no day sooner.
    """
    days = Days.of(stack)
    member_id = await member_with(clients, "misuse_retention")
    payment = await add(clients, "payment", member_id, day=PAID)
    misuse = await add(clients, "misuse", member_id)
    assert "payer_phone" in await archives.fields(log, "identity", payment)
    await leave_on(clients, log, member_id, [payment, misuse])
    everything = sorted([*TAX, "masked_instrument", "supplied"])

    assert everything == await archives.fields(log, "archive", payment)
    await days.purge(LEFT)
    assert [] == await log.fetch("identity", "SELECT 1 FROM member WHERE member_id = $1", UUID(member_id))
    for day, misuses, fields in [
        (date(2027, 11, 24), {misuse}, everything),
        (date(2027, 11, 25), set(), everything),
        (date(2031, 5, 10), set(), everything),
        (date(2031, 5, 11), set(), TAX),
        (date(2032, 3, 31), set(), TAX),
        (date(2032, 4, 1), set(), []),
    ]:
        await days.purge(day)
        _, archived = await archives.places(log, [payment, misuse])
        assert misuses == archived - {payment}, day
        assert fields == await archives.fields(log, "archive", payment), day
        assert fields == await archives.salts(log, "archive", payment), day
    assert ([], set()) == (await days.explain(date(2032, 4, 1), member_id), archived)


async def test_a_withdrawn_consent_takes_the_inquiry_and_leaves_the_complaint(
    stack: Stack, clients: Clients, log: Log
) -> None:
    """LC-12, R-05, R-09c: what was asked goes with the next purge, what was done about the complaint stays three years.

    The member has left already: its word reaches the archive, which lets go of what only the consent kept.
    """
    days = Days.of(stack)
    member_id = await member_with(clients, "inquiry_retention")
    closed = [records.Standing(category=name, event_date="2026-11-01") for name in ("R-05", "R-09c")]
    complaint = await add(clients, "inquiry", member_id, *closed, day=date(2026, 10, 20), resolution="처리함")
    inquiry = await add(clients, "inquiry", member_id, closed[0], day=date(2026, 10, 20))
    await leave_on(clients, log, member_id, [complaint, inquiry])
    whole = ["body", "email", "mobile_phone"]
    assert [*whole, "resolution"] == await archives.fields(log, "archive", complaint)

    today = memberships.today()
    await days.purge(today)
    assert whole == await archives.fields(log, "archive", inquiry)
    assert (await memberships.end(clients, member_id, "inquiry_retention")).message
    await days.purge(today)
    assert [] == await archives.fields(log, "archive", inquiry)
    assert ["resolution"] == await archives.fields(log, "archive", complaint)
    [kept] = await days.explain(today, record_id=complaint)
    assert ("R-09c", "2029-11-01", ["dispute_record"]) == (kept.category, kept.last_day, list(kept.items))
    await days.purge(date(2029, 11, 1))
    assert ["resolution"] == await archives.fields(log, "archive", complaint)
    await days.purge(date(2029, 11, 2))
    assert (set(), set()) == await archives.places(log, [complaint, inquiry])


async def test_a_replaced_card_is_gone_at_once_and_its_masked_number_stays_with_the_payment(
    stack: Stack, clients: Clients, log: Log
) -> None:
    """R-03, R-09b: the old number ends with its token; what the books need of it was never more than masked."""
    days = Days.of(stack)
    member_id = await member_with(clients)
    old = (await clients.call("portal", f"{TOKENS}/Tokenize", examples.tokenize(member_id, examples.card()))).message
    payment = await add(clients, "payment", member_id, day=PAID)
    kept = await days.explain(memberships.today(), member_id)
    assert ["payment_vault"] == [item.holder for item in kept if item.category == "R-03"]

    gone = tokens.DeleteTokenRequest(
        access=examples.access("billing"), request_id=examples.new_id(), member_id=member_id, token=old.token.token
    )
    assert (await clients.call("portal", f"{TOKENS}/DeleteToken", gone)).message is not None
    kept = await days.explain(memberships.today(), member_id)
    assert [] == [item for item in kept if item.category == "R-03"]
    assert "masked_instrument" in await archives.fields(log, "identity", payment)


def onggi(stack: Stack, *arguments: str) -> Any:
    """The answer of the operator's command, as JSON."""
    done = subprocess.run(
        [str(environment.ROOT / "bin" / "onggi"), "--as", "privacy-officer", *arguments, "--json"],
        env={"PATH": os.environ["PATH"], "ONGGI_CLI_CONFIG": str(stack.client_config), "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_the_command_explains_what_the_services_keep(stack: Stack, clients: Clients, log: Log) -> None:
    """DS-01: a payment of 2026-05-10 is kept by tax law until 2032-03-31, and the means of payment no day longer.

    By the command, from the process of the retention service: the member, then the one record, then the archive.
    """
    member_id = (await examples.new_member(clients)).member_id
    await clients.call("portal", f"{TOKENS}/Tokenize", examples.tokenize(member_id, examples.card()))
    payment = await record_examples.add(
        clients, record_examples.record("payment", member_id, day=date(2026, 5, 10))
    )  # fmt: skip
    living = {item["category"]: item for item in onggi(stack, "explain", member_id)["kept"] if item["kind"] == "token"}
    assert ["business_registration_number", "card_expiry", "card_number"] == living["R-03"]["items"]
    assert ("", "", False) == tuple(living["R-03"][name] for name in ("event_date", "last_day", "ended"))

    await archives.leave(clients, log, member_id, [payment])
    told = {(item["kind"], item["category"]): item for item in onggi(stack, "explain", member_id)["kept"]}
    today = memberships.today().isoformat()
    for ended in (("member", "R-01"), ("token", "R-03")):
        assert (today, True) == (told[ended]["event_date"], told[ended]["ended"])
    law = {name: told["payment", name]["last_day"] for name in ("R-09b", "R-11", "R-10")}
    assert {"R-09b": "2031-05-10", "R-11": "2031-05-10", "R-10": "2032-03-31"} == law
    one = onggi(stack, "explain", "--record", payment)["kept"]
    assert {("archive", payment)} == {(item["holder"], item["record_id"]) for item in one}
    [archived] = onggi(stack, "archive", "list", member_id, "--purpose", "tax", "--reason", "a test")["records"]
    assert payment == archived["record_id"]
