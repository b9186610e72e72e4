"""How many records a law keeps beyond the statutory maximum that a part is: a person has to decide on them."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column."""
    op.execute("ALTER TABLE plan_part ADD COLUMN conflicts bigint NOT NULL DEFAULT 0")
