"""The retention service's own parts on the real holders of a stack, at a day of the test's.

No service has a setting that fakes the time: what differs from the process is that here the test says which day it is.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import uuid4

import pytest
from onggi.retention.v1.kept_item_pb2 import KeptItem

from chassis import trace_context
from chassis.kst import KST
from chassis.policy.calendars import Calendars
from chassis.policy.load import load
from dev.stack import Stack
from services.retention.categories import Categories
from services.retention.explanation import Explainer
from services.retention.hold import Hold
from services.retention.holders import Holders
from services.retention.plan import Part
from services.retention.preparation import prepare
from tests.integration.log_rows import Log
from tests.integration.retention_parts import settings_of

Register = Callable[[Collection[str]], Awaitable[Mapping[str, Hold]]]


@dataclass(frozen=True)
class Days:
    """Explains and purges on any Korean day. ``register``: tells what there is of holds."""

    holders: Holders
    calendars: Calendars
    register: Register

    @classmethod
    def of(cls, stack: Stack, register: Register | None = None) -> "Days":
        """With the certificate and the holders of the stack's retention service, on the policy that it runs on."""
        settings = settings_of(stack)
        calendars = Calendars(load(settings.policy_directory))
        return cls(Holders(settings.holders.by_name(), settings.tls), calendars, register or _no_holds)

    async def explain(self, day: date, member_id: str = "", record_id: str = "") -> list[KeptItem]:
        """What is kept on a day."""
        explainer = Explainer(self.holders, self.calendars, self.register, lambda: datetime.combine(day, time(12), KST))
        lines = await explainer.explain(traceparent(), day, member_id, record_id)
        return [line.item for line in lines]

    async def purge(self, day: date, *names: str) -> list[Part]:
        """Destroy what is due on a day, of the categories named or of all, and have it verified; the parts as planned."""
        async with self.holders.connected(str(uuid4()), 1, traceparent()) as connected:
            parts = await prepare(connected, Categories(self.calendars).chosen(names, day))
            for part in parts:
                while (await connected.execute(part, 1000)).remaining:
                    pass
            for part in parts:
                answer = await connected.verify(part)
                failed = [check.name for check in answer.checks if not check.passed]
                assert answer.clean, (part.category, part.holder, failed)
        return parts


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: a purge of a day to come takes what other tests have made too."""
    running = Stack(tmp_path_factory.mktemp("s"))
    try:
        running.start()
        yield running
    finally:
        running.erase()


@pytest.fixture
async def log(stack: Stack) -> AsyncIterator[Log]:
    """The databases of this stack."""
    opened = Log(stack)
    yield opened
    await opened.close()


async def _no_holds(hold_ids: Collection[str]) -> Mapping[str, Hold]:
    """What the register has of the holds: nothing, unless a test says where the register is."""
    assert not hold_ids
    return {}


def traceparent() -> str:
    """The header of a call that has a new trace."""
    return trace_context.traceparent(trace_context.new_trace_id(), trace_context.new_span_id())
