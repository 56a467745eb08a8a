"""A check that was written from an error runs one call; beside the tests that speak of the same module it is run as one of them.

What those tests hold tells a right change from one that only silences the error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from prodwise.loop.replay.text import TEST
from prodwise.loop.verify.patch.protected import is_test
from prodwise.ports.repair import Limits
from prodwise.repair.commands import Check
from prodwise.repair.probe import PLACE, Probe, read_text

FILES_MOST: Final = 10
WALK_MOST: Final = 4_000
TEXT_MOST: Final = 200_000
ASK_S: Final = 20.0
NAME: Final = "test_reproduced"

_CALL = re.compile(r"^def (test_\w+)\(\):$", re.MULTILINE)
_IMPORT = re.compile(r"^from ([\w.]+) import \w+$", re.MULTILINE)
_CASE: Final = """

import unittest


class Reproduced(unittest.TestCase):
    def test_it(self):
        {call}()
"""
_UNITTEST: Final = (
    "import sys, unittest; sys.path[:0] = [{place!r}, '.']; unittest.main(None, argv=['unittest', *{names!r}])"
)


def in_company(check: Check, probe: Probe) -> Check:
    """The same check as a test among those of its module, by pytest where the checkout has it, else by unittest; any other command,
    and one whose module no test speaks of, as it is."""
    text = check.command[2] if len(check.command) == 3 and check.command[1] == "-c" else ""
    call, module = _CALL.search(text), _IMPORT.search(text)
    if call is None or module is None or call[1] == TEST:
        return check  # a request's test changes too much around itself to have others beside it
    files = related(probe, module[1].rpartition(".")[2], ())
    if not files:
        return check
    python = check.command[0]
    has_pytest = probe.tree.run((python, "-c", "import pytest"), Limits(seconds=ASK_S)).code == 0
    case = "" if has_pytest else _CASE.format(call=call[1])
    probe.put(f"{NAME}.py", text + case)
    if has_pytest:
        pytest = (python, "-m", "pytest")
        one = (*pytest, "-q", "-p", "no:cacheprovider", f"{PLACE}/{NAME}.py")
        return replace(check, command=one, whole=(*one, *files), files=tuple(files), pytest=pytest)
    alone = _unittest(python, [NAME])
    return replace(check, command=alone, whole=_unittest(python, [NAME, *map(_dotted, files)]), files=tuple(files))


def related(probe: Probe, stem: str, leaving: Sequence[str]) -> list[str]:
    """Test files called after a module, then those that speak of it; FILES_MOST at most."""
    word = re.compile(rf"\b{re.escape(stem)}\b")
    named, speaking = [], []
    for test in _tests(probe):
        if test in leaving:
            continue
        if stem in test.rpartition("/")[2]:
            named.append(test)
        elif word.search(_text(probe, test)):
            speaking.append(test)
    return (named + speaking)[:FILES_MOST]


def _unittest(python: str, names: Sequence[str]) -> tuple[str, ...]:
    return python, "-c", _UNITTEST.format(place=PLACE, names=list(names))


def _dotted(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def _tests(probe: Probe) -> Iterator[str]:
    root = probe.tree.root
    for at, place in enumerate(root.rglob("*.py")):
        if at >= WALK_MOST:
            return
        path = str(place.relative_to(root))
        name = place.name
        wanted = name.startswith("test") or name.endswith("_test.py")
        if wanted and is_test(path) and place.is_file() and not place.is_symlink() and not path.startswith("."):
            yield path


def _text(probe: Probe, path: str) -> str:
    try:
        return read_text(probe.tree.root / path)[:TEXT_MOST]
    except (OSError, ValueError):
        return ""
