"""cli.toml: where the services are and which certificate speaks for whom.

    ca = "ca.pem"
    default_caller = "support"
    certificate_public_key = "certificate-sign.pem"

    [services.identity]
    address = "127.0.0.1:1234"
    server_name = "identity.onggi.internal"

    [callers.support]
    certificate = "support.pem"
    key = "support-key.pem"

Relative paths start at the file's own folder. The file holds no secret, only paths to them.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.failures import UsageError

SERVICES: Final = ("archive", "identity", "payment_vault", "retention")


@dataclass(frozen=True)
class Service:
    """`host:port` of a service and the DNS name that its certificate must carry."""

    address: str
    server_name: str


@dataclass(frozen=True)
class Caller:
    """PEM files of a client certificate and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Config:
    """The file's content. `services` and `callers` hold what is written there, no more."""

    ca: Path
    services: Mapping[str, Service]
    callers: Mapping[str, Caller]
    default_caller: str | None
    certificate_public_key: Path | None

    def service(self, name: str) -> Service:
        """Raises UsageError when the file does not say where the service is."""
        if name not in self.services:
            raise UsageError(f"the configuration has no [services.{name}]")
        return self.services[name]

    def caller(self, name: str | None) -> Caller:
        """The named caller, or the default one. Raises UsageError when there is none."""
        chosen = name or self.default_caller
        if chosen is None:
            raise UsageError("nobody to call as: give --as CALLER or set default_caller in the configuration")
        if chosen not in self.callers:
            known = ", ".join(sorted(self.callers)) or "none"
            raise UsageError(f"the configuration has no such caller; it has: {known}")
        return self.callers[chosen]


def load(path: Path) -> Config:
    """Read the file. Raises UsageError naming the key that is missing, unknown or of the wrong kind."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the configuration {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the configuration {path} is not TOML") from error
    top = _Table(document, "", path.parent)
    config = Config(
        ca=top.path("ca"),
        services={
            name: Service(table.text("address"), table.text("server_name"))
            for name, table in top.tables("services", ("address", "server_name"))
        },
        callers={
            name: Caller(table.path("certificate"), table.path("key"))
            for name, table in top.tables("callers", ("certificate", "key"))
        },
        default_caller=top.text("default_caller") if "default_caller" in document else None,
        certificate_public_key=top.path("certificate_public_key") if "certificate_public_key" in document else None,
    )
    top.refuse_others(("ca", "services", "callers", "default_caller", "certificate_public_key"))
    unknown = sorted(set(config.services) - set(SERVICES))
    if unknown:
        raise UsageError(f"the configuration names unknown services: {', '.join(unknown)}")
    return config


@dataclass(frozen=True)
class _Table:
    content: Mapping[str, Any]
    name: str
    folder: Path

    def text(self, key: str) -> str:
        value = self.content.get(key)
        if not isinstance(value, str) or not value:
            raise UsageError(f"the configuration wants a text at {self.name}{key}")
        return value

    def path(self, key: str) -> Path:
        return self.folder / Path(self.text(key)).expanduser()

    def tables(self, key: str, known: tuple[str, ...]) -> list[tuple[str, "_Table"]]:
        parent = self.content.get(key, {})
        if not isinstance(parent, dict):
            raise UsageError(f"the configuration wants tables at {self.name}{key}")
        found = []
        for name, content in parent.items():
            if not isinstance(content, dict):
                raise UsageError(f"the configuration wants a table at {key}.{name}")
            table = _Table(content, f"{key}.{name}.", self.folder)
            table.refuse_others(known)
            found.append((name, table))
        return found

    def refuse_others(self, known: tuple[str, ...]) -> None:
        others = sorted(set(self.content) - set(known))
        if others:
            raise UsageError(f"the configuration has unknown keys: {', '.join(self.name + key for key in others)}")
