"""`python -m services.retention` serves; `python -m services.retention migrate` brings the database up to date.

The only place where the retention service's parts are put together.
"""

import sys
from pathlib import Path

from onggi.processing_log.v1 import processing_log_service_pb2
from onggi.retention.v1 import retention_service_pb2

from chassis import migrate
from chassis.log_reader import LogReader
from chassis.mutation import Mutations
from chassis.policy.calendars import Calendars
from chassis.process import Process, configure_logging, run
from chassis.settings import MigrationSettings, refuse_unknown_names
from chassis.transit import Transit
from services.retention.categories import Categories
from services.retention.certificate import Certifier
from services.retention.explanation import Explainer
from services.retention.forecast import Forecast, Measure
from services.retention.holders import Holders
from services.retention.job import Job, own_spiffe_id
from services.retention.plans import Plans
from services.retention.preparation import Preparation
from services.retention.schedule import Schedule
from services.retention.servicer import RetentionServicer
from services.retention.settings import Settings
from services.retention.worker import Pace, Worker

SERVICE = "retention"
MIGRATIONS = Path(__file__).parent / "migrations"


async def serve(settings: Settings) -> None:
    """Serve until a signal."""
    async with Process(SERVICE, settings) as process:
        transit = Transit(settings.vault, settings.tls, role=SERVICE)
        await transit.start()
        process.on_close(transit.close)
        mutations = Mutations(process.engine)
        calendars = Calendars(process.privacy_policy)
        categories = Categories(calendars)
        certifier = Certifier(transit, categories, settings.windows)
        version = process.policy.version
        job = Job(own_spiffe_id(settings.tls.certificate_file), version)
        holders = Holders(settings.holders.by_name(), settings.tls)
        forecast = Forecast(categories, {measure: getattr(settings.forecast, measure) for measure in Measure})
        worker = Worker(process.engine, holders, certifier, job, Pace())
        preparation = Preparation(holders, categories, forecast)
        schedule = Schedule(process.engine, process.ledger, preparation, job, settings.schedule)
        plans = Plans(process.engine, mutations, preparation, version, worker.wake)
        worker.start()
        process.on_close(worker.close)
        schedule.start()
        process.on_close(schedule.close)
        services = [
            (
                retention_service_pb2.DESCRIPTOR.services_by_name["RetentionService"],
                RetentionServicer(process.engine, plans, Explainer(holders, calendars)),
            ),
            (
                processing_log_service_pb2.DESCRIPTOR.services_by_name["ProcessingLogService"],
                LogReader(SERVICE, process.auditor),
            ),
        ]
        await process.serve(services, {"key service": certifier.check})


def main(arguments: list[str]) -> None:
    """Serve, or migrate."""
    if arguments == ["migrate"]:
        configure_logging("info")
        migrate.upgrade(MigrationSettings().database, MIGRATIONS)
        return
    if arguments:
        sys.exit("usage: python -m services.retention [migrate]")
    refuse_unknown_names(Settings)
    settings = Settings()
    run(lambda: serve(settings), settings.log_level)


if __name__ == "__main__":
    main(sys.argv[1:])
