"""Settings of the identity service."""

from chassis.settings import DatabaseSettings, ServiceSettings


class Settings(ServiceSettings):
    """All settings of ``python -m services.identity``."""

    archive: DatabaseSettings
    """The archive's database, under the login that puts in and selects nothing."""
