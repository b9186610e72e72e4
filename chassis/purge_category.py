"""What a service knows of one category of the schedule, for chassis.purge: what is due, what is held, how it is destroyed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis import purge_tables as tables
from chassis.cutoffs import Cutoffs
from chassis.erasure_keys import Place


@dataclass(frozen=True, slots=True)
class Sample:
    """A ciphertext kept until the verification, which must fail to decrypt it; without the salt, of course."""

    key: str
    unit: str
    place: Place
    ciphertext: str


@dataclass(slots=True)
class Destroyed:
    """What one batch did: rows by table, the units that were no longer due or are held, one ciphertext as a sample."""

    rows: dict[str, int]
    skipped: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    sample: Sample | None = None


class Category(Protocol):
    """What a service knows of one category. Every method works within the transaction of the connection."""

    async def collect(self, connection: AsyncConnection, cutoffs: Cutoffs, subject_ids: Sequence[str]) -> Sequence[str]:
        """Return the units that are due: their event date is the cut-off or earlier, or their subject is given."""
        ...

    async def count(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return the rows of these units, by table."""
        ...

    async def destroy(self, connection: AsyncConnection, cutoffs: Cutoffs, units: Sequence[str]) -> Destroyed:
        """Destroy salts, then rows, of those units that are still due; lock them before looking."""
        ...

    async def held(self, connection: AsyncConnection, units: Sequence[str]) -> Collection[str]:
        """Return those of the units that a legal hold keeps, or something in them. No hold is set meanwhile."""
        ...

    async def thin_out(self, connection: AsyncConnection, cutoffs: Cutoffs, held: Sequence[str]) -> Destroyed:
        """Destroy what is due in held units and is nobody's and nothing that is held; nothing, where they are held whole.

        The rest of such a unit must be found due again by ``collect``.
        """
        return Destroyed({})

    async def finish(self, engine: AsyncEngine) -> None:
        """Do what is left to do when ``destroy`` is durable; nothing, for most.

        Called after every execution, that of a plan with nothing more to destroy too, so that a run which was cut short
        between the two is finished by its next attempt. What it has not done yet, ``left`` must tell.
        """
        return

    async def conflicts(self, connection: AsyncConnection, cutoffs: Cutoffs) -> Sequence[str]:
        """Return the random ids of what is due and is no unit, as another law keeps it longer; nothing, for most."""
        return []

    def subjects(self, units: Sequence[str]) -> Sequence[str]:
        """Return the ids of the data subjects among the units; none where a unit is not a subject."""
        ...

    async def left(self, connection: AsyncConnection, units: Sequence[str]) -> Mapping[str, int]:
        """Return what is left of destroyed units and must not be, by what it is: rows by table, and living salts.

        This is right where the units are the erasure units themselves and end whole; a category that ends by parts has
        its own.
        """
        rows = await self.count(connection, units)
        salts = await connection.scalar(tables.LIVE_SALTS, {"units": list(units)})
        return {f"rows left in {table}": number for table, number in rows.items()} | {"salts left": salts or 0}


async def destroy(
    connection: AsyncConnection, category: Category, cutoffs: Cutoffs, units: Sequence[str]
) -> Destroyed:  # fmt: skip
    """Destroy the units but those that are held, and of these what is not; the caller has kept new holds out."""
    held = sorted(await category.held(connection, units))
    batch = await category.destroy(connection, cutoffs, sorted(set(units) - set(held)))
    if held:
        thinned = await category.thin_out(connection, cutoffs, held)
        batch.rows, batch.sample, batch.held = summed(batch.rows, thinned.rows), batch.sample or thinned.sample, held
    return batch


def summed(before: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Return the rows of both, by table."""
    return {table: before.get(table, 0) + more.get(table, 0) for table in {**before, **more}}
