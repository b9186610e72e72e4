"""The life of keys: versions of ciphertexts, where they stand, and the fence that a retired version leaves."""

from alembic import op

from chassis.migrate import schema, split

revision = "0004"
down_revision = "0003"

_PLACES = """
INSERT INTO key_place (key, guarded, sealed, applies) VALUES
    ('card', 'token', 'sealed', 'kind = ''card'''),
    ('account', 'token', 'sealed', 'kind = ''bank_account'''),
    ('receipt', 'token', 'sealed', 'kind = ''cash_receipt'''),
    ('masked', 'token', 'sealed_masked', 'true'),
    ('epoch-payment-vault', 'erasure_key', 'wrapped_salt', 'true');
"""


def upgrade() -> None:
    """Make them."""
    for statement in [*schema("key_floor", "payment_vault"), *split(_PLACES)]:
        op.execute(statement)
