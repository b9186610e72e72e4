"""The certificate of OpenBao's own listener: its PKI lives inside it and cannot vouch for it before it runs.

A small authority beside it signs that one certificate and nothing else; workloads trust it for OpenBao alone.
"""

import datetime as dt
import ipaddress
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dev.identities import server_name
from dev.ports import HOST
from dev.secret_files import write_secret

_AUTHORITY_LIFE: Final = dt.timedelta(days=3650)
_LISTENER_LIFE: Final = dt.timedelta(days=30)  # renewed at each start
_CLOCK_SKEW: Final = dt.timedelta(minutes=5)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as unencrypted PKCS #8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def certify_listener(ca_file: Path, ca_key_file: Path, certificate_file: Path, key_file: Path) -> None:
    """Write a fresh certificate and key for OpenBao's listener; make the authority first if there is none.

    Args:
        ca_file: the authority's certificate, PEM.
        ca_key_file: its key, PEM, 0600.
        certificate_file: the listener's certificate, for 127.0.0.1, localhost and openbao.onggi.internal.
        key_file: its key, 0600.

    """
    if not (ca_file.exists() and ca_key_file.exists()):
        _make_authority(ca_file, ca_key_file)
    authority = x509.load_pem_x509_certificate(ca_file.read_bytes())
    authority_key = serialization.load_pem_private_key(ca_key_file.read_bytes(), password=None)
    if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{ca_key_file} holds no EC key")
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName("localhost"), x509.DNSName(server_name("openbao"))]
    certificate = (
        _draft("openbao", authority.subject, key.public_key(), _LISTENER_LIFE)
        .add_extension(
            x509.SubjectAlternativeName([*names, x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    write_secret(key_file, key_pem(key))
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _make_authority(ca_file: Path, ca_key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = "onggi laptop bootstrap authority"
    sign_only = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _draft(name, _named(name), key.public_key(), _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(sign_only, critical=True)
        .sign(key, hashes.SHA256())
    )
    write_secret(ca_key_file, key_pem(key))
    ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _draft(
    subject: str, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, life: dt.timedelta
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
