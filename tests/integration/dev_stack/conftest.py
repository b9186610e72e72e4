"""A stack of the tests' own, of infrastructure alone: its parts are killed, restarted and filled with probes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL, OpenBao and the OTLP receiver, without services."""
    running = Stack(tmp_path_factory.mktemp("stack"), services=())
    running.start()
    yield running
    running.erase()


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A directory for a stack of the test's own, whose data is deleted afterwards."""
    yield tmp_path
    shutil.rmtree((tmp_path / "postgres").resolve(), ignore_errors=True)
