"""Retention's own parts on a stack, put together as its process does: nothing starts by itself, and the day is the test's."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from chassis import detached
from chassis.policy.calendars import Calendars
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.process import Process
from chassis.transit import Transit
from dev.stack import Stack
from services.retention.categories import Categories
from services.retention.certificate import Certifier
from services.retention.explanation import Explainer
from services.retention.forecast import Forecast, Measure
from services.retention.hold_telling import Telling
from services.retention.holders import Holders
from services.retention.holds import known
from services.retention.job import Job, own_spiffe_id
from services.retention.plan import utc_now
from services.retention.preparation import Preparation
from services.retention.schedule import Schedule
from services.retention.settings import Settings
from services.retention.worker import Pace, Worker
from tests.integration import process_settings


@dataclass
class Clock:
    """The present of the parts: `now`, or what it really is."""

    now: datetime | None = None

    def __call__(self) -> datetime:
        """The present."""
        return self.now or utc_now()


@dataclass(frozen=True)
class Parts:
    """What a test drives itself, or puts further parts on."""

    process: Process
    transit: Transit
    telling: Telling
    worker: Worker
    preparation: Preparation
    schedule: Schedule
    explainer: Explainer
    clock: Clock


def settings_of(stack: Stack) -> Settings:
    """The settings that a process of the stack would read."""
    return process_settings.read(Settings, stack, "retention")


@asynccontextmanager
async def parts(
    stack: Stack, limits: Mapping[Measure, int], pace: Pace, policy: PrivacyPolicy | None = None
) -> AsyncIterator[Parts]:
    """The parts under retention's own certificate and database. `limits`: the forecast's; `policy`: what it plans by."""
    settings, clock = settings_of(stack), Clock()
    async with Process("retention", settings) as process:
        transit = Transit(settings.vault, settings.tls, "retention")
        await transit.start()
        policy = policy or process.privacy_policy
        calendars = Calendars(policy)
        categories = Categories(calendars)
        holders = Holders(settings.holders.by_name(), settings.tls)
        job = Job(own_spiffe_id(settings.tls.certificate_file), process.policy.version)
        telling = Telling(process.engine, holders, job, policy.retention.holds.purpose)
        worker = Worker(process.engine, telling, Certifier(transit, categories, settings.windows), job, pace)
        preparation = Preparation(holders, categories, Forecast(categories, limits), clock)
        schedule = Schedule(process.engine, process.ledger, preparation, job, settings.schedule)
        explainer = Explainer(holders, calendars, partial(known, process.engine), clock)
        try:
            yield Parts(process, transit, telling, worker, preparation, schedule, explainer, clock)
        finally:
            await detached.finish()
            await transit.close()
            await process.ledger.close()
            await process.ledger._hot.close()  # else a connection outlives the test's event loop
