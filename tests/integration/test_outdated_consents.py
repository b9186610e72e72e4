"""Consents that were given under an earlier version, and whose they are, over the real wire (제21조, GV-02)."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest
from onggi.identity.v1 import consent_service_pb2 as consents

from dev.stack import Stack
from tests.integration import examples
from tests.integration.cli_servers import COMMAND
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log
from tests.integration.memberships import CONSENTS, end, give, withdraw
from tests.integration.policy_versions import with_versions
from tests.integration.purges import change

pytestmark = pytest.mark.timeout(120)

OUTDATED = f"{CONSENTS}/ListOutdatedConsents"
CROWD = 1003
MAKE_CROWD = f"""
WITH people AS (
    INSERT INTO member (member_id, sealed, sealed_password, email_index, organization_number_index, business_number_index)
    SELECT gen_random_uuid(), '', '', $1 || n, $1 || n, $1 || n FROM generate_series(1, {CROWD}) AS n
    RETURNING member_id)
INSERT INTO consent (consent_id, member_id, name, policy_version, channel)
SELECT gen_random_uuid(), member_id, 'statistics', $1, 'WEB' FROM people
"""
"""Members whom nobody can read, since their profiles are empty; each has given a consent."""
TAKE_CROWD = (
    "DELETE FROM member WHERE member_id IN (SELECT member_id FROM consent WHERE policy_version = $1)",
    "DELETE FROM consent WHERE policy_version = $1",
)


@pytest.fixture
def version() -> str:
    """An earlier version that no other test's consents were given under."""
    return examples.WORDS.letters(12)


async def consenting(
    clients: Clients, log: Log, version: str, count: int = 1, consent: str = "marketing"
) -> Sequence[str]:
    """New members who have given a consent under a version."""
    ids = [(await examples.new_member(clients)).member_id for _ in range(count)]
    for member_id in ids:
        assert (await give(clients, member_id, consent)).code is grpc.StatusCode.OK
        await change(
            log, "UPDATE consent SET policy_version = $1 WHERE member_id = $2 AND name = $3",
            version, UUID(member_id), consent,
        )  # fmt: skip
    return ids


async def outdated(
    clients: Clients, *versions: str, consent: str = "marketing", size: int = 0, after: str = ""
) -> Outcome:
    """ListOutdatedConsents as the privacy officer."""
    request = consents.ListOutdatedConsentsRequest(
        access=examples.access(reason="a new version", ticket="PO-7"), consent=consent, policy_versions=versions,
        page_size=size, page_token=after,
    )  # fmt: skip
    return await clients.call("privacy-officer", OUTDATED, request)


async def subjects(log: Log, outcome: Outcome) -> list[str]:
    """Whom the one row of a call names."""
    row = await log.one_row_of(outcome)
    assert row["subject_count"] == len(row["subject_ids"])
    return [str(subject) for subject in row["subject_ids"]]


def members_of(outcome: Outcome) -> list[str]:
    """Whose consents a page has."""
    return [one.member_id for one in outcome.message.consents]


async def test_whoever_gave_it_under_an_earlier_version_is_found(clients: Clients, log: Log, version: str) -> None:
    """GV-02, R-15, LG-01: the living consent as it was given; who, why, with which reason and whose stand in the log."""
    [member_id] = await consenting(clients, log, version)

    found = await outdated(clients, version)

    [one] = found.message.consents
    assert (one.member_id, one.consent, one.policy_version) == (member_id, "marketing", version)
    assert one.given_at.ToSeconds() > 0
    assert not one.HasField("withdrawn_at")
    assert found.message.next_page_token == ""
    row = await log.one_row_of(found)
    assert (row["action"], row["status"], row["purpose"]) == ("SEARCH", "OK", "membership")
    assert (row["reason"], row["ticket"], row["items"]) == ("a new version", "PO-7", [])
    assert await subjects(log, found) == [member_id]


async def test_nobody_is_asked_in_vain(clients: Clients, log: Log, version: str) -> None:
    """법37: not whose consent has ended, who has left, who gave another one, or the same under another version."""
    ended, left, lost, stays = await consenting(clients, log, version, 4)
    other_consent = await consenting(clients, log, version, consent="statistics")
    current = await consenting(clients, log, "1")
    assert (await end(clients, ended)).code is grpc.StatusCode.OK
    assert (await withdraw(clients, left)).code is grpc.StatusCode.OK
    # No call leaves it so: the member has left and the consent has not ended.
    leave = "UPDATE member SET state = 'WITHDRAWN', withdrawn_on = current_date WHERE member_id = $1"
    await change(log, leave, UUID(lost))
    try:
        found = await outdated(clients, version)
    finally:
        await change(log, "UPDATE member SET state = 'ACTIVE', withdrawn_on = NULL WHERE member_id = $1", UUID(lost))

    assert members_of(found) == [stays] == await subjects(log, found)
    assert members_of(await outdated(clients, version, consent="statistics")) == list(other_consent)
    assert not set(current) & set(members_of(await outdated(clients, version, size=1000)))


async def test_where_nobody_is_found_nobody_is_named(clients: Clients, log: Log, version: str) -> None:
    """An empty page is an answer like any other, with its row (LG-01)."""
    found = await outdated(clients, version, consent="vpn_second_factor")

    assert found.code is grpc.StatusCode.OK
    assert list(found.message.consents) == []
    assert await subjects(log, found) == []
    assert (await log.one_row_of(found))["status"] == "OK"


async def test_pages_have_everybody_once(clients: Clients, log: Log, version: str) -> None:
    """Over several versions, in the order of the consents' ids; a row names its page's members and nobody else's."""
    others = examples.WORDS.letters(12)
    wanted = {*await consenting(clients, log, version, 3), *await consenting(clients, log, others, 2)}

    pages: list[Outcome] = []
    token = ""
    while not pages or token:
        pages.append(await outdated(clients, version, others, examples.WORDS.letters(12), size=2, after=token))
        token = pages[-1].message.next_page_token

    assert [len(page.message.consents) for page in pages] == [2, 2, 1]
    ids = [one.consent_id for page in pages for one in page.message.consents]
    assert ids == sorted(ids)
    seen = [member_id for page in pages for member_id in members_of(page)]
    assert (len(seen), set(seen)) == (5, wanted)
    for page in pages:
        assert await subjects(log, page) == members_of(page)
    exact = await outdated(clients, version, others, size=5)
    assert (len(exact.message.consents), exact.message.next_page_token) == (5, "")


async def test_a_row_names_a_thousand_members(clients: Clients, log: Log, version: str) -> None:
    """LG-01: the largest page has a row with all of its thousand subjects, and each finds the access by its own id."""
    await change(log, MAKE_CROWD, version)
    try:
        first = await outdated(clients, version, consent="statistics", size=1000)
        rest = await outdated(
            clients, version, consent="statistics", size=1000, after=first.message.next_page_token
        )  # fmt: skip

        assert len(set(members_of(first))) == 1000
        assert await subjects(log, first) == members_of(first)
        assert await subjects(log, rest) == members_of(rest)
        assert len({*members_of(first), *members_of(rest)}) == CROWD
        rows = await log.fetch(
            "identity", "SELECT record_id FROM processing_log WHERE subject_ids @> ARRAY[$1::uuid]",
            members_of(first)[-1],
        )  # fmt: skip
        assert [str(row["record_id"]) for row in rows] == [first.record_id]
    finally:
        for statement in TAKE_CROWD:
            await change(log, statement, version)


async def test_the_command_lists_who_must_be_asked(stack: Stack, clients: Clients, log: Log, tmp_path: Path) -> None:
    """GV-02: a material version that changes a consent, and `onggi policy reconsent` has the members, the log their ids."""
    gave, ended = [(await examples.new_member(clients)).member_id for _ in range(2)]
    for member_id in (gave, ended):
        assert (await give(clients, member_id, "notification_target")).code is grpc.StatusCode.OK
    assert (await end(clients, ended, "notification_target")).code is grpc.StatusCode.OK
    directory = with_versions(tmp_path, ("notification_target",))

    told = await _reconsent(stack, directory, "privacy-officer")
    refused = await _reconsent(stack, directory, "support")

    found = {one["member_id"]: one for one in told["consents"]}
    assert ended not in found
    assert {**found[gave], "given_at": ""} == {
        "consent": "notification_target", "given_under": "1", "asked_because": "2", "member_id": gave, "given_at": "",
    }  # fmt: skip
    [row] = await log.fetch(
        "identity", "SELECT * FROM processing_log WHERE rpc_method = $1 AND status = 'OK' AND subject_ids @> ARRAY[$2::uuid]",
        OUTDATED, gave,
    )  # fmt: skip
    assert (row["actor"], row["reason"]) == ("spiffe://onggi/ns/staff/sa/privacy-officer", "version 2")
    assert refused["error"]["reason"] == "ACCESS_DENIED"


async def _reconsent(stack: Stack, directory: Path, caller: str) -> Any:
    """Run the command; what it says on standard output, or on standard error where that is empty."""
    command = await asyncio.create_subprocess_exec(
        COMMAND, "--as", caller, "--json", "policy", "reconsent", "--directory", directory, "--reason", "version 2",
        env={"PATH": os.environ["PATH"], "ONGGI_CLI_CONFIG": str(stack.client_config), "LC_ALL": "C.UTF-8"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await command.communicate()
    return json.loads(out or err)
