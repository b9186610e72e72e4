"""The laptop stack stands on real parts, set up as production is: durable, quiet, each service with its own rights."""

import asyncio
import base64
import datetime as dt
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import grpc
import hvac
import hvac.exceptions
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from dev import environment, vault_setup
from dev.bootstrap_ca import key_pem
from dev.identities import CALLERS, OTLP_RECEIVER, SERVICES, Credentials, account, server_name, spiffe_id
from dev.lineage import start_time
from dev.lock import DirectoryInUse
from dev.ports import Ports
from dev.postgres import Login
from dev.processes import Process, ProcessFailed
from dev.readiness import serving
from dev.stack import Stack

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL, OpenBao and the OTLP receiver, without services."""
    running = Stack(tmp_path_factory.mktemp("stack"), services=())
    running.start()
    yield running
    running.erase()


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A directory for a stack of the test's own, whose data is deleted afterwards."""
    yield tmp_path
    shutil.rmtree((tmp_path / "postgres").resolve(), ignore_errors=True)


# --- PostgreSQL


async def _rows(login: Login, *statements: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(
        host=login.host, port=login.port, database=login.database, user=login.user, password=login.password
    )
    try:
        return [row for statement in statements for row in await connection.fetch(statement)]
    finally:
        await connection.close()


def rows(login: Login, *statements: str) -> list[asyncpg.Record]:
    """Run statements in one session; all their rows."""
    return asyncio.run(_rows(login, *statements))


DURABLE_AND_QUIET = {
    "listen_addresses": "",
    "wal_level": "replica",
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "data_checksums": "on",
    "password_encryption": "scram-sha-256",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
    "log_min_messages": "log",
    "log_min_duration_statement": "-1",
    "log_statement": "none",
    "TimeZone": "UTC",
}


def test_postgresql_is_durable_and_quiet(stack: Stack) -> None:
    """A commit survives a crash, and no setting lets a value into the server's log."""
    settings = rows(stack.postgres.login("identity", "identity"), "SELECT name, setting FROM pg_settings")
    actual = {row["name"]: row["setting"] for row in settings}

    assert {name: actual[name] for name in DURABLE_AND_QUIET} == DURABLE_AND_QUIET
    assert int(rows(stack.postgres.login("identity", "identity"), "SHOW server_version_num")[0][0]) // 10_000 == 18


def test_a_failing_statement_leaves_its_value_out_of_the_log(stack: Stack) -> None:
    """A unique violation, a bad cast, a syntax error and an unknown name keep the value out of the server's log."""
    owner = stack.postgres.login("retention", "retention_owner")
    value = "planted-value-4719"
    insert = f"INSERT INTO quiet VALUES ('{value}')"
    rows(owner, "CREATE TABLE quiet (word text PRIMARY KEY)", insert)

    for statement in (insert, f"SELECT '{value}'::int", f"'{value}'", f'TABLE "{value}"'):
        with pytest.raises(asyncpg.PostgresError):
            rows(owner, statement)
    rows(owner, "DROP TABLE quiet")

    log = stack.postgres.process.log_file.read_text()
    assert "ready to accept connections" in log
    assert value not in log


def test_only_passwords_open_the_database(stack: Stack) -> None:
    """Every way in is SCRAM, for the superuser too, and a wrong password is refused."""
    superuser = stack.postgres.login("postgres", "postgres")
    methods = {row[0] for row in rows(superuser, "SELECT auth_method FROM pg_hba_file_rules")}
    wrong = Login(superuser.host, superuser.port, "identity", "identity", "wrong")

    assert methods == {"scram-sha-256"}
    with pytest.raises(asyncpg.InvalidPasswordError):
        rows(wrong, "SELECT 1")


@pytest.mark.parametrize("service", SERVICES)
def test_only_the_owner_makes_tables(stack: Stack, service: str) -> None:
    """Migrations may create; the service and the auditor may not, nor own, nor escalate."""
    for role in (service, f"{service}_auditor"):
        for statement in ("CREATE TABLE mine ()", "CREATE TEMPORARY TABLE mine ()", "CREATE SCHEMA mine"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                rows(stack.postgres.login(service, role), statement)
    owner = stack.postgres.login(service, f"{service}_owner")
    rows(owner, "CREATE TABLE probe (n int)", "DROP TABLE probe")

    attributes = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
    privileged = rows(owner, f"SELECT rolname FROM pg_roles WHERE rolcanlogin AND ({attributes})")
    assert [row[0] for row in privileged] == ["postgres"]


def test_a_role_enters_its_own_database_alone(stack: Stack) -> None:
    """Every role against every database: nobody enters another service's, nor the shared ones."""
    roles = {role: service for service in SERVICES for role in (f"{service}_owner", service, f"{service}_auditor")}
    entered = set()
    for role in roles:
        for database in (*SERVICES, "postgres", "template1"):
            try:
                rows(stack.postgres.login(database, role), "SELECT 1")
            except asyncpg.InsufficientPrivilegeError:
                continue
            entered.add((role, database))

    assert set(roles.items()) == entered


async def _kill_under_load(stack: Stack, login: Login) -> None:
    connections = [
        await asyncpg.connect(host=login.host, port=login.port, database=login.database, user=login.user, password=word)
        for word in [login.password] * 10
    ]
    await connections[0].execute("CREATE TABLE survivor (n int)")
    await connections[0].execute("INSERT INTO survivor VALUES (1)")
    waiting = [asyncio.ensure_future(connection.execute("SELECT pg_sleep(60)")) for connection in connections]
    await asyncio.sleep(0.2)
    stack.postgres.process.kill()
    await asyncio.wait(waiting)
    assert all(isinstance(task.exception(), asyncpg.PostgresError) for task in waiting)


def test_killed_servers_come_back_with_what_they_acknowledged(stack: Stack) -> None:
    """A kill -9 of PostgreSQL under load and of OpenBao: the committed row and the key are there after a restart."""
    login = stack.postgres.login("payment_vault", "payment_vault_owner")
    asyncio.run(_kill_under_load(stack, login))
    stack.postgres.recover()
    stack.openbao.process.kill()
    stack.openbao.process.start()

    assert [row[0] for row in rows(login, "TABLE survivor")] == [1]
    rows(login, "DROP TABLE survivor")
    assert stack.openbao.client().secrets.transit.read_key("pii")["data"]["latest_version"] >= 1


# --- OpenBao


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
    sealed = client.secrets.transit.encrypt_data("epoch-identity", plaintext=_b64("salt"))["data"]["ciphertext"]

    stack.openbao.stop()
    stack.openbao.start()

    opened = stack.openbao.client().secrets.transit.decrypt_data("epoch-identity", ciphertext=sealed)
    assert _b64("salt") == opened["data"]["plaintext"]
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
        client.secrets.transit.encrypt_data("no-such-key", plaintext=_b64("x"))  # upsert is off


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


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


ROLES = {
    "identity": "identity",
    "payment-vault-tokenize": "payment_vault",
    "payment-vault-detokenize": "payment_vault",
    "retention": "retention",
}
"""Role -> the service that may take it; written by hand, not read from roles.toml."""

ALLOWED = {
    ("identity", "encrypt", "pii"),
    ("identity", "decrypt", "pii"),
    ("identity", "encrypt", "epoch-identity"),
    ("identity", "decrypt", "epoch-identity"),
    ("identity", "hmac", "index-identity"),
    ("payment-vault-tokenize", "encrypt", "card"),
    ("payment-vault-tokenize", "encrypt", "account"),
    ("payment-vault-tokenize", "encrypt", "masked"),
    ("payment-vault-tokenize", "decrypt", "masked"),
    ("payment-vault-tokenize", "encrypt", "epoch-payment-vault"),
    ("payment-vault-tokenize", "decrypt", "epoch-payment-vault"),
    ("payment-vault-tokenize", "hmac", "index-payment-vault"),
    ("payment-vault-detokenize", "decrypt", "card"),
    ("payment-vault-detokenize", "decrypt", "account"),
    ("payment-vault-detokenize", "decrypt", "epoch-payment-vault"),
    ("retention", "sign", "certificate-sign"),
    ("retention", "read", "certificate-sign"),
}
KEYS = (
    *("pii", "card", "account", "masked", "epoch-identity", "epoch-payment-vault"),
    *("index-identity", "index-payment-vault", "certificate-sign"),
)
CONTEXT = _b64("context")
OPERATIONS: dict[str, tuple[str, str, dict[str, object]]] = {
    "encrypt": ("POST", "encrypt/{key}", {"plaintext": _b64("x"), "context": CONTEXT}),
    "decrypt": ("POST", "decrypt/{key}", {"ciphertext": "{ciphertext}", "context": CONTEXT}),
    "hmac": ("POST", "hmac/{key}", {"input": _b64("x")}),
    "sign": ("POST", "sign/{key}", {"input": _b64("x")}),
    "read": ("GET", "keys/{key}", {}),
    "export": ("GET", "export/encryption-key/{key}", {}),
    "delete": ("DELETE", "keys/{key}", {}),
    "rotate": ("POST", "keys/{key}/rotate", {}),
    "rewrap": ("POST", "rewrap/{key}", {"ciphertext": "{ciphertext}", "context": CONTEXT}),
    "datakey": ("POST", "datakey/plaintext/{key}", {"context": CONTEXT}),
    "configure": ("POST", "keys/{key}/config", {"deletion_allowed": True}),
    "trim": ("POST", "keys/{key}/trim", {"min_available_version": 1}),
    "backup": ("GET", "backup/{key}", {}),
    "create": ("POST", "keys/new-{key}", {"type": "aes256-gcm96"}),
}


def test_each_role_does_with_each_key_what_it_must_and_no_more(stack: Stack) -> None:
    """CR-09: every role x key x operation; the cells of the design succeed, every other answers 403."""
    root = stack.openbao.client()
    ciphertexts = {}
    for key in KEYS:
        if not key.startswith(("index", "certificate")):
            sealed = root.write_data(f"transit/encrypt/{key}", data={"plaintext": _b64("x"), "context": CONTEXT})
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


# --- OTLP receiver


def _export(stack: Stack, credentials: grpc.ChannelCredentials) -> None:
    request = trace_service_pb2.ExportTraceServiceRequest()
    spans = request.resource_spans.add(schema_url="https://opentelemetry.io/schemas/1.45.0")
    span = spans.scope_spans.add().spans.add(
        trace_id=b"\1" * 16, span_id=b"\2" * 8, name="onggi.test/Call", kind=Span.SPAN_KIND_SERVER
    )
    span.attributes.add(key="onggi.purpose").value.string_value = "support"
    span.status.code = Status.STATUS_CODE_ERROR
    target = stack.ports.address("otlp")
    options = [("grpc.ssl_target_name_override", server_name(OTLP_RECEIVER)), ("grpc.enable_http_proxy", 0)]
    with grpc.secure_channel(target, credentials, options=options) as channel:
        export = channel.unary_unary(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            request_serializer=trace_service_pb2.ExportTraceServiceRequest.SerializeToString,
            response_deserializer=trace_service_pb2.ExportTraceServiceResponse.FromString,
        )
        export(request, timeout=5)


def test_the_receiver_has_a_span_on_disk_before_it_answers(stack: Stack) -> None:
    """A span sent over mTLS stands in the file as one line when the export returns."""
    files = stack.service_credentials("identity")
    before = stack.otlp_file.read_text().count("\n")
    _export(
        stack,
        grpc.ssl_channel_credentials(files.ca.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes()),
    )

    lines = stack.otlp_file.read_text().splitlines()
    span = json.loads(lines[-1])
    assert len(lines) == before + 1
    assert (span["trace_id"], span["span_id"], span["parent_span_id"]) == ("01" * 16, "02" * 8, "")
    assert (span["name"], span["kind"], span["status"]["code"]) == ("onggi.test/Call", "SERVER", "ERROR")
    assert span["attributes"] == {"onggi.purpose": "support"}
    assert span["schema_url"] == "https://opentelemetry.io/schemas/1.45.0"


def test_the_receiver_hears_nobody_without_a_certificate(stack: Stack) -> None:
    """A client that trusts the authority and shows no certificate of its own gets no further than TLS."""
    before = stack.otlp_file.read_text()
    with pytest.raises(grpc.RpcError):
        _export(stack, grpc.ssl_channel_credentials(stack.service_credentials("identity").ca.read_bytes()))

    assert stack.otlp_file.read_text() == before


# --- processes

STUB = """
import sys, threading
from concurrent import futures
import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
if sys.argv[2] == "die":
    sys.exit("the stub says why it dies")
server = grpc.server(futures.ThreadPoolExecutor(2))
servicer = health.HealthServicer()
health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
server.add_insecure_port(sys.argv[1])
server.start()
if sys.argv[2] == "serve":
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
else:
    servicer.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
threading.Event().wait()
"""


def stub(directory: Path, conduct: str) -> tuple[Process, str]:
    """A process with a health port that serves, dies at once, or never gets ready."""
    (directory / "stub.py").write_text(STUB)
    address = Ports.choose(["stub"], directory / "ports.json").address("stub")
    process = Process(
        "stub",
        [sys.executable, directory / "stub.py", address, conduct],
        environment.python(),
        log_file=directory / "stub.log",
        pid_directory=directory,
        ready=lambda: serving(address),
        grace_seconds=5,
    )
    return process, address


def test_a_process_is_paused_killed_and_brought_back(tmp_path: Path) -> None:
    """Ready means SERVING; a paused process answers nothing and is alive; a killed one starts again."""
    process, address = stub(tmp_path, "serve")
    process.start()
    try:
        process.pause()
        assert (process.running, serving(address)) == (True, False)
        process.resume()
        assert serving(address)

        first = process.pid
        process.kill()
        assert (process.running, start_time(first)) == (False, None)
        process.start()
        process.restart()
        assert serving(address)

        process.pause()
    finally:
        process.stop()  # a paused process is stopped as well
    assert not process.running


def test_a_process_that_dies_says_why(tmp_path: Path) -> None:
    """The error has the exit status and the last lines of the log."""
    process, _ = stub(tmp_path, "die")

    with pytest.raises(ProcessFailed, match=r"(?s)exit status 1.*the stub says why it dies"):
        process.start()


def test_a_process_that_never_serves_is_ended(tmp_path: Path) -> None:
    """NOT_SERVING until the deadline is a failure, and the process does not stay behind."""
    process, _ = stub(tmp_path, "wait")

    with pytest.raises(ProcessFailed, match="not ready after 2 s"):
        process.start(2)
    assert not process.running


# --- the stack as a whole


def pids_below(directory: Path) -> dict[str, tuple[int, int]]:
    """Name -> (pid, start time) of what the stack on a directory has started."""
    records = {file.stem: json.loads(file.read_text()) for file in (directory / "pids").glob("*.json")}
    return {name: (record["pid"], record["started"]) for name, record in records.items()}


def alive(processes: dict[str, tuple[int, int]]) -> list[str]:
    """The names of those that still run."""
    return [name for name, (pid, started) in processes.items() if start_time(pid) == started]


def test_a_stack_ends_whole_and_starts_on_its_data(directory: Path) -> None:
    """Stop leaves no process; a second start finds rows, keys, ports and certificates; two at once are refused."""
    stack = Stack(directory, services=())
    with stack:
        owner = stack.postgres.login("identity", "identity_owner")
        rows(owner, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
        public_key, addresses = stack.certificate_public_key.read_text(), stack.addresses
        started = pids_below(directory)
        assert sorted(started) == sorted(alive(started)) == ["openbao", "otlp_receiver", "postgresql"]
        with pytest.raises(DirectoryInUse, match=str(os.getpid())):
            Stack(directory, services=()).start()
        assert len(alive(started)) == 3
    assert (alive(started), pids_below(directory)) == ([], {})

    with Stack(directory, services=()) as again:
        assert [row[0] for row in rows(again.postgres.login("identity", "identity_owner"), "TABLE kept")] == [7]
        assert (public_key, addresses) == (again.certificate_public_key.read_text(), again.addresses)


def test_a_start_that_fails_half_way_leaves_nothing_running(directory: Path) -> None:
    """OpenBao's port is taken: the error shows its log, PostgreSQL is stopped again, the directory is free."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        names = ["openbao_cluster", "otlp", *SERVICES, *(f"{service}_health" for service in SERVICES)]
        free = Ports.choose(names, directory / "other-ports.json").numbers
        ports = Ports({**free, "openbao": taken.getsockname()[1]})
        stack = Stack(directory, services=(), ports=ports)

        with pytest.raises(ProcessFailed, match=r"(?s)openbao ended.*address already in use"):
            stack.start()

    assert pids_below(directory) == {}
    assert not stack.postgres.process.running


def test_what_a_killed_stack_leaves_is_ended_by_the_next(directory: Path) -> None:
    """A kill -9 of the stack itself: its children live on, until the next start ends them by pid and takes over."""
    program = f"""
        import pathlib, time
        from dev.stack import Stack
        Stack(pathlib.Path({str(directory)!r}), services=(), progress=lambda line: print(line, flush=True)).start()
        print("up", flush=True)
        time.sleep(600)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], env=environment.python(), stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout is not None
        while killed.stdout.readline().strip() != "up":
            assert killed.poll() is None
        orphans = pids_below(directory)
        killed.kill()
    assert len(alive(orphans)) == 3

    with Stack(directory, services=()) as stack:
        assert alive(orphans) == []
        assert rows(stack.postgres.login("identity", "identity"), "SELECT 1")
    deadline = time.monotonic() + 5
    while alive(pids_below(directory)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert pids_below(directory) == {}
