"""`onggi log` against four real servers: one answer from four logs, also when one of them is down."""

import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from onggi.processing_log.v1.processing_log_service_pb2 import Entry, SearchEntriesRequest, SearchEntriesResponse

from tests.integration import cli_servers
from tests.integration.cli_servers import Onggi, Refusal, Server, Stack

cli_running, cli_stack, onggi = cli_servers.cli_running, cli_servers.cli_stack, cli_servers.onggi

SUBJECT = "0198c0de-0000-7000-8000-00000000000a"
NEXT = "2"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def _entry(service: str, second: int, span: str = "", parent: str = "") -> Entry:
    return Entry(
        record_id=f"{service}-{second}",
        occurred_at=Timestamp(seconds=1767279600 + second),
        recorded_at=Timestamp(seconds=1767279600 + second, nanos=2_000_000),
        service=service,
        actor="spiffe://onggi/ns/staff/sa/support",
        rpc_method="onggi.identity.v1.MemberService/GetMember",
        status="OK",
        subject_ids=[SUBJECT],
        subject_count=1,
        trace_id=TRACE,
        span_id=span,
        parent_span_id=parent,
    )


def _hold(server: Server, seconds: list[int]) -> None:
    """The server's log has an entry at each second, and answers pages of two, newest first."""
    log = [_entry(server.name, second) for second in sorted(seconds, reverse=True)]

    def page(request: SearchEntriesRequest) -> SearchEntriesResponse:
        start = int(request.page_token or 0)
        end = min(start + min(request.page_size, 2), len(log))
        return SearchEntriesResponse(entries=log[start:end], next_page_token=str(end) if end < len(log) else "")

    server.answers["SearchEntries"] = page


@pytest.fixture
def logs(cli_stack: Stack) -> Stack:
    """Entries spread over the services."""
    _hold(cli_stack.archive, [])
    _hold(cli_stack.identity, [1, 4, 7, 10, 13])
    _hold(cli_stack.payment_vault, [2, 5, 8])
    _hold(cli_stack.retention, [3, 6])
    return cli_stack


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """Servers that a test may stop."""
    stack = Stack(tmp_path)
    yield stack
    stack.stop()


def test_the_logs_are_one_list_by_time(logs: Stack, onggi: Onggi) -> None:
    """LG-09: newest first over all services and pages; reading states its purpose, security_review."""
    ended = onggi("log", "search", "--subject", SUBJECT, "--json")

    answer = json.loads(ended.out)
    assert ended.code == 0
    assert [entry["record_id"].split("-")[1] for entry in answer["entries"]] == [
        "13", "10", "8", "7", "6", "5", "4", "3", "2", "1",
    ]  # fmt: skip
    assert (answer["missing"], answer["more"]) == ([], False)
    for server in logs.servers:
        request = server.of("SearchEntries")[0]
        assert (request.access.purpose, request.subject_id) == ("security_review", SUBJECT)


def test_every_filter_reaches_the_services(logs: Stack, onggi: Onggi) -> None:
    """The search is done where the log is."""
    command = ("log", "search", "--actor", "spiffe://onggi/ns/apps/sa/billing", "--denied", "--trace", TRACE)
    more = ("--method", "onggi.identity.v1.MemberService/GetMember", "--since", "2026-01-02", "--until", "2026-01-03")

    assert onggi(*command, *more).code == 0

    request = logs.identity.of("SearchEntries")[0]
    assert request.actor == "spiffe://onggi/ns/apps/sa/billing"
    assert request.denied_only
    assert request.trace_id == TRACE
    assert request.rpc_method == "onggi.identity.v1.MemberService/GetMember"
    assert request.since.seconds == 1767279600
    assert request.until.seconds == 1767279600 + 86400


@pytest.mark.usefixtures("logs")
def test_a_limit_holds_over_all_services(onggi: Onggi) -> None:
    """The newest three of all, and word that there are more."""
    ended = onggi("log", "search", "--limit", "3", "--json")

    answer = json.loads(ended.out)
    assert [entry["record_id"] for entry in answer["entries"]] == ["identity-13", "identity-10", "payment_vault-8"]
    assert answer["more"] is True


def test_a_log_that_nobody_has_shown_is_not_empty(cli_stack: Stack, onggi: Onggi) -> None:
    """Who may not read it, or reaches nobody, is not told that there are no entries."""
    for server in cli_stack.servers:
        server.answers["SearchEntries"] = Refusal(grpc.StatusCode.PERMISSION_DENIED, "ACCESS_DENIED")

    for ended in (onggi("log", "search"), onggi("log", "trace", TRACE)):
        assert (ended.code, ended.out) == (4, "")
        assert "no entries" not in ended.err


def test_a_service_that_is_down_hides_its_own_part_only(own_stack: Stack, onggi: Onggi) -> None:
    """The others are shown, standard error names the missing one, and the exit code is 3."""
    _hold(own_stack.archive, [])
    _hold(own_stack.identity, [1])
    _hold(own_stack.payment_vault, [2])
    own_stack.retention.stop()
    where = ("--config", str(own_stack.config), "--timeout", "5")

    program = onggi(*where, "log", "search", "--json")
    person = onggi(*where, "log", "search")

    assert (program.code, person.code) == (3, 3)
    answer = json.loads(program.out)
    assert [entry["record_id"] for entry in answer["entries"]] == ["payment_vault-2", "identity-1"]
    assert answer["missing"] == ["retention"]
    assert json.loads(program.err)["error"]["service"] == "retention"
    assert "MemberService/GetMember" in person.out
    assert "INCOMPLETE: the log of retention is missing" in person.err


def test_pages_that_came_before_the_failure_are_shown(logs: Stack, onggi: Onggi) -> None:
    """A log that breaks off is named as missing, and what it had told is not thrown away."""
    first = SearchEntriesResponse(entries=[_entry("identity", 13)], next_page_token=NEXT)
    logs.identity.answers["SearchEntries"] = lambda request: (
        Refusal(grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE") if request.page_token else first
    )

    ended = onggi("log", "search", "--json")

    answer = json.loads(ended.out)
    assert ended.code == 3
    assert answer["entries"][0]["record_id"] == "identity-13"
    assert answer["missing"] == ["identity"]


def test_a_refused_search_is_refused(logs: Stack, onggi: Onggi) -> None:
    """Who may not read the log gets exit 4 and the reason, not an outage."""
    for server in logs.servers:
        server.answers["SearchEntries"] = Refusal(grpc.StatusCode.PERMISSION_DENIED, "ACCESS_DENIED")

    ended = onggi("log", "search")

    assert ended.code == 4
    assert "ACCESS_DENIED" in ended.err


def test_a_server_that_repeats_its_page_does_not_hold_the_command(logs: Stack, onggi: Onggi) -> None:
    """The same token again is a defect of the service, and an end."""
    logs.identity.answers["SearchEntries"] = SearchEntriesResponse(
        entries=[_entry("identity", 1)], next_page_token=NEXT
    )

    ended = onggi("log", "search", "--limit", "1000", "--json")

    assert ended.code == 70
    assert json.loads(ended.out)["missing"] == ["identity"]


def test_the_table_says_who_did_what_to_whom(logs: Stack, onggi: Onggi) -> None:
    """Korean time, short names, refusals with their reason; what a caller sent cannot act on the terminal."""
    refused = _entry("identity", 1)
    refused.MergeFrom(Entry(status="PERMISSION_DENIED", error_reason="PURPOSE_NOT_ALLOWED", purpose="\x1b[2Jx"))
    logs.identity.answers["SearchEntries"] = SearchEntriesResponse(entries=[refused])

    ended = onggi("log", "search", "--denied")

    (line,) = [line for line in ended.out.splitlines() if "PURPOSE_NOT_ALLOWED" in line]
    assert "2026-01-02 00:00:01.000 KST" in line
    assert "staff/support" in line
    assert "\x1b" not in ended.out
    assert SUBJECT in line
    assert TRACE in line


def test_the_trace_is_drawn_across_services(cli_stack: Stack, onggi: Onggi) -> None:
    """Retention's call hangs under the operator's trace, the holders' calls under retention's."""
    _hold(cli_stack.archive, [])
    cli_stack.archive.answers["SearchEntries"] = SearchEntriesResponse()
    cli_stack.retention.answers["SearchEntries"] = SearchEntriesResponse(entries=[_entry("retention", 0, "a", "cli")])
    cli_stack.identity.answers["SearchEntries"] = SearchEntriesResponse(entries=[_entry("identity", 1, "b", "a")])
    cli_stack.payment_vault.answers["SearchEntries"] = SearchEntriesResponse(
        entries=[_entry("payment_vault", 2, "c", "a")]
    )

    person, program = onggi("log", "trace", TRACE), onggi("log", "trace", TRACE, "--json")

    assert person.code == 0
    head, top, *below = person.out.splitlines()
    assert TRACE in head
    assert top.startswith("└── retention")
    assert [line[4:].split()[1] for line in below] == ["identity", "payment_vault"]
    (span,) = json.loads(program.out)["spans"]
    assert [child["entries"][0]["service"] for child in span["children"]] == ["identity", "payment_vault"]
    assert cli_stack.identity.of("SearchEntries")[0].trace_id == TRACE


def test_a_trace_that_nobody_knows_is_not_found(cli_stack: Stack, onggi: Onggi) -> None:
    """Exit 5 when all logs answered and have nothing; exit 3 when one of them could have had it."""
    for server in cli_stack.servers:
        server.answers["SearchEntries"] = SearchEntriesResponse()
    assert onggi("log", "trace", TRACE).code == 5

    cli_stack.identity.answers["SearchEntries"] = Refusal(grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")
    assert onggi("log", "trace", TRACE).code == 3


@pytest.mark.parametrize(
    ("option", "short"),
    [("--actor", "staff/support"), ("--method", "MemberService/GetMember"), ("--method", "GetMember")],
)
def test_a_name_as_the_table_shortens_it_is_no_empty_log(logs: Stack, onggi: Onggi, option: str, short: str) -> None:
    """Who copies it from the table is told the form, and not that nobody did anything; what has no other name is taken."""
    refused = onggi("log", "search", option, short)
    nameless = onggi("log", "search", "--actor", "unidentified", "--method", "unknown")

    assert (refused.code, refused.out, nameless.code) == (2, "", 0)
    assert f"{option} wants" in refused.err
    assert {request.actor for request in logs.identity.of("SearchEntries")} == {"unidentified"}
