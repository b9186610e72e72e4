"""The migration that changes how fingerprints are made: not over tokens that stand under the former ones."""

from importlib import import_module

import asyncpg
import pytest

from chassis.migrate import split
from tests.integration import examples
from tests.integration.clients import Clients
from tests.integration.log_rows import Log

_MIGRATION = import_module("services.payment_vault.migrations.versions.0007_fingerprints")
TOKENIZE = "onggi.payment_vault.v1.TokenizationService/Tokenize"


async def test_a_table_with_tokens_is_refused_and_an_empty_one_is_not(clients: Clients, log: Log) -> None:
    """A known instrument would get a second token; whoever migrates is told what to do, and nothing has changed."""
    assert (await clients.call("billing", TOKENIZE, examples.tokenize(examples.new_id()))).message.token.token
    guard, _ = split(_MIGRATION.STATEMENTS)
    with pytest.raises(asyncpg.RaiseError, match="former kind") as refused:
        await log.fetch("payment_vault", guard)
    assert "import them" in str(refused.value.hint)

    await log.fetch("payment_vault", "BEGIN")
    try:
        await log.fetch("payment_vault", "SET LOCAL session_replication_role = replica")
        await log.fetch("payment_vault", "DELETE FROM token")
        await log.fetch("payment_vault", guard)
    finally:
        await log.fetch("payment_vault", "ROLLBACK")
