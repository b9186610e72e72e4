"""The certificates of the laptop stack name one workload each and open that workload's roles alone."""

import datetime as dt
import stat
from pathlib import Path

import hvac.exceptions
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from dev.bootstrap_ca import key_pem
from dev.identities import CALLERS, OTLP_RECEIVER, SERVICES, Credentials, account, server_name, spiffe_id
from dev.stack import Stack
from tests.integration.dev_stack.key_access import ROLES, log_in

pytestmark = pytest.mark.timeout(120)


def test_a_certificate_opens_its_own_roles_alone(stack: Stack) -> None:
    """Every certificate of the stack against every role, and none at all: only a service enters, only its roles."""
    holders: dict[str, Credentials | None] = {name: stack.service_credentials(name) for name in SERVICES}
    holders |= {name: stack.client_credentials(name) for name in CALLERS}
    holders |= {OTLP_RECEIVER: stack.service_credentials(OTLP_RECEIVER), "nobody": None}
    entered = set()
    for role in ROLES:
        for holder, files in holders.items():
            try:
                log_in(stack, role, files)
            except hvac.exceptions.InvalidRequest:
                continue
            entered.add((role, holder))

    assert set(ROLES.items()) == entered


def test_a_certificate_of_another_authority_opens_no_role(stack: Stack, tmp_path: Path) -> None:
    """The right SPIFFE id is worth nothing without the right signature."""
    key = ec.generate_private_key(ec.SECP256R1())
    identity = spiffe_id("onggi", "identity")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity)])
    now = dt.datetime.now(dt.UTC)
    forged = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = Credentials(tmp_path / "ca.crt", tmp_path / "forged.crt", tmp_path / "forged.key")
    files.certificate.write_bytes(forged.public_bytes(Encoding.PEM))
    files.key.write_bytes(key_pem(key))

    with pytest.raises(hvac.exceptions.InvalidRequest):
        log_in(stack, "identity", files)


def test_certificates_name_the_workload_and_only_servers_have_a_dns_name(stack: Stack) -> None:
    """One SPIFFE id per certificate, a day of life at most, keys for their owner alone."""
    for name, namespace, server in [(account(s), "onggi", True) for s in SERVICES] + [
        (caller, namespace, False) for caller, namespace in CALLERS.items()
    ]:
        files = stack.service_credentials(name) if server else stack.client_credentials(name)
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        life = certificate.not_valid_after_utc - certificate.not_valid_before_utc

        assert [spiffe_id(namespace, name)] == names.get_values_for_type(x509.UniformResourceIdentifier)
        assert ([server_name(name)] if server else []) == names.get_values_for_type(x509.DNSName)
        assert life <= dt.timedelta(hours=24, minutes=1)
        assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
