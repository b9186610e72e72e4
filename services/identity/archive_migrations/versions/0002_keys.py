"""The life of keys: versions of ciphertexts, where they stand, and the fence that a retired version leaves."""

from alembic import op

from chassis.migrate import schema, split

revision = "0002"
down_revision = "0001"

_PLACES = """
INSERT INTO key_place (key, guarded, sealed, applies) VALUES
    ('archive', 'record_field', 'sealed', 'true'),
    ('epoch-archive', 'erasure_key', 'wrapped_salt', 'true');
"""


def upgrade() -> None:
    """Make them."""
    for statement in [*schema("key_floor", "archive"), *split(_PLACES)]:
        op.execute(statement)
