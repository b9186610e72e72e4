"""What every process of ours does, whatever it is for: its loop, its log of one JSON object a line, its end by signal."""

import asyncio
import logging
import resource
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog
import uvloop

from chassis import settings
from chassis.settings import ServiceSettings, SettingsRefused

log = structlog.get_logger()

Service = TypeVar("Service", bound=ServiceSettings)


def serve(kind: type[Service], main: Callable[[Service], Coroutine[Any, Any, None]]) -> None:
    """Run a service on the settings that the environment has for it."""
    given = read_settings(kind)
    run(lambda: main(given), given.log_level)


def read_settings(kind: type[settings.Settings]) -> settings.Settings:
    """Return the settings that the environment has; end the process with one line in the log for each that is refused."""
    try:
        return settings.read(kind)
    except SettingsRefused as error:
        configure_logging("info")
        for setting, reason in error.reasons.items():
            log.error("a setting is refused", setting=setting, reason=reason)
        sys.exit(1)


def run(main: Callable[[], Coroutine[Any, Any, None]], level: str) -> None:
    """Run until it ends, which ``stop_signal`` tells it to. No core dumps: they would hold what is in memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    configure_logging(level)
    uvloop.run(main())


def configure_logging(level: str) -> None:
    """One JSON object a line on standard output; no tracebacks, since they can hold values."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    for name in ("grpc", "sqlalchemy", "asyncio", "opentelemetry", "hvac", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def stop_signal() -> asyncio.Event:
    """Return what is set when SIGTERM or SIGINT has come."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
