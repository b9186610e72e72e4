"""A copy of the policy with later versions, as an operator has it before a version is rolled out."""

import shutil
from pathlib import Path

from dev.environment import ROOT

_MATERIAL = """
[[versions]]
id = "{number}"
announced_on = {year}-01-01
effective_on = {year}-03-01
materiality = "material"
changes = "동의 문구 변경"
changes_english = "another wording of consents"
source = "a test"
changed = []
consents = {consents}
"""


def with_versions(directory: Path, *consents: tuple[str, ...]) -> Path:
    """Copy the policy; each further version, "2" and so on, is material and changes these consents."""
    copy = Path(shutil.copytree(ROOT / "policy", directory / "policy"))
    with (copy / "versions.toml").open("a", encoding="utf-8") as file:
        for number, names in enumerate(consents, start=2):
            told = ", ".join(f'"{name}"' for name in names)
            file.write(_MATERIAL.format(number=number, year=2025 + number, consents=f"[{told}]"))
    return copy
