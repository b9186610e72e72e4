"""Chapter 5 of the policy: how personal data is set apart and how it is destroyed."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from chassis.policy.chapter import Chapter
from chassis.policy.model import Named

METHODS = ("M1", "M2", "M3", "M4", "P")


class Method(Named):
    """A way to destroy (파기방법): of what is on paper (제10조 ①) or electronic (제10조 ②)."""

    medium: Literal["paper", "electronic"]


class Destruction(Chapter):
    """The file ``chapters/5-destruction.toml``.

    ``within_days``: the most days that "without delay" (지체 없이) takes, by ``within_law``; five at most. ``store``,
    ``paper_store``: where data waits for the end of its period (제9조 ①). ``other_use``: whether it is used for anything
    else meanwhile but what a law says (제9조 ②). ``irreversible``, ``paper``: the published words for each medium.
    """

    ARTICLES: ClassVar[tuple[str, ...]] = ("제9조", "제10조")

    within_days: int = Field(gt=0, le=5)
    within_law: str
    other_use: bool
    store: Named
    paper_store: Named
    irreversible: Named
    paper: tuple[Named, ...] = Field(min_length=1)
    methods: Mapping[str, Method]

    @field_validator("methods")
    @classmethod
    def _every_method(cls, methods: Mapping[str, Method]) -> Mapping[str, Method]:
        """Raises ValueError unless exactly the methods that a category can name are described."""
        if wrong := set(methods) ^ set(METHODS):
            raise ValueError(f"the methods are {', '.join(METHODS)}; not so: {', '.join(sorted(wrong))}")
        return methods
