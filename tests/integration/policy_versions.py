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
changed = [{changed}]
consents = {consents}
"""


def with_versions(directory: Path, *consents: tuple[str, ...]) -> Path:
    """Copy the policy; each further version, "2" and so on, is material and changes these consents."""
    copy = Path(shutil.copytree(ROOT / "policy", directory / "policy"))
    with (copy / "versions.toml").open("a", encoding="utf-8") as file:
        for number, names in enumerate(consents, start=2):
            told = ", ".join(f'"{name}"' for name in names)
            file.write(_MATERIAL.format(number=number, year=2025 + number, consents=f"[{told}]", changed=""))
    return copy


def with_periods(directory: Path, **after: str) -> Path:
    """Copy the policy; version "2", in force since 2026-03-16, gives these categories ("R_05") another period."""
    copy = Path(shutil.copytree(ROOT / "policy", directory / "policy"))
    chapter, changed = copy / "chapters" / "4-retention.toml", []
    for name, period in ((name.replace("_", "-"), period) for name, period in after.items()):
        text = chapter.read_text(encoding="utf-8")
        head, title, table = text.partition(f"[categories.{name}]\n")
        line = next(line for line in table.splitlines() if line.startswith("period = "))
        chapter.write_text(head + title + table.replace(line, f'period = "{period}"', 1), encoding="utf-8")
        before = line.removeprefix("period = ")
        changed.append(f'{{ category = "{name}", before = {before}, after = "{period}" }}')
    with (copy / "versions.toml").open("a", encoding="utf-8") as file:
        version = _MATERIAL.format(number=2, year=2026, consents="[]", changed=", ".join(changed))
        file.write(version.replace("2026-03-01", "2026-03-16"))
    return copy
