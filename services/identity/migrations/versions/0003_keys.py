"""The life of keys: versions of ciphertexts, where they stand, and the fence that a retired version leaves."""

from alembic import op

from chassis.migrate import schema, split

revision = "0003"
down_revision = "0002"

_PLACES = """
INSERT INTO key_place (key, guarded, sealed, applies) VALUES
    ('pii', 'member', 'sealed', 'true'),
    ('pii', 'member', 'sealed_password', 'true'),
    ('pii', 'contact', 'sealed', 'true'),
    ('pii', 'login_record', 'sealed', 'true'),
    ('pii', 'usage_record', 'sealed', 'true'),
    ('pii', 'record_field', 'sealed', 'true'),
    ('epoch-identity', 'erasure_key', 'wrapped_salt', 'true');
"""


def upgrade() -> None:
    """Make them."""
    for statement in [*schema("key_floor", "identity"), *split(_PLACES)]:
        op.execute(statement)
