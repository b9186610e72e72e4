"""What a process reads from outside. Nothing below a service's ``__main__`` reads the environment.

Names in the environment: prefix ``ONGGI_``, two underscores between a group and its setting, for example
``ONGGI_DATABASE__HOST``. Secrets are paths to files, so that no value can be printed. An unknown ``ONGGI_`` name stops
the start: a misspelt setting must not be ignored in silence.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from chassis.secret import Secret

PREFIX = "ONGGI_"
DELIMITER = "__"
LogLevel = Literal["debug", "info", "warning", "error"]
Port = Annotated[int, Field(ge=1, le=65_535)]


class SettingsRefused(ValueError):
    """Settings that are missing, unknown or not fit: by the name in the environment why, never the value."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = reasons
        super().__init__("; ".join(f"{setting}: {reason}" for setting, reason in reasons.items()))


class Group(BaseModel):
    """A group of settings; frozen, and refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerSettings(Group):
    """Where the process listens and how it stops."""

    address: str = "0.0.0.0:8443"
    health_address: str = "0.0.0.0:8081"
    reflection: bool = False
    drain_seconds: float = Field(default=5.0, ge=0)
    grace_seconds: float = Field(default=20.0, ge=0)
    max_connection_age_seconds: int = Field(default=300, ge=10)
    stream_idle_seconds: float = Field(default=60.0, gt=0)


class TlsSettings(Group):
    """The process's own certificate and whom it trusts; the files are read again when they change."""

    certificate_file: Path
    key_file: Path
    ca_file: Path

    def stamp(self) -> tuple[int, ...]:
        """Return what changes when the files are renewed. Raises OSError."""
        return tuple(file.stat().st_mtime_ns for file in (self.certificate_file, self.key_file, self.ca_file))


class DatabaseSettings(Group):
    """One PostgreSQL database, the service's role, and the auditor's role that reads the log and verifies."""

    host: str
    port: Port = 5432
    name: str
    user: str
    password_file: Path
    auditor_user: str = ""
    auditor_password_file: Path | None = None
    ca_file: Path | None = None
    timeout_seconds: float = Field(default=5.0, gt=0)
    pool_size: int = Field(default=8, ge=2)


class AuditorSettings(Group):
    """The same database for who only reads its log: the auditor's login, and of the service's own not even the name."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str
    port: Port = 5432
    name: str
    auditor_user: str
    auditor_password_file: Path
    ca_file: Path | None = None
    timeout_seconds: float = Field(default=5.0, gt=0)


class VaultSettings(Group):
    """Vault (OpenBao): where, whom to trust, how to log in."""

    address: str
    ca_file: Path
    auth: Literal["kubernetes", "cert"] = "kubernetes"
    token_file: Path | None = None
    timeout_seconds: float = Field(default=1.0, gt=0)


class TelemetrySettings(Group):
    """The OTLP receiver, reached over mutual TLS with the service's own certificate."""

    otlp_address: str
    otlp_server_name: str = ""


class ServiceSettings(BaseSettings):
    """Settings that every service has."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=DELIMITER, extra="forbid", frozen=True, case_sensitive=False
    )

    server: ServerSettings = ServerSettings()
    tls: TlsSettings
    database: DatabaseSettings
    vault: VaultSettings
    telemetry: TelemetrySettings
    policy_directory: Path
    log_level: LogLevel = "info"


class MigrationSettings(BaseSettings):
    """What a migration needs: the database under its owner role, and nothing else."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=DELIMITER, extra="ignore", frozen=True, case_sensitive=False
    )

    database: DatabaseSettings


class SpanSettings(BaseSettings):
    """What the export of access spans needs of a service's settings, and nothing else."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=DELIMITER, extra="ignore", frozen=True, case_sensitive=False
    )

    tls: TlsSettings
    database: AuditorSettings
    telemetry: TelemetrySettings
    log_level: LogLevel = "info"


Settings = TypeVar("Settings", bound=BaseSettings)


def read(model: type[Settings]) -> Settings:
    """Return the settings that the environment has. Raises SettingsRefused, which names all that is wrong at once.

    pydantic-settings looks names up and never sees the ones that nobody asks for; here they are refused where the model
    refuses what it does not know.
    """
    refused = dict.fromkeys(_unknown(model), "is no setting") if _is_strict(model) else {}
    try:
        settings = model()
    except ValidationError as error:
        for each in error.errors(include_url=False, include_context=False, include_input=False):
            refused.setdefault(PREFIX + DELIMITER.join(map(str, each["loc"])).upper(), each["msg"])
    except SettingsError:
        refused |= dict.fromkeys(_groups_given(model), "is a group: each of its settings has a name of its own")
    else:
        refused |= {name: "is no file that can be read" for name, file in _files(settings) if not _readable(file)}
    if refused:
        raise SettingsRefused(refused)
    return settings


def _is_strict(model: type[BaseSettings]) -> bool:
    return model.model_config.get("extra") == "forbid"


def _unknown(model: type[BaseSettings]) -> Sequence[str]:
    known = set(environment_names(model))
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name.upper() not in known)


def _groups_given(model: type[BaseSettings]) -> Iterator[str]:
    names = (f"{PREFIX}{name.upper()}" for name in model.model_fields)
    yield from (name for name in names if name in os.environ and name not in environment_names(model))


def _files(group: BaseModel, prefix: str = PREFIX) -> Iterator[tuple[str, Path]]:
    """Yield the files that are given, each by its setting's name in the environment."""
    for name in type(group).model_fields:
        value = getattr(group, name)
        if isinstance(value, BaseModel):
            yield from _files(value, f"{prefix}{name.upper()}{DELIMITER}")
        elif isinstance(value, Path) and name.endswith("_file"):
            yield f"{prefix}{name.upper()}", value


def _readable(file: Path) -> bool:
    return os.access(file, os.R_OK) and file.is_file()


def environment_names(model: type[BaseModel], prefix: str = PREFIX) -> Iterator[str]:
    """Yield the names of all settings of the model, as they stand in the environment."""
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from environment_names(annotation, f"{prefix}{name.upper()}{DELIMITER}")
        else:
            yield f"{prefix}{name.upper()}"


def read_secret(path: Path) -> Secret:
    """Read a secret from its file, without the newline that editors leave at the end. Raises OSError."""
    return Secret(path.read_text().rstrip("\n"))
