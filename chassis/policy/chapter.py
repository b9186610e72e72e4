"""What every chapter's file begins with: its title and those of its articles, which templates and ties rely on."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from pydantic import field_validator

from chassis.policy.model import Named, Table


class Chapter(Table):
    """One file of ``policy/chapters/``: title of the chapter, and of each of its articles (조) by number."""

    ARTICLES: ClassVar[tuple[str, ...]] = ()

    title: str
    title_english: str
    clauses: Mapping[str, Named]

    @field_validator("clauses")
    @classmethod
    def _every_article(cls, clauses: Mapping[str, Named]) -> Mapping[str, Named]:
        """Raises ValueError when an article of the chapter has no title here, or one of another chapter has."""
        if wrong := set(clauses) ^ set(cls.ARTICLES):
            raise ValueError(
                f"the articles of this chapter are {', '.join(cls.ARTICLES)}; not so: {', '.join(sorted(wrong))}"
            )
        return clauses

    def faults(self) -> Iterator[tuple[str, str]]:
        """What within the chapter does not fit together: (key, reason). The loader asks each chapter."""
        yield from ()
