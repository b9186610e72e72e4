"""Legal holds: what no destruction touches while an authority wants it kept."""

from alembic import op

from chassis.migrate import schema

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make them."""
    for statement in schema("legal_hold", "identity"):
        op.execute(statement)
