"""Fingerprints under a key for each number, and no index that nothing looks into."""

from alembic import op

from chassis.migrate import split

revision = "0007"
down_revision = "0006"

# A fingerprint of the former kind cannot be told from the new one of the same instrument, which would get a second token.
STATEMENTS = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM token) THEN
        RAISE EXCEPTION 'tokens stand under fingerprints of the former kind'
        USING HINT = 'Export the instruments, delete their tokens, migrate, and import them: new tokens take their place.';
    END IF;
END $$;
DROP INDEX token_number;
"""


def upgrade() -> None:
    """Make sure of the one, do the other."""
    for statement in split(STATEMENTS):
        op.execute(statement)
