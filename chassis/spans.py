"""Ordinary spans: what a flush did for the calls in it. Evidence of timing for engineers, never the legal record.

A flush serves many calls at once, so its span is a child of the first call's and linked to those of the next ones.
Exceptions are never recorded: their text may hold values.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags
from opentelemetry.util.types import AttributeValue

from chassis.entry import Entry

_MAX_LINKS = 16  # encoding a link costs as much as a small request
_tracer = trace.get_tracer("onggi", schema_url="https://opentelemetry.io/schemas/1.45.0")


# Under load the flushes are alike, and a span costs about as much as a call: some of them each second tell enough.
_SHOWN_A_SECOND = 20
_shown = [0.0, 0.0]  # the second that is counted, and how many were shown in it


def _to_be_shown() -> bool:
    second = time.monotonic() // 1
    if _shown[0] != second:
        _shown[:] = second, 0.0
    _shown[1] += 1
    return _shown[1] <= _SHOWN_A_SECOND


@contextmanager
def flush(name: str, entries: Sequence[Entry]) -> Iterator[None]:
    """A span for work that is done for these calls at once; none where this second has had enough of them."""
    if not _to_be_shown():
        yield
        return
    contexts = [_context(entry) for entry in entries[: _MAX_LINKS + 1]]
    parent = trace.set_span_in_context(NonRecordingSpan(contexts[0])) if contexts else None
    with _tracer.start_as_current_span(
        name,
        parent,
        attributes={"onggi.batch_size": len(entries)},
        links=[Link(context) for context in contexts[1:]],
        record_exception=False,
        set_status_on_exception=False,
    ):
        yield


@contextmanager
def client(name: str, attributes: dict[str, AttributeValue]) -> Iterator[None]:
    """A span for a request to Vault or PostgreSQL, within a flush; outside of one there is none."""
    if not trace.get_current_span().is_recording():
        yield
        return
    with _tracer.start_as_current_span(
        name, kind=SpanKind.CLIENT, attributes=attributes, record_exception=False, set_status_on_exception=False
    ):
        yield


def _context(entry: Entry) -> SpanContext:
    return SpanContext(
        int(entry.trace_id, 16), int(entry.span_id, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )
