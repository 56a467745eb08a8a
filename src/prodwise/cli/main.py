"""The entry: runs one command and turns what goes wrong into a message, a hint and an exit code."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from prodwise.cli.codes import Code
from prodwise.cli.desk import paint
from prodwise.cli.fit import fitted
from prodwise.model.errors import ProdwiseError

LONG_WORD = re.compile(r"[^\s/]{120,}")
"""Nothing that a person typed on purpose; shown whole it would hide the message around it."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Exits with a Code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    code = run(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _quiet_pipe()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """The exit code of one command line."""
    from typer.exceptions import Abort, TyperException

    from prodwise.cli.app import app

    arguments = [_text(argument) for argument in arguments]
    as_json = any(argument == "--json" or argument.startswith("--json=") for argument in arguments)
    try:
        return int(app(arguments or ["--help"], prog_name="prodwise", standalone_mode=False) or Code.OK)
    except ProdwiseError as error:
        return _tell(error.message, error.code, error.hint, error.exit_code, as_json)
    except TyperException as error:
        message, hint = _usage(error)
        return _tell(message, "usage", hint, error.exit_code, as_json)
    except (KeyboardInterrupt, Abort):
        print(file=sys.stderr)
        return Code.INTERRUPTED
    except BrokenPipeError:
        _quiet_pipe()
        return Code.OK
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        _quiet_pipe()  # the parser turns a reader that has left into exit code 1
        return Code.OK
    except OSError as error:
        return _tell(*_of_the_machine(error), Code.FAILED, as_json)
    except Exception as error:
        if "-v" in arguments or "--verbose" in arguments:
            raise
        hint = "this is a bug in Prodwise; the same command with -v shows where"
        return _tell(f"{type(error).__name__}: {error}", "internal", hint, Code.FAILED, as_json)


def _of_the_machine(error: OSError) -> tuple[str, str, str]:
    """(message, code, hint) of what the operating system refused."""
    hints = {
        errno.ENOSPC: "make room on the disk; the app runs on, and `prodwise stop` and `rollback` have room kept for them",
        errno.EDQUOT: "this user's share of the disk is used up: make room",
        errno.EACCES: "look who owns it, and run the command as that user",
        errno.EPERM: "look who owns it, and run the command as that user",
        errno.EROFS: "the disk cannot be written: mount it for writing, or name another --dir",
    }
    what = (error.strerror or str(error)) + (f": {error.filename}" if error.filename else "")
    return what, "machine", hints.get(error.errno or 0, "the machine refused this; look at the path and its owner")


def _text(argument: str) -> str:
    """Bytes that are not UTF-8 become a visible sign: a stop must not fail over its reason, and nothing is named by accident."""
    return argument.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _usage(error: Exception) -> tuple[str, str]:
    """The parser's words, with its suggestion as the hint."""
    format_message = getattr(error, "format_message", None)
    message = str(format_message() if format_message else error)
    for mark in (". Did you mean ", " Did you mean ", "(Possible options: "):
        if mark in message:
            said, _, near = message.partition(mark)
            return said.rstrip(". ") + ".", "did you mean " + near.rstrip("?)").replace("'", "`") + "?"
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "prodwise"
    return message, f"`{path} --help` shows how it is used"


def _tell(message: str, code: str, hint: str, exit_code: int, as_json: bool) -> int:
    message, hint = (LONG_WORD.sub(lambda word: word[0][:100] + "…", text) for text in (message, hint))
    if as_json:
        print(json.dumps({"error": message, "code": code, "hint": hint}), file=sys.stderr)
        return exit_code
    mark = "■" if exit_code in (Code.FAILED, Code.GATE_FAILED) else "▲"
    print(fitted(f"{paint(mark, 'bad', sys.stderr)} {paint(message, 'bold', sys.stderr)}", sys.stderr), file=sys.stderr)
    for line in hint.splitlines():
        print(fitted(f"  {paint(line, '', sys.stderr)}", sys.stderr), file=sys.stderr)
    return exit_code


def _quiet_pipe() -> None:
    """The reader has left; Python must not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
