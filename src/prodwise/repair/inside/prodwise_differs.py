"""What edits would make of the value of the expression that they change, in the failing test as it is: those that would make the same
of it as the program does, and those that differ from it like another that failed, can wait. It says when to try an edit, never whether
it is right. Python 3.6 and up.

After Mechtaev, Gao, Tan and Roychoudhury, "Test-equivalence analysis for automatic patch generation" (TOSEM 2018)."""

import hashlib
import json
import os
import re
import sys
import time

import prodwise_places
import sitecustomize as watch
from prodwise_alone import called
from prodwise_code import FUTURES, text_of
from prodwise_limits import limit, wait

FIRST = frozenset((1, 2, 3))
LOOKS_MOST = 600
SHARE = 0.15
NODES_MOST = 400
DEPTH_MOST = 6
AGAIN = 16
LOADED_MOST = 400
SAME = "same"
SAID = os.path.join(watch.HERE, "differs.jsonl")
LOADED = os.path.join(watch.HERE, "loaded")
CAME = os.path.join(watch.HERE, "came.json")
PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...))
THINGS = (type, type(watch.begin), type(len), type(os))
ELSEWHERE = re.compile(r"\b(super\(|yield\b|await\b|__\w*[^\W_]\b(?!__))")
"""What means something else outside of its function or class."""


class Unknown(Exception):
    """A value that cannot be compared."""


class Place:
    """An expression in a file, and the edits of it."""

    def __init__(self, at, path, whole):
        self.at, self.path, (self.first, self.last, self.start, self.end, self.kind) = at, path, whole
        self.edits, self.visits, self.due = [], 0, FIRST  # type: list, int, frozenset


def known(quick):
    """Edit id → SAME, or what it has in common with others; without those of which nothing is known. None in a child.

    1. The failing test is run to see how often it comes past each place, and what it imports. 2. It is run again, and asked there."""
    places = places_of(watch.State.plan["edits"])
    if not places:
        return {}
    seconds = SHARE * watch.State.plan["last"]
    for path in (SAID, LOADED, CAME):
        open(path, "w").close()
    if apart(quick, min(seconds, watch.State.plan["seconds"]), counted, places):
        return None
    warm()
    came(places)
    if apart(quick, seconds, begin, places, seconds):
        return None
    try:
        return judged(places, told())
    except Exception:  # the tests might have written there as well
        return {}


def apart(quick, seconds, prepare, *what):
    """Runs the failing test in a child. Whether this is the child, which goes on with it."""
    pid = os.fork()
    if pid:
        wait(pid, seconds)
        return False
    watch.State.child = -1
    limit(seconds)
    prepare(*what)
    if quick:
        called(quick[:1])
    return True


def counted(places):
    before = frozenset(sys.modules)

    def tell():
        with open(LOADED, "a") as out:
            for name, module in list(sys.modules.items()):
                path = getattr(module, "__file__", None)
                if name not in before and isinstance(path, str) and not path.startswith(watch.HERE):
                    out.write(name + "\n")
        with open(CAME, "w") as out:
            json.dump([place.visits for place in places], out)

    def act(place, _):
        place.visits += 1

    watch.State.parting = tell
    entering(places, act)


def came(places):
    """The last visits tell most: there the test fails. Where it could not be seen which they are, the first ones are looked at."""
    try:
        with open(CAME) as source:
            many = [int(one) for one in json.load(source)]
    except (OSError, ValueError, TypeError):
        return
    for place, visits in zip(places, many):
        place.due = frozenset((1, visits - 1, visits))


def warm():
    """What the failing test imports while it runs is imported here once, not in each try."""
    with open(LOADED) as source:
        for name in source.read().split("\n")[:LOADED_MOST]:
            if name:
                try:
                    __import__(name)
                except BaseException:
                    continue


def places_of(edits):
    """In the order of their likeliest edits."""
    found = {}  # type: dict
    for edit in edits:
        if edit[7] is not None:
            key = (edit[1], tuple(edit[7]))
            if key not in found:
                path = os.path.join(watch.ROOT, edit[1])
                if ELSEWHERE.search(text_of(path)[edit[7][2] : edit[7][3]]):
                    continue
                found[key] = Place(len(found), path, edit[7])
            found[key].edits.append(edit)
    return list(found.values())


def begin(places, seconds):
    """Looks at each place at those visits that are due."""
    looks, stop = [0], time.monotonic() + seconds

    def act(place, frame):
        place.visits += 1
        if place.visits in place.due and looks[0] < LOOKS_MOST and time.monotonic() < stop:
            looks[0] += 1
            look(place, frame)

    entering(places, act)


def entering(places, act):
    """Calls act(place, frame) each time that the test comes to a place: on each line the likeliest one."""
    lines = {}  # type: dict
    for place in places:
        for line in range(place.first, place.last + 1):
            lines.setdefault(place.path, {}).setdefault(line, (place,))
    sys.settrace(prodwise_places.tracer(lines, act))


def look(place, frame):
    """In a child: what is asked here may change the program."""
    pid = os.fork()
    if pid:
        wait(pid, 0.3)
        return
    try:
        sys.settrace(None)
        limit(0.3)
        answers = of_all(place, frame)
        with open(SAID, "a") as out:
            out.write(json.dumps([place.at, place.visits, answers]) + "\n")
    finally:
        os._exit(0)


def of_all(place, frame):
    """Edit id → what it makes of the value, -1: the program; without those for which nothing can be told."""
    space = dict(frame.f_globals)
    space.update(frame.f_locals)
    kept, text = [], text_of(place.path)  # type: list, str
    flags = frame.f_code.co_flags & FUTURES

    def of(source):
        return answer(source, place.kind, space, flags, kept)

    whole = text[place.start : place.end]
    base = of(whole)
    answers = {-1: base}
    for turn, edit in enumerate(place.edits):
        if turn % AGAIN == 0 and of(whole) != base:
            break
        found = of(text[place.start : edit[3]] + edit[5] + text[edit[4] : place.end])
        if found is not None:
            answers[edit[0]] = found
    return answers


def answer(source, kind, space, flags, kept):
    """kept: values live on, so that no two have the same identity."""
    try:
        value = eval(compile("(\n" + source + "\n)", "<edit>", "eval", flags, True), space)
        kept.append(value)
        if kind == "truth":
            return str(bool(value))
        return None if kind == "effect" else digest(value)
    except Unknown:
        return None
    except SyntaxError:
        return None
    except BaseException as error:
        return "raises " + type(error).__name__


def digest(value):
    left = [NODES_MOST]
    return hashlib.md5(repr(form(value, DEPTH_MOST, left, {})).encode("utf-8", "replace")).hexdigest()[:16]


def form(value, depth, left, seen):
    """A value by its contents, as far as they can be told; what was there before and is named, by its identity."""
    left[0] -= 1
    kind = type(value)
    if kind in PLAIN:
        return (kind.__name__, value)
    if isinstance(value, THINGS):
        return ("thing", id(value))
    if id(value) in seen:
        return ("again", seen[id(value)])
    if depth == 0 or left[0] < 0:
        raise Unknown
    seen[id(value)] = len(seen)
    if kind in (list, tuple):
        return (kind.__name__, [form(one, depth - 1, left, seen) for one in value])
    if kind in (set, frozenset):
        return (kind.__name__, sorted(repr(form(one, depth - 1, left, {})) for one in value))
    if isinstance(value, dict):
        return (
            id(kind),
            [(form(key, depth - 1, left, seen), form(one, depth - 1, left, seen)) for key, one in list(value.items())],
        )
    inside = getattr(value, "__dict__", None)
    if type(inside) is dict and kind.__flags__ & (1 << 9):
        return (id(kind), form(inside, depth - 1, left, seen))
    raise Unknown


def told():
    """Place → visit → edit id → what it makes of the value."""
    found = {}  # type: dict
    with open(SAID) as source:
        for line in source:
            at, visit, answers = json.loads(line)
            found.setdefault(at, {})[visit] = {int(key): one for key, one in answers.items()}
    return found


def judged(places, found):
    """What the program itself cannot be told of, or would raise where it does not, says nothing of its edits."""
    kinds, fails = {}, "raises " + watch.State.plan["error"]  # type: dict, str
    for at, visits in found.items():
        turns = sorted(visits)
        base = [visits[turn].get(-1) for turn in turns]
        if any(one is not None and one.startswith("raises ") and one != fails for one in base):
            continue
        if places[at].kind != "effect" and None in base:
            continue
        for edit in places[at].edits:
            mine = [visits[turn].get(edit[0]) for turn in turns]
            if None not in mine or (places[at].kind == "effect" and any(mine)):
                kinds[edit[0]] = SAME if mine == base else (at, tuple(mine))
    return kinds
