"""`python -m cli`."""

import io
import os
import signal
import sys
from typing import TextIO


def _open_closed() -> None:
    """A stream that was closed before the start, as by `<&-`, is an empty one: no file and no connection gets its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - open to the end


def _use_utf8(stream: TextIO, errors: str) -> None:
    """Files and pipes are UTF-8 whatever the locale is; a terminal keeps its own encoding."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors=errors)


def _loaded_main() -> int:
    """Loads the program and runs it. Until it is loaded Ctrl-C ends it at once: there is nothing to say or to undo."""
    heard = signal.getsignal(signal.SIGINT)
    if heard is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from cli.app import main  # noqa: PLC0415 - takes a second

    signal.signal(signal.SIGINT, heard)
    return main(sys.argv[1:])


def _flushed(code: int) -> int:
    """Writes what is left in the buffer, since a failure at the interpreter's own exit has another code; returns the code."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left has nowhere to go
        if isinstance(error, BrokenPipeError):
            return code or 1  # whoever was reading has read enough
        if not code:
            sys.stderr.write(f"onggi: cannot write the output: {error.strerror}\n")
            return 2
    return code


if __name__ == "__main__":
    _open_closed()
    _use_utf8(sys.stdin, "strict")
    for each in (sys.stdout, sys.stderr):
        _use_utf8(each, "backslashreplace")
    sys.exit(_flushed(_loaded_main()))
