"""W3C Trace Context, the part we need: ids in, ids out. The caller's sampling flag is not even looked at.

A caller may give the trace and the parent of its call; whether the call is recorded is not its decision (a flag of 00
must not switch the processing log off).
"""

import os
import random
import re
from collections.abc import Iterable
from typing import NamedTuple

HEADER = "traceparent"
# Ids need to differ, not to be unguessable, and three calls to the kernel for each request are felt.
_RANDOM = random.Random(os.urandom(32))  # noqa: S311
_FORM = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


class TraceIds(NamedTuple):
    """Ids in lower-case hexadecimal; ``parent_span_id`` is empty at the root."""

    trace_id: str
    span_id: str
    parent_span_id: str


def new_trace_id() -> str:
    """Return a random trace id."""
    return f"{_RANDOM.getrandbits(128):032x}"


def new_span_id() -> str:
    """Return a random span id."""
    return f"{_RANDOM.getrandbits(64):016x}"


def traceparent(trace_id: str, span_id: str) -> str:
    """Return the header that makes a span the parent of a call."""
    return f"00-{trace_id}-{span_id}-01"


def from_metadata(metadata: Iterable[tuple[str, str | bytes]] | None) -> TraceIds:
    """Return the ids of a new span under the caller's ``traceparent``, or of a new trace where there is no valid one."""
    for key, value in metadata or ():
        if key == HEADER and isinstance(value, str) and (match := _FORM.fullmatch(value)):
            trace_id, parent = match[1], match[2]
            if value[:2] != "ff" and int(trace_id, 16) and int(parent, 16):
                return TraceIds(trace_id, new_span_id(), parent)
    return TraceIds(new_trace_id(), new_span_id(), "")
