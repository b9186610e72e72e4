"""`onggi explain`, `consent`, `record` and `archive` against real servers: what they send, show and how they end."""

import json
import time
import uuid
from pathlib import Path
from typing import Any

import grpc
import protovalidate
import pytest
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp
from onggi.access.v1.access_context_pb2 import View
from onggi.errors.v1 import error_reason_pb2 as errors
from onggi.identity.v1 import archive_service_pb2 as archive
from onggi.identity.v1 import consent_service_pb2 as consents
from onggi.identity.v1 import member_service_pb2 as members
from onggi.identity.v1 import record_service_pb2 as records
from onggi.retention.v1.kept_item_pb2 import KeptItem
from onggi.retention.v1.retention_service_pb2 import ExplainRetentionResponse

from cli.consent import Channel
from cli.record_append import EXAMPLE
from tests.integration import cli_servers
from tests.integration.cli_servers import Onggi, Refusal, Stack

cli_running, cli_stack, onggi = cli_servers.cli_running, cli_servers.cli_stack, cli_servers.onggi

MEMBER = "0198c0de-0000-7000-8000-00000000000a"
RECORD = "0198c0de-0000-7000-8000-0000000000c1"
PAYMENT = KeptItem(
    holder="archive", kind="payment", record_id=RECORD, category="R-10", korean="장부 및 증빙서류", basis="LAW_MIN",
    article="국세기본법 제85조의3 제2항", start_event="법정신고기한", event_date="2026-05-10", last_day="2032-03-31",
    items=["amount", "approval_number"], policy_version="1",
)  # fmt: skip


def test_what_is_kept_is_told_with_article_and_last_day(cli_stack: Stack, onggi: Onggi) -> None:
    """DS-01: basis, article, start event, its date, the last day in Korea and the items, one line a basis."""
    ended_item = KeptItem(kind="token", holder="payment_vault", category="R-03", last_day="2026-11-23", ended=True)
    open_item = KeptItem(kind="contract", holder="identity", category="R-09a", conflict=True)
    answer = ExplainRetentionResponse(kept=[ended_item, PAYMENT, open_item])
    cli_stack.retention.answers["ExplainRetention"] = answer

    person = onggi("--as", "privacy-officer", "explain", MEMBER)
    program = onggi("explain", MEMBER, "--json", "--purpose", "support")

    first, second = cli_stack.retention.of("ExplainRetention")
    assert (first.member_id, first.access.purpose, second.access.purpose) == (MEMBER, "destruction", "support")
    (line,) = [line for line in person.out.splitlines() if RECORD in line]
    for told in ("archive", "R-10", "LAW_MIN", "국세기본법", "2026-05-10", "2032-03-31", "amount, approval_number"):
        assert told in line
    assert "2026-11-23 ended" in person.out
    assert "(no end yet) CONFLICT" in person.out
    assert json.loads(program.out)["kept"][1]["last_day"] == "2032-03-31"


def test_a_basis_is_one_line_where_no_terminal_is(cli_stack: Stack, onggi: Onggi) -> None:
    """In a file or a pipe no id is broken, however long the names of the law and of the items beside it are."""
    article = "전자상거래 등에서의 소비자보호에 관한 법률 제6조, 같은 법 시행령 제6조 제1항 제3호"
    held = ["business_registration_number", "masked_instrument", "payment_record", "transaction_record"]
    of_record = {"kind": "electronic_transaction", "record_id": RECORD, "holder": "payment_vault", "items": held * 2}
    supplied = KeptItem(**of_record, category="R-09b", korean="대금결제 및 재화 등의 공급에 대한 기록", article=article)
    books = KeptItem(**of_record, category="R-10", korean="세법이 규정하는 모든 거래에 관한 장부 및 증빙서류",
                     start_event="거래가 속한 과세기간의 법정신고기한")  # fmt: skip
    hold = KeptItem(**of_record, basis="HOLD", korean="보존 조치", review_on="2027-05-24", event_date="2026-11-29")
    cli_stack.retention.answers["ExplainRetention"] = ExplainRetentionResponse(kept=[supplied, books, hold])

    _, *lines = onggi("explain", MEMBER).out.splitlines()

    assert [line.split()[:2] for line in lines] == [["electronic_transaction", RECORD]] * 3


def test_every_page_is_read(cli_stack: Stack, onggi: Onggi) -> None:
    """However the service cuts it, the answer is one list."""
    last = KeptItem(kind="contract", holder="identity", category="R-09a")
    told = {
        "": ExplainRetentionResponse(kept=[PAYMENT], next_page_token="2"),
        "2": ExplainRetentionResponse(kept=[last]),
    }
    cli_stack.retention.answers["ExplainRetention"] = lambda request: told[request.page_token]

    ended = onggi("explain", MEMBER, "--json")

    assert [item["category"] for item in json.loads(ended.out)["kept"]] == ["R-10", "R-09a"]
    asked = cli_stack.retention.of("ExplainRetention")
    assert [(1000, "", MEMBER), (1000, "2", MEMBER)] == [
        (each.page_size, each.page_token, each.member_id) for each in asked
    ]


def test_a_record_is_explained_by_its_id_and_one_of_both_is_needed(cli_stack: Stack, onggi: Onggi) -> None:
    """A member or a record, not both and not neither; nothing kept is said in words."""
    cli_stack.retention.answers["ExplainRetention"] = ExplainRetentionResponse()

    ended = onggi("explain", "--record", RECORD)

    assert (ended.code, ended.out) == (0, "")
    assert "nothing is kept" in ended.err
    (request,) = cli_stack.retention.of("ExplainRetention")
    assert (request.record_id, request.WhichOneof("of")) == (RECORD, "record_id")
    assert onggi("explain").code == 2
    assert onggi("explain", MEMBER, "--record", RECORD).code == 2


def test_a_holder_that_is_missing_makes_no_answer(cli_stack: Stack, onggi: Onggi) -> None:
    """Exit 3 and the cure, not a part of the truth."""
    cli_stack.retention.answers["ExplainRetention"] = Refusal(grpc.StatusCode.UNAVAILABLE, "HOLDER_UNAVAILABLE")

    ended = onggi("explain", MEMBER)

    assert (ended.code, ended.out) == (3, "")
    assert "HOLDER_UNAVAILABLE" in ended.err


def test_a_holder_that_hangs_is_waited_for(cli_stack: Stack, onggi: Onggi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service gives up on it first, however often it is asked: a holder is missing, and not retention late."""
    monkeypatch.setattr("cli.session.DEFAULT_TIMEOUT_SECONDS", 0.5)

    def given_up(_: object) -> ExplainRetentionResponse:
        time.sleep(1.0)
        return ExplainRetentionResponse(kept=[PAYMENT])

    cli_stack.retention.answers["ExplainRetention"] = given_up

    assert onggi("explain", MEMBER).code == 0
    assert onggi("explain", MEMBER, "--timeout", "0.5").code == 3


def test_the_answer_to_a_withdrawal_is_what_is_kept(cli_stack: Stack, onggi: Onggi) -> None:
    """법 제21조 제3항: who leaves is told what a law still keeps, until when and under which article."""
    answer = members.WithdrawMemberResponse(withdrawn_on="2026-11-24", kept=[PAYMENT])
    cli_stack.identity.answers["WithdrawMember"] = answer

    ended = onggi("member", "withdraw", MEMBER, "--purpose", "support", "--yes")

    assert "left on 2026-11-24" in ended.out
    assert "2032-03-31" in ended.out


def test_consents_are_given_listed_and_withdrawn(cli_stack: Stack, onggi: Onggi) -> None:
    """Each by its name in the policy; the channel is told, the times are Korean (LC-12)."""
    living = consents.Consent(
        consent="marketing", policy_version="1", channel=consents.CONSENT_CHANNEL_PAPER,
        given_at=Timestamp(seconds=1767279600),
    )  # fmt: skip
    cli_stack.identity.answers |= {
        "GiveConsent": consents.GiveConsentResponse(consent=living),
        "ListConsents": consents.ListConsentsResponse(consents=[living]),
        "WithdrawConsent": Refusal(grpc.StatusCode.NOT_FOUND, "CONSENT_NOT_FOUND"),
    }
    why = ("--purpose", "membership")

    assert onggi("consent", "give", MEMBER, "marketing", "--channel", "paper", *why).code == 0
    listed = onggi("consent", "list", MEMBER, *why)
    withdrawn = onggi("consent", "withdraw", MEMBER, "marketing", *why, "--yes")

    (given,) = cli_stack.identity.of("GiveConsent")
    assert (given.consent, given.channel, given.access.purpose) == (
        "marketing", consents.CONSENT_CHANNEL_PAPER, "membership",
    )  # fmt: skip
    (line,) = [line for line in listed.out.splitlines() if "marketing" in line]
    assert line.split()[:3] == ["marketing", "1", "paper"]
    assert "2026-01-02 00:00:00.000 KST" in line
    assert withdrawn.code == 5
    assert onggi("consent", "give", MEMBER, "marketing", "--channel", "smoke", *why).code == 2


def test_the_channels_are_those_of_the_contract() -> None:
    """A channel that the contract has can be told, and no other."""
    names = {name.removeprefix("CONSENT_CHANNEL_") for name in consents.ConsentChannel.keys()}  # noqa: SIM118
    assert {channel.name for channel in Channel} == names - {"UNSPECIFIED"}


def payment_line(amount: str = "55000") -> str:
    """A line of a file of records."""
    record = {"member_id": MEMBER, "occurred_at": "2026-05-10T03:00:00Z", "payment": {"amount": amount}}
    return json.dumps(record)


def append_all(request: records.AppendRecordsRequest) -> records.AppendRecordsResponse:
    """Take every record but those of amount 13."""
    refusal = errors.ItemError(
        code="PERMISSION_DENIED", reason=errors.ERROR_REASON_CONSENT_REQUIRED, field="standings[0]", rule="consent"
    )
    return records.AppendRecordsResponse(
        results=[
            records.RecordResult(error=refusal)
            if record.payment.amount == "13"
            else records.RecordResult(record_id=f"record-{record.payment.amount}")
            for record in request.records
        ]
    )


def test_a_file_of_records_is_answered_line_by_line(cli_stack: Stack, onggi: Onggi, tmp_path: Path) -> None:
    """One refused line does not keep its neighbours out; the exit code is that of the refusal."""
    cli_stack.identity.answers["AppendRecords"] = append_all
    file = tmp_path / "records.jsonl"
    file.write_text("\n".join([payment_line("1"), payment_line("13"), payment_line("2")]) + "\n")

    person = onggi("record", "append", str(file), "--purpose", "billing")
    program = onggi("--json", "record", "append", "-", "--purpose", "billing", stdin=payment_line("1"))

    assert person.code == 4
    assert [line.split()[:2] for line in person.out.splitlines()[1:]] == [
        ["1", "record-1"], ["2", "CONSENT_REQUIRED"], ["3", "record-2"],
    ]  # fmt: skip
    assert "2 added, 1 refused" in person.err
    assert program.code == 0
    assert json.loads(program.out) == {"added": 1, "refused": 0, "results": [{"line": 1, "record_id": "record-1"}]}
    sent = cli_stack.identity.of("AppendRecords")[0]
    assert (sent.records[0].member_id, sent.records[0].occurred_at.seconds) == (MEMBER, 1778382000)


def test_a_large_file_goes_in_batches_and_can_be_repeated(cli_stack: Stack, onggi: Onggi, tmp_path: Path) -> None:
    """1,000 records a call; the same --request-id gives each batch the same id again, so nothing is added twice."""
    file = tmp_path / "records.jsonl"
    file.write_text("\n".join(payment_line(str(number)) for number in range(100, 2350)))
    failures = [Refusal(grpc.StatusCode.INTERNAL, "INTERNAL")]

    def answer(request: records.AppendRecordsRequest) -> Any:
        late = request.records[0].payment.amount == "1100"
        return failures.pop() if late and failures else append_all(request)

    cli_stack.identity.answers["AppendRecords"] = answer
    first = onggi("--json", "record", "append", str(file), "--purpose", "billing")
    request_id = json.loads(first.err)["error"]["request_id"]
    again = onggi("record", "append", str(file), "--purpose", "billing", "--request-id", request_id)

    assert (first.code, again.code) == (70, 0)
    assert json.loads(first.out)["added"] == 1000
    before, after = [cli_stack.identity.of("AppendRecords")[part] for part in (slice(2), slice(2, None))]
    assert [1000, 1000, 250] == [len(request.records) for request in after]
    assert before == after[:2]
    assert len({uuid.UUID(request.request_id) for request in after}) == 3


@pytest.mark.parametrize("line", ["{", "[]", '{"paymnet": {"amount": "4111"}}', '{"payment": {"amount": 4111.5}}', ""])
def test_a_line_that_is_no_record_is_named_and_not_repeated(line: str, cli_stack: Stack, onggi: Onggi) -> None:
    """Exit 2, nothing sent: the number of the line, never what stands in it."""
    ended = onggi("record", "append", "-", "--purpose", "billing", stdin=f"{payment_line()}\n{line}\n{payment_line()}")

    assert ended.code == 2
    assert "line 2" in ended.err
    assert "4111" not in ended.err
    assert not cli_stack.identity.asked


def test_a_record_that_no_call_can_carry_is_named_before_the_first_goes(cli_stack: Stack, onggi: Onggi) -> None:
    """It would end behind what was added before it, as too many calls to be made again later."""
    cli_stack.identity.answers["AppendRecords"] = append_all
    large = json.dumps({"member_id": MEMBER, "contract": {"subject_matter": "x" * 3_000_000}})
    ended = onggi("record", "append", "-", "--purpose", "billing", stdin=f"{payment_line()}\n" * 1000 + f"{large}\n")

    assert ended.code == 2
    assert "line 1001 is larger" in ended.err
    assert not cli_stack.identity.asked


def test_records_are_listed_with_their_bases_and_events_are_noted(cli_stack: Stack, onggi: Onggi) -> None:
    """What a record stands under is shown with it; NoteEvent takes category and day."""
    standing = records.Standing(category="R-05", event_date="2026-11-24")
    record = records.Record(record_id=RECORD, member_id=MEMBER, standings=[standing], policy_version="1")
    record.inquiry.body = "\x1b[2Jbody"
    cli_stack.identity.answers |= {
        "ListRecords": records.ListRecordsResponse(records=[record]),
        "NoteEvent": records.NoteEventResponse(standings=[standing]),
    }

    listed = onggi("record", "list", MEMBER, "--kind", "inquiry", "--purpose", "support", "--full")
    noted = onggi(
        "record", "event", MEMBER, RECORD, "--category", "R-05", "--on", "2026-11-24", "--purpose", "support"
    )  # fmt: skip

    (request,) = cli_stack.identity.of("ListRecords")
    assert (request.kind, request.view) == ("inquiry", View.VIEW_FULL)
    (line,) = [line for line in listed.out.splitlines() if RECORD in line]
    assert "R-05 2026-11-24" in line
    assert "\x1b" not in listed.out
    (event,) = cli_stack.identity.of("NoteEvent")
    assert (event.category, event.event_date, event.record_id) == ("R-05", "2026-11-24", RECORD)
    assert "2026-11-24" in noted.out


def test_the_archive_is_read_with_purpose_and_reason(cli_stack: Stack, onggi: Onggi) -> None:
    """LC-06: nothing is guessed, a reason is needed, and a wrong purpose is a refusal, exit 4."""
    record = records.Record(record_id=RECORD, member_id=MEMBER)
    record.payment.amount = "55000"
    cli_stack.archive.answers |= {
        "GetArchived": Refusal(grpc.StatusCode.PERMISSION_DENIED, "PURPOSE_NOT_ALLOWED"),
        "ListArchived": archive.ListArchivedResponse(records=[record]),
    }
    why = ("--reason", "세무조사")

    listed = onggi("archive", "list", MEMBER, "--purpose", "tax", *why, "--json")
    refused = onggi("archive", "get", RECORD, "--purpose", "marketing", *why)

    (request,) = cli_stack.archive.of("ListArchived")
    assert (request.access.purpose, request.access.reason, request.view) == ("tax", "세무조사", View.VIEW_MASKED)
    assert json.loads(listed.out)["records"][0]["payment"]["amount"] == "55000"
    assert refused.code == 4
    assert onggi("archive", "get", RECORD, *why).code == 2
    assert onggi("archive", "get", RECORD, "--purpose", "tax").code == 2


def test_the_line_that_the_help_shows_is_a_record(onggi: Onggi) -> None:
    """It keeps the rules of the contract, so that a first file can be made after it."""
    line = EXAMPLE.replace("…", MEMBER)

    assert not protovalidate.collect_violations(json_format.Parse(line, records.Record()))
    assert '"subject_matter": "cloud"' in " ".join(onggi("record", "append", "--help").out.replace("│", " ").split())
