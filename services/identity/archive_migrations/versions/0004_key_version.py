"""Reading the version of a ciphertext without a regular expression."""

from alembic import op

from chassis.migrate import schema

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the function, or put it in the place of the one with a regular expression."""
    for statement in schema("key_version", "archive"):
        op.execute(statement)
