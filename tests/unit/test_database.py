"""What the errors of PostgreSQL mean for a call: refused for good, or to be read back and tried again."""

import asyncpg
import pytest

from chassis.database import is_refusal


@pytest.mark.parametrize(("error", "refused"), [
    (asyncpg.UniqueViolationError, True), (asyncpg.InsufficientPrivilegeError, True), (asyncpg.LockNotAvailableError, True),
    (asyncpg.DeadlockDetectedError, False), (asyncpg.SerializationError, False),
    (asyncpg.AdminShutdownError, False), (asyncpg.DiskFullError, False), (asyncpg.ConnectionDoesNotExistError, False),
    (ConnectionResetError, False),
])  # fmt: skip
def test_what_is_wrong_with_the_statement_is_refused(error: type[Exception], refused: bool) -> None:
    """A deadlock, a shutdown or a lost connection says nothing about the statement (classes 08, 40, 53, 57, 58)."""
    assert is_refusal(error("x")) is refused
