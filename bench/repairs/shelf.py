"""Books on shelves, and their settings in a file of each form; its bugs came with changes of settings, or beside them."""

from __future__ import annotations

from dataclasses import replace

from bench.repairs.case import Bug, Project, Tests

_CODE = '''"""Lending books."""

import configparser
import json
import tomllib
from pathlib import Path

from shelf import settings

HERE = Path(__file__).parent
LENDING = tomllib.loads((HERE / "lending.toml").read_text())
FLAGS = json.loads((HERE / "flags.json").read_text())
DESK = configparser.ConfigParser()
DESK.read(HERE / "desk.ini")


def days(kind):
    """How long something of this kind is lent."""
    return LENDING["days"].get(kind, LENDING["days"]["book"])


def may_lend(have):
    return have < LENDING["most"]


def fine(late):
    """In cents: nothing within the grace, then by the day, up to the most."""
    if late <= settings.GRACE_DAYS:
        return 0
    return min(late * settings.FINE_A_DAY, settings.FINE_MOST)


def greeting(name):
    text = DESK["words"]["greeting"].format(name=name)
    return text.upper() if FLAGS["loud"] else text


def rooms(people):
    """As many as it takes."""
    seats = DESK["room"].getint("seats")
    return -(-people // seats)


def shelves(books):
    """Books by shelf, each as full as it may be."""
    size = LENDING["shelf"]["size"]
    return [books[at : at + size] for at in range(0, len(books), size)]
'''
_SETTINGS = '''"""What a late book costs."""

GRACE_DAYS = 2
FINE_A_DAY = 10  # cents
FINE_MOST = 60 * 10
'''
_TOML = """# How books are lent.
most = 5          # at a time

[days]
book = 28
film = 7          # a week

[shelf]
size = 3
"""
_FLAGS = '{\n  "loud": false,\n  "renew": true\n}\n'
_INI = "[words]\n; as it is said at the desk\ngreeting = Hello {name}\n\n[room]\nseats = 4\n"
_TESTS = """from shelf.lend import days, fine, greeting, may_lend, rooms, shelves


def test_days():
    assert days("book") == 28 and days("film") == 7


def test_days_of_others():
    assert days("map") >= 28


def test_most():
    assert may_lend(4) and not may_lend(50)


def test_fine():
    assert fine(2) == 0 and fine(3) == 30 and fine(1000) == 600


def test_fine_of_a_day():
    assert fine(10) == 100


def test_greeting():
    assert greeting("Ada") == "Hello Ada"


def test_rooms():
    assert rooms(8) == 2 and rooms(9) == 3


def test_shelves():
    assert shelves(["a", "b", "c", "d"]) == [["a", "b", "c"], ["d"]]
"""
_HELD = """from shelf.lend import DESK, FLAGS, LENDING, days, fine, greeting, may_lend, rooms, settings, shelves


def test_settings():
    assert LENDING == {"most": 5, "days": {"book": 28, "film": 7}, "shelf": {"size": 3}}
    assert FLAGS["loud"] is False and DESK["words"]["greeting"] == "Hello {name}" and DESK["room"]["seats"] == "4"
    assert (settings.GRACE_DAYS, settings.FINE_A_DAY, settings.FINE_MOST) == (2, 10, 600)


def test_lending():
    assert days("film") == 7 and days("map") == 28 and may_lend(4) and not may_lend(5)
    assert fine(2) == 0 and fine(59) == 590 and greeting("Bo") == "Hello Bo" and rooms(0) == 0 and shelves([]) == []
"""
_T, _C, _S, _TO, _F, _I = (
    "tests/test_shelf.py",
    "shelf/lend.py",
    "shelf/settings.py",
    "shelf/lending.toml",
    "shelf/flags.json",
    "shelf/desk.ini",
)
_ASKED = Tests(_T, _TESTS, _C)
_bug = _ASKED.bug


def _beside(bug: Bug, fixable: bool = False, **files: str) -> Bug:
    """With other changes in the same commit."""
    names = {"toml": _TO, "flags": _F, "module": _S, "ini": _I, "code": _C, "tests": _T}
    return replace(bug, fixable=fixable, files={names[name]: text for name, text in files.items()})


PROJECT = Project(
    "shelf",
    {
        "shelf/__init__.py": "",
        _C: _CODE,
        _S: _SETTINGS,
        _TO: _TOML,
        _F: _FLAGS,
        _I: _INI,
        _T: _TESTS,
        "conftest.py": "",
    },
    {"held/test_held.py": _HELD},
    (
        _bug("a number of TOML", _TO, "film = 7 ", "film = 70", "test_days"),
        _bug("a setting that is gone", _TO, "book = 28\n", "", "test_days"),
        _bug("a flag of JSON", _F, '"loud": false', '"loud": true', "test_greeting"),
        _bug("a constant", _S, "FINE_MOST = 60 * 10", "FINE_MOST = 60 * 100", "test_fine"),
        _bug("a text of INI", _I, "greeting = Hello {name}", "greeting = Hello {nmae}", "test_greeting"),
        _bug("a size", _TO, "size = 3", "size = 0", "test_shelves"),
        _beside(
            _bug("one of two files", _I, "seats = 4", "seats = 40", "test_rooms"),
            True,
            flags=_FLAGS.replace('"renew": true', '"renew": false'),
        ),
        _beside(
            _bug("two that only go together", _S, "GRACE_DAYS = 2", "GRACE_DAYS = 3", "test_fine"),
            True,
            module=_SETTINGS.replace("FINE_A_DAY = 10", "FINE_A_DAY = 20"),
        ),
        _beside(
            _bug("code, and a setting beside it", _C, "late <= settings", "late < settings", "test_fine"),
            toml=_TOML.replace("most = 5", "most = 6"),
        ),
        _beside(
            _bug(
                "code that a setting has nothing to do with", _C, "-(-people // seats)", "people // seats", "test_rooms"
            ),
            ini=_INI.replace("Hello {name}", "Hello, {name}"),
        ),
        _beside(
            _bug("asked for by another test", _S, "FINE_MOST = 60 * 10", "FINE_MOST = 700", "test_fine"),
            tests=_TESTS.replace("fine(1000) == 600", "fine(1000) == 800").replace(
                "fine(10) == 100", "fine(10) == 100 and fine(99) == 700"
            ),
        ),
    ),
    tuned=True,
)
