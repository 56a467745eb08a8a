"""What a function was called with in tests that fail, beside tests that pass: the questions that tell one from the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from typing import TypeAlias

from prodwise.repair.source import Function

Value: TypeAlias = tuple[str, object]
"""Its type's name, and what is known of it: itself for numbers and texts, the size of a container."""

CALLS_MOST = 50_000
ASKED_MOST = 8
_SIZED = ("bytes", "list", "tuple", "dict", "set", "frozenset")
_NUMBERS = ("int", "float")
_TYPES = ("str", "bytes", "int", "float", "bool", "list", "tuple", "dict", "set")


@dataclass(frozen=True, slots=True)
class Call:
    """line: where the function begins, decorators included; caller: the file that called, "" for one that is not the program's."""

    path: str
    line: int
    caller: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Question:
    """One that is answered with yes in the failing call, and with no in all that pass. name: what it asks about."""

    text: str
    name: str
    why: str
    cost: float


@dataclass(frozen=True, slots=True)
class Calls:
    """failing: by test, in order."""

    failing: tuple[tuple[Call, ...], ...] = ()
    passing: tuple[Call, ...] = ()

    def last(self, path: str, function: Function) -> list[Call]:
        """The last call of the function in each failing test: the one after which the test ended."""
        line = first_line(function)
        found = ([one for one in some if (one.path, one.line) == (path, line)][-1:] for some in self.failing)
        return [call for some in found for call in some]

    def good(self, path: str, function: Function) -> list[Call]:
        line = first_line(function)
        return [one for one in self.passing if (one.path, one.line) == (path, line)]


def first_line(function: Function) -> int:
    return min([function.lineno, *(one.lineno for one in function.decorator_list)])


def read(rows: object) -> tuple[Call, ...]:
    """From what the tests' process told; what is of another form is left out."""
    found = []
    for row in rows[:CALLS_MOST] if isinstance(rows, list) else ():
        if isinstance(row, list) and len(row) == 4 and isinstance(row[1], int) and isinstance(row[3], dict):
            values = {str(k): (str(v[0]), v[1]) for k, v in row[3].items() if isinstance(v, list) and len(v) == 2}
            found.append(Call(str(row[0]), row[1], str(row[2]), values))
    return tuple(found)


def questions(bad: Sequence[Call], good: Sequence[Call]) -> list[Question]:
    """About one value or two, the likelier ones first."""
    if not bad:
        return []
    asked = (*_single(bad[0], good), *_pairs(bad[0], good))
    told = [
        question
        for question, holds in asked
        if all(holds(one.values) for one in bad) and not any(holds(one.values) for one in good)
    ]
    return sorted(told, key=lambda one: one.cost)[:ASKED_MOST]


_Asked: TypeAlias = tuple[Question, Callable[[Mapping[str, Value]], bool]]


def _single(bad: Call, good: Sequence[Call]) -> Iterator[_Asked]:
    for name, (kind, value) in bad.values.items():
        usual = Counter(one.values[name][0] for one in good if name in one.values)
        if kind == "NoneType":
            yield _ask(f"{name} is None", name, f"{name} must not be None", 1.4, lambda one: one[0] == "NoneType")
        if (kind in _SIZED and value == 0) or (kind == "str" and value == ""):
            yield _ask(f"not {name}", name, f"{name} must not be empty", 1.4, _empty)
        if kind == "str" and value and not str(value).strip():
            yield _ask(f"not {name}.strip()", name, f"{name} must not be blank", 1.5,
                       lambda one: one[0] == "str" and not str(one[1]).strip())  # fmt: skip
        if kind in _NUMBERS and isinstance(value, int | float) and value <= 0:
            if value < 0:
                yield _ask(f"{name} < 0", name, f"{name} must not be negative", 1.4, lambda one: _below(one, 0, False))
            yield _ask(f"{name} <= 0", name, f"{name} must be positive", 1.4 if value == 0 else 1.6,
                       lambda one: _below(one, 0, True))  # fmt: skip
        for wanted, _ in usual.most_common(1):
            if wanted in _TYPES and kind not in (wanted, "NoneType") and len(usual) == 1:
                text = f"not isinstance({name}, {wanted})"
                yield _ask(text, name, f"{name} must be {wanted}", 1.6, partial(_other_than, wanted))


def _pairs(bad: Call, good: Sequence[Call]) -> Iterator[_Asked]:
    """`a > b` of two numbers, where calls that pass show the other order."""
    names = [name for name, (kind, value) in bad.values.items() if kind in _NUMBERS and value is not None]
    for one, two in permutations(names[:6], 2):
        if any(_more(two, one, call.values) for call in good):
            why = f"{one} must not be more than {two}"
            yield Question(f"{one} > {two}", one, why, 1.7), partial(_more, one, two)


def _ask(text: str, name: str, why: str, cost: float, holds: Callable[[Value], bool]) -> _Asked:
    return Question(text, name, why, cost), lambda values: name in values and holds(values[name])


def _empty(value: Value) -> bool:
    return value[0] == "NoneType" or value[1] in ("", 0, False)


def _other_than(wanted: str, value: Value) -> bool:
    return value[0] != wanted


def _below(value: Value, limit: int, or_equal: bool) -> bool:
    number = value[1]
    if value[0] not in _NUMBERS or not isinstance(number, int | float):
        return False
    return number <= limit if or_equal else number < limit


def _more(one: str, two: str, values: Mapping[str, Value]) -> bool:
    left, right = values.get(one, ("", None))[1], values.get(two, ("", None))[1]
    return isinstance(left, int | float) and isinstance(right, int | float) and left > right
