"""Who may do what with which key, written by hand and not read from `deploy/vault`: what the tests hold it to."""

import base64

import hvac

from dev.identities import Credentials
from dev.stack import Stack

ROLES = {
    "archive": "archive",
    "archive-keys": "archive",
    "identity": "identity",
    "identity-keys": "identity",
    "payment-vault-keys": "payment_vault",
    "payment-vault-tokenize": "payment_vault",
    "payment-vault-detokenize": "payment_vault",
    "retention": "retention",
}
"""Role -> the service that may take it."""

LIFE = ("read", "rotate", "rewrap", "floors", "trim")
"""What the login for the life of keys may do with each key of its holder; not once encrypt or decrypt (CR-09)."""
_LIVES = {
    "archive-keys": ("archive", "epoch-archive"),
    "identity-keys": ("pii", "epoch-identity"),
    "payment-vault-keys": ("card", "account", "receipt", "masked", "epoch-payment-vault"),
}

ALLOWED = {
    *((role, operation, key) for role, keys in _LIVES.items() for key in keys for operation in LIFE),
    ("archive", "encrypt", "archive"),
    ("archive", "decrypt", "archive"),
    ("archive", "encrypt", "epoch-archive"),
    ("archive", "decrypt", "epoch-archive"),
    ("archive", "hmac", "index-archive"),
    ("identity", "encrypt", "pii"),
    ("identity", "decrypt", "pii"),
    ("identity", "encrypt", "epoch-identity"),
    ("identity", "decrypt", "epoch-identity"),
    ("identity", "hmac", "index-identity"),
    ("identity", "encrypt", "archive"),
    ("identity", "encrypt", "epoch-archive"),
    ("payment-vault-tokenize", "encrypt", "card"),
    ("payment-vault-tokenize", "encrypt", "account"),
    ("payment-vault-tokenize", "encrypt", "receipt"),
    ("payment-vault-tokenize", "encrypt", "masked"),
    ("payment-vault-tokenize", "decrypt", "masked"),
    ("payment-vault-tokenize", "encrypt", "epoch-payment-vault"),
    ("payment-vault-tokenize", "decrypt", "epoch-payment-vault"),
    ("payment-vault-tokenize", "hmac", "index-payment-vault"),
    ("payment-vault-detokenize", "decrypt", "card"),
    ("payment-vault-detokenize", "decrypt", "account"),
    ("payment-vault-detokenize", "decrypt", "receipt"),
    ("payment-vault-detokenize", "decrypt", "epoch-payment-vault"),
    ("retention", "hmac", "index-retention"),
    ("retention", "sign", "certificate-sign"),
    ("retention", "read", "certificate-sign"),
}
KEYS = (
    *("pii", "archive", "card", "account", "receipt", "masked"),
    *("epoch-identity", "epoch-archive", "epoch-payment-vault"),
    *("index-identity", "index-archive", "index-payment-vault", "index-retention", "certificate-sign"),
)


def b64(text: str) -> str:
    """A text as OpenBao takes it."""
    return base64.b64encode(text.encode()).decode()


CONTEXT = b64("context")
OPERATIONS: dict[str, tuple[str, str, dict[str, object]]] = {
    "encrypt": ("POST", "encrypt/{key}", {"plaintext": b64("x"), "context": CONTEXT}),
    "decrypt": ("POST", "decrypt/{key}", {"ciphertext": "{ciphertext}", "context": CONTEXT}),
    "hmac": ("POST", "hmac/{key}", {"input": b64("x")}),
    "sign": ("POST", "sign/{key}", {"input": b64("x")}),
    "read": ("GET", "keys/{key}", {}),
    "export": ("GET", "export/encryption-key/{key}", {}),
    "delete": ("DELETE", "keys/{key}", {}),
    "rotate": ("POST", "keys/{key}/rotate", {}),
    "rewrap": ("POST", "rewrap/{key}", {"ciphertext": "{ciphertext}", "context": CONTEXT}),
    "datakey": ("POST", "datakey/plaintext/{key}", {"context": CONTEXT}),
    "configure": ("POST", "keys/{key}/config", {"deletion_allowed": True}),
    "floors": ("POST", "keys/{key}/config", {"min_decryption_version": 1, "min_encryption_version": 1}),
    "trim": ("POST", "keys/{key}/trim", {"min_available_version": 1}),
    "backup": ("GET", "backup/{key}", {}),
    "create": ("POST", "keys/new-{key}", {"type": "aes256-gcm96"}),
}
"""Operation -> HTTP method, path below `transit/`, body."""


def log_in(stack: Stack, role: str, files: Credentials | None) -> hvac.Client:
    """A client with the token that `files` gets under `role`."""
    client = hvac.Client(
        url=stack.openbao.address,
        verify=str(stack.openbao.ca_file),
        cert=(str(files.certificate), str(files.key)) if files else None,
    )
    answer = client.adapter.post("/v1/auth/cert/login", json={"name": role})
    client.token = answer["auth"]["client_token"]
    return client
