"""When personal data ends: the calendar, plans, runs, holds and certificates."""
