"""Which of the edits that pass are believed, and how far."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log2

from prodwise.repair.edits import Edit
from prodwise.repair.forced import KIND as FORCED
from prodwise.repair.localise import Spectrum
from prodwise.repair.pool import Candidate, Moved
from prodwise.repair.search.operators import DROPPED

# What fits by accident more often than other kinds: it adds a way around, or takes something away.
RISK = {
    "turned": 0.45,
    "odd one out": 0.45,
    "guard": 0.3,
    "condition": 0.15,
    "junction": 0.27,
    DROPPED: 0.25,
    "operand dropped": 0.1,
    "flow": 0.15,
    "only if": 0.15,
    "unasked": 0.15,
    "branch": 0.1,
    "call dropped": 0.1,
    "index dropped": 0.1,
    "piece": 0.25,
    "part": 0.1,
    "variable": 0.1,
    "literal": 0.15,
    "raise": 0.1,
    "idiom": 0.1,
    "return": 0.05,
    "statement missing": 0.1,
    "call missing": 0.08,
    "copied": 0.2,
    "none": 0.1,
    "pattern": 0.1,
    "default": 0.1,
    "encoding": 0.05,
    "index": 0.1,
    "argument dropped": 0.1,
    "question": 0.1,
    "entry": 0.1,
    "entry dropped": 0.15,
    "slip": 0.1,
    "class": 0.1,
    "constant": 0.1,
    "order": 0.1,
}
STEEP = 2.0
LEAP = 3.0
TROUBLE_MORE = 0.1
ASKED_LEAST = 3
"""So many questions at least tell whether two edits mean the same, one of them beyond the tests' own calls."""
UNMOVED_LEAST = 5
"""So many that an edit answers like the unchanged program tell nothing of it."""
SHARE_LEAST = 0.66
UNKNOWN = frozenset("?")
_NO_VALUE = "!~?"
# Least confidence by how many tests run the edited line: one alone is easily satisfied by accident.
LEAST = {0: 0.7, 1: 0.76}
LEAST_OF_MANY = 0.65
MOST = 2
EASE = 0.06
EASILY = 20
"""So many edits that give the failing tests what they want are no sign yet that this is easy."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """confidence: 0 to 1."""

    candidate: Candidate
    confidence: float


@dataclass(frozen=True, slots=True)
class Meaning:
    """Edits that answer alike wherever they were asked, likeliest first. answers: "!…" is an error, "~" no answer in time."""

    edits: tuple[Candidate, ...]
    answers: tuple[str, ...] = ()

    @property
    def trouble(self) -> float:
        """The share of questions that end without an answer."""
        return sum(one[:1] in "!~" for one in self.answers) / max(1, len(self.answers))


@dataclass(frozen=True, slots=True)
class Known:
    """own: how many of the questions, the first ones, are the tests' own calls; base: what the unchanged program answers; holds: that
    this is right wherever it is a value, since all that failed did so with an error or never ended; mended: how many edits mend
    what failed: at first those alone that break what other tests ask for. To end without an error is easy for most: where it holds,
    the base tells more."""

    own: int = 0
    base: tuple[str, ...] = ()
    holds: bool = False
    mended: int = 0


NOTHING = Known()


def chosen(standing: Sequence[Candidate], answers: Sequence[tuple[str, ...]], spectrum: Spectrum,
           known: Known = NOTHING) -> list[Survivor]:  # fmt: skip
    """1. Edits that answer alike beyond the tests are one meaning. 2. The meaning that weighs most is held against all others:
    where several fit alike, none is believed. 3. Nor is a limit where another one passes as well, unless the code tells of this
    one alone; nor a question that is always answered with yes. 4. Unusual edits, those that go around the work, few tests through
    the edited line, and a check that many edits satisfy speak against it. 5. Nothing is proposed below the least confidence."""
    found = meanings(standing, answers, known)
    if not found:
        return []
    weights = [weight(one, found, known) for one in found]
    best = max(range(len(found)), key=weights.__getitem__)
    share = weights[best] / sum(weights)
    if share < SHARE_LEAST:
        return []
    edits = pinned(plain(found[best].edits), standing)
    known = replace(known, mended=known.mended + len(standing))
    judged = [Survivor(one, confidence(one, share, spectrum, known)) for one in edits[:MOST]]
    return [one for one in judged if one.confidence >= LEAST.get(witnesses(one.candidate, spectrum), LEAST_OF_MANY)]


def plain(edits: Sequence[Candidate]) -> list[Candidate]:
    """Without those that ask something else where it does as well to ask nothing, or to answer it once for all: what is always so is
    no question; but one that is asked as before of all but empty values may be meant. Such an answer itself is never proposed."""
    idle = [one.edit for one in edits if one.edit.kind in ("unasked", DROPPED, FORCED)]

    def within(one: Edit) -> bool:
        around = (it for it in idle if it.path == one.path and it.start <= one.start and one.end <= it.end)
        return any(it != one and not it.kind == one.kind == DROPPED and not _narrow(one, it) for it in around)

    return [one for one in edits if one.edit.kind != FORCED and not within(one.edit)]


def _narrow(one: Edit, answer: Edit) -> bool:
    return one.kind == "none" and answer.new in ("True", "False")


def pinned(edits: Sequence[Candidate], standing: Sequence[Candidate]) -> list[Candidate]:
    """Without those that move a limit to where nothing holds it: questions that were answered alike did not ask for it. Nor a number
    in place of which several others do as well."""
    open_: dict[tuple[str, int], dict[int, bool]] = {}
    for one in standing:
        if one.moved is not None:
            open_.setdefault((one.moved.path, one.moved.at), {})[one.moved.least] = one.moved.told
    numbers: dict[tuple[str, int, int], set[str]] = {}
    for one in standing:
        if one.edit.kind == "constant":
            numbers.setdefault((one.edit.path, one.edit.start, one.edit.end), set()).add(one.edit.new)
    held = [one for one in edits if _one_place(numbers.get((one.edit.path, one.edit.start, one.edit.end), set()))]
    return [one for one in held if one.moved is None or _held(one.moved, open_[one.moved.path, one.moved.at])]


def _one_place(numbers: Collection[str]) -> bool:
    """Whether these may be one number: a place counted from the end, or from the begin, is the same one twice."""
    from_end = [one for one in numbers if one.startswith("-")]
    return len(numbers) < 2 or (len(numbers) == 2 and len(from_end) == 1 and "0" not in numbers)


def _held(moved: Moved, passed: Mapping[int, bool]) -> bool:
    return len(passed) == 1 or (moved.told and sum(passed.values()) == 1)


def meanings(
    standing: Sequence[Candidate], answers: Sequence[tuple[str, ...]], known: Known = NOTHING
) -> list[Meaning]:
    """What could not be asked beyond the tests' own calls stands for itself: those it passes, as all others do. Where an edit answers
    enough of them as the unchanged program does, they did not come to it: it is one with the others of its statement alone, or with
    the same lines put elsewhere."""
    groups: dict[object, list[Candidate]] = {}
    said: dict[object, tuple[str, ...]] = {}
    own, base, lines = known.own, known.base, dict[tuple[str, str], int]()
    for at, (one, told) in enumerate(zip(standing, answers, strict=True)):
        key: object = told if len(told) >= ASKED_LEAST and not UNKNOWN.issuperset(told[own:]) else at
        if key is told and len(base) == len(told) >= own + UNMOVED_LEAST and told[own:] == base[own:]:
            added = one.edit.new.strip() if one.edit.start == one.edit.end else ""
            line = one.whole.first if one.whole is not None else one.edit.line
            key = (one.edit.path, lines.setdefault((one.edit.path, added), line) if added else line)
        groups.setdefault(key, []).append(one)
        said[key] = told
    return [Meaning(tuple(sorted(some, key=lambda one: one.score)), said[key]) for key, some in groups.items()]


def weight(one: Meaning, all_of: Sequence[Meaning], known: Known = NOTHING) -> float:
    """How likely it is before it is held against the others: its likeliest edit, more for each other way to say the same. Each
    answer beyond the tests' own calls that it changes, and another does not, speaks against it: a fix changes little else. What
    errs or hangs where others answer weighs a fifth, what contradicts a base that holds a tenth."""
    value = sum(exp(-STEEP * edit.score) for edit in one.edits[:5])
    value *= exp(LEAP * (min(changed(other, known) for other in all_of) - changed(one, known)))
    calmest = min(other.trouble for other in all_of)
    if known.holds and any(
        mine != old for mine, old in zip(one.answers, known.base, strict=False) if old[:1] not in _NO_VALUE
    ):
        value /= 10
    return value / 5 if one.trouble > calmest + TROUBLE_MORE else value


def changed(one: Meaning, known: Known) -> float:
    """The share of answers beyond the tests' own calls that are others than the unchanged program's, where that gives a value."""
    pairs = list(zip(one.answers, known.base, strict=False))[known.own :]
    told = [mine != old for mine, old in pairs if old[:1] not in _NO_VALUE]
    return sum(told) / len(told) if told else 0.0


def confidence(one: Candidate, share: float, spectrum: Spectrum, known: Known = NOTHING) -> float:
    ran = witnesses(one, spectrum)
    value = share * (0.95 - RISK.get(one.edit.kind, 0.0) - 0.06 * one.score) + min(0.1, 0.03 * log2(1 + ran))
    value -= 0.0 if known.holds else EASE * log2(1 + known.mended / EASILY)
    return max(0.0, min(0.99, value))


def witnesses(one: Candidate, spectrum: Spectrum) -> int:
    """How many tests run the edited line, or one that sees the edit."""
    lines = {(one.edit.path, one.edit.line), *one.seen}
    tests = (*spectrum.failing, *spectrum.passing)
    return sum(any(line in test.get(path, frozenset()) for path, line in lines) for test in tests)
