"""`onggi reveal` against real gRPC servers: what is asked for is the exact list, what is approved is what was shown."""

import json
from pathlib import Path

import grpc
import pytest
from onggi.payment_vault.v1 import reveal_approval_service_pb2 as api

from tests.integration import cli_servers
from tests.integration.cli_servers import Onggi, Refusal, Stack, at_a_terminal

MEMBER = "0198c0de-0000-7000-8000-00000000000a"
APPROVAL = "0198c0de-0000-7000-8000-00000000000b"
CARD = "4111111111111111"
CALLER = "spiffe://onggi/ns/apps/sa/billing"
WAITING = api.RevealRequest(
    approval_id=APPROVAL, requested_by=CALLER, tokens=2, subjects=1, digest="vault:v1:abcdefgh", purpose="billing"
)

cli_running, cli_stack, onggi = cli_servers.cli_running, cli_servers.cli_stack, cli_servers.onggi


def test_the_list_is_sent_in_its_order(cli_stack: Stack, onggi: Onggi, tmp_path: Path) -> None:
    """LG-05: an approval is for one exact list: every line of the file in its order, from a file or a pipe."""
    lines = [json.dumps({"token": f"tok_card_{number}", "member_id": MEMBER, "masked": {}}) for number in range(3)]
    (tmp_path / "list.jsonl").write_text("\n".join(lines) + "\n")
    cli_stack.payment_vault.answers["RequestReveal"] = api.RequestRevealResponse(reveal=WAITING)
    command = ("reveal", "request", "--purpose", "billing", "--reason", "charging")

    ended = [onggi(*command, str(tmp_path / "list.jsonl")), onggi(*command, "-", stdin="\n".join(lines))]

    assert [one.code for one in ended] == [0, 0]
    assert APPROVAL in ended[0].out
    for request in cli_stack.payment_vault.of("RequestReveal"):
        assert [item.token for item in request.items] == ["tok_card_0", "tok_card_1", "tok_card_2"]


@pytest.mark.parametrize(
    "line", ["4111111111111111", '{"token": "4111111111111111"}', '{"token": 4111111111111111, "member_id": 1}']
)
def test_a_line_that_is_none_is_not_repeated(cli_stack: Stack, onggi: Onggi, line: str) -> None:
    """LG-10: a wrong line is named by its number, never shown; nothing is sent."""
    ended = onggi("reveal", "request", "-", "--purpose", "billing", "--reason", "x", stdin=line)

    assert ended.code == 2
    assert "line 1" in ended.err
    assert CARD not in ended.err + ended.out
    assert not cli_stack.payment_vault.asked


def test_what_is_approved_is_what_was_shown(cli_stack: Stack, onggi: Onggi) -> None:
    """LG-05: the digest comes from the request that the approver has seen, or has reviewed before."""
    cli_stack.payment_vault.answers |= {
        "ListRevealRequests": api.ListRevealRequestsResponse(reveals=[WAITING]),
        "ApproveReveal": api.ApproveRevealResponse(reveal=WAITING),
    }
    command = ("reveal", "approve", APPROVAL, "--reason", "agreed")

    person = at_a_terminal(cli_stack, *command, typed=[("[y/N]: ", "y")])
    reviewed = onggi(*command, "--digest", "vault:v1:reviewed")
    silent = onggi("--json", *command)
    nobody = onggi(*command)
    unknown = onggi("reveal", "approve", MEMBER, "--reason", "agreed", "--yes")

    assert (person.code, reviewed.code, silent.code, nobody.code, unknown.code) == (0, 0, 2, 2, 1)
    assert "apps/billing" in person.out
    sent = cli_stack.payment_vault.of("ApproveReveal")
    assert [(one.approval_id, one.digest) for one in sent] == [
        (APPROVAL, WAITING.digest), (APPROVAL, "vault:v1:reviewed"),
    ]  # fmt: skip


def test_traps_and_suspensions(cli_stack: Stack, onggi: Onggi) -> None:
    """PV-08: a trap is set by member and token, a suspension lifted by the caller's id; a refusal says why."""
    cli_stack.payment_vault.answers |= {
        "MarkHoneyToken": api.MarkHoneyTokenResponse(),
        "LiftSuspension": Refusal(grpc.StatusCode.PERMISSION_DENIED, "SELF_APPROVAL"),
        "ListRevealRequests": api.ListRevealRequestsResponse(),
    }
    marked = onggi("reveal", "honey", MEMBER, "tok_card_x", "--reason", "a decoy")
    lifted = onggi("reveal", "lift", CALLER, "--reason", "cleared", "--yes")
    listed = onggi("reveal", "list", "--json")

    assert (marked.code, lifted.code, listed.code) == (0, 4, 0)
    assert "SELF_APPROVAL" in lifted.err
    assert cli_stack.payment_vault.of("LiftSuspension")[0].caller == CALLER
    assert cli_stack.payment_vault.of("MarkHoneyToken")[0].member_id == MEMBER
    assert json.loads(listed.out) == {"reveals": [], "more": False}
