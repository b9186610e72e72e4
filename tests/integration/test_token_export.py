"""`onggi token export`: tokens of many members, masked unless a person says why not."""

import json

import grpc
from onggi.errors.v1 import error_reason_pb2 as reasons
from onggi.payment_vault.v1 import detokenization_service_pb2 as reveals
from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens
from onggi.payment_vault.v1.instrument_pb2 import Card, Instrument, Token

from tests.integration import cli_servers
from tests.integration.cli_servers import Onggi, Refusal, Stack

MEMBERS = [f"0198c0de-0000-7000-8000-00000000000{digit}" for digit in "abc"]
CARD, MASKED = "4111111111111111", "4111-11**-****-1111"

cli_running, cli_stack, onggi = cli_servers.cli_running, cli_servers.cli_stack, cli_servers.onggi


def _listed(request: tokens.ListTokensRequest) -> tokens.ListTokensResponse:
    """Two pages of one token each."""
    page = request.page_token or "1"
    token = Token(token=f"tok_card_{request.member_id[-1]}{page}", member_id=request.member_id,
                  masked=Instrument(card=Card(number=MASKED)))  # fmt: skip
    return tokens.ListTokensResponse(tokens=[token], next_page_token="2" if page == "1" else "")


def _revealed(request: reveals.BatchDetokenizeRequest) -> reveals.BatchDetokenizeResponse:
    """Each in full, but the first is gone."""
    gone = reasons.ItemError(code="NOT_FOUND", reason=reasons.ERROR_REASON_TOKEN_NOT_FOUND)
    full = Instrument(card=Card(number=CARD, expiry="12/39"))
    others = request.items[1:]
    return reveals.BatchDetokenizeResponse(
        results=[reveals.DetokenizeResult(error=gone), *(reveals.DetokenizeResult(instrument=full) for _ in others)]
    )


def test_tokens_of_many_members_are_masked(cli_stack: Stack, onggi: Onggi) -> None:
    """One line a token, member by member, all pages; nothing is revealed (AC-11)."""
    cli_stack.payment_vault.answers["ListTokens"] = _listed
    ended = onggi("token", "export", "--purpose", "billing", stdin="\n".join(MEMBERS))
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.code == 0
    assert [line["token"] for line in lines] == [f"tok_card_{member[-1]}{page}" for member in MEMBERS for page in "12"]
    assert {line["masked"]["card"]["number"] for line in lines} == {MASKED}
    assert not cli_stack.payment_vault.of("BatchDetokenize")


def test_numbers_come_in_full_for_a_reason(cli_stack: Stack, onggi: Onggi) -> None:
    """--reveal wants a reason, warns, passes the approval on, and says which tokens had no answer (PV-08)."""
    cli_stack.payment_vault.answers |= {"ListTokens": _listed, "BatchDetokenize": _revealed}
    command = ("token", "export", "--purpose", "billing", "--reveal")
    assert onggi(*command, stdin=MEMBERS[0]).code == 2
    assert not cli_stack.payment_vault.asked

    approval = "0198c0de-0000-7000-8000-0000000000ff"
    ended = onggi(*command, "--reason", "이관", "--approval", approval, stdin="\n".join(MEMBERS[:2]))
    gone, *full = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.code == 5
    assert "warning" in ended.err
    assert gone["error"]["reason"] == "TOKEN_NOT_FOUND"
    assert [line["instrument"]["card"]["number"] for line in full] == [CARD] * 3
    [request] = cli_stack.payment_vault.of("BatchDetokenize")
    assert (request.approval_id, request.access.reason, len(request.items)) == (approval, "이관", 4)


def test_what_is_no_member_is_named_by_its_line(cli_stack: Stack, onggi: Onggi) -> None:
    """A number in the list of members is refused by its line, not repeated, and not sent (LG-10)."""
    cli_stack.payment_vault.answers["ListTokens"] = _listed
    ended = onggi("token", "export", "--purpose", "billing", stdin=f"{MEMBERS[0]}\n{CARD}\n")
    assert ended.code == 2
    assert "line 2" in ended.err
    assert CARD not in ended.err
    assert len({request.member_id for request in cli_stack.payment_vault.of("ListTokens")}) == 1


def test_an_approval_that_is_missing_is_an_answer(cli_stack: Stack, onggi: Onggi) -> None:
    """APPROVAL_REQUIRED ends the export with its cure, and nothing in full."""
    refusal = Refusal(grpc.StatusCode.FAILED_PRECONDITION, "APPROVAL_REQUIRED")
    cli_stack.payment_vault.answers |= {"ListTokens": _listed, "BatchDetokenize": refusal}
    ended = onggi("token", "export", "--purpose", "billing", "--reveal", "--reason", "이관", stdin=MEMBERS[0])
    assert ended.code == 7
    assert "APPROVAL_REQUIRED" in ended.err
    assert CARD not in ended.out


def test_a_refused_call_says_how_far_it_came(cli_stack: Stack, onggi: Onggi) -> None:
    """LG-05: calls are of 1,000 tokens whatever the limit; one that needs a second person says for how many, and why."""
    members = [f"0198c0de-0000-7000-8000-{number:012x}" for number in range(1, 1001)]

    def few_members_first(request: reveals.BatchDetokenizeRequest) -> reveals.BatchDetokenizeResponse | Refusal:
        if len({item.member_id for item in request.items}) > 500:
            return Refusal(grpc.StatusCode.FAILED_PRECONDITION, "APPROVAL_REQUIRED")
        return _revealed(request)

    def of_one_token(request: tokens.ListTokensRequest) -> tokens.ListTokensResponse:
        """The first member has a thousand tokens, the others one."""
        count = 200 if request.member_id == members[0] else 1
        page = int(request.page_token or "1")
        token = Token(token=f"tok_card_{request.member_id[-4:]}{page}", member_id=request.member_id,
                      masked=Instrument(card=Card(number=MASKED)))  # fmt: skip
        following = str(page + 1) if count > 1 and page < 5 else ""
        return tokens.ListTokensResponse(tokens=[token] * count, next_page_token=following)

    cli_stack.payment_vault.answers |= {"ListTokens": of_one_token, "BatchDetokenize": few_members_first}
    command = ("token", "export", "--purpose", "billing", "--reveal", "--reason", "이관")
    ended = onggi(*command, stdin="\n".join(members))
    assert ended.code == 7
    assert len(ended.out.splitlines()) == 1000
    assert "revealed: 1000 tokens; refused: a call for 999 tokens of 999 members" in ended.err
    assert "onggi reveal request" in ended.err
    assert [len(request.items) for request in cli_stack.payment_vault.of("BatchDetokenize")] == [1000, 999]

    cli_stack.payment_vault.asked.clear()
    ended = onggi(*command, "--approval", "0198c0de-0000-7000-8000-0000000000ff", stdin="\n".join(members))
    assert ended.code == 2
    assert "give the members in parts" in ended.err
    assert not cli_stack.payment_vault.of("BatchDetokenize"), "nothing is revealed for half of what was asked"
