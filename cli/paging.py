"""Follows page tokens, so that a list is a list however the server cuts it."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import Message

from cli.failures import CommandError
from cli.session import Remote, Request, Response

if TYPE_CHECKING:
    from grpc import UnaryUnaryMultiCallable  # generic for the type checker alone

Item = TypeVar("Item", bound=Message)


def collect(
    remote: Remote,
    method: "UnaryUnaryMultiCallable[Request, Response]",
    request: Request,
    of: Callable[[Response], Iterable[Item]],
    *,
    into: list[Item],
    limit: int,
    page_size: int,
    usual: float | None = None,
) -> bool:
    """Appends the items of the pages to `into`, at most `limit`, and reads no more; true when there are more.

    `request` has page_size and page_token; `page_size` is the largest that the RPC takes, `usual` the seconds that a page
    may take unless the options say otherwise. Raises CallError, and then `into` holds what came before.
    """
    paged = type(request)()
    paged.CopyFrom(request)
    token = ""
    while True:
        setattr(paged, "page_size", min(page_size, limit - len(into)))  # noqa: B010 - every list has it, no type says so
        setattr(paged, "page_token", token)  # noqa: B010
        response = remote.call(method, paged, usual)
        into.extend(of(response))
        following = str(getattr(response, "next_page_token", ""))
        if len(into) >= limit or not following:
            more = bool(following) or len(into) > limit
            del into[limit:]
            return more
        if following == token:
            raise CommandError(f"{remote.service} answers the same page again")
        token = following
