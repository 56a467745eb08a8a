"""Delivery routes: a graph, a plan, a log in text form."""

# ruff: noqa: E501
from __future__ import annotations

from bench.repairs.case import Project, Tests

_GRAPH = '''"""Roads between places, and the shortest way."""

import heapq


def neighbours(roads, place):
    """Where one road leads, in order of name."""
    return sorted(end for start, end in roads if start == place)


def reachable(roads, start):
    """All places that can be reached, the start included."""
    seen = set()
    waiting = [start]
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        waiting.extend(neighbours(roads, place))
    return seen


def distance(roads, start, goal):
    """Length of the shortest way, None without any."""
    best = {start: 0}
    heap = [(0, start)]
    while heap:
        length, place = heapq.heappop(heap)
        if place == goal:
            return length
        for (one, other), road in roads.items():
            if one == place and length + road < best.get(other, float("inf")):
                best[other] = length + road
                heapq.heappush(heap, (best[other], other))
    return None


def depth(tree):
    """How deep nested lists go: 0 for what is no list."""
    if not isinstance(tree, list):
        return 0
    return 1 + max((depth(part) for part in tree), default=0)


def longest_climb(heights):
    """The most steps upwards in a row."""
    longest = current = 0
    for before, after in zip(heights, heights[1:]):
        if after > before:
            current += 1
        else:
            current = 0
        longest = max(longest, current)
    return longest


def chunks(stops, size):
    """Parts of at most `size` stops."""
    return [stops[at : at + size] for at in range(0, len(stops), size)]
'''
_LOG = '''"""Lines of the drivers' log: `08:15 ann arrived depot`."""


class BadLine(ValueError):
    """A line that says nothing."""


def parse(line):
    """(time, driver, verb, place); the place may have several words."""
    parts = line.split(None, 3)
    if len(parts) < 4:
        raise BadLine(line)
    return tuple(parts)


def by_driver(lines):
    """Driver → verbs, in order."""
    found = {}
    for line in lines:
        _, driver, verb, _ = parse(line)
        found.setdefault(driver, []).append(verb)
    return found


def count(lines, wanted):
    """How many lines have a verb."""
    return sum(1 for line in lines if parse(line)[2] == wanted)


def late(lines, limit):
    """Drivers with a line after the limit, each once, in order."""
    found = []
    for line in lines:
        time, driver, _, _ = parse(line)
        if time > limit and driver not in found:
            found.append(driver)
    return found


def share(part, whole):
    """In percent, 0 of nothing."""
    if not whole:
        return 0
    return 100 * part / whole
'''
_TESTS = """import pytest

from routes.graph import chunks, depth, distance, longest_climb, neighbours, reachable
from routes.log import BadLine, by_driver, count, late, parse, share

ROADS = {("a", "b"): 3, ("a", "c"): 1, ("c", "b"): 1, ("b", "d"): 4, ("d", "a"): 2, ("x", "y"): 1}
LINES = ["08:15 ann arrived depot", "08:20 bob left north gate", "09:00 ann left depot"]


def test_neighbours():
    assert neighbours(ROADS, "a") == ["b", "c"]


def test_reachable():
    assert reachable(ROADS, "a") == {"a", "b", "c", "d"}
    assert reachable(ROADS, "y") == {"y"}


def test_distance():
    assert distance(ROADS, "a", "b") == 2
    assert distance(ROADS, "a", "d") == 6


def test_distance_without_way():
    assert distance(ROADS, "a", "y") is None


def test_depth():
    assert depth([1, [2, [3]], []]) == 3
    assert depth([]) == 1


def test_longest_climb():
    assert longest_climb([1, 2, 3, 1, 2]) == 2
    assert longest_climb([]) == 0


def test_chunks():
    assert chunks([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]


def test_parse():
    assert parse("08:20 bob left north gate") == ("08:20", "bob", "left", "north gate")


def test_parse_bad():
    with pytest.raises(BadLine):
        parse("08:20 bob")


def test_by_driver():
    assert by_driver(LINES) == {"ann": ["arrived", "left"], "bob": ["left"]}


def test_count():
    assert count(LINES, "left") == 2


def test_late():
    assert late(LINES, "08:15") == ["bob", "ann"]
    assert late(LINES + LINES, "08:15") == ["bob", "ann"]


def test_share():
    assert share(1, 4) == 25
    assert share(0, 0) == 0
"""
_HELD = """import pytest

from routes.graph import chunks, depth, distance, longest_climb, neighbours, reachable
from routes.log import BadLine, by_driver, count, late, parse, share

ROADS = {("m", "z"): 1, ("m", "k"): 5, ("z", "k"): 2, ("k", "m"): 1, ("k", "q"): 9}


def test_graph():
    assert neighbours(ROADS, "m") == ["k", "z"] and neighbours(ROADS, "q") == []
    assert reachable(ROADS, "k") == {"m", "z", "k", "q"} and reachable({}, "a") == {"a"}
    assert distance(ROADS, "m", "k") == 3 and distance(ROADS, "m", "m") == 0 and distance(ROADS, "q", "m") is None
    assert distance(ROADS, "m", "q") == 12
    assert depth(5) == 0 and depth([[[]]]) == 3 and depth([1]) == 1 and depth([[1], [[2]]]) == 3
    assert longest_climb([3, 3, 3]) == 0 and longest_climb([1, 2]) == 1 and longest_climb([5, 1, 2, 3, 4, 0]) == 3
    assert chunks([], 3) == [] and chunks([1], 3) == [[1]] and chunks([1, 2, 3, 4], 2) == [[1, 2], [3, 4]]


def test_log():
    assert parse("1 a b c") == ("1", "a", "b", "c") and parse(" 1  a b  c d e")[3] == "c d e"
    for bad in ("", "a", "a b c"):
        with pytest.raises(BadLine):
            parse(bad)
    assert by_driver([]) == {} and by_driver(["1 a x p", "2 b y p", "3 a z p", "4 a x p"]) == {"a": ["x", "z", "x"], "b": ["y"]}
    assert count([], "x") == 0 and count(["1 a x p", "2 b y p"], "y") == 1
    assert late(["10 a x p", "11 b x p", "12 b x p"], "10") == ["b"] and late(["10 a x p"], "10") == []
    assert share(5, 5) == 100 and share(0, 3) == 0 and share(1, 8) == 12.5
"""

_T, _P, _R = "tests/test_routes.py", "routes/graph.py", "routes/log.py"
_ASKED = Tests(_T, _TESTS, _P)
_bug, _other = _ASKED.bug, _ASKED.other

PROJECT = Project(
    "routes",
    {"routes/__init__.py": "", _P: _GRAPH, _R: _LOG, _T: _TESTS, "conftest.py": ""},
    {"held/test_held.py": _HELD},
    (
        _bug("wrong end", _P, "return sorted(end for start, end in roads if start == place)",
             "return sorted(start for start, end in roads if start == place)", "test_neighbours"),
        _bug("unsorted", _P, "return sorted(end for start, end in roads if start == place)",
             "return list({end: 0 for start, end in reversed(roads) if start == place})", "test_neighbours"),
        _bug("never seen", _P, "        seen.add(place)\n", "", "test_reachable"),
        _bug("append for extend", _P, "waiting.extend(", "waiting.append(", "test_reachable"),
        _bug("wrong comparison", _P, "length + road < best.get", "length + road > best.get", "test_distance"),
        _bug("wrong length pushed", _P, "(best[other], other))", "(road, other))", "test_distance"),
        _bug("base case", _P, "    if not isinstance(tree, list):\n        return 0\n", "", "test_depth"),
        _bug("forgets the best", _P, "longest = max(longest, current)", "longest = current", "test_longest_climb"),
        _bug("one short", _P, "range(0, len(stops), size)", "range(0, len(stops) - 1, size)", "test_chunks"),
        _bug("split too far", _R, "line.split(None, 3)", "line.split(None, 4)", "test_parse"),
        _bug("wrong limit", _R, "if len(parts) < 4", "if len(parts) < 2", "test_parse_bad"),
        _bug("wrong name", _R, "setdefault(driver, [])", "setdefault(verb, [])", "test_by_driver"),
        _bug("wrong field", _R, "parse(line)[2] == wanted", "parse(line)[1] == wanted", "test_count"),
        _bug("twice told", _R, " and driver not in found", "", "test_late"),
        _bug("nothing of nothing", _R, "    if not whole:\n        return 0\n", "", "test_share"),
        _other("wrong test", '"b") == 2', '"b") == 3', "test_distance"),
        _other("wish", "def test_depth():\n", "def test_depth():\n    assert depth((1, (2,))) == 'two'\n", "test_depth"),
        _other("random", "def test_count():\n", "def test_count():\n    import random\n    assert random.random() < 0.5\n    assert count(LINES, 'x') == 7\n", "test_count"),
        _other("order of a dict", "def test_share():\n", "def test_share():\n    assert share(2, 3) == 66\n    assert share(2, 3) == 67\n", "test_share"),
        _other("permission", "def test_parse():\n", "def test_parse():\n    open('/proc/1/mem', 'rb').read(1)\n", "test_parse"),
        _other("refused", "def test_chunks():\n", "def test_chunks():\n    raise ConnectionRefusedError('db:5432')\n", "test_chunks"),
        _other("broken test", "def test_late():\n", "def test_late():\n    assert late(LIMES, '08:15') == []\n", "test_late"),
        _other("no such fixture", "def test_by_driver():\n", "def test_by_driver(drivers):\n", "test_by_driver"),
        _other("one special case", "def test_longest_climb():\n", "def test_longest_climb():\n    assert longest_climb([9, 8, 7, 42]) == 42\n", "test_longest_climb"),
    ),
)  # fmt: skip
