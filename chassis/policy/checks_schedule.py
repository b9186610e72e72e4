"""Each row of the retention schedule against its statute, its basis, and the place where it is kept."""

import re
from collections.abc import Callable, Iterator, Mapping

from chassis.policy.faults import Fault
from chassis.policy.length import length
from chassis.policy.privacy_policy import FILES, PrivacyPolicy
from chassis.policy.retention import OPEN, Basis, Category

SCHEDULE = (
    *(f"R-{number:02d}" for number in range(1, 9)),
    *(f"R-09{letter}" for letter in "abcd"),
    *(f"R-{number:02d}" for number in range(10, 29)),
)
"""The rows that the schedule must have, be it as a gap."""

HOLDERS_OF_STORES = {
    "live": {"identity"},
    "log": {"identity"},
    "archive": {"identity", "archive"},
    "vault": {"payment_vault"},
    "ledger": set[str](),
    "elsewhere": set[str](),
}
"""Store -> the services that can hold what is kept there."""

METHODS_OF_STORES = {
    "live": {"M1", "M3"},
    "log": {"M4"},
    "archive": {"M1", "M2"},
    "vault": {"M1"},
    "ledger": {"M2", "M4"},
    "elsewhere": {"M1", "M2", "M3"},
}
"""Store -> the ways to destroy (chapter 5) what is kept there."""

_STARTS = {"R-01": "membership_ended", "R-03": "membership_ended", "R-15": "consent_ended"}
"""Row -> the start event whose date its holder has at hand, and destroys by."""

_LAWS = (Basis.LAW_MIN, Basis.LAW_MAX)
_BASES_OF_CLAUSES = {"제7조": (Basis.CONSENT,), "제8조": _LAWS}
"""Clause -> the bases of what is published under it: a separate consent to the period, or a law that gives it."""
_PUBLISHED = ("clause", "label", "reason", "reason_english")

Reasons = Iterator[tuple[str, str]]


def faults(policy: PrivacyPolicy) -> Iterator[Fault]:
    """Rows that are missing, and rows that contradict themselves."""
    categories = policy.retention.categories
    for name in SCHEDULE:
        if name not in categories:
            yield _fault(name, "", "is missing: the schedule has this row, if only as a gap")
    for name, category in categories.items():
        if not re.fullmatch(r"R-[0-9]{2}[a-z]?", name):
            yield _fault(name, "", "is no name of a category, such as R-05 or R-09b")
        for check in _CHECKS:
            yield from (_fault(name, key, reason) for key, reason in check(category))
        event = "occurred" if category.store == "log" else _STARTS.get(name, category.start.event)
        if event != category.start.event:
            yield _fault(name, "start.event", f"is {category.start.event!r}, but it is destroyed by {event!r}")
        purpose = policy.purposes.purposes.get(category.purpose)
        if category.store == "archive" and purpose is not None and purpose.kind != "law":
            yield _fault(name, "purpose", f"is of the kind {purpose.kind!r}: the archive is read under a law alone")
    hold = policy.purposes.purposes.get(policy.retention.holds.purpose)
    if hold is not None and hold.kind != "law":
        yield Fault(FILES["retention"], "holds.purpose", f"is of the kind {hold.kind!r}: a hold stands on a law alone")


def _fault(category: str, key: str, reason: str) -> Fault:
    return Fault(FILES["retention"], f"categories.{category}.{key}".rstrip("."), reason)


def _statute(category: Category) -> Reasons:
    """Longer than the law is over-retention, shorter is destruction too early; so too for each option of a setting."""
    if (category.basis in _LAWS) != bool(category.statute):
        yield "statute", "is missing: a law gives the period" if category.basis in _LAWS else "stands on no law"
    if not category.statute or category.basis not in _LAWS:
        return
    if not category.when:
        yield from _compared(category, "period", category.period, category.statute)
    statutes = _flat(category.statute_when)
    for option, period in _flat(category.when).items():
        if option not in statutes:
            yield f"statute_when.{option}", f"is missing: a law gives the period of when.{option}"
        elif _are_periods(period, statutes[option]):
            yield from _compared(category, f"when.{option}", period, statutes[option])


def _compared(category: Category, key: str, period: str, statute: str) -> Reasons:
    kept, law = length(period), length(statute)
    if kept > law:
        exception = ", unless a setting says so" if key == "period" else ""
        yield key, f"is longer than the statute's {statute}: over-retention{exception}"
    elif kept < law and category.basis is Basis.LAW_MIN:
        yield key, f"is shorter than the statute's {statute}: destruction before the law allows it"


def _flat(periods: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """Setting and value, with a dot between -> period."""
    return {f"{name}.{value}": period for name, options in periods.items() for value, period in options.items()}


def _are_periods(*texts: str) -> bool:
    try:
        return all(length(text) >= 0 for text in texts)
    except ValueError:
        return False


def _consent(category: Category) -> Reasons:
    if (category.basis is Basis.CONSENT) != bool(category.consent):
        needed = category.basis is Basis.CONSENT
        yield "consent", "is missing: the basis is CONSENT" if needed else f"is of no use under {category.basis}"


def _store(category: Category) -> Reasons:
    if (category.store == "archive") != bool(category.purpose):
        archived = category.store == "archive"
        yield "purpose", "is missing: the archive is read under one" if archived else "is of use in the archive alone"
    if category.basis in _LAWS and category.store in ("live", "vault"):
        yield "store", f"is {category.store!r}, but what a law has kept is kept apart (법 제21조 제3항)"
    able = HOLDERS_OF_STORES[category.store]
    for holder in category.holders:
        if holder not in able:
            yield "holders", f"has {holder!r}, which does not hold what is kept in the store {category.store!r}"
    if category.method not in METHODS_OF_STORES[category.store]:
        yield "method", f"is {category.method}, which is not how the store {category.store!r} is emptied"
    if category.store == "archive" and category.holders and "archive" not in category.holders:
        yield "holders", "has no archive, but that is where it is kept"


def _held(category: Category) -> Reasons:
    if bool(category.holders) == bool(category.gap):
        both = bool(category.gap)
        for key in ("holders", "gap"):
            yield (
                key,
                "is there, and so is the other" if both else "is missing: a service holds it, or a gap says why none",
            )
    if category.holders and "keeps" not in category.model_fields_set:
        yield "keeps", "is missing: what is held has fields, be it none that are personal"


def _published(category: Category) -> Reasons:
    said = [key for key in _PUBLISHED if getattr(category, key)]
    if said:
        yield from ((key, "is missing: the category is published") for key in _PUBLISHED if key not in said)
    if category.clause and category.requires:
        yield "requires", f"can turn off what {category.clause} promises to all"
    if category.clause and category.basis not in _BASES_OF_CLAUSES.get(category.clause, tuple(Basis)):
        yield "clause", f"is {category.clause}, under which nothing is published that stands on {category.basis}"


def _start(category: Category) -> Reasons:
    if (category.period == OPEN) == category.start.dated:
        yield "start.dated", "is false where the period is open, and nowhere else"
    if category.start.else_occurred and category.start.event == "occurred":
        yield "start.else_occurred", "says what the event says already"


def _when(category: Category) -> Reasons:
    options, statutes = _flat(category.when), _flat(category.statute_when)
    for key, periods in (("when", options), ("statute_when", statutes)):
        for option, period in periods.items():
            if not _are_periods(period):
                yield f"{key}.{option}", "is not a period, such as 3 years"
    for option in statutes.keys() - options.keys():
        yield f"statute_when.{option}", "is the statute of no period under when"
    if options and _are_periods(*options.values()) and length(category.period) != max(map(length, options.values())):
        yield "period", "is not the longest of when, by which it is decided"
    if category.statute and statutes and category.statute not in statutes.values():
        yield "statute", "is the statute of no option under statute_when"


_CHECKS: tuple[Callable[[Category], Reasons], ...] = (_statute, _consent, _store, _held, _published, _start, _when)
