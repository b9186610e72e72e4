"""Certificates of services and callers, signed by OpenBao's PKI; a private key is made here and never sent."""

import datetime as dt
from pathlib import Path
from typing import Final

import hvac
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from dev.bootstrap_ca import key_pem
from dev.identities import Credentials, server_name, spiffe_id
from dev.secret_files import write_secret
from dev.vault_setup import PKI_ROLE

_RENEW_BEFORE: Final = dt.timedelta(hours=6)


class CertificateStore:
    """The directory of certificates: `ca.crt` and `<ns>-<name>.{crt,key}` for each workload."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def ca_file(self) -> Path:
        """The authority that all workloads trust, PEM."""
        return self._directory / "ca.crt"

    def credentials(self, name: str, namespace: str) -> Credentials:
        """Where the files of a workload are, issued or not."""
        stem = f"{namespace}-{name}"
        return Credentials(self.ca_file, self._directory / f"{stem}.crt", self._directory / f"{stem}.key")

    def write_authority(self, client: hvac.Client) -> None:
        """Write the authority's certificate."""
        self.ca_file.write_text(str(client.read("pki/cert/ca")["data"]["certificate"]).strip() + "\n")

    def issue(self, client: hvac.Client, name: str, namespace: str, *, server: bool) -> Credentials:
        """A certificate with the workload's SPIFFE id (EC P-256, 24 h), a new one when less than 6 h are left.

        Args:
            client: with the right to `pki/sign/workload`.
            name: service account.
            namespace: Kubernetes namespace.
            server: adds the DNS name that clients ask for.

        """
        files = self.credentials(name, namespace)
        if self._is_fresh(files):
            return files
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(spiffe_id(namespace, name))]
        if server:
            names.append(x509.DNSName(server_name(name)))
        key = ec.generate_private_key(ec.SECP256R1())
        request = (
            x509.CertificateSigningRequestBuilder()
            # OpenBao's cert auth names the session after it and refuses a certificate without one
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, spiffe_id(namespace, name))]))
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .sign(key, hashes.SHA256())
        )
        csr = request.public_bytes(Encoding.PEM).decode()
        answer = client.write_data(f"pki/sign/{PKI_ROLE}", data={"csr": csr, "exclude_cn_from_sans": True})
        write_secret(files.key, key_pem(key))
        files.certificate.write_text(answer["data"]["certificate"].strip() + "\n")
        return files

    def _is_fresh(self, files: Credentials) -> bool:
        if not (files.certificate.exists() and files.key.exists()):
            return False
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        try:
            certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(files.ca.read_bytes()))
        except (InvalidSignature, ValueError):
            return False
        return certificate.not_valid_after_utc - dt.datetime.now(dt.UTC) > _RENEW_BEFORE
