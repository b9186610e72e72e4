"""An explanation page by page: bounded in number and in bytes, each page of the same Korean day as the first."""

from collections.abc import Sequence
from datetime import timedelta

from onggi.retention.v1 import retention_service_pb2 as api
from onggi.retention.v1.kept_item_pb2 import KeptItem

from chassis import page
from chassis.call import Call
from chassis.errors import PageTokenInvalid
from chassis.signed_pages import SignedPages
from chassis.transit import Transit
from services.retention.explanation import Explainer, Line, Position

PAGE_KEY = "index-retention"
DEFAULT_PAGE = 1000
MOST_BYTES = 2 * 1024 * 1024
"""Half of what gRPC takes as one message unless told otherwise. How long the texts of a policy are nobody limits."""
_FRAME = 8
"""Bytes at most that an item takes in a list beside its own: tag and length."""
_LONGEST = timedelta(days=1)


class ExplanationPages:
    """Cuts explanations."""

    def __init__(self, explainer: Explainer, transit: Transit) -> None:
        self._explainer = explainer
        self._pages = SignedPages(transit, PAGE_KEY)

    async def page(self, call: Call, request: api.ExplainRetentionRequest) -> api.ExplainRetentionResponse:
        """Return one page, and the token of the next.

        Raises PageTokenInvalid, HolderUnavailable, PolicyIncomplete, DatabaseUnavailable, KeyServiceUnavailable.
        """
        subject = f"member:{request.member_id}" if request.member_id else f"record:{request.record_id}"
        today, after = self._explainer.today(), Position()
        parts = (page.day, *[page.unit] * len(after))
        if found := await self._pages.read(call, subject, request.page_token, *parts):
            first_asked, after = found[0], Position(*found[1:])
            if not timedelta() <= today - first_asked <= _LONGEST:
                raise PageTokenInvalid
            today = first_asked
        lines = await self._explainer.explain(call.traceparent, today, request.member_id, request.record_id)
        rest = [line for line in lines if line.position > after]
        shown = fitting(rest, request.page_size or DEFAULT_PAGE)
        answer = api.ExplainRetentionResponse(kept=shown)
        if len(shown) < len(rest):
            last = rest[len(shown) - 1].position
            answer.next_page_token = await self._pages.issue(call, subject, today.isoformat(), *last)
        return answer


def fitting(lines: Sequence[Line], size: int) -> list[KeptItem]:
    """Return the items of a page: of the first lines at most ``size``, and one at least, within MOST_BYTES."""
    shown: list[KeptItem] = []
    taken = 0
    for _, item in lines[:size]:
        taken += item.ByteSize() + _FRAME
        if shown and taken > MOST_BYTES:
            break
        shown.append(item)
    return shown
