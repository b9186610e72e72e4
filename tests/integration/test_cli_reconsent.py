"""`onggi policy reconsent` against real servers: whom it asks for, what it shows and how it ends (제21조)."""

import json
from pathlib import Path

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from onggi.identity.v1 import consent_service_pb2 as consents

from tests.integration import cli_servers
from tests.integration.cli_servers import Onggi, Refusal, Stack
from tests.integration.policy_versions import with_versions

cli_running, cli_stack, onggi = cli_servers.cli_running, cli_servers.cli_stack, cli_servers.onggi

WHY = ("--reason", "version 3")


def member(number: int) -> str:
    """The id of a member."""
    return f"0198c0de-0000-7000-8000-{number:012x}"


def given(consent: str, version: str, number: int) -> consents.Consent:
    """A living consent of a member."""
    return consents.Consent(
        consent_id=member(number + 256), member_id=member(number), consent=consent, policy_version=version,
        channel=consents.CONSENT_CHANNEL_WEB, given_at=Timestamp(seconds=1767279600),
    )  # fmt: skip


def pages(request: consents.ListOutdatedConsentsRequest) -> consents.ListOutdatedConsentsResponse:
    """Two pages of marketing, nobody of anything else."""
    if request.consent != "marketing":
        return consents.ListOutdatedConsentsResponse()
    if not request.page_token:
        shown = [given("marketing", "1", 1), given("marketing", "2", 2)]
        return consents.ListOutdatedConsentsResponse(consents=shown, next_page_token="next")
    return consents.ListOutdatedConsentsResponse(consents=[given("marketing", "1", 3)])


def test_all_members_are_listed_each_with_its_versions(cli_stack: Stack, onggi: Onggi, tmp_path: Path) -> None:
    """GV-02: each consent is looked for under the versions that outdate it, to the last page, with purpose and reason."""
    cli_stack.identity.answers["ListOutdatedConsents"] = pages
    directory = str(with_versions(tmp_path, ("marketing",), ("marketing", "statistics")))

    program = onggi("policy", "reconsent", "--directory", directory, *WHY, "--json")
    asked = cli_stack.identity.of("ListOutdatedConsents")
    person = onggi("policy", "reconsent", "--directory", directory, *WHY, "--purpose", "support", "--ticket", "PO-7")

    assert (program.code, person.code) == (0, 0)
    assert [(one.consent, list(one.policy_versions), one.page_token) for one in asked] == [
        ("marketing", ["1", "2"], ""), ("marketing", ["1", "2"], "next"), ("statistics", ["1", "2"], ""),
    ]  # fmt: skip
    assert {(one.access.purpose, one.access.reason, one.page_size) for one in asked} == {
        ("membership", "version 3", 1000)
    }
    told = json.loads(program.out)
    assert told["newest"] == "3"
    assert told["consents"][1] == {
        "consent": "marketing", "given_under": "2", "asked_because": "3", "member_id": member(2),
        "given_at": "2026-01-01T15:00:00Z",
    }  # fmt: skip
    assert [(one["member_id"], one["asked_because"]) for one in told["consents"]] == [
        (member(1), "2"), (member(2), "3"), (member(3), "2"),
    ]  # fmt: skip
    first, *_ = [line for line in person.out.splitlines() if member(1) in line]
    assert first.split() == ["marketing", "1", "2", member(1), "2026-01-02", "00:00:00.000", "KST"]
    last = cli_stack.identity.of("ListOutdatedConsents")[-1]
    assert (last.access.purpose, last.access.ticket) == ("support", "PO-7")


def test_more_versions_than_a_call_takes_go_in_several(cli_stack: Stack, onggi: Onggi, tmp_path: Path) -> None:
    """Fifty versions a call, and none is left out."""
    cli_stack.identity.answers["ListOutdatedConsents"] = consents.ListOutdatedConsentsResponse()
    directory = str(with_versions(tmp_path, *[()] * 59, ("statistics",)))

    ended = onggi("policy", "reconsent", "--directory", directory, *WHY)

    assert (ended.code, ended.out, ended.err) == (0, "", "nobody must be asked again\n")
    asked = [list(one.policy_versions) for one in cli_stack.identity.of("ListOutdatedConsents")]
    assert [len(versions) for versions in asked] == [50, 10]
    assert [version for versions in asked for version in versions] == [str(number) for number in range(1, 61)]


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Refusal(grpc.StatusCode.PERMISSION_DENIED, "ACCESS_DENIED"), 4),
        (Refusal(grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE"), 3),
        (Refusal(grpc.StatusCode.INVALID_ARGUMENT, "CONSENT_UNKNOWN"), 6),
    ],
)
def test_a_part_of_the_list_is_no_list(
    cli_stack: Stack, onggi: Onggi, tmp_path: Path, refusal: Refusal, code: int
) -> None:
    """Where a page fails nothing is shown that could be taken for everybody: the failure's exit code and its reason."""
    cli_stack.identity.answers["ListOutdatedConsents"] = lambda request: (
        refusal if request.page_token else pages(request)
    )
    directory = str(with_versions(tmp_path, ("marketing",)))

    ended = onggi("policy", "reconsent", "--directory", directory, *WHY)

    assert (ended.code, ended.out) == (code, "")
    assert refusal.reason in ended.err


def test_nobody_is_asked_for_where_the_files_say_enough(cli_stack: Stack, onggi: Onggi, tmp_path: Path) -> None:
    """Nothing outdated, no reason, or --offline: no call is made."""
    directory = str(with_versions(tmp_path, ("marketing",)))

    assert onggi("policy", "reconsent", *WHY).code == 0
    assert onggi("policy", "reconsent", "--directory", directory).code == 2
    offline = onggi("policy", "reconsent", "--directory", directory, "--offline", "--json")

    assert json.loads(offline.out) == {"newest": "2", "ask_again": {"1": ["marketing"], "2": []}}
    assert not cli_stack.identity.asked
