"""Meeting rooms: opening hours, bookings, reminders; some of it asynchronous."""

# ruff: noqa: E501
from __future__ import annotations

from bench.repairs.case import Project, Tests

_ROOMS = '''"""Bookings of rooms, in minutes since midnight."""


class Taken(Exception):
    """The room is taken at that time."""


def overlap(one, two):
    """Whether two (start, end) share a minute; an end is not part of its booking."""
    return one[0] < two[1] and two[0] < one[1]


def minutes(text):
    """`"9:30"` in minutes."""
    hours, _, rest = text.partition(":")
    return int(hours) * 60 + int(rest or 0)


def clock(minute):
    """570 as `"09:30"`."""
    return "%02d:%02d" % (minute // 60, minute % 60)


def free(bookings, opening, closing):
    """The gaps between bookings within opening hours."""
    gaps = []
    at = opening
    for start, end in sorted(bookings):
        if start > at:
            gaps.append((at, start))
        at = max(at, end)
    if at < closing:
        gaps.append((at, closing))
    return gaps


class Room:
    def __init__(self, name, seats):
        self.name = name
        self.seats = seats
        self.bookings = {}
        self.waiting = []

    def book(self, who, start, end):
        """Raises Taken where another booking overlaps."""
        for other in self.bookings.values():
            if overlap(other, (start, end)):
                self.waiting.append(who)
                raise Taken(who)
        self.bookings[who] = (start, end)
        return self.bookings[who]

    def cancel(self, who):
        """The time that was freed, None when there was no such booking."""
        return self.bookings.pop(who, None)

    def fits(self, people):
        return people <= self.seats

    def busy(self):
        """Booked minutes."""
        return sum(end - start for start, end in self.bookings.values())

    def drop_short(self, least):
        """Cancels bookings shorter than `least` minutes."""
        for who, (start, end) in list(self.bookings.items()):
            if end - start < least:
                del self.bookings[who]


def smallest(rooms, people):
    """The smallest room that fits, None without one."""
    fitting = [room for room in rooms if room.fits(people)]
    if not fitting:
        return None
    return min(fitting, key=lambda room: room.seats)


def next_start(room, now):
    """When the next booking begins, None when there is none."""
    return min((start for start, _ in room.bookings.values() if start >= now), default=None)
'''
_REMIND = '''"""Reminders, sent by an asynchronous sender."""

import json


async def address(people, who):
    """Where to reach somebody."""
    return people[who]["mail"]


async def remind(people, room, send):
    """One message for each booking, sorted by name; how many were sent."""
    sent = 0
    for who in sorted(room.bookings):
        to = await address(people, who)
        await send(to, room.name)
        sent += 1
    return sent


def settings(text):
    """Settings from JSON; what is no JSON counts as none."""
    try:
        return json.loads(text)
    except (ValueError, TypeError):
        return {}


def lead_minutes(chosen, default=15):
    """How long before, as chosen or by default."""
    value = chosen.get("lead")
    return default if value is None else int(value)


def subject(room, lead):
    """`Blue in 15 min`"""
    return room.name + " in " + str(lead) + " min"


def load(path):
    """The text of a file in UTF-8."""
    with open(path, encoding="utf-8") as source:
        return source.read()


def first_word(text):
    """In lower case, an empty text without one."""
    words = text.split()
    return words[0].lower() if words else ""
'''
_TESTS = """import asyncio

import pytest

from desk.remind import first_word, lead_minutes, load, remind, settings, subject
from desk.rooms import Room, Taken, clock, free, minutes, next_start, overlap, smallest


def test_overlap():
    assert overlap((0, 10), (5, 15))
    assert not overlap((0, 10), (10, 20))


def test_minutes():
    assert minutes("9:30") == 570
    assert minutes("9") == 540


def test_clock():
    assert clock(570) == "09:30"
    assert clock(0) == "00:00"


def test_free():
    assert free([(60, 90), (0, 30)], 0, 120) == [(30, 60), (90, 120)]


def test_free_nested():
    assert free([(0, 100), (10, 20)], 0, 120) == [(100, 120)]


def test_book():
    room = Room("Blue", 4)
    assert room.book("ada", 0, 30) == (0, 30)
    assert room.book("bo", 30, 60) == (30, 60)


def test_taken():
    room = Room("Blue", 4)
    room.book("ada", 0, 30)
    with pytest.raises(Taken):
        room.book("bo", 10, 40)
    assert room.waiting == ["bo"]


def test_cancel():
    room = Room("Blue", 4)
    room.book("ada", 0, 30)
    assert room.cancel("ada") == (0, 30)
    assert room.cancel("ada") is None


def test_fits():
    assert Room("Blue", 4).fits(4)
    assert not Room("Blue", 4).fits(5)


def test_busy():
    room = Room("Blue", 4)
    room.book("ada", 10, 30)
    room.book("bo", 40, 45)
    assert room.busy() == 25


def test_drop_short():
    room = Room("Blue", 4)
    room.book("ada", 0, 5)
    room.book("bo", 10, 30)
    room.drop_short(10)
    assert list(room.bookings) == ["bo"]


def test_smallest():
    rooms = [Room("Hall", 50), Room("Blue", 4), Room("Red", 8)]
    assert smallest(rooms, 5).name == "Red"
    assert smallest(rooms, 51) is None


def test_next_start():
    room = Room("Blue", 4)
    room.book("ada", 10, 20)
    room.book("bo", 30, 40)
    assert next_start(room, 10) == 10
    assert next_start(room, 35) is None


def test_remind():
    sent = []

    async def send(to, name):
        sent.append((to, name))

    room = Room("Blue", 4)
    room.book("bo", 0, 10)
    room.book("ada", 10, 20)
    people = {"ada": {"mail": "a@x"}, "bo": {"mail": "b@x"}}
    assert asyncio.run(remind(people, room, send)) == 2
    assert sent == [("a@x", "Blue"), ("b@x", "Blue")]


def test_settings():
    assert settings('{"a": 1}') == {"a": 1}
    assert settings("nonsense") == {}


def test_settings_of_nothing():
    assert settings(None) == {}


def test_lead_minutes():
    assert lead_minutes({}) == 15
    assert lead_minutes({"lead": "5"}) == 5


def test_lead_of_zero():
    assert lead_minutes({"lead": 0}) == 0


def test_subject():
    assert subject(Room("Blue", 4), 15) == "Blue in 15 min"


def test_load(tmp_path):
    (tmp_path / "a").write_bytes("née".encode())
    assert load(tmp_path / "a") == "née"


def test_first_word():
    assert first_word("Hello you") == "hello"


def test_first_word_of_none():
    assert first_word("  ") == ""
"""
_HELD = """import asyncio

import pytest

from desk.remind import first_word, lead_minutes, load, remind, settings, subject
from desk.rooms import Room, Taken, clock, free, minutes, next_start, overlap, smallest


def test_times():
    assert overlap((5, 6), (0, 10)) and overlap((0, 10), (5, 6)) and not overlap((10, 20), (0, 10)) and not overlap((0, 1), (8, 9))
    assert minutes("0:05") == 5 and minutes("23:59") == 1439 and minutes("10") == 600
    assert clock(1439) == "23:59" and clock(61) == "01:01"
    assert free([], 5, 9) == [(5, 9)] and free([(5, 9)], 5, 9) == [] and free([(6, 7)], 5, 9) == [(5, 6), (7, 9)]
    assert free([(50, 60), (5, 40), (10, 12)], 0, 60) == [(0, 5), (40, 50)]


def test_rooms():
    room = Room("R", 2)
    room.book("a", 0, 10)
    room.book("b", 20, 30)
    with pytest.raises(Taken):
        room.book("c", 9, 21)
    assert room.waiting == ["c"] and room.busy() == 20 and "c" not in room.bookings
    assert room.book("d", 10, 20) == (10, 20) and room.busy() == 30
    assert room.cancel("nobody") is None and room.cancel("b") == (20, 30)
    assert room.fits(1) and room.fits(2) and not room.fits(3) and room.fits(0)
    assert next_start(room, 0) == 0 and next_start(room, 1) == 10 and next_start(Room("x", 1), 0) is None
    room.drop_short(10)
    assert sorted(room.bookings) == ["a", "d"]
    room.drop_short(11)
    assert room.bookings == {}
    assert smallest([], 1) is None and smallest([Room("a", 3), Room("b", 2)], 2).name == "b"
    assert smallest([Room("a", 3), Room("b", 2)], 3).name == "a"


def test_reminders(tmp_path):
    sent = []

    async def send(to, name):
        sent.append((to, name))

    room = Room("R", 2)
    assert asyncio.run(remind({}, room, send)) == 0 and sent == []
    for at, who in enumerate("cab"):
        room.book(who, at * 10, at * 10 + 5)
    people = {who: {"mail": who * 2} for who in "abc"}
    assert asyncio.run(remind(people, room, send)) == 3 and sent == [("aa", "R"), ("bb", "R"), ("cc", "R")]
    assert settings("[1]") == [1] and settings("") == {} and settings(None) == {} and settings("{}") == {}
    assert lead_minutes({"lead": 0}, 9) == 0 and lead_minutes({}, 9) == 9 and lead_minutes({"lead": "30"}) == 30 and lead_minutes({"lead": None}) == 15
    assert subject(room, 0) == "R in 0 min"
    (tmp_path / "x").write_bytes("plain ü".encode())
    assert load(tmp_path / "x") == "plain ü"
    assert first_word("ONE") == "one" and first_word("") == "" and first_word(" a B") == "a"
"""

_T, _P, _R = "tests/test_desk.py", "desk/rooms.py", "desk/remind.py"
_ASKED = Tests(_T, _TESTS, _P)
_bug, _other = _ASKED.bug, _ASKED.other

PROJECT = Project(
    "desk",
    {"desk/__init__.py": "", _P: _ROOMS, _R: _REMIND, _T: _TESTS, "conftest.py": ""},
    {"held/test_held.py": _HELD},
    (
        _bug("boundary", _P, "and two[0] < one[1]", "and two[0] <= one[1]", "test_overlap"),
        _bug("wrong constant", _P, "int(hours) * 60", "int(hours) * 61", "test_minutes"),
        _bug("wrong operator", _P, "(minute // 60, minute % 60)", "(minute // 60, minute // 60)", "test_clock"),
        _bug("swapped", _P, "(minute // 60, minute % 60)", "(minute % 60, minute // 60)", "test_clock"),
        _bug("missing sorted", _P, "in sorted(bookings):", "in bookings:", "test_free"),
        _bug("missing max", _P, "at = max(at, end)", "at = end", "test_free_nested"),
        _bug("wrong argument", _P, "gaps.append((at, closing))", "gaps.append((opening, closing))", "test_free"),
        _bug("lost self", _P, "self.waiting.append(who)", "waiting.append(who)", "test_taken"),
        _bug("missing record", _P, "        self.bookings[who] = (start, end)\n", "", "test_book"),
        _bug("missing default", _P, "pop(who, None)", "pop(who)", "test_cancel"),
        _bug("boundary of seats", _P, "people <= self.seats", "people < self.seats", "test_fits"),
        _bug("order of operands", _P, "sum(end - start for", "sum(start - end for", "test_busy"),
        _bug("changed while walked", _P, "list(self.bookings.items())", "self.bookings.items()", "test_drop_short"),
        _bug("max for min", _P, "return min(fitting", "return max(fitting", "test_smallest"),
        _bug("no guard", _P, "    if not fitting:\n        return None\n", "", "test_smallest"),
        _bug("no default", _P, ", default=None)", ")", "test_next_start"),
        _bug("boundary of now", _P, "if start >= now", "if start > now", "test_next_start"),
        _bug("not awaited", _R, "to = await address", "to = address", "test_remind"),
        _bug("wrong order", _R, "await send(to, room.name)", "await send(room.name, to)", "test_remind"),
        _bug("not counted", _R, "        sent += 1\n", "", "test_remind"),
        _bug("narrow handler", _R, "except (ValueError, TypeError):", "except ValueError:", "test_settings_of_nothing"),
        _bug("zero is a value", _R, "default if value is None else", "default if not value else", "test_lead_of_zero"),
        _bug("number as text", _R, "str(lead)", "lead", "test_subject"),
        _bug("other encoding", _R, 'encoding="utf-8"', 'encoding="ascii"', "test_load"),
        _bug("index", _R, 'words[0].lower() if words else ""', "words[0].lower()", "test_first_word_of_none"),
        _bug("missing lower", _R, "words[0].lower()", "words[0]", "test_first_word"),
        _bug("missing import", _R, "import json\n", "import re\n", "test_settings"),
        _other("wrong test", 'assert minutes("9") == 540', 'assert minutes("9") == 545', "test_minutes"),
        _other("missing feature", "def test_clock():\n", 'def test_clock():\n    assert clock(-30) == "yesterday 23:30"\n', "test_clock"),
        _other("missing package", "def test_fits():\n", "def test_fits():\n    import a_package_that_is_not_here\n", "test_fits"),
        _other("missing file", "def test_load(tmp_path):\n", "def test_load(tmp_path):\n    assert load('/nonexistent/desk.txt') == 'desk'\n", "test_load"),
        _other("wish against another test", "def test_first_word():\n", "def test_first_word():\n    assert first_word('Hello You') == 'Hello'\n", "test_first_word"),
        _other("by chance", "def test_busy():\n", "def test_busy():\n    assert Room('x', 1).busy() == id(object()) % 7 + 1\n", "test_busy"),
    ),
)  # fmt: skip
