"""Takes a rendered policy apart: sections by article, the rows of their tables, their lists."""

import re
from collections.abc import Mapping

_HEADING = re.compile(r"^(##|###) (.+)$", re.MULTILINE)
_RULE = re.compile(r"\|(---\|)+")


def tight(text: str) -> str:
    """Without any space, as facts are compared."""
    return re.sub(r"\s+", "", text)


def sections(text: str) -> Mapping[str, str]:
    """What stands under each heading, by "제7조", "Article 7", "제4장", "부칙" and so on; "" is the beginning."""
    starts = list(_HEADING.finditer(text))
    found = {"": text[: starts[0].start()]}
    for each, following in zip(starts, [*starts[1:], None], strict=True):
        name = each[2].split(" (")[0].split(". ")[0]
        name = name.split(" ")[0] if name.startswith("제") else name
        assert name not in found, name
        found[name] = text[each.end() : following.start() if following else None]
    return found


def headings(text: str, level: int) -> list[str]:
    """The headings of a level, in order."""
    return [each[2] for each in _HEADING.finditer(text) if len(each[1]) == level]


def tables(section: str) -> list[list[tuple[str, ...]]]:
    """The rows of each table of a section, without its head."""
    found: list[list[tuple[str, ...]]] = []
    for block in section.split("\n\n"):
        lines = block.strip().splitlines()
        if len(lines) > 1 and _RULE.fullmatch(lines[1]):
            found.append([tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]])
    return found


def points(section: str) -> list[str]:
    """The entries of bulleted lists."""
    return re.findall(r"^- (.+)$", section, re.MULTILINE)


def numbered(section: str) -> list[str]:
    """The entries of numbered lists."""
    return re.findall(r"^\d+\. (.+)$", section, re.MULTILINE)
