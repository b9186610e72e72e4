"""`onggi policy diff`: what a notice of change shows (제21조): before and after, side by side."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.table import Table

from chassis.policy.privacy_policy import CHAPTERS, FILES, PrivacyPolicy
from cli.failures import UsageError
from cli.policy_files import BESIDE_THE_PROGRAM, Directory, opened
from cli.printable import plain
from cli.session import Session

Before = Annotated[
    str, typer.Argument(metavar="A", help="A version's id, or a policy's directory.", show_default=False)
]
After = Annotated[str, typer.Argument(metavar="B", help="The same; the later of the two.", show_default=False)]


class Change(NamedTuple):
    """A value that differs: its file, its key, the name that people read, and the value in A and in B, "" for none."""

    file: str
    key: str
    name: str
    before: str
    after: str


def diff(session: Session, *, before: Before, after: After, directory: Directory = BESIDE_THE_PROGRAM) -> None:
    """Compare two versions of one policy, by the periods that they changed, or two directories, by every value."""
    if Path(before).is_dir() and Path(after).is_dir():
        changes = list(of_policies(opened(Path(before)), opened(Path(after))))
    else:
        changes = list(of_versions(opened(directory), before, after))
    if session.options.json:
        session.print_json({"changes": [change._asdict() for change in changes]})
        return
    if not changes:
        session.out.print("no difference")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("file", "key", "name", "before", "after"):
        table.add_column(heading)
    for change in changes:
        table.add_row(*map(plain, change))
    session.out.print(table)


def of_versions(policy: PrivacyPolicy, before: str, after: str) -> Iterator[Change]:
    """The periods that differ between two versions of a policy. Raises UsageError for a version that it does not have."""
    known = [version.id for version in policy.versions.versions]
    for version in (before, after):
        if version not in known:
            raise UsageError(f"neither a directory nor a version; the policy has: {', '.join(known)}")
    for name, category in policy.retention.categories.items():
        then, now = (policy.period_for(name, version, version) for version in (before, after))
        if then != now:
            yield Change(FILES["retention"], f"categories.{name}.period", category.korean, then, now)


def of_policies(before: PrivacyPolicy, after: PrivacyPolicy) -> Iterator[Change]:
    """Every value of the nine chapters and of the access rules that differs."""
    for part in (*CHAPTERS, "access"):
        old, new = (dict(_values(getattr(policy, part).model_dump(mode="json"))) for policy in (before, after))
        for key in dict.fromkeys([*old, *new]):
            (old_name, old_value), (new_name, new_value) = old.get(key, ("", "")), new.get(key, ("", ""))
            if old_value != new_value:
                yield Change(FILES[part], key, new_name or old_name, old_value, new_value)


def _values(value: Any, key: str = "", name: str = "") -> Iterator[tuple[str, tuple[str, str]]]:
    """Dotted key -> the nearest name around it, and the value as text; lists of words are one value."""
    if isinstance(value, dict):
        named = value.get("korean", name)
        for step, inner in value.items():
            yield from _values(inner, f"{key}.{step}".lstrip("."), named if isinstance(named, str) else name)
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for place, inner in enumerate(value):
            yield from _values(inner, f"{key}.{place}", name)
    else:
        yield key, (name, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
