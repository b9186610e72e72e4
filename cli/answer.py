"""How a command answers: JSON for a program, a table for a person."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from google.protobuf.message import Message
from rich.console import RenderableType

from cli.detail import detail
from cli.json_output import as_object
from cli.paging import Item, collect
from cli.session import Remote, Request, Response, Session

if TYPE_CHECKING:
    from grpc import UnaryUnaryMultiCallable  # generic for the type checker alone


def one(session: Session, response: Message, table: RenderableType | None = None) -> None:
    """Shows one response; the table is made from the message itself unless another is given."""
    if session.options.json:
        session.print_json(as_object(response))
    else:
        session.out.print(detail(response) if table is None else table)


def many(session: Session, name: str, items: Sequence[Message], table: RenderableType, *, more: bool) -> None:
    """Shows a list: `{"<name>": […], "more": …}` or the table; says when there are more than the limit let in."""
    if session.options.json:
        session.print_json({name: [as_object(item) for item in items], "more": more})
        return
    if items:
        session.out.print(table)
    else:
        session.note(f"no {name}")
    if more:
        session.note(f"there are more than these {len(items)}; raise --limit")


def pages(
    remote: Remote,
    method: "UnaryUnaryMultiCallable[Request, Response]",
    request: Request,
    name: str,
    table: Callable[[Sequence[Item]], RenderableType],
    *,
    limit: int,
    page_size: int,
) -> None:
    """Follows a list page by page up to `limit` and shows it; `name` is what its items are called, there and here."""
    listed: list[Item] = []
    more = collect(
        remote, method, request, lambda page: getattr(page, name), into=listed, limit=limit, page_size=page_size
    )
    many(remote.session, name, listed, table(listed), more=more)
