"""The settings of the retention service, by the names that they have in the environment."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis.policy.load import load
from chassis.settings import environment_names
from services.retention.forecast import Measure
from services.retention.settings import ForecastSettings, HolderSettings, Settings, WindowSettings


def test_holders_are_settings_by_name() -> None:
    """Each holder's settings are known names, so that a misspelt holder stops the start."""
    names = set(environment_names(Settings))
    for holder in ("IDENTITY", "PAYMENT_VAULT", "ARCHIVE"):
        assert {f"ONGGI_HOLDERS__{holder}__ADDRESS", f"ONGGI_HOLDERS__{holder}__SERVER_NAME"} <= names
    assert {f"ONGGI_FORECAST__{measure.upper()}" for measure in Measure} <= names
    assert "ONGGI_SCHEDULE" in names
    assert "ONGGI_WINDOWS__VAULT_SNAPSHOT_DAYS" in names


def test_the_holders_are_those_of_the_policy() -> None:
    """Whoever the policy says holds something can be asked, by that name (LC-07)."""
    policy = load(Path(__file__).parents[2] / "policy")
    named = {holder for category in policy.retention.categories.values() for holder in category.holders}
    assert named == set(HolderSettings.model_fields)


def test_defaults_are_those_that_are_documented() -> None:
    """Ten past midnight; 20 members, 100,000 log-like rows, 500 records; the windows of the operators."""
    assert "10 0 * * *" == Settings.model_fields["schedule"].default
    assert {"members": 20, "login_records": 100_000, "records": 500} == ForecastSettings().model_dump()
    windows = {"database_backup_days": 35, "wal_archive_days": 35, "vault_snapshot_days": 7, "epoch_days": 31}
    assert windows == WindowSettings().model_dump()


def test_no_window_is_negative() -> None:
    """A certificate never dates the end of the copies before the destruction."""
    with pytest.raises(ValidationError):
        WindowSettings(epoch_days=-1)
