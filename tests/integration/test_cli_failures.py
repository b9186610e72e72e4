"""How a command ends when a service refuses, breaks or is not there."""

import json
import time
from pathlib import Path

import grpc
import pytest
from onggi.identity.v1 import member_service_pb2 as members

from tests.integration import cli_servers
from tests.integration.cli_servers import RECORD_ID, Onggi, Refusal, Stack

MEMBER = "0198c0de-0000-7000-8000-00000000000a"
CARD = "4111111111111111"
BUSINESS_NUMBER = "123-45-67891"
CARD_JSON = json.dumps({"business_registration_number": BUSINESS_NUMBER, "number": CARD, "expiry": "12/30"})

cli_running, cli_stack, onggi = cli_servers.cli_running, cli_servers.cli_stack, cli_servers.onggi


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        ("UNAVAILABLE", "LEDGER_UNAVAILABLE", 3),
        ("PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED", 4),
        ("UNAUTHENTICATED", "CALLER_UNIDENTIFIED", 4),
        ("NOT_FOUND", "MEMBER_NOT_FOUND", 5),
        ("INVALID_ARGUMENT", "INVALID_FIELD", 6),
        ("ABORTED", "ETAG_STALE", 7),
        ("RESOURCE_EXHAUSTED", "OVERLOADED", 8),
        ("INTERNAL", "SEAL_BROKEN", 70),
    ],
)
def test_refusals_end_with_their_code_reason_cure_and_ids(
    code: str, reason: str, expected: int, cli_stack: Stack, onggi: Onggi
) -> None:
    """Standard output stays empty; standard error has reason, cure, trace id and record id, in words and as JSON."""
    cli_stack.identity.answers["GetMember"] = Refusal(grpc.StatusCode[code], reason)

    words = onggi("member", "get", MEMBER, "--purpose", "support")
    program = onggi("member", "get", MEMBER, "--purpose", "support", "--json")

    assert (words.code, program.code) == (expected, expected)
    assert (words.out, program.out) == ("", "")
    assert f"{code} ({reason})" in words.err
    assert f"trace {'d' * 32}, record {RECORD_ID}" in words.err
    error = json.loads(program.err)["error"]
    assert (error["reason"], error["record_id"], error["exit_code"]) == (reason, RECORD_ID, expected)
    assert error["cure"]


def test_a_value_in_a_broken_answer_is_not_shown(cli_stack: Stack, onggi: Onggi) -> None:
    """A defective service that puts the value into text, field or rule does not get it onto the operator's screen."""
    for refusal in (
        Refusal(grpc.StatusCode.UNKNOWN, text=f"Exception calling application: card {CARD}"),
        Refusal(grpc.StatusCode.UNAVAILABLE, text=CARD),
        Refusal(grpc.StatusCode.INVALID_ARGUMENT, CARD, [(CARD, CARD), (f"number={CARD}", f"bad: {CARD}")], CARD, CARD),
    ):
        cli_stack.payment_vault.answers["Tokenize"] = refusal
        command = ("token", "add-card", MEMBER, "--purpose", "billing", "--json", "-")
        for ended in (onggi(*command, stdin=CARD_JSON), onggi("--json", *command, stdin=CARD_JSON)):
            assert ended.code != 0
            assert CARD not in ended.err
            assert BUSINESS_NUMBER not in ended.err


def test_a_mutation_is_repeated_with_the_same_request_id(cli_stack: Stack, onggi: Onggi) -> None:
    """UNAVAILABLE is tried again by the channel itself, and the service can see that it is the same request."""
    answers = [
        Refusal(grpc.StatusCode.UNAVAILABLE, "STOPPING"),
        Refusal(grpc.StatusCode.UNAVAILABLE, "STOPPING"),
        members.WithdrawMemberResponse(withdrawn_on="2026-01-02"),
    ]
    cli_stack.identity.answers["WithdrawMember"] = lambda _: answers.pop(0)

    ended = onggi("member", "withdraw", MEMBER, "--purpose", "support")

    assert ended.code == 0
    assert "2026-01-02" in ended.out
    assert len({request.request_id for request in cli_stack.identity.of("WithdrawMember")}) == 1
    assert len(cli_stack.identity.of("WithdrawMember")) == 3


def test_an_unknown_outcome_can_be_repeated_by_hand(cli_stack: Stack, onggi: Onggi) -> None:
    """The request id of a failed mutation is told, and --request-id sends it again."""
    cli_stack.identity.answers["WithdrawMember"] = Refusal(grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")
    command = ("member", "withdraw", MEMBER, "--purpose", "support")

    failed = onggi(*command)
    request_id = cli_stack.identity.of("WithdrawMember")[0].request_id
    onggi(*command, "--request-id", request_id)

    assert f"--request-id {request_id}" in failed.err
    assert {request.request_id for request in cli_stack.identity.of("WithdrawMember")} == {request_id}


def test_no_server_wrong_server_and_slow_server_end_with_exit_3(cli_stack: Stack, onggi: Onggi, tmp_path: Path) -> None:
    """Nobody listens; the certificate is another service's; the answer takes longer than --timeout."""
    good = cli_stack.config.read_text()
    variants = {
        "nobody": good.replace(cli_stack.identity.address, "127.0.0.1:1"),
        "another": good.replace(cli_stack.identity.address, cli_stack.retention.address),
    }
    for name, text in variants.items():
        config = cli_stack.folder / f"{name}.toml"
        config.write_text(text)
        ended = onggi("--config", str(config), "--timeout", "5", "member", "get", MEMBER, "--purpose", "support")
        assert ended.code == 3, name
        assert "UNAVAILABLE" in ended.err
        assert "Traceback" not in ended.err
    assert not cli_stack.retention.asked

    def slow(_: object) -> members.GetMemberResponse:
        time.sleep(1)
        return members.GetMemberResponse(member=members.Member(member_id=MEMBER))

    cli_stack.identity.answers["GetMember"] = slow
    ended = onggi("--timeout", "0.2", "member", "get", MEMBER, "--purpose", "support")
    assert ended.code == 3
    assert "DEADLINE_EXCEEDED" in ended.err
    assert onggi("--config", str(tmp_path / "absent"), "member", "get", MEMBER, "--purpose", "x").code == 2
