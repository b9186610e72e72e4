"""`onggi token export`: the tokens of many members as JSON lines, masked; with --reveal in full, and then with care.

Member by member and page by page: many members take no more memory than one. A call of --reveal is never made smaller to
stay below what the caller may reveal alone: that limit is there so that a second person looks at many.
"""

import sys
import uuid
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any, Final

import typer
from grpc import StatusCode
from onggi.access.v1.access_context_pb2 import AccessContext
from onggi.errors.v1.error_reason_pb2 import ErrorReason
from onggi.payment_vault.v1.detokenization_service_pb2 import BatchDetokenizeRequest, DetokenizeItem, DetokenizeResult
from onggi.payment_vault.v1.detokenization_service_pb2_grpc import DetokenizationServiceStub
from onggi.payment_vault.v1.instrument_pb2 import Token
from onggi.payment_vault.v1.tokenization_service_pb2 import ListTokensRequest
from onggi.payment_vault.v1.tokenization_service_pb2_grpc import TokenizationServiceStub

from cli import access, exit_codes
from cli.asking import MARK
from cli.exit_codes import ExitCode
from cli.failures import CallError, IncompleteError, UsageError
from cli.json_output import as_object
from cli.paging import collect
from cli.reveal_list import MOST
from cli.session import Session

_PAGE: Final = 200

Reveal = Annotated[
    bool, typer.Option("--reveal", help="Numbers in full; wants --reason, and an approval above a threshold.")
]
Approval = Annotated[
    str, typer.Option("--approval", metavar="UUID", help="The approval for exactly these tokens.", show_default=False)
]


def export(
    session: Session,
    *,
    purpose: access.Purpose,
    reveal: Reveal = False,
    approval: Approval = "",
    reason: access.Reason = "",
    ticket: access.Ticket = "",
    yes: access.Yes = False,
) -> None:
    """Write the tokens of the members whose ids stand on standard input, one a line, as JSON lines.

    The numbers are masked. With --reveal each is turned back in full, under this purpose and reason, and recorded.
    """
    why = access.context(purpose, reason, ticket)
    if not reveal:
        for member in _members():
            for token in _tokens(session, why, member):
                session.print_json(as_object(token), indent=None)
        return
    if not reason.strip():
        raise UsageError("--reveal wants a --reason")
    session.note("warning: numbers in full go to standard output; keep them where no copy is left behind")
    if sys.stdout.isatty() and not yes:
        raise UsageError(
            "numbers in full are not for a terminal: send the output to a file or a program, or give --yes"
        )
    tokens = (token for member in _members() for token in _tokens(session, why, member))
    code = _reveal_all(session, why, tokens, approval)
    if code:
        raise IncompleteError(
            exit_codes.of_status(StatusCode[code]) if code in StatusCode.__members__ else ExitCode.INTERNAL
        )


def _reveal_all(session: Session, why: AccessContext, tokens: Iterator[Token], approval: str) -> str:
    """Reveal call by call; return the first error's code. When one is refused, say how far it came and what it was."""
    listed, code, written = list(islice(tokens, MOST)), "", 0
    while listed:
        following = list(islice(tokens, MOST))
        if approval and following:
            raise UsageError(
                f"an approval is for one call, of at most {MOST} tokens: give the members in parts, each with one of its own"
            )
        try:
            refused = _reveal(session, why, listed, approval)
        except CallError as failure:
            members = len({token.member_id for token in listed})
            session.note(
                f"revealed: {written} tokens; refused: a call for {len(listed)} tokens of {members} members, and nothing "
                "was asked for behind it"
            )
            if failure.reason == "APPROVAL_REQUIRED":
                session.note(
                    f"for an approval give members with at most {MOST} tokens at once, write their tokens with `onggi token "
                    "export`, and that list to `onggi reveal request`; without one give fewer members"
                )
            raise
        code, listed, written = code or refused, following, written + len(listed)
    return code


def _members() -> Iterator[str]:
    """The ids on standard input. Raises UsageError by the number of a line that is none, never with its text."""
    if sys.stdin.isatty():
        raise UsageError("give the members' ids on standard input, one a line")
    number = 0
    try:
        for number, line in enumerate(sys.stdin, start=1):
            if text := line.removeprefix(MARK if number == 1 else "").strip():
                yield str(uuid.UUID(text))
    except UnicodeDecodeError:
        raise UsageError("standard input is not UTF-8") from None
    except ValueError:
        raise UsageError(f"line {number} of standard input is no member's id") from None


def _tokens(session: Session, why: AccessContext, member: str) -> Sequence[Token]:
    vault = session.remote("payment_vault")
    request = ListTokensRequest(access=why, member_id=member)
    found: list[Token] = []
    collect(vault, TokenizationServiceStub(vault.channel).ListTokens, request, lambda response: response.tokens,
            into=found, limit=sys.maxsize, page_size=_PAGE)  # fmt: skip
    return found


def _reveal(session: Session, why: AccessContext, listed: Sequence[Token], approval: str) -> str:
    """Write the tokens of one call with their instruments in full, or with the error; return the first error's code."""
    vault = session.remote("payment_vault")
    items = [DetokenizeItem(member_id=token.member_id, token=token.token) for token in listed]
    request = BatchDetokenizeRequest(access=why, items=items, approval_id=approval)
    results = vault.call(DetokenizationServiceStub(vault.channel).BatchDetokenize, request).results
    for token, result in zip(listed, results, strict=True):
        session.print_json(_revealed(token, result), indent=None)
    return next((result.error.code for result in results if result.HasField("error")), "")


def _revealed(token: Token, result: DetokenizeResult) -> dict[str, Any]:
    line = {"token": token.token, "member_id": token.member_id}
    if result.HasField("error"):
        known = result.error.reason in ErrorReason.values()
        reason = ErrorReason.Name(result.error.reason).removeprefix("ERROR_REASON_") if known else "UNKNOWN"
        return {**line, "error": {"code": result.error.code, "reason": reason}}
    return {**line, "instrument": as_object(result.instrument)}
