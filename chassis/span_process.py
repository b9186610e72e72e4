"""The process that sends a service's access spans, beside the one that serves.

It has the auditor's login and the service's certificate, and no way to a key. It stays small: it imports nothing that
serves. It steps back from the processor for whatever answers calls: a row is durable, so its span can wait.
"""

import os

import structlog

from chassis.program import read_settings, run, stop_signal
from chassis.settings import SpanSettings
from chassis.span_export import SpanExporter
from chassis.trace_receiver import TraceReceiver

log = structlog.get_logger()

_NICENESS = 10


def export_spans(service: str) -> None:
    """Send the access spans of a service until a signal, and then what is committed by then."""
    settings = read_settings(SpanSettings)
    os.nice(_NICENESS)
    run(lambda: _export(service, settings), settings.log_level)


async def _export(service: str, settings: SpanSettings) -> None:
    stop = stop_signal()
    exporter = SpanExporter(service, settings.database, TraceReceiver(settings.telemetry, settings.tls))
    exporter.start()
    log.info("sending spans", service=service)
    await stop.wait()
    log.info("stopping", service=service)
    await exporter.close()
