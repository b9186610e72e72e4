"""Vault's transit engine. The only module that knows hvac.

hvac, which is synchronous, logs in, renews and does what is cold, in a thread of its own. The batch calls of the hot path
(encrypt, decrypt, hmac) go over a lean asynchronous client. Batches are cut below the server's JSON limit.

An error is not "not done" in general. The batch calls may be retried, since they change nothing at the server; what
changes a key (rotate, floors, trim) is tried once, and whoever asked for it reads the key back (`key_state`).
"""

import asyncio
import base64
import binascii
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import hvac
import hvac.exceptions
import orjson
import requests
import structlog

from chassis import errors, spans
from chassis.keep_alive import KeepAlive
from chassis.settings import TlsSettings, VaultSettings

log = structlog.get_logger()

# max_request_json_strings = 1000 at the server: 499 items of two strings, 249 of four (measured).
BATCH_LIMIT = 249
MOUNT = "transit"


class Sealed(NamedTuple):
    """A ciphertext and the derivation context that it is bound to (none for a key that is not derived)."""

    ciphertext: str
    context: bytes | None = None


class Plain(NamedTuple):
    """A plaintext and the derivation context to bind it to."""

    plaintext: bytes
    context: bytes | None = None


class KeyState(NamedTuple):
    """The versions of a key. ``newest`` seals; ``oldest_usable`` opens; ``oldest_kept`` exists at all.

    ``newest_made_at``: when the newest version was made, seconds since the epoch by Vault's clock.
    """

    newest: int
    oldest_usable: int
    oldest_kept: int
    newest_made_at: float


class Transit:
    """One login at Vault, under one role; a service that needs two sets of rights holds two of these."""

    def __init__(self, settings: VaultSettings, tls: TlsSettings, role: str) -> None:
        self._settings = settings
        self._tls = tls
        self._role = role
        self._hvac: hvac.Client | None = None
        self._token = ""
        self._renew_at = 0.0
        self._batches: KeepAlive | None = None
        self._login = asyncio.Lock()
        self._renewer: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the session and keep the login alive. An unreachable Vault is not an error here: calls will say so."""
        context = ssl.create_default_context(cafile=str(self._settings.ca_file))
        self._batches = KeepAlive(self._settings.address, context, self._settings.timeout_seconds)
        try:
            await self._log_in(self._token)
        except errors.KeyServiceUnavailable:
            log.warning("no login at the key service yet", role=self._role)
        self._renewer = asyncio.create_task(self._keep_renewing(), name=f"vault login {self._role}")

    async def close(self) -> None:
        """Stop renewing and close the session."""
        if self._renewer is not None:
            self._renewer.cancel()
        if self._batches is not None:
            self._batches.close()

    async def log_out(self) -> None:
        """Give the token back: a login for something rare does not outlive it. If Vault does not hear, it ends by itself."""
        if self._token:
            with suppress(errors.KeyServiceUnavailable):
                await self._send("/v1/auth/token/revoke-self", {}, self._token)

    async def encrypt(self, key: str, items: Sequence[Plain]) -> list[str]:
        """Return the ciphertexts, in order. Raises KeyServiceUnavailable."""
        batch = [_with_context({"plaintext": _b64(item.plaintext)}, item.context) for item in items]
        return [result["ciphertext"] for result in await self._batch("encrypt", key, batch)]

    async def decrypt(self, key: str, items: Sequence[Sealed]) -> list[bytes | errors.SealBroken]:
        """Return the plaintexts, in order; SealBroken for one that does not decrypt under its context.

        Raises KeyServiceUnavailable.
        """
        batch = [_with_context({"ciphertext": item.ciphertext}, item.context) for item in items]
        results = await self._batch("decrypt", key, batch)
        return [
            errors.SealBroken() if result.get("error") else base64.b64decode(result["plaintext"]) for result in results
        ]

    async def hmac(self, key: str, items: Sequence[bytes]) -> list[str]:
        """Return the keyed digests ``vault:v1:…``, in order. Raises KeyServiceUnavailable."""
        results = await self._batch("hmac", key, [{"input": _b64(item)} for item in items])
        return [result["hmac"] for result in results]

    async def rewrap(self, key: str, items: Sequence[Sealed]) -> list[str | errors.SealBroken]:
        """Return the ciphertexts under the key's newest version, in order, without a plaintext leaving Vault.

        SealBroken for one that does not open under its context. Raises KeyServiceUnavailable.
        """
        batch = [_with_context({"ciphertext": item.ciphertext}, item.context) for item in items]
        results = await self._batch("rewrap", key, batch)
        return [errors.SealBroken() if result.get("error") else result["ciphertext"] for result in results]

    async def key_state(self, key: str) -> KeyState:
        """Return the versions of a symmetric key as they are now. Raises KeyServiceUnavailable."""
        answer = await self._cold(lambda client: client.secrets.transit.read_key(name=key, mount_point=MOUNT))
        data = answer["data"]
        newest = int(data["latest_version"])
        kept = max(1, int(data.get("min_available_version") or 0))  # 0 where nothing was trimmed
        return KeyState(newest, int(data["min_decryption_version"]), kept, float(data["keys"][str(newest)]))

    async def rotate_key(self, key: str) -> None:
        """Add a version. Raises KeyServiceUnavailable; then it is unknown whether there is one more."""
        await self._change_key(f"keys/{key}/rotate", {})

    async def set_floors(self, key: str, version: int) -> None:
        """Have versions before this one neither seal nor open. Raises KeyServiceUnavailable; the outcome is unknown."""
        floors = {"min_encryption_version": version, "min_decryption_version": version}
        await self._change_key(f"keys/{key}/config", floors)

    async def trim_key(self, key: str, version: int) -> None:
        """Delete the versions before this one for ever; the floors stand there already. Raises KeyServiceUnavailable."""
        await self._change_key(f"keys/{key}/trim", {"min_available_version": version})

    async def _change_key(self, path: str, body: dict[str, int]) -> None:
        def work(client: hvac.Client) -> dict[str, Any]:
            client.adapter.post(f"/v1/{MOUNT}/{path}", json=body)
            return {}

        await self._cold(work)

    async def sign(self, key: str, data: bytes) -> tuple[bytes, int]:
        """Return the Ed25519 signature and the version of the key. Raises KeyServiceUnavailable."""
        [result] = await self._batch("sign", key, [{"input": _b64(data)}])
        _, version, signature = result["signature"].split(":")
        return base64.b64decode(signature), int(version.removeprefix("v"))

    async def public_key(self, key: str, version: int) -> str:
        """Return the public key of a version, PEM (SubjectPublicKeyInfo). Raises KeyServiceUnavailable."""
        data = await self._cold(lambda client: client.secrets.transit.read_key(name=key, mount_point=MOUNT))
        raw = base64.b64decode(data["data"]["keys"][str(version)]["public_key"])
        body = base64.b64encode(_ED25519_SPKI + raw).decode()
        return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"

    async def _batch(self, operation: str, key: str, batch: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        path = f"/v1/{MOUNT}/{operation}/{key}"
        if len(batch) <= BATCH_LIMIT:
            return await self._post(path, batch) if batch else []
        chunks = [batch[start : start + BATCH_LIMIT] for start in range(0, len(batch), BATCH_LIMIT)]
        answers = await asyncio.gather(*(self._post(path, chunk) for chunk in chunks))
        return [result for answer in answers for result in answer]

    async def _post(self, path: str, batch: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        with spans.client(path.removeprefix("/v1/"), {"onggi.batch_size": len(batch)}):
            return await self._post_twice(path, {"batch_input": batch, "partial_failure_response_code": 200})

    async def _post_twice(self, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        for last in (False, True):
            token = self._token
            status, answer = await self._send(path, body, token)
            # When no item at all succeeds the status is 400, whatever was asked for; the results are there all the same.
            if status in {200, 400} and (results := (answer.get("data") or {}).get("batch_results")):
                found: list[dict[str, Any]] = results
                return found
            if status == 403 and not last:
                # Expired, revoked and forbidden look the same. One new login, one more try. What was refused is the token
                # that was sent: by now another call may have logged in, and that login serves this one too.
                await self._log_in(token)
                continue
            log.error("the key service refused", path=path, status=status, role=self._role)
            break
        raise errors.KeyServiceUnavailable

    async def _send(self, path: str, body: dict[str, Any], token: str) -> tuple[int, dict[str, Any]]:
        if self._batches is None:
            raise errors.KeyServiceUnavailable
        headers = {"X-Vault-Token": token, "X-Vault-Request": "true"}
        try:
            status, answer = await self._batches.post(path, headers, orjson.dumps(body))
        except (OSError, TimeoutError):
            raise errors.KeyServiceUnavailable from None
        return status, orjson.loads(answer) if status in {200, 400} else {}

    async def _cold(self, work: Any) -> dict[str, Any]:
        for last in (False, True):
            client, token = self._hvac, self._token
            if client is None:
                await self._log_in(token)
                continue
            try:
                answer: dict[str, Any] = await asyncio.to_thread(work, client)
                return answer
            except hvac.exceptions.Forbidden:
                if last:
                    break
                await self._log_in(token)
            except (hvac.exceptions.VaultError, requests.RequestException):
                break
        raise errors.KeyServiceUnavailable from None

    async def _log_in(self, stale: str) -> None:
        async with self._login:
            if self._token != stale:
                return  # another call has logged in meanwhile
            try:
                client, lease = await asyncio.to_thread(self._log_in_blocking)
            except (hvac.exceptions.VaultError, requests.RequestException, OSError) as error:
                log.warning("login at the key service failed", role=self._role, error=type(error).__name__)
                raise errors.KeyServiceUnavailable from None
            self._hvac, self._token = client, client.token
            self._renew_at = time.monotonic() + lease * 2 / 3

    def _log_in_blocking(self) -> tuple[hvac.Client, float]:
        certificate = (str(self._tls.certificate_file), str(self._tls.key_file))
        client = hvac.Client(
            self._settings.address, verify=str(self._settings.ca_file), timeout=self._settings.timeout_seconds * 5,
            cert=certificate if self._settings.auth == "cert" else None,
        )  # fmt: skip
        if self._settings.auth == "cert":
            # hvac's own method wants the files' contents and forgets the session; the call itself is one line.
            answer = client.adapter.post("/v1/auth/cert/login", json={"name": self._role})
            client.token = answer["auth"]["client_token"]
        else:
            assert self._settings.token_file is not None, "ONGGI_VAULT__TOKEN_FILE is required for kubernetes"
            answer = client.auth.kubernetes.login(role=self._role, jwt=self._settings.token_file.read_text())
        return client, float(answer["auth"]["lease_duration"])

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(max(1.0, min(60.0, self._renew_at - time.monotonic())))
            if time.monotonic() < self._renew_at and self._token:
                continue
            try:
                await self._log_in(self._token)
            except errors.KeyServiceUnavailable:
                await asyncio.sleep(1.0)


# DER prefix of an Ed25519 SubjectPublicKeyInfo (RFC 8410); the 32 bytes of the key follow.
_ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")


def _b64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _with_context(item: dict[str, Any], context: bytes | None) -> dict[str, Any]:
    if context is not None:
        item["context"] = _b64(context)
    return item
