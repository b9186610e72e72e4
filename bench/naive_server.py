"""Tokenize as a team would write it first: one hvac call in a thread and one ORM transaction for each call.

It keeps what must be kept (a durable token row and a durable log row before every answer) and nothing else of Onggi: no
validation, no access rules, no idempotency. So its ratio flatters it.
"""

import argparse
import asyncio
import base64
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path

import grpc
import grpc.aio
import hvac
import uvloop
from onggi.payment_vault.v1 import tokenization_service_pb2 as api
from sqlalchemy import URL, DateTime
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The two tables of the naive server."""


class TokenRow(Base):
    """A token."""

    __tablename__ = "bench_naive_token"
    token: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[str]
    sealed: Mapped[str]


class LogRow(Base):
    """An access."""

    __tablename__ = "bench_naive_log"
    record_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    member_id: Mapped[str]


class Naive:
    """One call, one Vault call, one transaction."""

    def __init__(self, vault: "_Vault", engine: AsyncEngine) -> None:
        self._vault = vault
        self._engine = engine

    async def tokenize(self, request: api.TokenizeRequest, context: object) -> api.TokenizeResponse:
        """Encrypt, store, answer."""
        plaintext = request.instrument.SerializeToString()
        sealed = await asyncio.to_thread(self._vault.encrypt, plaintext, request.member_id.encode())
        token = f"tok_card_{uuid.uuid4().hex}"
        async with AsyncSession(self._engine) as session, session.begin():
            session.add(TokenRow(token=token, member_id=request.member_id, sealed=sealed))
            session.add(LogRow(record_id=str(uuid.uuid4()), at=datetime.now(UTC), member_id=request.member_id))
        response = api.TokenizeResponse()
        response.token.token = token
        return response


class _Vault:
    """hvac is not safe to share between threads: one client each."""

    def __init__(self, address: str, ca: Path, certificate: Path, key: Path) -> None:
        self._arguments = (address, str(ca), (str(certificate), str(key)))
        self._local = threading.local()

    def encrypt(self, plaintext: bytes, context: bytes) -> str:
        client = getattr(self._local, "client", None)
        if client is None:
            address, ca, certificate = self._arguments
            client = self._local.client = hvac.Client(address, verify=ca, cert=certificate)
            login = client.adapter.post("/v1/auth/cert/login", json={"name": "payment-vault-tokenize"})
            client.token = login["auth"]["client_token"]
        answer = client.secrets.transit.encrypt_data(
            "card", plaintext=base64.b64encode(plaintext).decode(), context=base64.b64encode(context).decode()
        )
        return str(answer["data"]["ciphertext"])


async def _serve(given: argparse.Namespace) -> None:
    url = URL.create(
        "postgresql+asyncpg", given.user, given.password_file.read_text().strip(), port=given.port,
        database=given.database,
    )  # fmt: skip
    engine = create_async_engine(url, pool_size=32, max_overflow=0, connect_args={"host": given.socket})
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    vault = _Vault(given.vault_address, given.vault_ca, given.certificate, given.key)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handler = grpc.unary_unary_rpc_method_handler(
        Naive(vault, engine).tokenize,
        request_deserializer=api.TokenizeRequest.FromString,
        response_serializer=api.TokenizeResponse.SerializeToString,
    )
    service = "onggi.payment_vault.v1.TokenizationService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Tokenize": handler}),))
    credentials = grpc.ssl_server_credentials(
        [(given.key.read_bytes(), given.certificate.read_bytes())], given.ca.read_bytes(), require_client_auth=True
    )
    if server.add_secure_port(given.address, credentials) == 0:
        raise OSError(f"cannot listen on {given.address}")
    await server.start()
    await server.wait_for_termination()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    for name in ("address", "vault_address", "socket", "port", "database", "user"):
        parser.add_argument(name, type=int if name == "port" else str)
    for name in ("password_file", "vault_ca", "certificate", "key", "ca"):
        parser.add_argument(name, type=Path)
    uvloop.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
