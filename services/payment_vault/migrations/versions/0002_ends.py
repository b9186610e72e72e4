"""Tokens that end: by their own time, by their card's, or by one reveal; and cash-receipt identifiers.

The fingerprint stays unique over all tokens. What tells a token with an end of its own apart is the request that asked
for it, so that two tries of one request meet in one row and nobody else's ever do.
"""

from alembic import op

from chassis.migrate import split

revision = "0002"
down_revision = "0001"

ENDS = """
ALTER TABLE token
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN one_time   boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT token_kind_check,
    ADD CONSTRAINT token_kind_check CHECK (kind IN ('card', 'bank_account', 'cash_receipt'));
-- What the sweeper looks for. Cards of one month end together, so the index is small.
CREATE INDEX token_end ON token (expires_at) WHERE expires_at IS NOT NULL;
"""


def upgrade() -> None:
    """Add the columns."""
    for statement in split(ENDS):
        op.execute(statement)
