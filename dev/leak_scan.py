"""The leak scan: personal values that were put in on purpose, looked for in every byte that the system wrote.

A scan that finds nothing proves something only if it would have found something: a control value is planted in each
class of artefact, and without it the scan's zero is void. The files must be at rest.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dev.leak_encodings import spellings
from dev.leak_layers import layers
from dev.leak_patterns import PatternIndex


@dataclass(frozen=True, slots=True)
class Hit:
    """A value found. The value itself is not told: the report would be the next leak."""

    artefact: str
    file: str
    offset: int
    item: str
    encoding: str


@dataclass(slots=True)
class Searched:
    """What was searched of one class of artefact; `unpacked` counts the further readings of dev/leak_layers.py."""

    files: int = 0
    bytes: int = 0
    unpacked: int = 0
    control_found: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked for, where, and what was found."""

    artefacts: Mapping[str, Searched]
    values: Mapping[str, int]
    patterns: int
    encodings: Sequence[str]
    hits: Sequence[Hit] = field(default_factory=list)

    @property
    def controls_found(self) -> str:
        """Classes whose control was found, of all: "4/4"."""
        return f"{sum(each.control_found for each in self.artefacts.values())}/{len(self.artefacts)}"

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(each.bytes for each in self.artefacts.values())

    @property
    def clean(self) -> bool:
        """True when nothing was found and every control was."""
        return not self.hits and all(each.control_found for each in self.artefacts.values())

    def as_json(self) -> dict[str, Any]:
        """The report for a program; holds no value."""
        return {
            "bytes_scanned": self.bytes,
            "values_searched": sum(self.values.values()),
            "values_by_item": dict(self.values),
            "patterns": self.patterns,
            "encodings": sorted(self.encodings),
            "hits": len(self.hits),
            "hit_list": [asdict(hit) for hit in self.hits],
            "controls_found": self.controls_found,
            "artefacts": {name: asdict(each) for name, each in self.artefacts.items()},
        }


def scan(
    roots: Mapping[str, Sequence[Path]],
    values: Mapping[str, Sequence[str]],
    controls: Mapping[str, str],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Search every file.

    Args:
        roots: class of artefact -> its files and directories; directories are walked, symbolic links below not.
        values: data item -> the values that must not be found.
        controls: class of artefact -> the value that was planted in it; one for each class.
        progress: gets the size of each file after it was searched.

    Raises:
        ValueError: a class without control, or a value too short to be told from chance.
        OSError: a file that cannot be read; skipping it would make the zero a lie.
    """
    if roots.keys() != controls.keys():
        raise ValueError("each class of artefact needs a control of its own")
    sought = [(item, form) for item, group in values.items() for value in group for form in spellings(value)]
    planted = [(artefact, form) for artefact, value in controls.items() for form in spellings(value)]
    index = PatternIndex([form for _, form in [*sought, *planted]])
    report = Report(
        artefacts={artefact: Searched() for artefact in roots},
        values={item: len(group) for item, group in values.items()},
        patterns=len(index),
        encodings=sorted(index.encodings),
        hits=(hits := []),
    )
    for artefact, places in roots.items():
        searched = report.artefacts[artefact]
        for file, name in _files(places):
            data = file.read_bytes()
            searched.files += 1
            searched.bytes += len(data)
            for part, where in layers(data, name):
                searched.unpacked += len(part) if where != name else 0
                for match in index.search(part):
                    if match.spelling < len(sought):
                        hits.append(Hit(artefact, where, match.offset, sought[match.spelling][0], match.encoding))
                    elif planted[match.spelling - len(sought)][0] == artefact:
                        searched.control_found = True
            progress(len(data))
    return report


def size(roots: Mapping[str, Sequence[Path]]) -> int:
    """Bytes that `scan` would read from files."""
    return sum(file.stat().st_size for places in roots.values() for file, _ in _files(places))


def _files(places: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Each regular file with the name that the report gives it: the path from its root on."""
    for place in places:
        if not place.is_dir():
            yield place, place.name
            continue
        for directory, _, names in os.walk(place, onerror=_fail):
            for name in sorted(names):
                file = Path(directory, name)
                if file.is_file():  # no sockets
                    yield file, str(Path(place.name, file.relative_to(place)))


def _fail(error: OSError) -> None:
    raise error
