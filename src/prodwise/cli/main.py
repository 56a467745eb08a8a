"""The entry: runs one command and turns what goes wrong into a message, a hint and an exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from prodwise.cli.codes import Code
from prodwise.cli.desk import paint
from prodwise.model.errors import ProdwiseError


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
    except Exception as error:
        if "-v" in arguments or "--verbose" in arguments:
            raise
        hint = "this is a bug in Prodwise; the same command with -v shows where"
        return _tell(f"{type(error).__name__}: {error}", "internal", hint, Code.FAILED, as_json)


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
    if as_json:
        print(json.dumps({"error": message, "code": code, "hint": hint}), file=sys.stderr)
        return exit_code
    mark = "■" if exit_code in (Code.FAILED, Code.GATE_FAILED) else "▲"
    print(f"{paint(mark, 'bad', sys.stderr)} {paint(message, 'bold', sys.stderr)}", file=sys.stderr)
    for line in hint.splitlines():
        print(f"  {paint(line, '', sys.stderr)}", file=sys.stderr)
    return exit_code


def _quiet_pipe() -> None:
    """The reader has left; Python must not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
