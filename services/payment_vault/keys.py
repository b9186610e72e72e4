"""Names of keys, roles, units and places of the payment vault; nothing else spells them."""

from chassis.erasure_keys import Place

SERVICE = "payment_vault"
# Two sets of rights at Vault: one that can never decrypt a number, and one that can do nothing else.
TOKENIZE_ROLE = "payment-vault-tokenize"
DETOKENIZE_ROLE = "payment-vault-detokenize"
EPOCH_KEY = "epoch-payment-vault"
INDEX_KEY = "index-payment-vault"
MASKED_KEY = "masked"
NUMBER_KEYS = {"card": "card", "bank_account": "account", "cash_receipt": "receipt"}


def member_unit(member_id: str) -> str:
    """The erasure unit of a member's means of payment."""
    return f"member:{member_id}"


def number_place(token: str) -> Place:
    """Where a token's sealed instrument stands."""
    return Place(SERVICE, "token", token, "number")


def masked_place(token: str) -> Place:
    """Where a token's sealed masked view stands."""
    return Place(SERVICE, "token", token, "masked")
