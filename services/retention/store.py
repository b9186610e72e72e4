"""Single-query primitives over plans and certificates; rules stand elsewhere, transactions belong to the caller.

Every change of a plan names the state and the epoch that it must find: who has been overtaken changes nothing.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, Select, func, insert, literal, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import errors
from chassis.cutoffs import dates, texts
from chassis.database import DATABASE_ERRORS, constraint, is_refusal, sqlstate
from chassis.policy.privacy_policy import PrivacyPolicy
from chassis.policy_coverage import Stock
from services.retention.plan import RUNNING, Check, Part, Plan, State
from services.retention.tables import plan, plan_part

log = structlog.get_logger()

NOW = func.transaction_timestamp()
_UNFINISHED = text("""
SELECT part.category, count(*) AS rows FROM plan_part AS part JOIN plan ON plan.plan_id = part.plan_id
WHERE plan.state IN ('DESTROYING', 'DESTROYED', 'VERIFIED', 'NEEDS_OPERATOR')
AND part.category <> ALL(CAST(:held AS text[])) GROUP BY part.category ORDER BY part.category
""")
Values = Mapping[str, Any]
"""What to write, by column."""


def unfinished(policy: PrivacyPolicy) -> Stock:
    """Return the parts of plans that have begun and have no certificate yet, which states a row of the policy for each."""
    return Stock(plan_part.name, _UNFINISHED, policy.retention.categories.keys())


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Give a connection within a transaction that commits at the end. Raises DatabaseUnavailable."""
    try:
        async with engine.begin() as connection:
            yield connection
    except DATABASE_ERRORS as error:
        if is_refusal(error):
            log.error("statement refused", sqlstate=sqlstate(error), constraint=constraint(error))
        raise errors.DatabaseUnavailable from None


async def add_plan(connection: AsyncConnection, values: Values) -> None:
    """Insert a plan."""
    await connection.execute(insert(plan).values(**values))


async def add_parts(connection: AsyncConnection, plan_id: str, parts: Sequence[Part]) -> None:
    """Insert the parts of a plan, at least one, in order."""
    await connection.execute(insert(plan_part), [
        {
            "plan_id": plan_id, "position": position, "category": part.category, "holder": part.holder,
            "through": part.through, "cutoffs": texts(part.cutoffs), "planned": dict(part.planned), "units": part.units,
            "digest": part.digest, "destroyed": dict(part.destroyed), "remaining": part.units, "skipped": 0, "held": 0,
            "checks": [], "conflicts": part.conflicts,
        }
        for position, part in enumerate(parts)
    ])  # fmt: skip


async def find_plan(connection: AsyncConnection, plan_id: str, *, lock: bool = False) -> Plan | None:
    """Return a plan with its parts as of one moment, or None; ``lock``: until the end of the transaction."""
    query = _plans().where(plan.c.plan_id == plan_id)
    row = (await connection.execute(query.with_for_update(of=plan) if lock else query)).one_or_none()
    return None if row is None else _plan(row)


async def newest_plans(connection: AsyncConnection, limit: int, after: tuple[datetime, UUID] | None) -> list[Plan]:
    """Return plans with their parts, newest first; ``after``: created_at and id of the last one seen."""
    query = _plans().order_by(plan.c.created_at.desc(), plan.c.plan_id.desc()).limit(limit)
    if after is not None:
        place = literal(after[0], plan.c.created_at.type), literal(str(after[1]), plan.c.plan_id.type)
        query = query.where(tuple_(plan.c.created_at, plan.c.plan_id) < tuple_(*place))
    return [_plan(row) for row in (await connection.execute(query)).all()]


async def running_plans(connection: AsyncConnection) -> list[str]:
    """Return the ids of the plans that a worker has to go on with, oldest first."""
    query = select(plan.c.plan_id).where(plan.c.state.in_(RUNNING)).order_by(plan.c.created_at)
    return list((await connection.scalars(query)).all())


async def take_epoch(connection: AsyncConnection, plan_id: str, states: Collection[State]) -> int | None:
    """Begin an attempt: raise the plan's epoch and return it; None when the plan is in none of the states."""
    found = plan.c.plan_id == plan_id, plan.c.state.in_(states)
    statement = update(plan).where(*found).values(epoch=plan.c.epoch + 1).returning(plan.c.epoch)
    epoch: int | None = await connection.scalar(statement)
    return epoch


async def step(connection: AsyncConnection, known: Plan, then: State, values: Values) -> bool:
    """Change a plan's state, and ``values``; return False when its state or epoch is not as it was known."""
    found = plan.c.plan_id == known.plan_id, plan.c.state == known.state, plan.c.epoch == known.epoch
    statement = update(plan).where(*found).values(state=then, updated_at=NOW, **values).returning(plan.c.plan_id)
    return await connection.scalar(statement) is not None


async def update_part(connection: AsyncConnection, known: Plan, part: Part, values: Values) -> bool:
    """Change the progress of a part; return False when the plan's epoch is not as it was known."""
    statement = update(plan_part).where(
        plan_part.c.plan_id == known.plan_id, plan_part.c.category == part.category, plan_part.c.holder == part.holder,
        plan.c.plan_id == plan_part.c.plan_id, plan.c.epoch == known.epoch,
    ).values(**values).returning(plan_part.c.position)  # fmt: skip
    return await connection.scalar(statement) is not None


def _plans() -> Select[Any]:
    each = aggregate_order_by(func.to_jsonb(plan_part.table_valued()), plan_part.c.position)
    parts = select(func.jsonb_agg(each)).where(plan_part.c.plan_id == plan.c.plan_id).scalar_subquery()
    return select(plan, parts.label("parts"))


def _plan(row: Row[Any]) -> Plan:
    values = dict(row._mapping)  # noqa: SLF001  # public in spite of its name
    parts = tuple(_part(part) for part in values.pop("parts") or ())
    return Plan(**{**values, "state": State(values["state"])}, parts=parts)


def _part(value: Mapping[str, Any]) -> Part:
    known = {name: value[name] for name in Part.__slots__}
    known["through"] = date.fromisoformat(known["through"])
    known["cutoffs"] = dates(known["cutoffs"])
    known["checks"] = tuple(Check(**check) for check in known["checks"])
    return Part(**known)
