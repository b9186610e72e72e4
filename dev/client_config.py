"""`cli.toml`: where the services of this stack are and with which certificate each caller calls them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from dev.identities import CALLERS, account, server_name
from dev.pki import CertificateStore

DEFAULT_CALLER: Final = "support"


def render(addresses: Mapping[str, str], certificates: CertificateStore, public_key: Path) -> str:
    """The text of `cli.toml`, absolute paths.

    Args:
        addresses: service -> host:port.
        certificates: holds the callers' certificates.
        public_key: of the key that signs destruction certificates, PEM.

    """
    top = _table(
        None,
        [
            ("ca", certificates.ca_file),
            ("default_caller", DEFAULT_CALLER),
            ("certificate_public_key", public_key),
        ],
    )
    services = [
        _table(f"services.{name}", [("address", address), ("server_name", server_name(account(name)))])
        for name, address in addresses.items()
    ]
    callers = []
    for name, namespace in CALLERS.items():
        files = certificates.credentials(name, namespace)
        callers.append(_table(f"callers.{name}", [("certificate", files.certificate), ("key", files.key)]))
    return "\n".join([top, *services, *callers])


def _table(name: str | None, pairs: Iterable[tuple[str, str | Path]]) -> str:
    head = [f"[{name}]"] if name else []
    # a JSON string of these characters is a TOML basic string
    return "\n".join([*head, *(f"{key} = {json.dumps(str(value), ensure_ascii=False)}" for key, value in pairs), ""])
