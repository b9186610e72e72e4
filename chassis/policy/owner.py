"""The facts that only the policy's owner or counsel can settle, each with its source: ``policy/settings.toml``.

None of them is a constant of the code. Each has a conservative value until its owner signs another.
"""

from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import Field, StrictBool, model_validator

from chassis.policy.model import Table

FinanceRole = Literal["financial_institution", "business", "auxiliary"]
VatPeriod = Literal["half_year", "quarter"]
Month = Annotated[int, Field(strict=True, ge=1, le=12)]
Years = Annotated[int, Field(strict=True, ge=1)]

Value = TypeVar("Value", bound=bool | int | str)


class Setting(Table, Generic[Value]):
    """One fact.

    ``options``: what it may be. ``conservative``: why the value harms nobody if it is wrong. ``owner``: the role that
    settles it. ``source``: what it stands on. ``categories``: those whose period or being it decides.
    """

    value: Value
    options: tuple[Value, ...] = Field(min_length=2)
    conservative: str
    owner: str
    source: str
    categories: tuple[str, ...]

    @model_validator(mode="after")
    def _is_an_option(self) -> Self:
        if self.value not in self.options:
            raise ValueError(f"has a value that is none of its options {list(self.options)}")
        return self


class Settings(Table):
    """The file ``settings.toml``."""

    processing_log_years: Setting[Years]
    unique_identifiers_stored: Setting[StrictBool]
    electronic_finance_role: Setting[FinanceRole]
    credit_information_user: Setting[StrictBool]
    value_added_telecom: Setting[StrictBool]
    consumer_under_ecommerce_act: Setting[StrictBool]
    pci_scope: Setting[StrictBool]
    fiscal_year_end_month: Setting[Month]
    vat_period: Setting[VatPeriod]
    apply_civil_act_161: Setting[StrictBool]


class Owner(Table):
    """The values alone, as the calendar and the services read them.

    ``processing_log_years``: how long accesses are kept (기준 제8조). ``fiscal_year_end_month``: 1 to 12.
    ``apply_civil_act_161``: whether a period that would end on a holiday ends on the next working day.
    """

    processing_log_years: int
    unique_identifiers_stored: bool
    electronic_finance_role: FinanceRole
    credit_information_user: bool
    value_added_telecom: bool
    consumer_under_ecommerce_act: bool
    pci_scope: bool
    fiscal_year_end_month: int
    vat_period: VatPeriod
    apply_civil_act_161: bool

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the values of the file."""
        return cls.model_validate({name: setting.value for name, setting in settings})

    def text(self, setting: str) -> str:
        """Return the value of a setting as a key of TOML writes it: "2", "true", "auxiliary"."""
        return text_of(getattr(self, setting))


def text_of(value: bool | int | str) -> str:
    """Return a value as a key of TOML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
