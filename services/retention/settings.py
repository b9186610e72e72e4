"""What the retention service reads from outside, over and above what every service does."""

from datetime import datetime

from cronsim import CronSim, CronSimError
from pydantic import Field, field_validator

from chassis.channel import PeerSettings
from chassis.kst import KST
from chassis.settings import Group, ServiceSettings


class HolderSettings(Group):
    """The holders of personal data, by the names that the policy and the plans use."""

    identity: PeerSettings
    payment_vault: PeerSettings
    archive: PeerSettings

    def by_name(self) -> dict[str, PeerSettings]:
        """Return the holders by the names that the policy has for them."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class ForecastSettings(Group):
    """How much a plan may destroy without a person's approval. The privacy officer (CPO) owns the values."""

    members: int = Field(default=20, ge=0)
    """Members (units of R-01, and of R-03 which follows it)."""
    login_records: int = Field(default=100_000, ge=0)
    """Log-like records: rows of R-12 or of R-22."""
    records: int = Field(default=500, ge=0)
    """Records, and fields of records: units of any other category at one holder."""


class WindowSettings(Group):
    """For how long copies outlive the destruction, in days; the longest gives the certificate's `unrecoverable_after`.

    These repeat what others have set up: a value that is shorter than the truth makes certificates say too much.
    """

    database_backup_days: int = Field(default=35, ge=0)
    """Retention of PostgreSQL base backups; the database's operators own it."""
    wal_archive_days: int = Field(default=35, ge=0)
    """Retention of the WAL archive; the database's operators own it."""
    vault_snapshot_days: int = Field(default=7, ge=0)
    """Retention of OpenBao snapshots; the key service's operators own it. A snapshot brings trimmed versions back."""
    epoch_days: int = Field(default=31, ge=0)
    """Longest life of a version of the keys that wrap salts, rotated monthly; the key service's operators own it."""


class Settings(ServiceSettings):
    """All settings of `python -m services.retention`."""

    holders: HolderSettings
    schedule: str = "10 0 * * *"
    """When the daily plan is made: cron, read in Korean time whatever the host's zone is."""
    forecast: ForecastSettings = ForecastSettings()
    windows: WindowSettings = WindowSettings()

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        try:
            CronSim(value, datetime.now(KST))
        except CronSimError as error:
            msg = f"not a cron expression: {error}"
            raise ValueError(msg) from None
        return value
