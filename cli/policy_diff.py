"""`onggi policy diff`: what a notice of change shows (제21조): before and after, side by side."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from chassis.policy.privacy_policy import FILES, PrivacyPolicy
from cli.detail import listing
from cli.failures import CheckError, UsageError
from cli.policy_files import BESIDE_THE_PROGRAM, Directory, opened, texts_of
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
    """Compare two versions of one policy, by the periods that they changed, or two directories, by every value and word."""
    directories = [Path(each).is_dir() for each in (before, after)]
    if all(directories):
        changes = list(of_policies(opened(Path(before)), opened(Path(after))))
        changes += of_texts(texts_of(Path(before)), texts_of(Path(after)))
    elif any(directories):
        raise UsageError("one is a directory and the other is not: give two versions, or two directories")
    else:
        changes = list(of_versions(opened(directory), before, after))
    if session.options.json:
        session.print_json({"changes": [change._asdict() for change in changes]})
        return
    if not changes:
        session.out.print("no difference" if all(directories) else "no period differs")
        return
    session.out.print(listing(Change._fields, changes))


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
    """Every value of every file that differs, and the periods that differ because the owner's settings do."""
    for part in FILES:
        old, new = (dict(_values(getattr(policy, part).model_dump(mode="json"))) for policy in (before, after))
        for key in dict.fromkeys([*old, *new]):
            (old_name, old_value), (new_name, new_value) = old.get(key, ("", "")), new.get(key, ("", ""))
            if old_value != new_value:
                yield Change(FILES[part], key, new_name or old_name, old_value, new_value)
    categories = after.retention.categories
    for name in sorted(before.retention.categories.keys() & categories.keys()):
        then, now = before.period(name), after.period(name)
        if then != now and before.retention.categories[name].period == categories[name].period:
            yield Change(FILES["retention"], f"categories.{name}.period", categories[name].korean, then, now)


def of_texts(before: Path, after: Path) -> Iterator[Change]:
    """The lines that differ of every template around the values, each by its first line in A."""
    names = {str(path.relative_to(texts)) for texts in (before, after) for path in texts.rglob("*.j2")}
    for name in sorted(names):
        old, new = (_lines(texts / name) for texts in (before, after))
        for what, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if what != "equal":
                lines = " ".join(old[start:end]), " ".join(new[new_start:new_end])
                yield Change(f"text/{name}", f"line {start + 1}", "", *lines)


def _lines(template: Path) -> list[str]:
    try:
        return template.read_text(encoding="utf-8-sig").splitlines() if template.is_file() else []
    except UnicodeDecodeError:
        raise CheckError(f"{template.name} is not UTF-8: onggi policy check has the line") from None


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
