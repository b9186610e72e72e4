"""A value that never shows itself: not in a repr, a log line, a pickle or a format string."""

from typing import NoReturn


class Secret:
    """Wraps a secret text. Grep for ``reveal()`` to see every place where one is used."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, specification: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets are not serialised")
