"""The settings of the retention service, by the names that they have in the environment."""

import pytest
from pydantic import ValidationError

from chassis.settings import environment_names
from services.retention.settings import ForecastSettings, Settings, WindowSettings


def test_holders_are_settings_by_name() -> None:
    """Each holder's settings are known names, so that a misspelt holder stops the start."""
    names = set(environment_names(Settings))
    for holder in ("IDENTITY", "PAYMENT_VAULT"):
        assert {f"ONGGI_HOLDERS__{holder}__ADDRESS", f"ONGGI_HOLDERS__{holder}__SERVER_NAME"} <= names
    assert {"ONGGI_SCHEDULE", "ONGGI_FORECAST__MEMBERS", "ONGGI_FORECAST__LOGIN_RECORDS"} <= names
    assert "ONGGI_WINDOWS__VAULT_SNAPSHOT_DAYS" in names


def test_defaults_are_those_that_are_documented() -> None:
    """Ten past midnight; 20 members and 100,000 login records; the windows of the operators."""
    assert "10 0 * * *" == Settings.model_fields["schedule"].default
    assert {"members": 20, "login_records": 100_000} == ForecastSettings().model_dump()
    windows = {"database_backup_days": 35, "wal_archive_days": 35, "vault_snapshot_days": 7, "epoch_days": 31}
    assert windows == WindowSettings().model_dump()


def test_no_window_is_negative() -> None:
    """A certificate never dates the end of the copies before the destruction."""
    with pytest.raises(ValidationError):
        WindowSettings(epoch_days=-1)
