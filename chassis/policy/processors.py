"""Chapter 3 of the policy: who processes personal data for the company (수탁자), with what, and until when."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from chassis.policy.chapter import Chapter
from chassis.policy.model import Named


class Processor(Named):
    """A processor (수탁 업체) of 제6조 ②.

    ``tasks``: what it does for the company. ``ends``: the events any of which ends it, and ``until`` says so in words.
    ``category``: the row of the retention schedule for what it holds.
    """

    url: str = Field(pattern=r"^https?://\S+$")
    tasks: tuple[str, ...] = Field(min_length=1)
    tasks_english: tuple[str, ...]
    ends: tuple[Literal["membership_ended", "processing_ended"], ...] = Field(min_length=1)
    until: str
    until_english: str
    category: str

    @model_validator(mode="after")
    def _same_tasks(self) -> Self:
        if len(self.tasks) != len(self.tasks_english):
            raise ValueError("as many tasks in English as in Korean")
        return self


class Processors(Chapter):
    """The file ``chapters/3-processors.toml``. ``exceptions``: when data may go to others all the same (제6조 ③)."""

    ARTICLES: ClassVar[tuple[str, ...]] = ("제6조",)

    processors: Mapping[str, Processor] = Field(min_length=1)
    exceptions: tuple[Named, ...] = Field(min_length=1)
