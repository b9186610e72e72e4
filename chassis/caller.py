"""Who calls: the SPIFFE identity in the client certificate, never anything that the caller writes into metadata."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_SCHEME = "spiffe://"
_FROM_NAMES = "x509_subject_alternative_name"


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller. ``spiffe_id`` is the whole id, ``account`` its short form ``<namespace>/<service account>``."""

    spiffe_id: str
    account: str
    namespace: str


UNIDENTIFIED = Caller("unidentified", "", "")


def from_identities(identities: Iterable[bytes] | None, found_in: str | None, trust_domain: str) -> Caller:
    """Return the caller whom gRPC has identified, or UNIDENTIFIED.

    ``found_in``: gRPC's identity key. Without alternative names it takes the common name for an identity, which is none.
    A certificate must name exactly one SPIFFE id (X509-SVID, section 2) of our trust domain, in the form
    ``spiffe://<trust domain>/ns/<namespace>/sa/<service account>``.
    """
    if identities is None or found_in != _FROM_NAMES:
        return UNIDENTIFIED
    names = [name for name in identities if name.startswith(b"spiffe://")]
    return parse(names[0], trust_domain) if len(names) == 1 else UNIDENTIFIED


@lru_cache(maxsize=1024)
def parse(name: bytes, trust_domain: str) -> Caller:
    """Return the caller of one SPIFFE id, or UNIDENTIFIED when it has another form or trust domain."""
    text = name.decode("ascii", "replace")
    parts = text.removeprefix(_SCHEME).split("/")
    if len(parts) != 5 or parts[0] != trust_domain or parts[1] != "ns" or parts[3] != "sa" or not all(parts):
        return UNIDENTIFIED
    return Caller(text, f"{parts[2]}/{parts[4]}", parts[2])
