"""The tree of a trace, from span ids that may be incomplete or forged."""

import io
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from onggi.processing_log.v1.processing_log_service_pb2 import Entry
from rich.console import Console

from cli import trace_tree

START = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)


def _entry(
    span: str, parent: str, milliseconds: int, service: str = "identity", *, status: str = "OK", phase: str = "ACCESS"
) -> Entry:
    occurred, recorded = Timestamp(), Timestamp()
    occurred.FromDatetime(START + timedelta(milliseconds=milliseconds))
    recorded.FromDatetime(START + timedelta(milliseconds=milliseconds + 3))
    return Entry(
        record_id=f"record-{span}-{milliseconds}",
        span_id=span,
        parent_span_id=parent,
        service=service,
        status=status,
        rpc_method="onggi.purge.v1.PurgeService/ExecutePurge",
        actor="spiffe://onggi/ns/onggi/sa/retention",
        occurred_at=occurred,
        recorded_at=recorded,
        phase=phase,
        error_reason="" if status == "OK" else "PURPOSE_NOT_ALLOWED",
    )


def _shape(spans: list[trace_tree.Span]) -> dict[str, object]:
    return {span.entries[0].span_id: _shape(span.children) for span in spans}


def test_calls_hang_under_their_callers_in_the_order_of_time() -> None:
    """A purge: retention calls both holders; its own caller's span is in no log, so it stands at the top."""
    entries = [
        _entry("c", "a", 9, "payment_vault"),
        _entry("a", "operator", 0, "retention"),
        _entry("b", "a", 5),
        _entry("d", "c", 11),
    ]

    assert _shape(trace_tree.build(entries)) == {"a": {"b": {}, "c": {"d": {}}}}


def test_a_missing_parent_leaves_its_children_at_the_top() -> None:
    """When retention's log is missing, the holders' entries are shown all the same."""
    assert _shape(trace_tree.build([_entry("b", "a", 5), _entry("c", "a", 9)])) == {"b": {}, "c": {}}


def test_an_outcome_belongs_to_the_call_it_tells_of() -> None:
    """The second entry of a call that failed after its access was recorded makes no second call."""
    access = _entry("a", "", 0)
    outcome = _entry("a", "", 4, phase="OUTCOME", status="UNAVAILABLE")

    (span,) = trace_tree.build([outcome, access])

    assert [entry.phase for entry in span.entries] == ["ACCESS", "OUTCOME"]


def test_forged_circles_are_shown_and_end() -> None:
    """Parents in a circle, a span that is its own parent, entries without a span: each entry is shown once."""
    entries = [
        _entry("a", "b", 0),
        _entry("b", "a", 1),
        _entry("c", "c", 2),
        _entry("", "", 3),
        _entry("", "", 4),
    ]

    def count(spans: list[trace_tree.Span]) -> int:
        return sum(len(span.entries) + count(span.children) for span in spans)

    assert count(trace_tree.build(entries)) == len(entries)


def test_the_drawing_says_who_did_what_and_when() -> None:
    """Service, method, actor, status and times; Korean time at the head; nothing that a terminal would act on."""
    entries = [
        _entry("a", "operator", 0, "retention"),
        _entry("b", "a", 5, "ident\x1b[2Jity", status="PERMISSION_DENIED"),
    ]
    screen = Console(file=io.StringIO(), width=200)

    screen.print(trace_tree.draw("f" * 32, trace_tree.build(entries)))

    drawn = screen.file.getvalue()  # type: ignore[attr-defined]
    assert f"trace {'f' * 32}  2026-03-02 00:00:00.000 KST" in drawn
    assert "PurgeService/ExecutePurge  onggi/retention  OK  +0.0 ms, recorded after 3.0 ms" in drawn
    assert "PERMISSION_DENIED PURPOSE_NOT_ALLOWED  +5.0 ms" in drawn
    assert "\x1b" not in drawn
    assert "\\x1b" in drawn


def test_json_nests_as_the_tree_does() -> None:
    """Programs get entries and children, with the contract's field names."""
    (top,) = trace_tree.as_objects(trace_tree.build([_entry("a", "x", 0), _entry("b", "a", 1)]))

    assert top["entries"][0]["parent_span_id"] == "x"
    assert top["children"][0]["entries"][0]["span_id"] == "b"
