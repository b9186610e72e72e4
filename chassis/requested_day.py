"""A Korean day that a request names, as text (ISO 8601, ``2026-11-29``)."""

from datetime import date

from chassis.errors import InvalidField, Violation


def requested_day(text: str, path: str) -> date:
    """Return the day that a request has at ``path``. Raises InvalidField for one that is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidField([Violation(path, "date")]) from None
