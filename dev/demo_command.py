"""Runs the operator's command, `bin/onggi`, as an operator would, and shows command line and output."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any, Final

from dev.demo_screen import Screen
from dev.environment import ROOT

_COMMAND: Final = ROOT / "bin" / "onggi"
_INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TERM")
_SECONDS: Final = 120.0


class Onggi:
    """`bin/onggi` with the configuration of the running stack.

    Args:
        config: the stack's `cli.toml`.
    """

    def __init__(self, screen: Screen, config: Path) -> None:
        self._screen = screen
        self._environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self._environment |= {"ONGGI_CLI_CONFIG": str(config), "COLUMNS": "180"}

    async def show(self, caller: str, *arguments: str | Path, code: int = 0, lines: int = 40) -> None:
        """Run a command for the reader, who sees the first `lines` of its output; `caller` is "" where nobody is called.

        Raises:
            DemoFailed: its exit code is another one.
        """
        told = " ".join([*_speaker(caller), *(_short(argument) for argument in arguments)])
        self._screen.output(f"$ onggi {told}")
        exit_code, output, errors = await self._run(caller, *arguments)
        self._screen.output(output + errors, lines)
        self._screen.expect(f"exit code {code}", exit_code == code, exit_code)

    async def read(self, caller: str, *arguments: str) -> Any:
        """Run a command for the demo itself: the JSON that it prints.

        Raises:
            DemoFailed: it failed.
        """
        exit_code, output, errors = await self._run(caller, "--json", *arguments)
        if exit_code:
            self._screen.output(errors)
            self._screen.expect("the command succeeds", holds=False, found=f"exit code {exit_code}")
        return json.loads(output)

    async def _run(self, caller: str, *arguments: str | Path) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            _COMMAND,
            *_speaker(caller),
            *arguments,
            env=self._environment,
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await asyncio.wait_for(process.communicate(), _SECONDS)
        finally:
            if process.returncode is None:
                process.kill()
        return process.returncode or 0, output.decode(), errors.decode()


def _speaker(caller: str) -> list[str]:
    return ["--as", caller] if caller else []


def _short(argument: str | Path) -> str:
    text = os.path.relpath(argument, ROOT) if isinstance(argument, Path) else argument
    return f'"{text}"' if " " in text else text
