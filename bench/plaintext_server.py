"""The payment vault without TLS, for one ratio of the benchmark and nothing else.

No setting can make a service speak in the clear. This process can, since it takes two parts of the server away before it
starts: the credentials of its port, and the reading of the caller from a certificate, in whose place stands the caller of
the benchmark. All else is the service itself.
"""

import os
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import grpc

from chassis import caller, server
from dev.identities import CALLERS, spiffe_id
from services.payment_vault.__main__ import main as serve

CALLER = "billing"


def _replace(module: ModuleType, name: str, value: Any) -> None:
    if not hasattr(module, name):
        raise AttributeError(f"{module.__name__} has no {name} any more: the plaintext server must be looked at")
    setattr(module, name, value)


def _credentials(tls: object) -> Any:
    return grpc.insecure_server_credentials()


def _caller(identities: Iterable[bytes] | None, found_in: str | None, trust_domain: str) -> caller.Caller:
    return caller.parse(spiffe_id(CALLERS[CALLER], CALLER).encode(), trust_domain)


def main() -> None:
    """Serve on this machine alone until a signal."""
    if not os.environ["ONGGI_SERVER__ADDRESS"].startswith("127.0.0.1:"):
        raise SystemExit("a plaintext server listens on 127.0.0.1 alone")
    _replace(server, "server_credentials", _credentials)
    _replace(caller, "from_identities", _caller)
    serve([])


if __name__ == "__main__":
    main()
