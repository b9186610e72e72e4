"""The whole of Onggi on one machine, as separate processes on real parts; one object starts and stops it.

with Stack(Path("build/stack"), progress=print) as stack:
    stack.addresses["identity"]
"""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from dev import client_config, environment, vault_setup
from dev.identities import CALLERS, OTLP_RECEIVER, SERVICE_NAMESPACE, SERVICES, Credentials, account
from dev.lineage import end_orphans
from dev.lock import DirectoryLock
from dev.migration import migrate
from dev.openbao import OpenBao
from dev.pki import CertificateStore
from dev.ports import Ports
from dev.postgres import Postgres
from dev.processes import Process, ProcessFailed
from dev.readiness import accepts_connections, serving

_SERVICE_SECONDS: Final = 60.0
Part = TypeVar("Part")
_INFRASTRUCTURE_PORTS: Final = ("openbao", "openbao_cluster", "otlp")


def _silent(_: str) -> None:
    """Show no progress."""


class Stack:
    """PostgreSQL, OpenBao, the OTLP receiver, the services and what sends their spans, on one directory that keeps all.

    Args:
        directory: made if missing; a second start on it finds its data again.
        progress: gets one line per step while the stack starts and stops.
        ports: port numbers of one's own; by default a block of its own, remembered in `ports.json`.
        services: which of the services to run; none for infrastructure alone.
        policy: the directory that all of them read the policy from.

    """

    def __init__(
        self,
        directory: Path,
        *,
        progress: Callable[[str], None] = _silent,
        ports: Ports | None = None,
        services: Sequence[str] = SERVICES,
        policy: Path = environment.POLICY,
    ) -> None:
        self.directory = directory.absolute()
        self.log_dir = self.directory / "logs"
        self.certificates_dir = self.directory / "certificates"
        self.otlp_file = self.directory / "telemetry" / "spans.jsonl"
        self.certificate_public_key = self.directory / "certificate-sign.pub"
        self.client_config = self.directory / "cli.toml"
        self.services: dict[str, Process] = {}
        self.span_exporters: dict[str, Process] = {}
        self._progress = progress
        self._given_ports = ports
        self._wanted = tuple(service for service in SERVICES if service in services)
        self._policy = policy
        self._certificates = CertificateStore(self.certificates_dir)
        self._lock = DirectoryLock(self.directory / "lock")
        self._pids = self.directory / "pids"
        self._secrets = self.directory / "secrets"
        self._stoppers: list[tuple[str, Callable[[], None]]] = []
        self._ports: Ports | None = None
        self._postgres: Postgres | None = None
        self._openbao: OpenBao | None = None
        self._receiver: Process | None = None

    @property
    def ports(self) -> Ports:
        """The ports in use."""
        return _started(self._ports)

    @property
    def postgres(self) -> Postgres:
        """The database server."""
        return _started(self._postgres)

    @property
    def openbao(self) -> OpenBao:
        """The key server."""
        return _started(self._openbao)

    @property
    def otlp_receiver(self) -> Process:
        """The process that writes `otlp_file`."""
        return _started(self._receiver)

    @property
    def addresses(self) -> dict[str, str]:
        """Service -> host:port of its gRPC (mTLS), for all services, run or not."""
        return {service: self.ports.address(service) for service in SERVICES}

    def client_credentials(self, caller: str) -> Credentials:
        """The certificate of a caller of the table in `dev/identities.py`.

        Raises:
            KeyError: there is no such caller.

        """
        return self._certificates.credentials(caller, CALLERS[caller])

    def service_credentials(self, service: str) -> Credentials:
        """The certificate of a service."""
        return self._certificates.credentials(account(service), SERVICE_NAMESPACE)

    def env_for(self, service: str) -> dict[str, str]:
        """All of a service's environment."""
        return environment.of_service(
            service,
            ports=self.ports,
            postgres=self.postgres,
            openbao=self.openbao,
            certificates=self._certificates,
            policy=self._policy,
        )

    def migration_env_for(self, service: str) -> dict[str, str]:
        """The environment of a service's migrations."""
        return environment.of_migration(service, self.env_for(service), self.postgres)

    def start(self) -> None:
        """Start everything and return when every service says that it serves.

        Raises:
            DirectoryInUse: a stack runs on this directory.
            ProcessFailed: a part did not start; what had started is stopped again.

        """
        for part in (self.directory, self.log_dir, self.certificates_dir, self.otlp_file.parent):
            part.mkdir(parents=True, exist_ok=True)
        for private in (self._pids, self._secrets):
            private.mkdir(mode=0o700, exist_ok=True)
        self._lock.acquire()
        self._stoppers = [("the stack", self._lock.release)]
        try:
            if orphans := end_orphans(self._pids):
                self._progress(f"ended {len(orphans)} processes of a stack that was killed")
            self._start_infrastructure()
            self._start_services()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything in reverse order; does nothing when nothing runs.

        Raises:
            Exception: the first failure to stop a part, after every other part was stopped.

        """
        failure: Exception | None = None
        while self._stoppers:
            name, stop = self._stoppers.pop()
            self._progress(f"stopping {name}")
            try:
                stop()
            except Exception as error:  # noqa: BLE001 - the other parts must be stopped before it is raised
                failure = failure or error
        if failure is not None:
            raise failure

    def erase(self) -> None:
        """Stop everything and delete the directory with all data, keys and logs."""
        self.stop()
        if self._postgres is not None:
            self._postgres.erase()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_infrastructure(self) -> None:
        names = [*_INFRASTRUCTURE_PORTS, *(p for service in SERVICES for p in (service, f"{service}_health"))]
        self._ports = self._given_ports or self._own_ports(names)
        where = {"secrets": self._secrets, "log_directory": self.log_dir, "pid_directory": self._pids}
        self._postgres = Postgres(self.directory / "postgres", databases=SERVICES, **where)
        self._step("PostgreSQL", self._postgres.start, self._postgres.stop)
        self._openbao = OpenBao(
            self.directory / "openbao",
            ca_file=self.certificates_dir / "openbao-ca.crt",
            port=self.ports.numbers["openbao"],
            cluster_port=self.ports.numbers["openbao_cluster"],
            **where,
        )
        self._step("OpenBao", self._openbao.start, self._openbao.stop)
        self._step("keys, policies and certificates", self._set_up)
        self._receiver = self._make_receiver()
        self._step("OTLP receiver", self._receiver.start, self._receiver.stop)

    def _own_ports(self, names: Sequence[str]) -> Ports:
        chosen = Ports.choose(names, self.directory / "ports.json")
        self._stoppers.append(("ports", chosen.close))
        return chosen

    def _set_up(self) -> None:
        client = self.openbao.client()
        vault_setup.apply(client)
        self._certificates.write_authority(client)
        for service in (*SERVICES, OTLP_RECEIVER):
            self._certificates.issue(client, account(service), SERVICE_NAMESPACE, server=True)
        for caller, namespace in CALLERS.items():
            self._certificates.issue(client, caller, namespace, server=False)
        self.certificate_public_key.write_bytes(vault_setup.signing_public_key(client))
        self.client_config.write_text(
            client_config.render(self.addresses, self._certificates, self.certificate_public_key)
        )

    def _make_receiver(self) -> Process:
        files = self.service_credentials(OTLP_RECEIVER)
        address = self.ports.address("otlp")
        options = ["--address", address, "--certificate", files.certificate, "--key", files.key]
        options += ["--ca", files.ca, "--out", self.otlp_file]
        command = environment.module("dev.otlp_receiver", *map(str, options))
        return self._process("otlp_receiver", command, environment.python(), partial(accepts_connections, address))

    def _process(
        self, name: str, command: Sequence[str], variables: Mapping[str, str], ready: Callable[[], bool] | None = None
    ) -> Process:
        return Process(
            name,
            command,
            variables,
            log_file=self.log_dir / f"{name}.log",
            pid_directory=self._pids,
            ready=ready,
            directory=environment.ROOT,
        )

    def _start_services(self) -> None:
        for service in self._migrated():
            log_file = self.log_dir / f"{service}-migrate.log"
            migration = partial(migrate, service, self.migration_env_for(service), log_file)
            self._step(f"migrations of {service}", migration)
        for service in self._wanted:
            self.services[service] = self._process(
                service,
                environment.program(service),
                self.env_for(service),
                partial(serving, self.ports.address(f"{service}_health")),
            )
            self.span_exporters[service] = self._process(
                f"{service}-spans", environment.spans(service), environment.of_spans(self.env_for(service))
            )
        for exporter in self.span_exporters.values():  # before the services, so that they end after them
            self._stoppers.append((exporter.name, exporter.stop))
            exporter.launch()
        for service in self._wanted:  # all at once: each waits for its own readiness only
            self._stoppers.append((service, self.services[service].stop))
            self.services[service].launch()
        for service in self._wanted:
            self._step(service, partial(self.services[service].wait_ready, _SERVICE_SECONDS))

    def _migrated(self) -> list[str]:
        """Whose tables are needed: identity deposits in the archive's, whether that process runs or not."""
        needed = {*self._wanted, *(["archive"] if "identity" in self._wanted else [])}
        return [service for service in SERVICES if service in needed]

    def _step(self, name: str, do: Callable[[], None], undo: Callable[[], None] | None = None) -> None:
        started = time.monotonic()
        if undo is not None:
            self._stoppers.append((name, undo))
        do()
        self._progress(f"{name:<32} {time.monotonic() - started:5.1f} s")


def _started(part: Part | None) -> Part:
    if part is None:
        raise ProcessFailed("the stack is not started")
    return part
