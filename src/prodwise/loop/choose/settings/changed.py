"""What a settings file holds now that it did not hold before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from prodwise.loop.choose.settings.files import form_of
from prodwise.loop.choose.settings.guarded import guarded
from prodwise.loop.choose.settings.put import TEXT_MAX, above, entries, hunks, put
from prodwise.loop.choose.settings.told import NotApart, NotPut, Unreadable
from prodwise.model.setting import Change, Entry, Form, Key, Left, Moves, Then

CHANGES_MAX: Final = 60
"""Of one file; a file of which more differs was written anew."""


def changed(path: str, now: str, older: Sequence[Then], *, whole: bool = False) -> Moves:
    """older: the file at the commits that changed it, newest first; the first is what it holds now. Each setting goes back to what it
    was before it last changed, or, whole, to what it was in the oldest of them."""
    if max(len(now), *(len(one.text) for one in older)) > TEXT_MAX:
        return Moves((), (Left(path, "", "it is too long to be looked at"),))
    try:
        found = list(_by_key(path, entries(path, now), older, whole))
        stuck = {one: cannot for one in found if (cannot := _stuck(now, one))}
        if stuck and form_of(path) is not Form.PYTHON:
            raise NotApart("some of its settings have no place that is known")
    except Unreadable as error:
        return Moves((), (Left(path, "", f"it is {error}"),))
    except NotApart as error:
        if form_of(path) is Form.PYTHON:
            return Moves((), (Left(path, "", str(error)),))
        stuck = {}
        try:
            found = list(by_hunk(path, now, older, whole))
        except NotApart as too_long:
            return Moves((), (Left(path, "", str(too_long)),))
    if len(found) > CHANGES_MAX:
        return Moves((), (Left(path, "", f"{len(found)} settings differ: it was written anew"),))
    why = {one: stuck.get(one, "") or guarded(one) for one in found}
    return Moves(
        tuple(one for one in found if not why[one]),
        tuple(Left(one.path, one.name, why[one]) for one in found if why[one]),
    )


def _stuck(now: str, one: Change) -> str:
    try:
        put(one.path, now, one.key, one.then)
    except NotPut as error:
        return str(error)
    return ""


def _by_key(path: str, now: dict[Key, Entry], older: Sequence[Then], whole: bool) -> Iterator[Change]:
    told = set[Key]()
    goal = _before(path, older[-1].text) if whole else {}
    for place, then in enumerate(older[1:], 1):
        try:
            before = entries(path, then.text)
        except (Unreadable, NotApart):
            continue
        for key in dict.fromkeys((*now, *before)):
            if key in told or _value(now, key) == _value(before, key):
                continue
            told.add(key)
            one = _value(goal if whole else before, key)
            if one != _value(now, key):
                text = older[-1].text if whole else then.text
                yield Change(path, key, _value(now, key), one, older[place - 1].commit, text)


def _before(path: str, text: str) -> dict[Key, Entry]:
    try:
        return entries(path, text)
    except Unreadable as error:
        raise NotApart(f"before, it was {error}") from None


def by_hunk(path: str, now: str, older: Sequence[Then], whole: bool) -> Iterator[Change]:
    """Against the version before the newest, or the oldest: only there is it known which lines stood for which."""
    if len(older) < 2:
        return
    then = older[-1] if whole else older[1]
    for number, (line, here, there) in enumerate(hunks(now, then.text)):
        many = len(here.splitlines())
        name = f"line {line}" if many < 2 else f"lines {line}–{line + many - 1}"
        yield Change(path, (*above(now, line), name), here or None, there or None, older[0].commit, then.text, number)


def _value(known: dict[Key, Entry], key: Key) -> str | None:
    return known[key].value if key in known else None
