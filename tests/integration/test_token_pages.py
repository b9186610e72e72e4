"""ListTokens page by page: tokens of a page are signed for one caller and one member, and read by nobody else."""

import base64
import json

import grpc
import pytest

from tests.integration import examples
from tests.integration.bad_input import assert_recorded
from tests.integration.clients import Clients, Outcome
from tests.integration.log_rows import Log
from tests.integration.vault_tokens import LIST, put


async def page(
    clients: Clients, member: str, token: str, size: int = 2, *, caller: str = "billing", purpose: str = "billing"
) -> Outcome:
    """Ask for one page."""
    request = examples.example(LIST, purpose)
    request.member_id, request.page_size, request.page_token = member, size, token
    return await clients.call(caller, LIST, request)


async def test_all_pages_show_every_token_once(clients: Clients) -> None:
    """Five tokens in pages of two: each once, the oldest first, and the last page names no other."""
    member = examples.new_id()
    made = [(await put(clients, member)).token for _ in range(5)]
    seen, token, pages = [], "", 0
    while True:
        answer = (await page(clients, member, token)).message
        seen += [item.token for item in answer.tokens]
        token, pages = answer.next_page_token, pages + 1
        if not token:
            break
        assert len(token) <= 256
    assert (seen, pages) == (made, 3)


@pytest.mark.parametrize("change", ["another member", "another caller", "another place", "another letter", "unsigned"])
async def test_a_page_token_is_for_whom_it_was_given_to(clients: Clients, log: Log, change: str) -> None:
    """Used for another member, by another caller, or with anything changed, it is no page token (AC-10)."""
    member, other = examples.new_id(), examples.new_id()
    for owner in (member, other):
        for _ in range(3):
            await put(clients, owner)
    token = (await page(clients, member, "")).message.next_page_token
    assert (await page(clients, member, token)).code is grpc.StatusCode.OK
    key = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    theirs = (await page(clients, other, "")).message.tokens[0]
    changed = {
        "another place": [theirs.created_at.ToDatetime().isoformat() + "+00:00", theirs.token, key[2]],
        "another letter": [*key[:2], key[2][:-5] + ("A" if key[2][-5] != "A" else "B") + key[2][-4:]],
        "unsigned": key[:2],
    }
    if change in changed:
        token = base64.urlsafe_b64encode(json.dumps(changed[change]).encode()).decode().rstrip("=")
    outcome = await page(
        clients, other if change == "another member" else member, token,
        caller="portal" if change == "another caller" else "billing",
    )  # fmt: skip
    assert (outcome.code, outcome.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")
    await assert_recorded(log, outcome)
