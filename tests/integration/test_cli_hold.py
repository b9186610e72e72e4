"""`onggi hold` against real gRPC servers: what is asked for, what is shown before somebody answers for it, how it ends."""

import json

import grpc
import pytest
from onggi.retention.v1 import hold_service_pb2 as api
from onggi.retention.v1 import retention_service_pb2 as retention
from onggi.retention.v1.kept_item_pb2 import KeptItem

from tests.integration import cli_servers
from tests.integration.cli_servers import Onggi, Refusal, Stack, at_a_terminal

MEMBER = "0198c0de-0000-7000-8000-00000000000a"
RECORD = "0198c0de-0000-7000-8000-00000000000c"
HOLD = "0198c0de-0000-7000-8000-00000000000b"
STANDING = api.Hold(
    hold_id=HOLD, record_id=RECORD, authority="서울중앙지방검찰청", document_number="2026형제1234",
    article="형사소송법 제215조", placed_on="2026-11-24", review_on="2027-05-24", state=api.HOLD_STATE_STANDING,
    placed_by="spiffe://onggi/ns/staff/sa/privacy-officer",
)  # fmt: skip
ORDER = (
    "--authority", "서울중앙지방검찰청", "--document", "2026형제1234", "--article", "형사소송법 제215조",
    "--review-on", "2027-05-24", "--reason", "압수 예정",
)  # fmt: skip

cli_running, cli_stack, onggi = cli_servers.cli_running, cli_servers.cli_stack, cli_servers.onggi


@pytest.mark.parametrize(
    ("whose", "member_id", "record_id"), [((MEMBER,), MEMBER, ""), (("--record", RECORD), "", RECORD)]
)
def test_an_order_is_sent_as_it_is_written(
    cli_stack: Stack, onggi: Onggi, whose: tuple[str, ...], member_id: str, record_id: str
) -> None:
    """LC-13: of a member or of a record; authority, document, article and review reach the service under the purpose."""
    cli_stack.retention.answers["PlaceHold"] = api.PlaceHoldResponse(hold=STANDING)
    ended = onggi("hold", "place", *whose, *ORDER)

    [sent] = cli_stack.retention.of("PlaceHold")
    assert (ended.code, member_id, record_id) == (0, sent.member_id, sent.record_id)
    assert ("서울중앙지방검찰청", "2026형제1234", "형사소송법 제215조", "2027-05-24") == (
        sent.authority, sent.document_number, sent.article, sent.review_on
    )  # fmt: skip
    assert ("legal_hold", "압수 예정") == (sent.access.purpose, sent.access.reason)
    assert HOLD in ended.out
    assert "onggi explain" in ended.err


@pytest.mark.parametrize("whose", [(), (MEMBER, "--record", RECORD)])
def test_a_hold_is_of_one_thing(cli_stack: Stack, onggi: Onggi, whose: tuple[str, ...]) -> None:
    """Neither nothing nor two things: nothing is sent."""
    assert 2 == onggi("hold", "place", *whose, *ORDER).code
    assert not cli_stack.retention.asked


@pytest.mark.parametrize("option", ORDER[::2])
def test_an_order_is_whole(cli_stack: Stack, onggi: Onggi, option: str) -> None:
    """LC-13: without its article, authority, document, review or reason there is no hold."""
    place = ORDER.index(option)
    assert 2 == onggi("hold", "place", MEMBER, *ORDER[:place], *ORDER[place + 2 :]).code
    assert not cli_stack.retention.asked


def test_a_holder_that_is_missing_is_told(cli_stack: Stack, onggi: Onggi) -> None:
    """Exit 3: the caller may ask again with the same request id, which the error names."""
    cli_stack.retention.answers["PlaceHold"] = Refusal(grpc.StatusCode.UNAVAILABLE, "HOLDER_UNAVAILABLE")
    ended = onggi("hold", "place", MEMBER, *ORDER, "--request-id", HOLD)

    assert 3 == ended.code
    assert "HOLDER_UNAVAILABLE" in ended.err
    assert HOLD in ended.err


@pytest.mark.parametrize(("command", "rpc"), [("approve", "ApproveHold"), ("release", "ReleaseHold")])
def test_who_answers_for_a_hold_has_seen_it(cli_stack: Stack, onggi: Onggi, command: str, rpc: str) -> None:
    """LC-13: approval and release show the hold and ask; a script says --yes, and nobody is not taken for yes."""
    cli_stack.retention.answers |= {
        "GetHold": api.GetHoldResponse(hold=STANDING),
        "ApproveHold": api.ApproveHoldResponse(hold=STANDING),
        "ReleaseHold": api.ReleaseHoldResponse(hold=STANDING),
    }
    words = ("hold", command, HOLD, "--reason", "확인함")
    refused = at_a_terminal(cli_stack, *words, typed=[("[y/N]: ", "n")])
    nobody, silent = onggi(*words), onggi("--json", *words)
    assert not cli_stack.retention.of(rpc)

    person = at_a_terminal(cli_stack, *words, typed=[("[y/N]: ", "y")])
    script = onggi("--json", *words, "--yes")
    assert (refused.code, nobody.code, silent.code, person.code, script.code) == (1, 2, 2, 0, 0)
    assert "2026형제1234" in person.out
    assert [(HOLD, "확인함")] * 2 == [(one.hold_id, one.access.reason) for one in cli_stack.retention.of(rpc)]


def test_who_placed_a_hold_is_told_so(cli_stack: Stack, onggi: Onggi) -> None:
    """LC-13: the service refuses, and the command says that another person must."""
    cli_stack.retention.answers |= {
        "GetHold": api.GetHoldResponse(hold=STANDING),
        "ReleaseHold": Refusal(grpc.StatusCode.PERMISSION_DENIED, "SELF_APPROVAL"),
    }
    ended = onggi("hold", "release", HOLD, "--reason", "끝남", "--yes")

    assert 4 == ended.code
    assert "Another person must." in ended.err


def test_a_review_is_renewed(cli_stack: Stack, onggi: Onggi) -> None:
    """The next day of review, with a reason."""
    cli_stack.retention.answers["ReviewHold"] = api.ReviewHoldResponse(hold=STANDING)
    ended = onggi("hold", "review", HOLD, "--review-on", "2027-05-24", "--reason", "재판 중")

    [sent] = cli_stack.retention.of("ReviewHold")
    assert (0, "2027-05-24", "재판 중") == (ended.code, sent.review_on, sent.access.reason)
    assert "2027-05-24" in ended.out


def test_the_register_is_listed(cli_stack: Stack, onggi: Onggi) -> None:
    """Overdue reviews stand out, and so does what not every holder has; all pages are read."""
    late, waiting = api.Hold(), api.Hold()
    late.CopyFrom(STANDING)
    late.review_overdue = True
    waiting.CopyFrom(STANDING)
    waiting.state = api.HOLD_STATE_PLACING
    waiting.waiting_for.append("archive")
    waiting.member_id = MEMBER
    pages = {"": api.ListHoldsResponse(holds=[late], next_page_token="2"), "2": api.ListHoldsResponse(holds=[waiting])}
    cli_stack.retention.answers["ListHolds"] = lambda request: pages[request.page_token]
    table, document = onggi("hold", "list", "--released"), onggi("hold", "list", "--json")

    assert (0, 0) == (table.code, document.code)
    assert "2027-05-24 OVERDUE" in table.out
    assert f"record {RECORD}" in table.out
    assert "PLACING, waits for archive" in table.out
    assert f"member {MEMBER}" in table.out
    assert 2 == len(json.loads(document.out)["holds"])
    assert [True, True, False, False] == [one.include_released for one in cli_stack.retention.of("ListHolds")]


def test_one_hold_is_shown(cli_stack: Stack, onggi: Onggi) -> None:
    """Everything that the register has of it."""
    cli_stack.retention.answers["GetHold"] = api.GetHoldResponse(hold=STANDING)
    shown = onggi("hold", "show", HOLD)

    assert 0 == shown.code
    for word in ("서울중앙지방검찰청", "2026형제1234", "형사소송법 제215조", "STANDING"):
        assert word in shown.out


def test_an_explanation_shows_the_hold_and_its_review(cli_stack: Stack, onggi: Onggi) -> None:
    """DS-01, LC-13: a hold has no end; the day of its review stands where the last day would."""
    held = KeptItem(
        holder="archive", kind="payment", record_id=RECORD, korean="보존 조치", basis="HOLD", article="형사소송법 제215조",
        event_date="2026-11-24", review_on="2027-05-24",
    )  # fmt: skip
    cli_stack.retention.answers["ExplainRetention"] = retention.ExplainRetentionResponse(kept=[held])
    ended = onggi("explain", "--record", RECORD)

    assert 0 == ended.code
    assert "(no end; review 2027-05-24)" in ended.out
    assert "보존 조치" in ended.out
