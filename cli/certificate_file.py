"""The file of a destruction certificate (파기확인서), and its offline verification.

    {"statement": "<the canonical JSON, as a string>", "signature": "<base64>", "key_id": …, "public_key_pem": …}

The signature (Ed25519, RFC 8032) is over the UTF-8 bytes of the statement, exactly. The statement is a string, so that
no JSON library on the way can reorder or respace what was signed. Key id and public key are told by the file and not
signed: who could forge a statement could put a key of their own beside it, so verification never takes its key there.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from onggi.retention.v1.retention_service_pb2 import Certificate

from cli.failures import CheckError, UsageError
from cli.json_output import dumps


@dataclass(frozen=True)
class CertificateFile:
    """The four texts of the file."""

    statement: str
    signature: str
    key_id: str
    public_key_pem: str

    @classmethod
    def of(cls, certificate: Certificate) -> Self:
        """From the service's answer. Raises CheckError when the statement is not UTF-8."""
        try:
            statement = certificate.statement.decode()
        except UnicodeDecodeError as error:
            raise CheckError("the service's statement is not UTF-8") from error
        signature = base64.b64encode(certificate.signature).decode("ascii")
        return cls(statement, signature, certificate.key_id, certificate.public_key_pem)

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """From the bytes of a file. Raises CheckError when they are not a certificate."""
        try:
            document = json.loads(content.decode())
        except (ValueError, RecursionError) as error:
            raise CheckError("not a certificate: the file is not JSON") from error
        names = [field.name for field in fields(cls)]
        if not isinstance(document, dict) or not all(isinstance(document.get(name), str) for name in names):
            raise CheckError(f"not a certificate: the file wants the texts {', '.join(names)}")
        return cls(**{name: document[name] for name in names})

    def as_object(self) -> dict[str, str]:
        """The file's JSON object."""
        return asdict(self)

    def text(self) -> str:
        """The file's content."""
        return dumps(self.as_object()) + "\n"

    def verify(self, key: Ed25519PublicKey) -> dict[str, Any]:
        """What the certificate states, once the key has confirmed every byte of it. Raises CheckError otherwise."""
        try:
            signed = self.statement.encode()
            key.verify(base64.b64decode(self.signature, validate=True), signed)
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise CheckError("NOT AUTHENTIC: the signature is not this key's over this statement") from error
        try:
            stated = json.loads(signed)
        except (ValueError, RecursionError) as error:
            raise CheckError("signed, but the statement is not JSON") from error
        if not isinstance(stated, dict):
            raise CheckError("signed, but the statement is not a JSON object")
        return stated


def public_key(path: Path) -> Ed25519PublicKey:
    """The key that the operator trusts, from a PEM file. Raises UsageError."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read the public key {path}: {error.strerror}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path} is not a public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{path} is not an Ed25519 public key")
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """`sha256:<hexadecimal>` over the key's DER (SubjectPublicKeyInfo), to compare by telephone."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(der).hexdigest()}"
