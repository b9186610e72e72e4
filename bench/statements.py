"""The statement that a batch of the payment vault ends in, and its arguments, without the rest of the batch.

They come out of the vault's own servicer: its parts are put together with a connection that notes the statement in place
of running it, and with keys and ciphertexts drawn at random, as long as Vault's.
"""

import base64
import os
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, NoReturn

from onggi.payment_vault.v1 import tokenization_service_pb2 as tokens

from chassis import contract
from chassis.call import Call
from chassis.caller import parse
from chassis.contents import contents
from chassis.entry import Entry, new_record_id, rows
from chassis.running import Running
from dev.identities import TRUST_DOMAIN, spiffe_id
from services.payment_vault.servicers import TokenizationServicer
from services.payment_vault.tokenizing import Tokenizer

_CALLER: Final = parse(spiffe_id("apps", "bench-statement").encode(), TRUST_DOMAIN)
_METHOD: Final = next(
    method
    for method in contract.methods(tokens.DESCRIPTOR.services_by_name["TokenizationService"])
    if method.name.endswith("/BatchTokenize")
)
_HMAC_BYTES: Final = 32
_SEAL_BYTES: Final = 28  # nonce and tag of AES-GCM


class Statement(NamedTuple):
    """What goes to PostgreSQL."""

    text: str
    arguments: Sequence[Any]


class _Noted(Exception):
    """No error: it ends the batch where its statement would run."""

    def __init__(self, statement: Statement) -> None:
        super().__init__()
        self.statement = statement


class _NotingHot:
    """In place of a connection."""

    async def record(self, statement: str, entries: Sequence[Entry], *arguments: Any) -> NoReturn:
        raise _Noted(Statement(statement, (rows(entries), *arguments)))


class _RandomTransit:
    """In place of Vault: texts of the right form and length."""

    async def encrypt(self, key: str, items: Sequence[Any]) -> list[str]:
        return [_vault_text(len(item.plaintext) + _SEAL_BYTES) for item in items]

    async def hmac(self, key: str, items: Sequence[bytes]) -> list[str]:
        return [_vault_text(_HMAC_BYTES) for _ in items]


class _RandomSalts:
    """In place of the erasure keys: nobody is destroyed."""

    async def ensure(self, units: Sequence[str]) -> dict[str, bytes]:
        return dict.fromkeys(units, b"\0" * 32)


def _vault_text(length: int) -> str:
    return "vault:v1:" + base64.b64encode(os.urandom(length)).decode()


async def statement(request: tokens.BatchTokenizeRequest) -> Statement:
    """Return the statement of a batch that nobody has sent yet; it can run once."""
    hot, transit, salts = _NotingHot(), _RandomTransit(), _RandomSalts()
    tokenizer = Tokenizer(hot, transit, salts)  # type: ignore[arg-type]
    servicer = TokenizationServicer(tokenizer, None, None, transit, luhn_strict_domestic=False)  # type: ignore[arg-type]
    try:
        await servicer.batch_tokenize(request, _call(request))
    except _Noted as noted:
        return noted.statement
    raise RuntimeError("the batch ended without its statement")


def _call(request: tokens.BatchTokenizeRequest) -> Call:
    entry = Entry(
        _METHOD.name, _METHOD.action_name, os.urandom(16).hex(),
        os.urandom(8).hex(), "", "1", actor=_CALLER.spiffe_id, purpose=request.access.purpose,
        request_id=request.request_id, record_id=new_record_id(),
    )  # fmt: skip
    held = contents(request)
    entry.about(held.subjects)
    return Call(_METHOD, None, b"", entry, None, Running(), _CALLER, request, held)  # type: ignore[arg-type]
