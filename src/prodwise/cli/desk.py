"""What a command has at hand: the app's folder, how to speak, how to ask. Data goes to stdout, words to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from prodwise.cli.fit import fitted
from prodwise.model.errors import UsageError
from prodwise.server.views.words import visible

if TYPE_CHECKING:
    from prodwise.cli.client import Client

SCHEMA_VERSION = 1
WIDTH_MAX = 100

Styles = {
    "bold": "1",
    "dim": "2",
    "good": "32",
    "bad": "31;1",
    "warn": "33",
    "accent": "36",
}


def colourful(stream: TextIO) -> bool:
    """NO_COLOR and TERM=dumb are respected; FORCE_COLOR colours pipes too."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def paint(text: object, style: str, stream: TextIO | None = None) -> str:
    """Outside text made harmless, then styled if the stream takes colour."""
    shown = visible(text, 4000)
    return f"\x1b[{Styles[style]}m{shown}\x1b[0m" if style and colourful(stream or sys.stdout) else shown


@dataclass(frozen=True, slots=True)
class Desk:
    """quiet: no words but errors; verbose: also what is normally hidden."""

    app_dir: Path
    quiet: bool = False
    verbose: bool = False

    def show(self, *lines: str) -> None:
        """Data, for people."""
        for line in lines:
            print(fitted(line, sys.stdout))

    def data(self, **values: Any) -> None:
        """Data, for programs: one JSON object with `schema_version`."""
        print(json.dumps({"schema_version": SCHEMA_VERSION, **values}, indent=2))

    def line(self, value: Mapping[str, Any]) -> None:
        """One NDJSON line, at once."""
        print(json.dumps(value, separators=(",", ":")), flush=True)

    def say(self, text: str, style: str = "") -> None:
        """Words about what happens. Not shown with --quiet."""
        if not self.quiet:
            print(fitted(paint(text, style, sys.stderr), sys.stderr), file=sys.stderr, flush=True)

    def detail(self, text: str) -> None:
        """Words that only --verbose shows."""
        if self.verbose:
            self.say(text, "dim")

    def client(self, timeout_s: float = 15.0, patience_s: float = 5.0) -> Client:
        """Speaks to the healer of this app. Raises NotRunning at the first question if there is none.

        patience_s: how long it is waited for while the app runs: its supervisor starts it again in a second or two.
        """
        from prodwise import wiring
        from prodwise.cli.client import Client

        return Client(wiring.api_socket(self.app_dir), self.app_dir, timeout_s, patience_s)

    def agree(self, question: str, consequences: Sequence[str], *, yes: bool, no_input: bool) -> bool:
        """Asks before a moderate action; the default is no. Raises UsageError when nobody can be asked."""
        if yes:
            return True
        for line in consequences:
            print(fitted(f"  {visible(line)}", sys.stderr), file=sys.stderr)
        if no_input or not sys.stdin.isatty():
            raise UsageError(
                f"{question} Nobody is here to answer.", "say yes beforehand with -y, or look first with --dry-run"
            )
        asked = f"{paint(question, 'bold', sys.stderr)} [y/N] "
        print(fitted(asked, sys.stderr), end="", file=sys.stderr, flush=True)
        agreed = sys.stdin.readline().strip().lower() in ("y", "yes")
        if not agreed:
            self.say("Nothing was changed.")
        return agreed


def person() -> str:
    """Who sits at this terminal, as the ledger names them."""
    import getpass

    try:
        return f"{getpass.getuser()} (terminal)"
    except (KeyError, OSError):
        return "someone (terminal)"
