"""How a test that a model names is run: the failing check's own command, with one more word that is no option and no shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

_PYTEST = re.compile(
    r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}\.py(?:::[A-Za-z_][A-Za-z0-9_]{0,100}){0,3}(?:\[[A-Za-z0-9_. -]{0,80}\])?$"
)
_UNITTEST = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,100}(?:\.[A-Za-z_][A-Za-z0-9_]{0,100}){0,6}$")
_SHELL = re.compile(r"[|&;<>()$`\\\"'*?#~=%!{}\[\]\n]")


def named_test(command: Sequence[str], name: str) -> tuple[str, ...] | str:
    """The argv that runs the test, or why there is none."""
    words = _words(command)
    for at, word in enumerate(words):
        tool = word.rsplit("/", 1)[-1]
        if tool in ("pytest", "py.test") and (at == 0 or words[at - 1] in ("-m", "run") or at == 1):
            if not _PYTEST.match(name) or ".." in name.split("::")[0].split("/"):
                return 'Not a test\'s name; write it like "tests/test_cart.py::test_coupon".'
            return (*words[: at + 1], name)
        if tool == "unittest" and at and words[at - 1] == "-m":
            return (
                (*words[: at + 1], name)
                if _UNITTEST.match(name)
                else 'Not a test\'s name; write it like "tests.test_cart".'
            )
    return "Only the check itself can be run here: how its tests are named is not known."


def _words(command: Sequence[str]) -> list[str]:
    """The argv, also of a shell's line that is a plain command."""
    if len(command) == 3 and command[1] == "-c" and command[0].rsplit("/", 1)[-1] in ("sh", "bash"):
        return [] if _SHELL.search(command[2]) else shlex.split(command[2])
    return list(command)
