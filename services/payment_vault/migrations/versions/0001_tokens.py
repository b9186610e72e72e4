"""Tokens; the processing log, the salts and the purge tables beneath them."""

from alembic import op

from chassis.migrate import schema, split

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE token (
    token              text        PRIMARY KEY,
    member_id          uuid        NOT NULL,
    kind               text        NOT NULL CHECK (kind IN ('card', 'bank_account')),
    number_fingerprint text        NOT NULL,
    fingerprint        text        NOT NULL,
    sealed             text        NOT NULL,
    sealed_masked      text        NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT transaction_timestamp()
);
-- The same instrument of the same member is one token, whoever was first (both fingerprints are keyed per member).
CREATE UNIQUE INDEX token_fingerprint ON token (fingerprint);
CREATE INDEX token_number ON token (number_fingerprint);
CREATE INDEX token_member ON token (member_id, created_at, token);
SELECT guard_with_log('token');
GRANT SELECT, INSERT, UPDATE, DELETE ON token TO payment_vault;
GRANT SELECT ON token TO payment_vault_auditor;
"""


def upgrade() -> None:
    """Make everything."""
    for name in ("ledger", "erasure_key", "purge"):
        for statement in schema(name, "payment_vault"):
            op.execute(statement)
    for statement in split(TABLES):
        op.execute(statement)
