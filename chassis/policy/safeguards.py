"""Chapter 8 of the policy: the measures promised for the safety of personal data, each with what keeps the promise."""

from collections.abc import Iterator
from typing import ClassVar, Self

from pydantic import Field, model_validator

from chassis.policy.chapter import Chapter
from chassis.policy.model import Named, Table


class Measure(Named):
    """A measure (보호 대책): ``met_by`` is where the program keeps it, or ``gap`` names a line of docs/policy-gaps.md."""

    article: str
    met_by: str = Field(default="", min_length=0)
    gap: str = Field(default="", min_length=0)

    @model_validator(mode="after")
    def _met_or_gap(self) -> Self:
        if bool(self.met_by) == bool(self.gap):
            raise ValueError("a measure says what meets it, or the gap that says why nothing does")
        return self


class Measures(Table):
    """Every measure of 제15조 to 제18조; none can be left out."""

    one_way_password: Measure
    holder_alone: Measure
    backup: Measure
    antivirus: Measure
    encrypted_transport: Measure
    intrusion_prevention: Measure
    other_technical: Measure
    limited_staff: Measure
    staff_passwords: Measure
    training: Measure
    privacy_body: Measure


class Safeguards(Chapter):
    """The file ``chapters/8-safeguards.toml``.

    ``threats``: what the measures are against. ``not_answered_for``: causes of damage that the company does not answer
    for where it has done its duty (제18조).
    """

    ARTICLES: ClassVar[tuple[str, ...]] = ("제15조", "제16조", "제17조", "제18조")

    threats: tuple[Named, ...] = Field(min_length=1)
    not_answered_for: tuple[Named, ...] = Field(min_length=1)
    measures: Measures

    def faults(self) -> Iterator[tuple[str, str]]:
        """What within the chapter does not fit together: (key, reason)."""
        for name, measure in self.measures:
            if measure.article not in self.clauses:
                yield f"measures.{name}.article", f"{measure.article!r} is no article of this chapter"
