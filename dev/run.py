"""Keeps the laptop stack up until Ctrl-C, and shows how to call it with what is running now.

python -m dev.run [--directory build/stack]
"""

import argparse
import os
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import Final, NoReturn

from dev.environment import ROOT
from dev.identities import account, server_name
from dev.lock import DirectoryInUse
from dev.ports import NoFreePort
from dev.processes import ProcessFailed
from dev.stack import Stack

_EXAMPLE_CALLER: Final = "support"
_EXAMPLE_SERVICE: Final = "identity"
_STOP_REQUESTS: Final = (signal.SIGINT, signal.SIGTERM)


def instructions(stack: Stack) -> str:
    """Commands to paste into a shell, with the ports and certificates of this stack."""
    files = stack.client_credentials(_EXAMPLE_CALLER)
    python_path = os.pathsep.join([str(ROOT), str(ROOT / "gen")])
    buf: list[str | Path] = [Path(sys.prefix) / "bin" / "buf", "curl", "--protocol", "grpc", "--cacert", files.ca]
    buf += ["--cert", files.certificate, "--key", files.key]
    buf += ["--servername", server_name(account(_EXAMPLE_SERVICE))]
    request = (
        '{"access": {"purpose": "support", "reason": "inquiry", "ticket": "CS-1042"}, "email": "hong@bank.example"}'
    )
    url = f"https://{stack.addresses[_EXAMPLE_SERVICE]}"
    return f"""
Services (gRPC, mTLS; reflection is on)
{_listing(stack.addresses)}
Logs          {stack.log_dir}
Spans         {stack.otlp_file}
Certificates  {stack.certificates_dir}

With buf, as caller "{_EXAMPLE_CALLER}":
  {_shell(*buf, "--list-methods", url)}
  {_shell(*buf, "-d", request, url + "/onggi.identity.v1.MemberService/FindMember")}

With onggi (default caller "{_EXAMPLE_CALLER}"; --as names another):
  export ONGGI_CLI_CONFIG={shlex.quote(str(stack.client_config))}
  alias onggi={shlex.quote(_shell("env", f"PYTHONPATH={python_path}", sys.executable, "-m", "cli"))}
  onggi member --help
  onggi log search --denied --as security-reviewer
"""


def _listing(addresses: dict[str, str]) -> str:
    return "".join(f"  {name:<14}{address:<18}{server_name(account(name))}\n" for name, address in addresses.items())


def _shell(*words: str | Path) -> str:
    return shlex.join(map(str, words))


def main() -> int:
    """Run until SIGINT or SIGTERM; 0 after an orderly stop, 1 when the stack did not start or a service ended."""
    parser = argparse.ArgumentParser(description="Run Onggi on this machine.")
    parser.add_argument("--directory", type=Path, default=ROOT / "build" / "stack", help="data, logs, certificates")
    stack = Stack(parser.parse_args().directory, progress=lambda line: print(line, flush=True))
    for request in _STOP_REQUESTS:
        signal.signal(request, _interrupt)
    try:
        with stack:
            print(instructions(stack), flush=True)
            print("Ctrl-C stops everything; the data stays.", flush=True)
            _watch(stack)
    except KeyboardInterrupt:
        return 0
    except (DirectoryInUse, NoFreePort, ProcessFailed) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def _watch(stack: Stack) -> NoReturn:
    processes = [*stack.services.values(), *stack.span_exporters.values()]
    while not (ended := [process for process in processes if not process.running]):
        time.sleep(1.0)
    raise ProcessFailed(f"{ended[0].name} ended by itself\n{ended[0].last_lines()}")


def _interrupt(*_: object) -> NoReturn:
    for request in _STOP_REQUESTS:
        signal.signal(request, signal.SIG_IGN)  # a second Ctrl-C must not cut the stop short
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
