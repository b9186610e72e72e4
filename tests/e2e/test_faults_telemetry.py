"""The trace receiver away for a while: calls do not notice, and afterwards every log row has exactly its span."""

import asyncio
import json
from collections import Counter
from typing import Any

import pytest

from chassis.span_export import SpanExporter
from chassis.trace_receiver import TraceReceiver
from dev.stack import Stack
from tests.e2e.faults import DEADLINE, SERVICES, Figures, query
from tests.e2e.known import ANSWERED, EVERY, Known, slowest, tally

pytestmark = pytest.mark.timeout(120)

_OUTAGES, _AWAY = 3, 3.0
_WAVES = 2  # of 80 calls each, at least, in each outage
_CATCH_UP = 20.0
_ROW = """
SELECT l.xid, c.xid AS sent_up_to, l.rpc_method, l.status, l.phase, l.recorded_at::text
FROM processing_log AS l, span_export_cursor AS c WHERE l.record_id = $1
"""


async def test_every_row_has_its_span_after_the_receiver_was_away(breakable: Stack, figures: Figures) -> None:
    """Calls without a receiver all succeed; within 20 s of each return log rows and spans are the same (A3, H6)."""
    async with Known(breakable) as known:
        await _caught_up(breakable)  # the rows of earlier faults as well
        waves, waited, seconds = [], [], []
        for _ in range(_OUTAGES):
            breakable.otlp_receiver.stop()
            began = asyncio.get_running_loop().time()
            waves += [await known.wave() for _ in range(_WAVES)]
            waited.append(len(await _difference(breakable)))
            while asyncio.get_running_loop().time() - began < _AWAY:
                waves.append(await known.wave())
            await asyncio.to_thread(breakable.otlp_receiver.start)
            seconds.append(await _caught_up(breakable))
        spans = _spans(breakable)
        figures(f"receiver away {_OUTAGES} x {_AWAY:g} s: slowest of {80 * len(waves)} calls "
                f"{max(map(slowest, waves)):.2f} s, at most {max(waited)} rows waited, "
                f"caught up within {max(seconds):.1f} s; {len(spans)} rows = spans, "
                f"sent twice {spans.total() - len(spans)}")  # fmt: skip

        assert [tally(wave) for wave in waves] == [dict.fromkeys(EVERY, ANSWERED)] * len(waves)
        assert max(map(slowest, waves)) < DEADLINE
        assert min(waited) >= 80 * _WAVES, "the receiver was not away"
        assert await _difference(breakable) == set()


async def test_no_error_ends_the_export_of_spans() -> None:
    """Whatever a look raises, the exporter looks again: a log that is no longer rendered would go unnoticed."""
    looked = asyncio.Event()

    class Failing(SpanExporter):
        looks = 0

        async def export_once(self) -> bool:
            self.looks += 1
            if self.looks == 1:
                raise ValueError("Cannot invoke RPC on closed channel!")  # what grpc says
            looked.set()
            return False

    exporter = Failing("identity", Any, TraceReceiver(Any, Any), pause=0.01)  # type: ignore[arg-type]  # it looks at none
    exporter.start()
    try:
        await asyncio.wait_for(looked.wait(), 10.0)
    finally:
        await exporter.close()


async def _caught_up(stack: Stack) -> float:
    """Wait until rows and spans are the same; return the seconds, or fail and name what differs."""
    began = asyncio.get_running_loop().time()
    while (apart := await _difference(stack)) and asyncio.get_running_loop().time() - began < _CATCH_UP:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    assert apart == set(), [await _about(stack, record_id) for record_id in sorted(apart)[:5]]
    return asyncio.get_running_loop().time() - began


async def _about(stack: Stack, record_id: str) -> str:
    """Where a record is: its row in one of the logs, or only its span."""
    for service in SERVICES:
        for row in await query(stack, service, _ROW, record_id):
            return f"{service}: {dict(row)}, spans {_spans(stack)[record_id]}"
    return "a span without a row"


async def _difference(stack: Stack) -> set[str]:
    """Record ids that the logs of both services have and the receiver has not, or the other way round."""
    rows: set[str] = set()
    for service in SERVICES:
        rows |= {row["id"] for row in await query(stack, service, "SELECT record_id::text AS id FROM processing_log")}
    return rows ^ set(_spans(stack))


def _spans(stack: Stack) -> Counter[str]:
    """Record id -> how often the receiver has its access span; the last line may still be growing."""
    with stack.otlp_file.open() as file:
        spans = [json.loads(line) for line in file if line.endswith("\n")]
        return Counter(
            span["attributes"]["onggi.record_id"] for span in spans if span["scope"] == "onggi.processing_log"
        )
