"""A pod's environment is the one its service reads: the names are taken from the services' own settings classes."""

import copy
from importlib import import_module

import pytest
from pydantic import BaseModel
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.check_manifests import DIRECTORIES, render
from deploy.manifest_rules.documents import NAME, Documents, environment, of_kind
from deploy.manifest_rules.settings import known_settings, settings_known

MODULES = {
    "archive": "services.identity.archive.settings",
    "identity": "services.identity.settings",
    "payment-vault": "services.payment_vault.settings",
    "retention": "services.retention.settings",
}

NOT_SET = {"ONGGI_ARCHIVE__AUDITOR_USER", "ONGGI_ARCHIVE__AUDITOR_PASSWORD_FILE"}
"""identity deposits in the archive and reads nothing there: it has no auditor's login."""


def models() -> dict[str, type[BaseSettings]]:
    """The settings class of each service, by its name in Kubernetes."""
    return {name: import_module(module).Settings for name, module in MODULES.items()}


@pytest.fixture(scope="module")
def rendered() -> dict[str, Documents]:
    """Both directories, rendered once."""
    return {directory: render(directory) for directory in DIRECTORIES}


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_every_setting_is_known_and_none_is_missing(rendered: dict[str, Documents], directory: str) -> None:
    """No ConfigMap has a name that its service does not read, and none lacks one that it must have."""
    assert [] == settings_known(rendered[directory], models())


@pytest.mark.parametrize("name", MODULES)
def test_every_setting_is_written_out(rendered: dict[str, Documents], name: str) -> None:
    """The base shows defaults as well, so that an operator finds every switch in one place."""
    (deployment,) = (
        each for each in of_kind(rendered[DIRECTORIES[0]], "Deployment") if each["metadata"]["name"] == name
    )
    known = known_settings(models()[name]).keys() - NOT_SET
    assert known == environment(rendered[DIRECTORIES[0]], deployment).keys()


@pytest.mark.parametrize("directory", DIRECTORIES)
@pytest.mark.parametrize("name", MODULES)
def test_the_services_take_the_values(
    rendered: dict[str, Documents], directory: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each settings class is built from the very environment of its pod: types and formats are right as well."""
    for each in of_kind(rendered[directory], "Deployment", "Job"):
        if each["metadata"]["labels"][NAME] == name:
            with monkeypatch.context() as patch:
                for setting, value in environment(rendered[directory], each).items():
                    patch.setenv(setting, value)
                models()[name]()


def test_dev_differs_from_the_base_in_two_settings(rendered: dict[str, Documents]) -> None:
    """Reflection and the log level, for each service, and nothing else."""
    base, dev = (
        {
            each["metadata"]["name"]: environment(rendered[directory], each)
            for each in of_kind(rendered[directory], "Deployment")
        }
        for directory in DIRECTORIES
    )
    changes = {"ONGGI_SERVER__REFLECTION": "true", "ONGGI_LOG_LEVEL": "debug"}
    assert {name: values | changes for name, values in base.items()} == dev
    assert all("false" == values["ONGGI_SERVER__REFLECTION"] for values in base.values())


class Server(BaseModel):
    """A nested part with a needed and an optional value."""

    address: str
    drain_seconds: float = 5


class Small(BaseSettings):
    """A settings class with every shape that the walk knows."""

    model_config = SettingsConfigDict(env_prefix="ONGGI_", env_nested_delimiter="__")
    server: Server
    spare: Server | None = None
    holders: dict[str, str] = {}
    log_level: str = "info"


def test_names_are_derived_from_the_model() -> None:
    """Nested models give delimited names; what lies in an optional one need not be set."""
    expected = {
        "ONGGI_SERVER__ADDRESS": True,
        "ONGGI_SERVER__DRAIN_SECONDS": False,
        "ONGGI_SPARE__ADDRESS": False,
        "ONGGI_SPARE__DRAIN_SECONDS": False,
        "ONGGI_HOLDERS": False,
        "ONGGI_LOG_LEVEL": False,
    }
    assert expected == known_settings(Small)


def test_an_unknown_and_a_missing_setting_are_found(rendered: dict[str, Documents]) -> None:
    """A misspelt name is both: unknown as it stands, and missing under its right name."""
    (deployment,) = (
        copy.deepcopy(each)
        for each in of_kind(rendered[DIRECTORIES[0]], "Deployment")
        if each["metadata"]["name"] == "identity"
    )
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["envFrom"] = []
    container["env"] = [{"name": "ONGGI_SERVER__ADRESS", "value": "0.0.0.0:8443"}]
    expected = [
        "Deployment/identity sets ONGGI_SERVER__ADRESS, which the service does not read",
        "Deployment/identity does not set ONGGI_SERVER__ADDRESS",
    ]
    assert expected == settings_known([deployment], {"identity": Small})
