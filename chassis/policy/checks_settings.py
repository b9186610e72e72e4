"""A setting says which categories it decides, and they say the same: neither can be forgotten alone."""

from collections.abc import Iterator

from chassis.policy.faults import Fault
from chassis.policy.owner import text_of
from chassis.policy.privacy_policy import FILES, PrivacyPolicy
from chassis.policy.retention import Category

_TAX_PERIOD = ("fiscal_year_end_month", "vat_period")
"""What the statutory filing deadline is computed from."""

_YEARS_WITH_IDENTIFIERS = 2


def faults(policy: PrivacyPolicy) -> Iterator[Fault]:
    """Settings and categories that do not say the same."""
    settings = dict(policy.settings)
    yield from _log_years(policy)
    for name, category in policy.retention.categories.items():
        prefix = f"categories.{name}"
        for setting, key in _decided_by(category):
            if setting not in settings:
                yield Fault(FILES["retention"], f"{prefix}.{key}", f"names {setting!r}, which is no setting")
            elif key == "requires" and not isinstance(settings[setting].value, bool):
                yield Fault(FILES["retention"], f"{prefix}.{key}", f"names {setting!r}, which is neither on nor off")
            elif name not in settings[setting].categories:
                yield Fault(FILES["settings"], f"{setting}.categories", f"lacks {name}, which it decides by {key}")
        for setting, periods in category.when.items():
            if setting in settings:
                options = {text_of(option) for option in settings[setting].options}
                for value in options ^ periods.keys():
                    reason = "is missing: it is an option" if value in options else "is no option"
                    yield Fault(FILES["retention"], f"{prefix}.when.{setting}.{value}", f"{reason} of the setting")
    for setting, table in settings.items():
        if len(set(table.options)) != len(table.options):
            yield Fault(FILES["settings"], f"{setting}.options", "has one of them twice")
        for name in table.categories:
            decided = policy.retention.categories.get(name)
            if decided is not None and setting not in {each for each, _ in _decided_by(decided)}:
                key = _key_of(setting)
                yield Fault(FILES["retention"], f"categories.{name}.{key}", f"is missing: {setting} decides {name}")


def _log_years(policy: PrivacyPolicy) -> Iterator[Fault]:
    """기준 제8조 제1항: a year is enough only where no unique identifiers (고유식별정보) are processed."""
    if policy.owner.processing_log_years < _YEARS_WITH_IDENTIFIERS and policy.owner.unique_identifiers_stored:
        reason = f"is less than {_YEARS_WITH_IDENTIFIERS}, but unique_identifiers_stored says that there are some"
        yield Fault(FILES["settings"], "processing_log_years.value", reason)


def _decided_by(category: Category) -> Iterator[tuple[str, str]]:
    """Setting, and the key of the category by which it decides it."""
    if category.requires:
        yield category.requires, "requires"
    for setting in category.when:
        yield setting, f"when.{setting}"
    if category.start.counted_from == "filing_deadline":
        yield from ((setting, "start.counted_from") for setting in _TAX_PERIOD)


def _key_of(setting: str) -> str:
    """By which key a setting decides a category: it is on or off, or it counts the tax period, or it has options."""
    if setting in _TAX_PERIOD:
        return "start.counted_from"
    return "requires" if setting == "credit_information_user" else f"when.{setting}"
