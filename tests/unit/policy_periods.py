"""The policy after a second version that has changed periods, some to longer and some to shorter."""

from collections.abc import Mapping
from datetime import date

from chassis.policy.load import of_documents
from chassis.policy.privacy_policy import PrivacyPolicy
from tests.unit.policy_documents import DOCUMENTS, having

SINCE = date(2026, 3, 1)
PERIODS: Mapping[str, str] = {"R-05": "4 years", "R-08": "2 years", "R-15": "4 years", "R-22": "4 months"}
"""Longer, shorter, longer, longer: consents and contracts, which a law does not bind."""


def after(periods: Mapping[str, str], since: date = SINCE) -> PrivacyPolicy:
    """The policy with version 2 in force since a day; category -> its period from then on."""
    documents = DOCUMENTS
    changed = []
    for name, period in periods.items():
        before = documents["retention"]["categories"][name]["period"]
        changed.append({"category": name, "before": before, "after": period})
        documents = having("retention", ("categories", name, "period"), period, documents)
    [first] = documents["versions"]["versions"]
    second = {
        **first, "id": "2", "announced_on": date.fromordinal(since.toordinal() - 30), "effective_on": since,
        "materiality": "material", "changed": changed,
    }  # fmt: skip
    return of_documents(having("versions", ("versions",), [first, second], documents))
