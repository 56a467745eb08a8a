"""JavaScript and TypeScript: where `up` is, and the chains of calls in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from prodwise.loop.choose.schema.notes import Unreadable
from prodwise.loop.choose.schema.words import Group, Part, Word

_LEADS: Final = frozenset({"return", "await"})


@dataclass(frozen=True, slots=True)
class Step:
    """One link of a chain; call: its arguments, None where it is not called."""

    name: str
    call: tuple[Part, ...] | None
    line: int


Chain = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """variable: its first parameter."""

    variable: str
    body: tuple[Part, ...]
    line: int


def way_up(parts: Sequence[Part]) -> Function:
    """The only function named `up`: exported, or a class's method. Raises Unreadable."""
    found = [_function(level, place + 1) for level in _levels(parts) for place in _ups(level)]
    if len(found) != 1 or found[0] is None:
        raise Unreadable("it has no `up` of the usual form")
    return found[0]


def _levels(parts: Sequence[Part]) -> list[Sequence[Part]]:
    """The file, and the bodies of its classes and objects."""
    return [parts, *(part.parts for part in parts if isinstance(part, Group) and part.opens == "{")]


def _ups(parts: Sequence[Part]) -> list[int]:
    """Where a word `up` names a function: it is followed by `(`, `=` or `:`."""
    found = []
    for place, part in enumerate(parts[:-1]):
        after = parts[place + 1]
        names = after.opens == "(" if isinstance(after, Group) else after.text in ("=", ":")
        if isinstance(part, Word) and part.kind == "word" and part.text == "up" and names:
            found.append(place)
    return found


def _function(parts: Sequence[Part], at: int) -> Function | None:
    """From what follows its name: `= async function (knex) {`, `= (knex) =>`, `(knex: Knex): Promise<void> {`."""
    rest = list(parts[at : at + 40])
    while rest and isinstance(rest[0], Word) and rest[0].text in ("=", ":", "async", "function", "up"):
        rest.pop(0)
    if not rest:
        return None
    head = rest.pop(0)
    parameters = head.parts if isinstance(head, Group) and head.opens == "(" else (head,)
    first = parameters[0] if parameters else None
    if not isinstance(first, Word) or first.kind != "word":
        return None
    arrow = next((place for place, part in enumerate(rest) if isinstance(part, Word) and part.text == "=>"), -1)
    block = next((place for place, part in enumerate(rest) if isinstance(part, Group) and part.opens == "{"), -1)
    if block >= 0 and (arrow < 0 or block == arrow + 1):
        body = rest[block]
        return Function(first.text, body.parts, body.line) if isinstance(body, Group) else None
    if arrow >= 0:
        return Function(first.text, tuple(_expression(parts[at:])), first.line)
    return None


def _expression(parts: Sequence[Part]) -> list[Part]:
    """What follows an arrow, up to its semicolon."""
    found: list[Part] = []
    begun = False
    for part in parts:
        text = part.text if isinstance(part, Word) else ""
        if begun and text == ";":
            break
        if begun:
            found.append(part)
        begun = begun or text == "=>"
    return found


def chains(parts: Sequence[Part]) -> list[Chain | int]:
    """Each statement as a chain of calls; one that is none as the line where it begins, and nothing after it."""
    found: list[Chain | int] = []
    at = 0
    while at < len(parts):
        part = parts[at]
        if isinstance(part, Word) and (part.text == ";" or part.text in _LEADS):
            at += 1
            continue
        chain, after = _chain(parts, at)
        if not chain:
            return [*found, part.line]
        found.append(chain)
        at = after
    return found


def _chain(parts: Sequence[Part], at: int) -> tuple[Chain, int]:
    steps: list[Step] = []
    while at < len(parts):
        word = parts[at]
        if not isinstance(word, Word) or word.kind != "word":
            return (), at
        after = parts[at + 1] if at + 1 < len(parts) else None
        called = after.parts if isinstance(after, Group) and after.opens == "(" else None
        steps.append(Step(word.text, called, word.line))
        at += 1 if called is None else 2
        follows = parts[at] if at < len(parts) else None
        if not (isinstance(follows, Word) and follows.text == "."):
            break
        at += 1
    ends = parts[at] if at < len(parts) else None
    new = isinstance(ends, Word) and (ends.text == ";" or ends.kind == "word")
    return (tuple(steps), at) if ends is None or new else ((), at)


def arguments(parts: Sequence[Part]) -> list[list[Part]]:
    """Split at commas."""
    found: list[list[Part]] = [[]]
    for part in parts:
        if isinstance(part, Word) and part.text == ",":
            found.append([])
        else:
            found[-1].append(part)
    return [one for one in found if one]


def callback(parts: Sequence[Part]) -> Function | None:
    """`function (t) {…}`, `(t) => {…}`, `t => {…}`: an argument."""
    return _function([Word("word", "up", 0), *parts], 1)


def plain(parts: Sequence[Part], *roots: str) -> bool:
    """Whether none of these names stands in it, at any depth, and no function."""
    for part in parts:
        if isinstance(part, Group):
            if not plain(part.parts, *roots):
                return False
        elif part.text in (*roots, "=>", "function", "await", "eval") or (
            part.text.startswith("`") and "${" in part.text
        ):
            return False
    return True
