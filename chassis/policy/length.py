"""Which of two periods is the longer, as the policy writes them."""

import math

from chassis.policy.duration import Period
from chassis.policy.retention import AT_ONCE, OPEN

_DAYS_OF_A_MONTH = 365.2425 / 12


def length(period: str) -> float:
    """Return a number of days to compare "5 years", "35 days", "at once" (none) and "open" (no end) by; it dates nothing.

    Raises ValueError for what is no period.
    """
    if period == AT_ONCE:
        return 0
    if period == OPEN:
        return math.inf
    parsed = Period.parse(period)
    return parsed.total_months * _DAYS_OF_A_MONTH + parsed.days
