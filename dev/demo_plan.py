"""How the demo shows a plan: the parts that have something to destroy, and what the verification found of them."""

from collections.abc import Iterable

from onggi.purge.v1.purge_service_pb2 import TableCount
from onggi.retention.v1.retention_service_pb2 import Plan, PlanPart, PlanState

from dev.demo_screen import Screen


def show_parts(screen: Screen, plan: Plan) -> None:
    """Show what is due at whom; parts with nothing due by name alone."""
    table = screen.table("category", "holder", "due up to", "units", "rows")
    for part in plan.parts:
        if part.units:
            table.add_row(part.category, part.holder, part.through, str(part.units), _rows(part.planned))
    screen.draw(table)
    idle = [f"{part.category} {part.holder}" for part in plan.parts if not part.units]
    screen.note(f"nothing due in {len(idle)} other parts: {', '.join(idle)}")


def show_checks(screen: Screen, plan: Plan) -> None:
    """Show what the verification found, and compare what was destroyed with what was planned.

    Raises:
        DemoFailed: something is left, or other numbers of rows went than planned.
    """
    screen.step("What the verification by another role found")
    table = screen.table("category", "holder", "check", "examined", "left")
    checks = [(part, check) for part in plan.parts for check in part.checks]
    for part, check in checks:
        if part.units:
            table.add_row(part.category, part.holder, check.name, str(check.examined), str(check.left))
    screen.draw(table)
    screen.note(f"and {sum(not part.units for part, _ in checks)} checks of parts that had nothing due")
    screen.expect(
        f"{len(checks)} checks, none found anything left",
        all(part.checks for part in plan.parts if part.units)
        and all(check.passed and not check.left for _, check in checks),
    )
    others = _otherwise(plan)
    screen.show({f"{part.category} {part.holder}": _rows(part.destroyed) for part in plan.parts if part.units})
    screen.expect("as many rows were destroyed as were planned", not others, "; ".join(others))


def destroyed(plan: Plan, part: PlanPart) -> int:
    """Units of a part that are destroyed so far."""
    return part.units - part.remaining if plan.state >= PlanState.PLAN_STATE_DESTROYING else 0


def _otherwise(plan: Plan) -> list[str]:
    """Where the planned tables lost other numbers of rows than planned; salts and stored answers come on top."""
    return [
        f"{part.category} {part.holder}: {_rows(part.planned)} planned, {_rows(part.destroyed)} destroyed"
        for part in plan.parts
        if part.skipped or not _by_table(part.planned).items() <= _by_table(part.destroyed).items()
    ]


def _by_table(counts: Iterable[TableCount]) -> dict[str, int]:
    return {count.table: count.rows for count in counts if count.rows}


def _rows(counts: Iterable[TableCount]) -> str:
    return ", ".join(sorted(f"{count.rows} {count.table}" for count in counts if count.rows))
