"""A stack to break: its own parts, apart from the stack that whole tests share, and whole again before each fault test."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from dev.stack import Stack
from tests.e2e import sized as sizes
from tests.e2e.faults import SERVICES, Figures, thaw

_FIGURES = "figures"


@pytest.fixture(scope="session")
def _breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("faults"), services=SERVICES)
    running.start()
    try:
        yield running
    finally:
        _thaw_all(running)
        for service in running.services.values():
            service.kill()  # nobody calls any more: there is nothing to drain
        running.erase()


@pytest.fixture
def breakable(_breakable: Stack) -> Iterator[Stack]:
    """A running stack of identity and payment_vault that the test may break."""
    mend(_breakable)
    yield _breakable
    mend(_breakable)


@pytest.fixture(scope="session")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose keys rotate and whose rows all open: a broken one would keep a version from being retired."""
    running = Stack(tmp_path_factory.mktemp("keys"), services=("archive", *SERVICES))
    running.start()
    yield running
    running.erase()


@pytest.fixture(scope="session")
def sized(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack for what is tested at full size: nobody else's rows are in it."""
    running = Stack(tmp_path_factory.mktemp("sized"), services=SERVICES)
    running.start()
    yield running
    running.erase()


@pytest.fixture(scope="session")
def stored(sized: Stack) -> sizes.Stored:
    """A hundred thousand instruments in its vault."""
    return asyncio.run(sizes.fill(sized))


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    """Keep what a test has measured for the end of the run."""
    return lambda text: record_property(_FIGURES, text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of the fault tests: a zero counts only beside how often it was tried."""
    reports = [
        report for kind in terminalreporter.stats.values() for report in kind if hasattr(report, "user_properties")
    ]
    lines = {text for report in reports for name, text in report.user_properties if name == _FIGURES}
    if lines:
        terminalreporter.section("figures")
        for line in sorted(lines):
            terminalreporter.write_line(line)


def mend(stack: Stack) -> None:
    """Let every part run again, whatever a test has done to it, and wait until both services are ready."""
    _thaw_all(stack)
    if not stack.postgres.process.running:
        stack.postgres.recover()
    if not stack.openbao.process.running:
        stack.openbao.start()
    if not stack.otlp_receiver.running:
        stack.otlp_receiver.start()
    for process in (*stack.span_exporters.values(), *stack.services.values()):
        if not process.running:
            process.launch()
    for service in stack.services.values():
        service.wait_ready()


def _thaw_all(stack: Stack) -> None:
    infrastructure = (stack.postgres.process, stack.openbao.process, stack.otlp_receiver)
    for part in (*infrastructure, *stack.span_exporters.values(), *stack.services.values()):
        if part.running:
            thaw(part)
