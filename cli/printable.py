"""Text from elsewhere made safe for a terminal, and times as people in Korea read them.

A reason or a user agent is whatever somebody sent: control characters would move the cursor or recolour the screen,
and format characters would turn the reading direction. They are shown as escapes.
"""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp
from rich.text import Text

KST: Final = ZoneInfo("Asia/Seoul")


def printable(text: str) -> str:
    """The text with every character that is not printable written as an escape."""
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def plain(text: str, style: str = "") -> Text:
    """The text for rich, safe, and without interpreting markup in it."""
    return Text(printable(text), style=style, overflow="fold")


def kst(moment: Timestamp) -> str:
    """`2026-01-02 15:04:05.123 KST`; empty for a time that is not set, a mark for one outside the calendar."""
    if not moment.seconds and not moment.nanos:
        return ""
    try:
        local = moment.ToDatetime(tzinfo=KST)
    except (ValueError, OverflowError):
        return "(no valid time)"
    return f"{_to_milliseconds(local)} KST"


def person_or_service(spiffe_id: str) -> str:
    """`staff/support` for `spiffe://onggi/ns/staff/sa/support`; anything else as it is."""
    _, found, path = spiffe_id.partition("/ns/")
    namespace, middle, account = path.partition("/sa/")
    return f"{namespace}/{account}" if found and middle and spiffe_id.startswith("spiffe://onggi/ns/") else spiffe_id


def method_name(rpc_method: str) -> str:
    """`MemberService/GetMember` for `onggi.identity.v1.MemberService/GetMember`."""
    service, slash, method = rpc_method.rpartition("/")
    return f"{service.rpartition('.')[2]}{slash}{method}"


def _to_milliseconds(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
