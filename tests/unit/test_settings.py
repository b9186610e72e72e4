"""A process does not start on settings that it cannot run on, and names each of them, never what was given."""

import json
import subprocess
from pathlib import Path

import pytest

from chassis import settings
from chassis.settings import PREFIX, MigrationSettings
from dev import environment
from services.payment_vault.settings import Settings


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    """Settings of the vault that are fit."""
    file = tmp_path / "file"
    file.touch()
    values = {
        "TLS__CERTIFICATE_FILE": str(file), "TLS__KEY_FILE": str(file), "TLS__CA_FILE": str(file),
        "DATABASE__HOST": "db", "DATABASE__NAME": "vault", "DATABASE__USER": "vault",
        "DATABASE__PASSWORD_FILE": str(file), "VAULT__ADDRESS": "https://vault", "VAULT__CA_FILE": str(file),
        "TELEMETRY__OTLP_ADDRESS": "otlp:4317", "POLICY_DIRECTORY": str(tmp_path),
    }  # fmt: skip
    return {PREFIX + name: value for name, value in values.items()}


def refused(given: dict[str, str], *arguments: str) -> dict[str, str]:
    """What the process says before it ends: setting -> reason."""
    command = environment.module("services.payment_vault", *arguments)
    ended = subprocess.run(command, env=environment.python() | given, capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert (ended.returncode, ended.stderr) == (1, "")
    assert len(lines) == len({line["setting"] for line in lines}), "each is told once"
    assert {(line["event"], line["level"]) for line in lines} == {("a setting is refused", "error")}
    return {line["setting"]: line["reason"] for line in lines}


def test_fit_settings_are_read(given: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not given has its default; a migration takes its database alone, in the environment of its service."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = settings.read(Settings)
    assert (found.database.host, found.database.port, found.log_level) == ("db", 5432, "info")
    assert settings.read(MigrationSettings).database == found.database


def test_all_that_is_wrong_is_told_at_once(given: dict[str, str]) -> None:
    """Missing, misspelt, out of range: each by its name, none with its value."""
    del given["ONGGI_DATABASE__HOST"]
    found = refused(given | {"ONGGI_DATABSE__HOST": "4111111111111111", "ONGGI_DATABASE__PORT": "70000"})

    assert found["ONGGI_DATABSE__HOST"] == "is no setting"
    assert found.keys() == {"ONGGI_DATABSE__HOST", "ONGGI_DATABASE__HOST", "ONGGI_DATABASE__PORT"}
    assert "4111" not in str(found)
    assert "70000" not in str(found)


@pytest.mark.parametrize("arguments", [(), ("migrate",)])
def test_a_group_is_no_setting(given: dict[str, str], arguments: tuple[str, ...]) -> None:
    """Whoever forgets the second half of a name is told so."""
    assert refused(given | {"ONGGI_DATABASE": "db"}, *arguments).keys() == {"ONGGI_DATABASE"}


@pytest.mark.parametrize("arguments", [(), ("migrate",)])
def test_a_file_that_is_not_there_is_told_by_its_setting(given: dict[str, str], arguments: tuple[str, ...]) -> None:
    """A mount that is missing is told before anything needs it; the path is the setting's value and is not told."""
    given["ONGGI_DATABASE__PASSWORD_FILE"] = given["ONGGI_POLICY_DIRECTORY"]

    assert refused(given, *arguments) == {"ONGGI_DATABASE__PASSWORD_FILE": "is no file that can be read"}
