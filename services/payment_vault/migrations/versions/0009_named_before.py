"""Whom a plan has named stays due: found without a look at all that was ever destroyed."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the index, of what plans have not destroyed alone."""
    op.execute("CREATE INDEX purge_item_left ON purge_item (category, unit) WHERE state <> 'DESTROYED'")
