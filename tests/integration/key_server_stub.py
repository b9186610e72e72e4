"""A server that speaks as much of Vault as a batch HMAC needs, to be as slow or as forgetful as a test says."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import trustme
from aiohttp import web

from chassis.settings import TlsSettings, VaultSettings
from chassis.transit import Transit

LIMIT_SECONDS = 1.0


class KeyServerStub:
    """Answers after ``seconds``, by the name of the key; 403 to a token that was forgotten before the request came."""

    def __init__(self, seconds: Mapping[str, float]) -> None:
        self.logins = 0
        self._seconds = seconds
        self._tokens: set[str] = set()

    def forget(self) -> None:
        """Let every token be unknown from now on."""
        self._tokens.clear()

    async def log_in(self, _: web.Request) -> web.Response:
        """POST /v1/auth/cert/login."""
        self.logins += 1
        token = f"login-{self.logins}"
        self._tokens.add(token)
        return web.json_response({"auth": {"client_token": token, "lease_duration": 3600}})

    async def hmac(self, request: web.Request) -> web.Response:
        """POST /v1/transit/hmac/{key}: the inputs themselves, in order."""
        known = request.headers["X-Vault-Token"] in self._tokens
        batch = (await request.json())["batch_input"]
        await asyncio.sleep(self._seconds[request.match_info["key"]])
        if not known:
            return web.json_response({"errors": ["permission denied"]}, status=403)
        return web.json_response({"data": {"batch_results": [{"hmac": item["input"]} for item in batch]}})


@asynccontextmanager
async def logged_in(folder: Path, seconds: Mapping[str, float]) -> AsyncIterator[tuple[KeyServerStub, Transit]]:
    """A stub over TLS and a login at it, which gives a request LIMIT_SECONDS."""
    ca = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    client = ca.issue_cert("client.example")
    ca.cert_pem.write_to_path(folder / "ca.pem")
    client.cert_chain_pems[0].write_to_path(folder / "client.pem")
    client.private_key_pem.write_to_path(folder / "client-key.pem")

    stub = KeyServerStub(seconds)
    application = web.Application()
    application.add_routes([
        web.post("/v1/auth/cert/login", stub.log_in), web.post("/v1/transit/hmac/{key}", stub.hmac),
    ])  # fmt: skip
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    transit = Transit(
        VaultSettings(
            address=f"https://127.0.0.1:{runner.addresses[0][1]}", ca_file=folder / "ca.pem", auth="cert",
            timeout_seconds=LIMIT_SECONDS,
        ),
        TlsSettings(
            certificate_file=folder / "client.pem", key_file=folder / "client-key.pem", ca_file=folder / "ca.pem"
        ),
        "any",
    )  # fmt: skip
    await transit.start()
    try:
        yield stub, transit
    finally:
        await transit.close()
        await runner.cleanup()
