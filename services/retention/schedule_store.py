"""Single-query primitives over the days of the schedule."""

from datetime import date, datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.retention.tables import schedule_run, schedule_since


async def since(connection: AsyncConnection) -> datetime:
    """Return when the schedule began: the installation of the service's database."""
    instant: datetime = (await connection.execute(select(schedule_since.c.since))).scalar_one()
    return instant


async def is_done(connection: AsyncConnection, day: date) -> bool:
    """Return whether the day is planned."""
    query = select(schedule_run.c.day).where(schedule_run.c.day == day, schedule_run.c.finished_at.is_not(None))
    return await connection.scalar(query) is not None


async def begin(connection: AsyncConnection, day: date, plan_id: str) -> tuple[str, int] | None:
    """Begin an attempt at a day: return its plan's id (a former attempt's, if there was one) and the attempt's epoch.

    Returns None when the day is planned.
    """
    fresh = insert(schedule_run).values(day=day, plan_id=plan_id, epoch=1)
    statement = fresh.on_conflict_do_update(
        index_elements=["day"], set_={"epoch": schedule_run.c.epoch + 1}, where=schedule_run.c.finished_at.is_(None)
    ).returning(schedule_run.c.plan_id, schedule_run.c.epoch)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else (row.plan_id, row.epoch)


async def finish(connection: AsyncConnection, day: date, epoch: int, plan_id: str | None) -> bool:
    """End a day, with its plan or (nothing was due) none; return False when another attempt has overtaken this one."""
    statement = update(schedule_run).where(
        schedule_run.c.day == day, schedule_run.c.epoch == epoch, schedule_run.c.finished_at.is_(None)
    ).values(plan_id=plan_id, finished_at=func.transaction_timestamp()).returning(schedule_run.c.day)  # fmt: skip
    return await connection.scalar(statement) is not None
