"""Brings OpenBao to what `deploy/vault` says: engines, keys, policies, logins. Running it again changes nothing.

What is there already is compared with the data and never silently replaced: a key of another type is an error.
"""

import base64
import tomllib
from pathlib import Path
from typing import Any, Final

import hvac
import hvac.exceptions
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from dev.identities import SERVICE_NAMESPACE, TRUST_DOMAIN

DEPLOY: Final = Path(__file__).parent.parent / "deploy" / "vault"
PKI_ROLE: Final = "workload"
SIGNING_KEY: Final = "certificate-sign"
_AUTHORITY_TTL: Final = "87600h"
_CERTIFICATE_TTL: Final = "24h"


class SetupMismatch(RuntimeError):
    """What OpenBao holds contradicts `deploy/vault`."""


def read_keys() -> dict[str, dict[str, Any]]:
    """`deploy/vault/keys.toml`: key name -> type, derived, perhaps key_size, owner, reason."""
    return tomllib.loads((DEPLOY / "keys.toml").read_text())


def read_roles() -> dict[str, dict[str, str]]:
    """`deploy/vault/roles.toml`: role -> spiffe_id, policy, ttl, max_ttl."""
    return tomllib.loads((DEPLOY / "roles.toml").read_text())


def apply(client: hvac.Client) -> None:
    """Set up everything, with root's client.

    Raises:
        SetupMismatch: a key exists with another type or derivation.

    """
    _enable_engines(client)
    for name, key in read_keys().items():
        _ensure_key(client, name, {field: key[field] for field in ("type", "derived", "key_size") if field in key})
    authority = _ensure_authority(client)
    for policy in sorted((DEPLOY / "policies").glob("*.hcl")):
        client.sys.create_or_update_policy(policy.stem, policy.read_text())
    for role, login in read_roles().items():
        _write(
            client,
            f"auth/cert/certs/{role}",
            certificate=authority,
            allowed_uri_sans=[login["spiffe_id"]],
            token_policies=[login["policy"]],
            token_no_default_policy=True,
            token_ttl=login["ttl"],
            token_max_ttl=login["max_ttl"],
        )


def signing_public_key(client: hvac.Client) -> bytes:
    """The public half of the newest version of the certificate key, PEM (SubjectPublicKeyInfo)."""
    key = client.secrets.transit.read_key(SIGNING_KEY)["data"]
    raw = base64.b64decode(key["keys"][str(key["latest_version"])]["public_key"])
    return Ed25519PublicKey.from_public_bytes(raw).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _enable_engines(client: hvac.Client) -> None:
    engines = client.sys.list_mounted_secrets_engines()["data"]
    if "transit/" not in engines:
        client.sys.enable_secrets_engine("transit", path="transit")
    if "pki/" not in engines:
        client.sys.enable_secrets_engine("pki", path="pki", config={"max_lease_ttl": _AUTHORITY_TTL})
    if "cert/" not in client.sys.list_auth_methods()["data"]:
        client.sys.enable_auth_method("cert", path="cert")
    # Without this, whoever may encrypt could make a key by asking for one that is not there.
    _write(client, "transit/config/keys", disable_upsert=True)


def _ensure_key(client: hvac.Client, name: str, wanted: dict[str, Any]) -> None:
    try:
        there = client.secrets.transit.read_key(name)["data"]
    except hvac.exceptions.InvalidPath:
        _write(client, f"transit/keys/{name}", **wanted, exportable=False)
        return
    if (there["type"], there["derived"]) != (wanted["type"], wanted["derived"]):
        raise SetupMismatch(f"transit key {name} is {there['type']}, derived={there['derived']}")


def _ensure_authority(client: hvac.Client) -> str:
    """The certificate of the workloads' authority, PEM; its key never leaves OpenBao."""
    try:
        issuers = client.list("pki/issuers")
    except hvac.exceptions.InvalidPath:
        issuers = None
    if not issuers:
        _write(
            client,
            "pki/root/generate/internal",
            common_name="onggi laptop workload authority",
            key_type="ec",
            key_bits=256,
            ttl=_AUTHORITY_TTL,
        )
    _write(
        client,
        f"pki/roles/{PKI_ROLE}",
        allowed_uri_sans=[f"spiffe://{TRUST_DOMAIN}/ns/*/sa/*"],
        allowed_domains=[f"{SERVICE_NAMESPACE}.internal"],
        allow_subdomains=True,
        allow_bare_domains=False,
        allow_localhost=False,
        allow_ip_sans=False,
        allow_wildcard_certificates=False,
        # A display name (see dev/pki.py), never checked and never trusted: workloads are known by the URI SAN.
        cn_validations=["disabled"],
        key_type="ec",
        key_bits=256,
        key_usage=["DigitalSignature"],
        server_flag=True,
        client_flag=True,
        ttl=_CERTIFICATE_TTL,
        max_ttl=_CERTIFICATE_TTL,
    )
    return str(client.read("pki/cert/ca")["data"]["certificate"])


def _write(client: hvac.Client, path: str, **data: object) -> None:
    client.write_data(path, data=data)
