"""The list of a reveal: JSON lines with `member_id` and `token`, as `onggi token export` writes them."""

import json
from typing import Final

from onggi.payment_vault.v1.detokenization_service_pb2 import DetokenizeItem

from cli.asking import text
from cli.failures import UsageError

MOST: Final = 1000
"""As many as one reveal may have."""


def read(file: str) -> list[DetokenizeItem]:
    """The items in the order of the lines, from a file or for `-` from standard input; other keys are passed over.

    Raises UsageError that names the line, never what stands in it.
    """
    items = [_item(line, number) for number, line in enumerate(text(file).splitlines(), start=1) if line.strip()]
    if not 1 <= len(items) <= MOST:
        raise UsageError(f"a list has at least one token and at most {MOST}; this has {len(items)}")
    return items


def _item(line: str, number: int) -> DetokenizeItem:
    try:
        document = json.loads(line)
        return DetokenizeItem(member_id=document["member_id"], token=document["token"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(f"line {number} of the list is no JSON object with member_id and token") from None
