"""The destruction certificate (파기확인서): what it states, as canonical JSON, and its signature by the key service.

It holds counts, accounts, times and no personal data, nor the id of any subject (파기관리대장, LC-08). Data is
destroyed when its salt and rows are gone; from ``unrecoverable_after`` on nobody can read a copy in a backup (LC-04).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from chassis.kst import KST, event_date
from chassis.policy.retention import Category
from chassis.transit import Transit
from services.retention.categories import Categories
from services.retention.plan import Part, Plan, canonical, stated, utc_now
from services.retention.register import Certificate
from services.retention.settings import WindowSettings

VERSION = 4
TOOL = "onggi 0.1.0"
KEY = "certificate-sign"
METHOD = (
    "destruction of the erasure units' salts, then deletion of rows; month partitions of log-like records dropped "
    "(암호키 폐기 후 행 삭제, 월별 파티션 제거)"
)


def statement(plan: Plan, categories: Categories, windows: WindowSettings, issued_at: datetime) -> bytes:
    """Return the statement of a verified plan, canonical (UTF-8, keys sorted, no white space). Times are in KST.

    Raises ValueError for a plan that is not verified, KeyError for a category that the policy has no more.
    """
    if plan.approved_at is None or plan.executed_from is None or plan.executed_to is None or plan.verified_at is None:
        msg = "only a verified plan has a certificate"
        raise ValueError(msg)
    return canonical({
        "certificate": "destruction",
        "certificate_version": VERSION,
        "plan_id": plan.plan_id,
        "plan_digest": plan.digest,
        "policy_version": plan.policy_version,
        "categories": [_category(part, categories[part.category]) for part in plan.parts],
        "rows_planned": _by_table(plan.parts, "planned"),
        "rows_destroyed": _by_table(plan.parts, "destroyed"),
        "method": METHOD,
        "requested_by": plan.requested_by,
        "approved_by": plan.approved_by,
        "approved_at": _kst(plan.approved_at),
        "started_by": plan.started_by,
        "executed_from": _kst(plan.executed_from),
        "executed_to": _kst(plan.executed_to),
        "verified_at": _kst(plan.verified_at),
        "unrecoverable_after": unrecoverable_after(event_date(plan.executed_to), windows).isoformat(),
        "trace_id": plan.trace_id,
        "tool": TOOL,
        "issued_at": _kst(issued_at),
    })  # fmt: skip


def unrecoverable_after(destroyed: date, windows: WindowSettings) -> date:
    """Return the last day on which some copy may still exist: the longest window from the day of destruction."""
    return destroyed + timedelta(days=max(windows.model_dump().values()))


def _category(part: Part, category: Category) -> dict[str, Any]:
    return {
        "category": part.category,
        "korean": category.korean,
        "basis": category.basis,
        "article": category.law,
        "edition": category.edition,
        "holder": part.holder,
        "through": part.through.isoformat(),
        **stated(part.cutoffs),
        "units": part.units,
        "units_no_longer_due": part.skipped,
        "units_held": part.held,
        "set_digest": part.digest,
        "rows_planned": part.planned,
        "rows_destroyed": part.destroyed,
        "verification": [
            {"check": check.name, "examined": check.examined, "left": check.left, "passed": check.passed}
            for check in part.checks
        ],
    }


def _by_table(parts: Sequence[Part], counts: str) -> Mapping[str, Mapping[str, int]]:
    """Rows by holder and table, over all categories."""
    total: dict[str, dict[str, int]] = {}
    for part in parts:
        tables = total.setdefault(part.holder, {})
        for table, rows in getattr(part, counts).items():
            tables[table] = tables.get(table, 0) + rows
    return total


def _kst(instant: datetime) -> str:
    return instant.astimezone(KST).isoformat(timespec="seconds")


class Certifier:
    """Issues certificates, signed with a key that never leaves the key service."""

    def __init__(self, transit: Transit, categories: Categories, windows: WindowSettings) -> None:
        self._transit = transit
        self._categories = categories
        self._windows = windows

    async def issue(self, plan: Plan) -> Certificate:
        """Return the certificate of a verified plan. Raises KeyServiceUnavailable."""
        content = statement(plan, self._categories, self._windows, utc_now())
        signature, version = await self._transit.sign(KEY, content)
        public_key = await self._transit.public_key(KEY, version)
        return Certificate(content, signature, f"{KEY}:v{version}", public_key)

    async def check(self) -> None:
        """Make a real signature, over bytes that are no statement. Raises KeyServiceUnavailable."""
        await self._transit.sign(KEY, b"")
