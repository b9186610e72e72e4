"""Retention's process: the only place that knows how its parts are put together."""

from functools import partial

from onggi.processing_log.v1 import processing_log_service_pb2
from onggi.retention.v1 import hold_service_pb2, retention_service_pb2

from chassis.log_reader import LogReader
from chassis.mutation import Mutations
from chassis.policy.calendars import Calendars
from chassis.process import Process
from chassis.transit import Transit
from services.retention import store
from services.retention.categories import Categories
from services.retention.certificate import Certifier
from services.retention.explanation import Explainer
from services.retention.explanation_pages import ExplanationPages
from services.retention.forecast import Forecast, Measure
from services.retention.hold_servicer import HoldServicer
from services.retention.hold_telling import Telling
from services.retention.hold_worker import HoldWorker
from services.retention.holders import Holders
from services.retention.holds import Holds, known
from services.retention.job import Job, own_spiffe_id
from services.retention.plans import Plans
from services.retention.preparation import Preparation
from services.retention.schedule import Schedule
from services.retention.servicer import RetentionServicer
from services.retention.settings import Settings
from services.retention.worker import Pace, Worker

SERVICE = "retention"


async def serve(settings: Settings) -> None:
    """Serve until a signal."""
    async with Process(SERVICE, settings) as process:
        transit = Transit(settings.vault, settings.tls, role=SERVICE)
        await transit.start()
        process.on_close(transit.close)
        process.keep(store.unfinished(process.privacy_policy))
        mutations = Mutations(process.engine)
        calendars = Calendars(process.privacy_policy)
        categories = Categories(calendars)
        certifier = Certifier(transit, categories, settings.windows)
        job = Job(own_spiffe_id(settings.tls.certificate_file), process.policy.version)
        holders = Holders(settings.holders.by_name(), settings.tls)
        forecast = Forecast(categories, {measure: getattr(settings.forecast, measure) for measure in Measure})
        rules = process.privacy_policy.retention.holds
        telling = Telling(process.engine, holders, job, rules.purpose)
        worker = Worker(process.engine, telling, certifier, job, Pace())
        preparation = Preparation(holders, categories, forecast)
        schedule = Schedule(process.engine, process.ledger, preparation, job, settings.schedule)
        plans = Plans(process.engine, mutations, preparation, worker.wake)
        holds = Holds(process.engine, mutations, telling, rules)
        hold_worker = HoldWorker(process.engine, telling)
        worker.start()
        process.on_close(worker.close)
        schedule.start()
        process.on_close(schedule.close)
        hold_worker.start()
        process.on_close(hold_worker.close)
        explainer = Explainer(holders, calendars, partial(known, process.engine))
        services = [
            (
                retention_service_pb2.DESCRIPTOR.services_by_name["RetentionService"],
                RetentionServicer(process.engine, plans, ExplanationPages(explainer, transit)),
            ),
            (hold_service_pb2.DESCRIPTOR.services_by_name["HoldService"], HoldServicer(holds)),
            (
                processing_log_service_pb2.DESCRIPTOR.services_by_name["ProcessingLogService"],
                LogReader(SERVICE, process.auditor),
            ),
        ]
        await process.serve(services, {"key service": certifier.check})
