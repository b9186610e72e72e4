"""Chapter 9 of the policy: who answers for it, whom else to ask, what it does not cover, and how a change is announced."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from chassis.policy.chapter import Chapter
from chassis.policy.model import Named, Table


class Publisher(Named):
    """The company whose policy it is, the service that it covers, and the laws that it says it follows (전문)."""

    service: str
    service_english: str
    laws: tuple[Named, ...] = Field(min_length=1)


class Officer(Named):
    """Somebody to turn to (제19조): the office. ``name`` is filled in where the policy is published, and "" here."""

    name: str = Field(min_length=0)
    department: str
    department_english: str
    telephone: str = Field(pattern=r"^0\d{1,2}-\d{3,4}-\d{4}$")


class Officers(Table):
    """The chief privacy officer (개인정보 보호책임자) and the person in charge (보호담당자)."""

    chief: Officer
    charge: Officer


class Agency(Named):
    """An authority that helps (제19조): its site and its number (국번없이).

    ``run_by``: the body that it is part of, where the policy says so. ``redress``: whether it is named for redress besides.
    """

    url: str = Field(pattern=r"^https?://\S+$")
    telephone: str = Field(pattern=r"^\d{3,4}(-\d{4})?$")
    run_by: str = Field(min_length=0)
    run_by_english: str = Field(min_length=0)
    redress: bool


class Notice(Table):
    """How a change is announced (제21조): ``days`` before, ``days_when_material`` where rights change much, and where."""

    days: int = Field(gt=0)
    days_when_material: int = Field(gt=0)
    consent_again: bool
    place: Named

    @model_validator(mode="after")
    def _longer_when_material(self) -> Self:
        if self.days_when_material < self.days:
            raise ValueError("a material change is announced no later than another")
        return self


class Contacts(Chapter):
    """The file ``chapters/9-contacts.toml``. ``linked_sites_covered``: whether the policy holds for linked sites (제20조)."""

    ARTICLES: ClassVar[tuple[str, ...]] = ("제19조", "제20조", "제21조")

    linked_sites_covered: bool
    publisher: Publisher
    officers: Officers
    agencies: tuple[Agency, ...] = Field(min_length=1)
    notice: Notice
