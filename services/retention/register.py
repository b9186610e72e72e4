"""The destruction register (파기관리대장): certificates as they were signed. Rows are added, never changed."""

from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.retention.tables import certificate


@dataclass(frozen=True, slots=True)
class Certificate:
    """A destruction certificate (파기확인서): canonical JSON, its Ed25519 signature, the key's name and version."""

    statement: bytes
    signature: bytes
    key_id: str
    public_key_pem: str


async def add(connection: AsyncConnection, plan_id: str, issued: Certificate) -> None:
    """Enter a certificate; a second one for the same plan is an error of the database."""
    await connection.execute(insert(certificate).values(
        plan_id=plan_id, statement=issued.statement, signature=issued.signature, key_id=issued.key_id,
        public_key_pem=issued.public_key_pem,
    ))  # fmt: skip


async def find(connection: AsyncConnection, plan_id: str) -> Certificate | None:
    """Return the certificate of a plan, or None."""
    columns = [certificate.c[name] for name in ("statement", "signature", "key_id", "public_key_pem")]
    row = (await connection.execute(select(*columns).where(certificate.c.plan_id == plan_id))).one_or_none()
    return None if row is None else Certificate(*row)
