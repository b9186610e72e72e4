"""Single-query primitives over the register of legal holds; rules stand elsewhere, transactions belong to the caller."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, insert, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.retention.hold import KEEPING, Hold, HoldState
from services.retention.store import NOW, Values
from services.retention.tables import legal_hold, legal_hold_holder


async def add(connection: AsyncConnection, values: Values, holders: Iterable[str]) -> None:
    """Insert a hold that none of the holders has been told of yet."""
    await connection.execute(insert(legal_hold).values(**values))
    rows = [{"hold_id": values["hold_id"], "holder": holder, "told": ""} for holder in holders]
    await connection.execute(insert(legal_hold_holder), rows)


async def find(connection: AsyncConnection, hold_id: str, *, lock: bool = False) -> Hold | None:
    """Return a hold, or None; ``lock``: until the end of the transaction."""
    query = _holds().where(legal_hold.c.hold_id == hold_id)
    row = (await connection.execute(query.with_for_update(of=legal_hold) if lock else query)).one_or_none()
    return None if row is None else _hold(row)


async def of_ids(connection: AsyncConnection, hold_ids: Collection[str]) -> list[Hold]:
    """Return the holds of these ids that there are."""
    rows = (await connection.execute(_holds().where(legal_hold.c.hold_id.in_(hold_ids)))).all()
    return [_hold(row) for row in rows]


async def newest(
    connection: AsyncConnection, limit: int, after: tuple[datetime, UUID] | None, states: Collection[HoldState]
) -> list[Hold]:
    """Return holds in these states, newest first; ``after``: created_at and id of the last one seen."""
    query = _holds().where(legal_hold.c.state.in_(states))
    query = query.order_by(legal_hold.c.created_at.desc(), legal_hold.c.hold_id.desc()).limit(limit)
    if after is not None:
        place = literal(after[0], legal_hold.c.created_at.type), literal(str(after[1]), legal_hold.c.hold_id.type)
        query = query.where(tuple_(legal_hold.c.created_at, legal_hold.c.hold_id) < tuple_(*place))
    return [_hold(row) for row in (await connection.execute(query)).all()]


async def in_states(connection: AsyncConnection, states: Collection[HoldState]) -> list[Hold]:
    """Return all holds in these states, oldest first."""
    query = _holds().where(legal_hold.c.state.in_(states)).order_by(legal_hold.c.created_at)
    return [_hold(row) for row in (await connection.execute(query)).all()]


async def register(connection: AsyncConnection) -> Sequence[Row[Any]]:
    """Return of every hold what holders know of it, and its state, as of one moment."""
    columns = ("hold_id", "state", "member_id", "record_id", "article", "placed_on")
    query = select(*(legal_hold.c[name] for name in columns)).order_by(legal_hold.c.hold_id)
    return (await connection.execute(query)).all()


async def overdue(connection: AsyncConnection, today: date) -> Sequence[str]:
    """Return the ids of the holds whose review is overdue on a Korean day, the longest overdue first."""
    late = legal_hold.c.state.in_(KEEPING), legal_hold.c.review_on < today
    return (await connection.scalars(select(legal_hold.c.hold_id).where(*late).order_by(legal_hold.c.review_on))).all()


async def change(connection: AsyncConnection, hold_id: str, values: Values) -> None:
    """Change a hold that the caller has locked."""
    await connection.execute(update(legal_hold).where(legal_hold.c.hold_id == hold_id).values(updated_at=NOW, **values))


async def note(connection: AsyncConnection, hold_id: str, holder: str, told: HoldState) -> None:
    """Note what a holder has answered; that it has let go is never taken back."""
    known = legal_hold_holder.c.hold_id == hold_id, legal_hold_holder.c.holder == holder
    still = legal_hold_holder.c.told != HoldState.RELEASED
    await connection.execute(update(legal_hold_holder).where(*known, still).values(told=told))


def _holds() -> Select[Any]:
    told = func.jsonb_object_agg(legal_hold_holder.c.holder, legal_hold_holder.c.told)
    of_this = select(told).where(legal_hold_holder.c.hold_id == legal_hold.c.hold_id).scalar_subquery()
    return select(legal_hold, of_this.label("told"))


def _hold(row: Row[Any]) -> Hold:
    values = dict(row._mapping)  # noqa: SLF001  # public in spite of its name
    return Hold(**{**values, "state": HoldState(values["state"]), "told": values["told"] or {}})
