"""cli.toml: what it may hold, and what is said when it holds something else."""

from pathlib import Path

import pytest

from cli import config
from cli.failures import UsageError

GOOD = """
ca = "ca.pem"
default_caller = "support"
certificate_public_key = "/keys/sign.pem"

[services.identity]
address = "127.0.0.1:1234"
server_name = "identity.onggi.internal"

[callers.support]
certificate = "support.pem"
key = "support-key.pem"
"""


def _load(folder: Path, text: str) -> config.Config:
    file = folder / "cli.toml"
    file.write_text(text, encoding="utf-8")
    return config.load(file)


def test_relative_paths_start_at_the_files_folder(tmp_path: Path) -> None:
    """The command works from any folder; absolute paths stay."""
    loaded = _load(tmp_path, GOOD)

    assert loaded.ca == tmp_path / "ca.pem"
    assert loaded.caller(None).key == tmp_path / "support-key.pem"
    assert loaded.certificate_public_key == Path("/keys/sign.pem")
    assert loaded.service("identity") == config.Service("127.0.0.1:1234", "identity.onggi.internal")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "ca"),
        ("ca = 1", "ca"),
        ("ca = [", "not TOML"),
        (GOOD.replace("ca =", "cb ="), "ca"),
        (GOOD + 'extra = "x"', "callers.support.extra"),
        (GOOD.replace('address = "127.0.0.1:1234"', ""), "services.identity.address"),
        (GOOD.replace("services.identity", "services.unheard"), "unheard"),
        (GOOD.replace('default_caller = "support"', "default_caller = 7"), "default_caller"),
    ],
)
def test_what_is_wrong_is_named(text: str, told: str, tmp_path: Path) -> None:
    """Unknown and missing keys are refused by name."""
    with pytest.raises(UsageError, match=told):
        _load(tmp_path, text)


def test_absent_entries_are_named_when_they_are_needed(tmp_path: Path) -> None:
    """A configuration for one service is enough to call that one."""
    loaded = _load(tmp_path, GOOD)

    with pytest.raises(UsageError, match=r"services\.retention"):
        loaded.service("retention")
    with pytest.raises(UsageError, match="it has: support"):
        loaded.caller("nobody")
    with pytest.raises(UsageError, match="cannot read"):
        config.load(tmp_path / "absent.toml")
