"""The options by which a command says why it touches personal data, and whose."""

import uuid
from typing import Annotated

import typer
from onggi.access.v1.access_context_pb2 import AccessContext, View

Member = Annotated[str, typer.Argument(metavar="MEMBER", help="The member's id.", show_default=False)]
Token = Annotated[str, typer.Argument(metavar="TOKEN", help="The token.", show_default=False)]
Purpose = Annotated[str, typer.Option("--purpose", help="이용 목적, by its name in the policy.", show_default=False)]
Destruction = Annotated[str, typer.Option("--purpose", help="이용 목적.")]
SecurityReview = Annotated[str, typer.Option("--purpose", help="이용 목적.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in a few words without personal data.", show_default=False)]
RequiredReason = Annotated[
    str, typer.Option("--reason", help="Why, in a few words without personal data; required.", show_default=False)
]
Ticket = Annotated[str, typer.Option("--ticket", help="The ticket or case.", show_default=False)]
Full = Annotated[bool, typer.Option("--full", help="Show in full what the purpose allows in full.")]
RequestId = Annotated[
    str | None,
    typer.Option("--request-id", metavar="UUID", help="Repeat a request whose outcome is unknown.", show_default=False),
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most this many.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def context(purpose: str, reason: str, ticket: str) -> AccessContext:
    """Why the command touches personal data."""
    return AccessContext(purpose=purpose, reason=reason, ticket=ticket)


def view(*, full: bool) -> View.ValueType:
    """How much to show."""
    return View.VIEW_FULL if full else View.VIEW_MASKED


def request_id(given: str | None) -> str:
    """The given id, or a new random one."""
    return given or str(uuid.uuid4())
