"""`onggi keys`: the life of keys. Rotate, rewrap what stands under the old version, retire it: in that order, each month."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer
from google.protobuf.message import Message
from onggi.keys.v1.key_service_pb2 import Key, ListKeysRequest, RetireKeyRequest, RewrapKeyRequest, RotateKeyRequest
from onggi.keys.v1.key_service_pb2_grpc import KeyServiceStub
from rich.table import Table

from cli import access, answer, asking
from cli.command import with_session
from cli.detail import listing
from cli.failures import CheckError, UsageError
from cli.json_output import as_object
from cli.keys_rewrap import follow
from cli.session import Session

commands = typer.Typer(help="Keys: versions, rotation, rewrap, retirement.", no_args_is_help=True)

HOLDERS: Final = ("identity", "archive", "payment_vault")
_LONG: Final = 300.0
"""Seconds: rows are counted, and a retirement waits until what is under way has ended."""

KeyName = Annotated[str, typer.Argument(metavar="KEY", help="The key, as `status` names it.", show_default=False)]
Holder = Annotated[str, typer.Option("--service", help="Whose key: identity, archive or payment_vault.")]
OneHolder = Annotated[str, typer.Option("--service", help="Only this holder's keys.", show_default=False)]
Custody = Annotated[str, typer.Option("--purpose", help="이용 목적.")]
For = Annotated[float, typer.Option("--for", min=1, help="Seconds to follow at most.")]


def status(
    session: Session, *, service: OneHolder = "", purpose: Custody = "key_custody", ticket: access.Ticket = ""
) -> None:
    """Show the keys of all holders: their versions, and how many rows stand under each."""
    request = ListKeysRequest(access=access.context(purpose, "", ticket))
    found: list[tuple[str, Key]] = []
    for holder in [_known(service)] if service else HOLDERS:
        remote = session.remote(holder)
        response = remote.call(KeyServiceStub(remote.channel).ListKeys, request, _LONG)
        found += [(holder, key) for key in response.keys]
    if session.options.json:
        session.print_json({"keys": [{"service": holder, **as_object(key)} for holder, key in found]})
    else:
        session.out.print(_table(found))


def rotate(
    session: Session,
    *,
    key: KeyName,
    reason: access.RequiredReason,
    service: Holder = "payment_vault",
    purpose: Custody = "key_custody",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Add a version; what is written from now on stands under it."""
    remote = session.remote(_known(service))
    request = RotateKeyRequest(
        access=access.context(purpose, reason, ticket), request_id=access.request_id(request_id), key=key
    )
    response = remote.call(KeyServiceStub(remote.channel).RotateKey, request, _LONG)
    _answer(session, service, response, response.key)


def rewrap(
    session: Session,
    *,
    key: KeyName,
    reason: access.RequiredReason,
    service: Holder = "payment_vault",
    seconds: For = 86_400,
    purpose: Custody = "key_custody",
    ticket: access.Ticket = "",
) -> None:
    """Bring all rows under the newest version. Interrupted, it is begun again and goes on with what is left."""
    request = RewrapKeyRequest(access=access.context(purpose, reason, ticket), key=key)
    left = follow(session.remote(_known(service)), request, seconds)
    if left:
        raise CheckError(f"{left} rows do not open under their own key and place; the service's log names the tables")


def retire(
    session: Session,
    *,
    key: KeyName,
    reason: access.RequiredReason,
    service: Holder = "payment_vault",
    yes: access.Yes = False,
    purpose: Custody = "key_custody",
    ticket: access.Ticket = "",
    request_id: access.RequestId = None,
) -> None:
    """Destroy all versions before the newest. Copies under them, in backups too, never open again."""
    remote = session.remote(_known(service))
    if not yes:
        if session.options.json:
            raise UsageError("--json asks nothing: use --yes")
        asking.confirm(f"Destroy all versions of {key} before the newest?")
    request = RetireKeyRequest(
        access=access.context(purpose, reason, ticket), request_id=access.request_id(request_id), key=key
    )
    response = remote.call(KeyServiceStub(remote.channel).RetireKey, request, _LONG)
    _answer(session, service, response, response.key)


def _known(service: str) -> str:
    if service not in HOLDERS:
        raise UsageError(f"no such holder; one of {', '.join(HOLDERS)}")
    return service


def _answer(session: Session, service: str, response: Message, key: Key) -> None:
    answer.one(session, response, _table([(service, key)]))


def _table(found: Sequence[tuple[str, Key]]) -> Table:
    columns = ("service", "key", "newest", "oldest usable", "oldest kept", "rows by version")
    return listing(columns, [
        (
            service, key.name, str(key.newest), str(key.oldest_usable), str(key.oldest_kept),
            ", ".join(f"v{one.version}: {one.rows}" for one in key.versions),
        )
        for service, key in found
    ])  # fmt: skip


commands.command("status")(with_session()(status))
commands.command("rotate")(with_session()(rotate))
commands.command("rewrap")(with_session()(rewrap))
commands.command("retire")(with_session()(retire))
