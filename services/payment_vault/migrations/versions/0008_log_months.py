"""The log's coming months, made without a lock on the log."""

from alembic import op

from chassis.migrate import schema

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Put the function in the place of the one that locked."""
    for statement in schema("log_months", "payment_vault"):
        op.execute(statement)
