"""The tree of one trace, from the span ids in the logs of all services.

An entry hangs under the entry whose span is its parent. A parent that is in no log (the caller's own span, or a service
that did not answer) leaves its children at the top.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from onggi.processing_log.v1.processing_log_service_pb2 import Entry
from rich.text import Text
from rich.tree import Tree

from cli.json_output import as_object
from cli.printable import kst, method_name, person_or_service, printable


@dataclass
class Span:
    """One call: its entry, a second one where it failed after the first (OUTCOME), and the calls that it made."""

    entries: list[Entry]
    children: list["Span"] = field(default_factory=list)

    @property
    def parent_id(self) -> str:
        """Span id of the caller's call; empty at a root."""
        return self.entries[0].parent_span_id


def build(entries: Iterable[Entry]) -> list[Span]:
    """The spans at the top, each with its children, in the order of time. Every entry is in the result once."""
    spans: dict[str, Span] = {}
    for entry in sorted(entries, key=_time):
        key = entry.span_id or entry.record_id
        spans.setdefault(key, Span([])).entries.append(entry)
    children: dict[str, list[Span]] = defaultdict(list)
    for span in spans.values():
        children[span.parent_id if span.parent_id in spans else ""].append(span)
    tops: list[Span] = []
    reached: set[str] = set()

    def hang(top: str) -> None:
        waiting = [top]
        while waiting:
            key = waiting.pop()
            reached.add(key)
            spans[key].children = [child for child in children[key] if _key(child) not in reached]
            waiting += [_key(child) for child in spans[key].children]

    # What no top leads to stands in a circle of parents, which only forged ids make; it is shown all the same.
    for key in [*(_key(span) for span in children[""]), *spans]:
        if key not in reached:
            tops.append(spans[key])
            hang(key)
    return tops


def draw(trace_id: str, tops: Sequence[Span]) -> Tree:
    """The tree for a terminal: service, method, actor, status, when it began, and how long until it was recorded."""
    start = min(_time(entry) for span in tops for entry in span.entries)
    first = next(entry for span in tops for entry in span.entries if _time(entry) == start)
    tree = Tree(Text(f"trace {trace_id}  {kst(first.occurred_at)}", style="bold"))
    waiting = [(tree, span) for span in reversed(tops)]
    while waiting:
        place, span = waiting.pop()
        branch = place.add(_label(span.entries[0], start))
        for entry in span.entries[1:]:
            branch.add(_label(entry, start))
        waiting += [(branch, child) for child in reversed(span.children)]
    return tree


def as_objects(spans: Sequence[Span]) -> list[dict[str, Any]]:
    """`[{"entries": […], "children": […]}, …]`."""
    return [
        {"entries": [as_object(entry) for entry in span.entries], "children": as_objects(span.children)}
        for span in spans
    ]


def _label(entry: Entry, start: int) -> Text:
    status = f"{entry.status} {entry.error_reason}".rstrip()
    recorded = (_nanoseconds(entry.recorded_at) - _time(entry)) / 1e6
    label = Text(printable(f"{entry.service}  "), overflow="fold")
    label.append(printable(method_name(entry.rpc_method)), style="bold")
    label.append(printable(f"  {person_or_service(entry.actor)}  "))
    label.append(printable(status), style="green" if entry.status == "OK" else "red")
    label.append(f"  +{(_time(entry) - start) / 1e6:.1f} ms")
    if entry.HasField("recorded_at"):
        label.append(f", recorded after {recorded:.1f} ms", style="dim")
    if entry.phase == "OUTCOME":
        label.append("  outcome", style="dim")
    return label


def _key(span: Span) -> str:
    return span.entries[0].span_id or span.entries[0].record_id


def _time(entry: Entry) -> int:
    return _nanoseconds(entry.occurred_at)


def _nanoseconds(moment: Timestamp) -> int:
    return moment.seconds * 10**9 + moment.nanos
