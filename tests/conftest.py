"""One real stack for every test that asks for it: started once a session, stopped and erased at its end."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from dev.stack import Stack
from tests.integration.clients import Clients
from tests.integration.log_rows import Log

# The same examples at every run: a change that breaks a property is told from a run that has found something new.
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """PostgreSQL, OpenBao, the OTLP receiver and all services, on a directory of their own.

    The directory's path is short, as a Unix socket's must be.
    """
    directory = Path(tempfile.mkdtemp(prefix="onggi-"))
    running = Stack(directory)
    try:
        running.start()
        yield running
    finally:
        running.erase()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
async def clients(stack: Stack) -> AsyncIterator[Clients]:
    """Calls as any caller, closed after the test."""
    opened = Clients(stack)
    yield opened
    await opened.close()


@pytest.fixture
async def log(stack: Stack) -> AsyncIterator[Log]:
    """The processing logs and tables, read (and broken, where a test does) as superuser, closed after the test."""
    opened = Log(stack)
    yield opened
    await opened.close()
