"""Chapter 6 of the policy: the rights of members and their representatives, where to use them, how long an answer takes."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from chassis.policy.chapter import Chapter
from chassis.policy.model import Named, Table


class Page(Named):
    """A page where somebody acts alone: its name, and the way to it through the menus."""

    path: tuple[str, ...] = Field(min_length=1)
    path_english: tuple[str, ...] = Field(min_length=1)


class Right(Named):
    """A right (권리): ``law``, its article; ``days`` to the answer at most, 0 for "without delay"; ``page``, a page's key.

    No law gives more than ten days (법 시행령 제41조, 제43조, 제44조). Where 제11조 names no page, it is "", and the privacy
    officer is asked.
    """

    law: str
    days: int = Field(ge=0, le=10)
    page: str = Field(min_length=0)


class RightsByName(Table):
    """Every right that the law gives; none can be left out."""

    access: Right
    correction: Right
    erasure: Right
    suspension: Right
    withdrawal: Right


class Rights(Chapter):
    """The file ``chapters/6-rights.toml``.

    ``holders``: who has the rights. ``channels``: how the privacy officer can be asked instead. ``use_while_correcting``:
    whether data under correction is used or provided. ``recipients_told``: whether those who had wrong data hear of it.
    """

    ARTICLES: ClassVar[tuple[str, ...]] = ("제11조",)

    use_while_correcting: bool
    recipients_told: bool
    holders: tuple[Named, ...] = Field(min_length=1)
    channels: tuple[Named, ...] = Field(min_length=1)
    pages: Mapping[str, Page]
    rights: RightsByName

    def by_name(self) -> Mapping[str, Right]:
        """The rights by their names, in the order of the law."""
        return {name: getattr(self.rights, name) for name in RightsByName.model_fields}

    def faults(self) -> Iterator[tuple[str, str]]:
        """What within the chapter does not fit together: (key, reason)."""
        pages = {right.page for right in self.by_name().values()}
        for key in self.pages:
            if key not in pages:
                yield f"pages.{key}", "no right is used there"
