"""The environment of each child: the settings of a service, and nothing of the shell that started the stack."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from chassis.settings import PREFIX, SpanSettings, environment_names
from dev import postgres_roles
from dev.identities import OTLP_RECEIVER, SERVICE_NAMESPACE, SERVICES, account, server_name
from dev.openbao import OpenBao
from dev.pki import CertificateStore
from dev.ports import Ports
from dev.postgres import Postgres

ROOT: Final = Path(__file__).resolve().parent.parent
POLICY: Final = ROOT / "policy"
_INHERITED: Final = ("PATH", "HOME", "TMPDIR", "ONGGI_LOG_LEVEL")


def python() -> dict[str, str]:
    """What a Python child needs to import the project and its built stubs, which are not installed."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    path = os.pathsep.join([str(ROOT), str(ROOT / "gen")])
    return {**inherited, "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def module(name: str, *arguments: str) -> list[str]:
    """The command line of a module of the project, in the present interpreter."""
    return [sys.executable, "-m", name, *arguments]


def program(service: str) -> list[str]:
    """The command line of a service."""
    if service == "archive":
        return module("services.identity", "archive")
    return module(f"services.{service}")


def migration(service: str) -> list[str]:
    """The command line of a service's migrations."""
    if service == "archive":
        return module("services.identity", "archive-migrate")
    return module(f"services.{service}", "migrate")


def spans(service: str) -> list[str]:
    """The command line of the process that sends a service's access spans."""
    if service == "archive":
        return module("services.identity", "archive-spans")
    return module(f"services.{service}", "spans")


def of_service(
    service: str,
    *,
    ports: Ports,
    postgres: Postgres,
    openbao: OpenBao,
    certificates: CertificateStore,
    policy: Path = POLICY,
) -> dict[str, str]:
    """The environment of a service's process; `policy` is the directory that it reads the policy from."""
    files = certificates.credentials(account(service), SERVICE_NAMESPACE)
    auditor = postgres_roles.auditor(service)
    settings = {
        "SERVER__ADDRESS": ports.address(service),
        "SERVER__HEALTH_ADDRESS": ports.address(f"{service}_health"),
        "SERVER__REFLECTION": "true",
        "SERVER__DRAIN_SECONDS": "0",  # no load balancer here that would have to hear of it first
        "TLS__CERTIFICATE_FILE": files.certificate,
        "TLS__KEY_FILE": files.key,
        "TLS__CA_FILE": files.ca,
        "DATABASE__HOST": postgres.socket_directory,
        "DATABASE__PORT": postgres.login(service, service).port,
        "DATABASE__NAME": service,
        "DATABASE__USER": service,
        "DATABASE__PASSWORD_FILE": postgres.password_file(service),
        "DATABASE__AUDITOR_USER": auditor,
        "DATABASE__AUDITOR_PASSWORD_FILE": postgres.password_file(auditor),
        "VAULT__ADDRESS": openbao.address,
        "VAULT__CA_FILE": openbao.ca_file,
        "VAULT__AUTH": "cert",
        "TELEMETRY__OTLP_ADDRESS": ports.address("otlp"),
        "TELEMETRY__OTLP_SERVER_NAME": server_name(OTLP_RECEIVER),
        "POLICY_DIRECTORY": policy,
    }
    if service == "identity":
        settings |= {
            "ARCHIVE__HOST": postgres.socket_directory,
            "ARCHIVE__PORT": postgres.login("archive", postgres_roles.DEPOSITOR).port,
            "ARCHIVE__NAME": "archive",
            "ARCHIVE__USER": postgres_roles.DEPOSITOR,
            "ARCHIVE__PASSWORD_FILE": postgres.password_file(postgres_roles.DEPOSITOR),
        }
    if service == "retention":
        for holder in SERVICES:
            if holder != service:
                settings[f"HOLDERS__{holder.upper()}__ADDRESS"] = ports.address(holder)
                settings[f"HOLDERS__{holder.upper()}__SERVER_NAME"] = server_name(account(holder))
    return {**python(), **{f"ONGGI_{name}": str(value) for name, value in settings.items()}}


def of_spans(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of the process that sends a service's spans: what that reads of the service's own."""
    read = set(environment_names(SpanSettings))
    return {name: value for name, value in environment.items() if name in read or not name.startswith(PREFIX)}


def of_migration(service: str, environment: Mapping[str, str], postgres: Postgres) -> dict[str, str]:
    """The environment of a service's migrations: the service's own, with the owner's login."""
    owner = postgres_roles.owner(service)
    login = {
        "ONGGI_DATABASE__USER": owner,
        "ONGGI_DATABASE__PASSWORD_FILE": str(postgres.password_file(owner)),
    }
    return {**environment, **login}
