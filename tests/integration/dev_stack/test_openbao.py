"""OpenBao of the laptop stack is set up as a server is, and each role does with each key what it must and no more."""

import stat

import hvac.exceptions
import pytest

from dev import vault_setup
from dev.stack import Stack
from tests.integration.dev_stack.key_access import ALLOWED, CONTEXT, KEYS, OPERATIONS, ROLES, b64, log_in

pytestmark = pytest.mark.timeout(120)


def test_openbao_is_a_server_and_not_the_development_mode(stack: Stack) -> None:
    """Raft storage on disk, TLS 1.3, the declared audit device, secrets for their owner alone."""
    client = stack.openbao.client()
    configuration = client.read("sys/config/state/sanitized")["data"]

    assert configuration["storage"]["type"] == "raft"
    assert configuration["listeners"][0]["config"]["tls_min_version"] == "tls13"
    assert list(client.sys.list_enabled_audit_devices()["data"]) == ["file/"]
    assert (stack.openbao.storage_directory / "vault.db").stat().st_size > 0
    assert stat.S_IMODE(stack.openbao.audit_file.stat().st_mode) == 0o600
    secrets = list((stack.directory / "secrets").iterdir())
    assert len(secrets) > 10
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets} == {0o600}


def test_openbao_unseals_itself_and_keeps_its_keys(stack: Stack) -> None:
    """After a restart a ciphertext from before opens, and nobody had to unseal."""
    client = stack.openbao.client()
    audited = stack.openbao.audit_file.stat().st_size
    sealed = client.secrets.transit.encrypt_data("epoch-identity", plaintext=b64("salt"))["data"]["ciphertext"]

    stack.openbao.stop()
    stack.openbao.start()

    opened = stack.openbao.client().secrets.transit.decrypt_data("epoch-identity", ciphertext=sealed)
    assert b64("salt") == opened["data"]["plaintext"]
    assert stack.openbao.audit_file.stat().st_size > audited
    vault_setup.apply(stack.openbao.client())  # and setting up again changes nothing


def test_no_key_can_leave_or_be_deleted(stack: Stack) -> None:
    """Every key is as keys.toml says and neither exportable nor deletable, even for root."""
    client = stack.openbao.client()
    for name, key in vault_setup.read_keys().items():
        actual = client.secrets.transit.read_key(name)["data"]
        assert (key["type"], key["derived"]) == (actual["type"], actual["derived"]), name
        assert [actual[f] for f in ("exportable", "allow_plaintext_backup", "deletion_allowed")] == [False] * 3, name
    with pytest.raises(hvac.exceptions.VaultError):
        client.secrets.transit.encrypt_data("no-such-key", plaintext=b64("x"))  # upsert is off


def test_each_role_does_with_each_key_what_it_must_and_no_more(stack: Stack) -> None:
    """CR-09: every role x key x operation; the cells of the design succeed, every other answers 403."""
    root = stack.openbao.client()
    ciphertexts = {}
    for key in KEYS:
        if not key.startswith(("index", "certificate")):
            sealed = root.write_data(f"transit/encrypt/{key}", data={"plaintext": b64("x"), "context": CONTEXT})
            ciphertexts[key] = sealed["data"]["ciphertext"]
    succeeded, refused = set(), 0
    for role, service in ROLES.items():
        client = log_in(stack, role, stack.service_credentials(service))
        for operation, (method, path, template) in OPERATIONS.items():
            for key in KEYS:
                sealed = ciphertexts.get(key, "vault:v1:AAAA")
                body = {k: sealed if v == "{ciphertext}" else v for k, v in template.items()}
                try:
                    client.adapter.request(method, f"/v1/transit/{path.format(key=key)}", json=body)
                except hvac.exceptions.Forbidden:
                    refused += 1
                else:
                    succeeded.add((role, operation, key))

    assert set(vault_setup.read_keys()) == set(KEYS)
    assert set(vault_setup.read_roles()) == set(ROLES)
    assert succeeded == ALLOWED
    assert refused == len(ROLES) * len(KEYS) * len(OPERATIONS) - len(ALLOWED)


@pytest.mark.parametrize("path", ["sys/policies/acl", "sys/mounts", "transit/keys", "auth/cert/certs", "pki/roles"])
def test_no_role_sees_or_changes_the_set_up(stack: Stack, path: str) -> None:
    """CR-09: policies, mounts, the list of keys, logins and the certificate authority are closed to every service."""
    for role, service in ROLES.items():
        client = log_in(stack, role, stack.service_credentials(service))
        for method, target in (("LIST", path), ("GET", path), ("POST", f"{path}/x")):
            with pytest.raises(hvac.exceptions.Forbidden):
                client.adapter.request(method, f"/v1/{target}", json={})
