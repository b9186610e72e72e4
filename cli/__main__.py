"""`python -m cli`."""

import io
import sys
from typing import TextIO

from cli.app import main


def _use_utf8(stream: TextIO, errors: str) -> None:
    """Files and pipes are UTF-8 whatever the locale is; a terminal keeps its own encoding."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors=errors)


if __name__ == "__main__":
    _use_utf8(sys.stdin, "strict")
    for each in (sys.stdout, sys.stderr):
        _use_utf8(each, "backslashreplace")
    sys.exit(main(sys.argv[1:]))
