"""Cuts the lock down to what a service runs with, so that no test or build tool gets into the image.

Run in an environment that has the whole lock installed: the dependencies of `pyproject.toml` are followed through the
metadata of the installed packages, and their entries are printed as they stand in `requirements.lock`, hashes included.
"""

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?==.*(?:\n[ \t]+.*)*", re.MULTILINE)


def runtime_names(dependencies: list[str]) -> set[str]:
    """Return the normalised names of `dependencies` (PEP 508) and of all that they need on this platform.

    Raises PackageNotFoundError for a direct dependency that is not installed.
    """
    names: set[str] = set()
    waiting = [(Requirement(line), frozenset({""})) for line in dependencies]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement, extras = waiting.pop()
        name, wanted = canonicalize_name(requirement.name), frozenset(requirement.extras) | {""}
        marker = requirement.marker
        if (marker and not any(marker.evaluate({"extra": extra}) for extra in extras)) or (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        names.add(name)
        waiting += [(Requirement(line), wanted) for line in distribution(name).requires or []]
    return names


def cut(lock: str, names: set[str]) -> str:
    """Return the entries of `lock` for `names`, in their order. Raises KeyError when the lock misses one."""
    entries = {canonicalize_name(entry["name"]): entry.group() for entry in ENTRY.finditer(lock)}
    missing = sorted(names - entries.keys())
    if missing:
        raise KeyError(f"not in the lock: {', '.join(missing)}")
    return "\n".join(text for name, text in entries.items() if name in names) + "\n"


def main() -> int:
    """Print the runtime part of the lock; return 1 when the environment or the lock is incomplete."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    try:
        sys.stdout.write(cut(lock, runtime_names(project["dependencies"])))
    except (KeyError, PackageNotFoundError) as error:
        print(f"runtime_lock: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
