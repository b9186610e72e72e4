"""Which fields of a record which category keeps, as chapter 4 of the policy says it."""

from collections.abc import Iterable
from typing import NamedTuple

from chassis.policy.retention import Retention


class Keeps(NamedTuple):
    """Category, kind and field of everything that is kept, each as a column: what SQL takes as arrays.

    ``named``: all categories of the policy, those that keep no field of a record too.
    """

    categories: list[str]
    kinds: list[str]
    fields: list[str]
    named: list[str]


class KeptFields:
    """Answers for the kinds of records that are kept by field."""

    def __init__(self, retention: Retention) -> None:
        kind_of = {kind.message: name for name, kind in retention.records.items()}
        self._named = sorted(retention.categories)
        self._fields: dict[tuple[str, str], set[str]] = {}
        for name, category in retention.categories.items():
            for path in category.keeps:
                message, _, field = path.partition(".")
                if message in kind_of:
                    self._fields.setdefault((kind_of[message], name), set()).add(field)

    def of(self, kind: str, categories: Iterable[str]) -> frozenset[str]:
        """Return the fields of a kind that at least one of the categories keeps."""
        return frozenset().union(*(self._fields.get((kind, category), ()) for category in categories))

    def by(self, category: str) -> frozenset[str]:
        """Return the fields that a category keeps, of whichever kind."""
        return frozenset().union(*(fields for (_, name), fields in self._fields.items() if name == category))

    def keeps(self) -> Keeps:
        """Return all of it as columns."""
        rows = [(name, kind, field) for (kind, name), fields in self._fields.items() for field in sorted(fields)]
        return Keeps([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows], self._named)
