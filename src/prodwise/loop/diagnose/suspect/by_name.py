"""Commits that took away, renamed or began to use what an error's message names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from prodwise.loop.diagnose.suspect import code
from prodwise.loop.diagnose.suspect import weights as w
from prodwise.loop.diagnose.suspect.case import Finding
from prodwise.loop.diagnose.suspect.message import Named, Role, says
from prodwise.loop.diagnose.suspect.packages import changed_packages, package_of
from prodwise.loop.diagnose.suspect.scene import Line, Scene
from prodwise.model.commit import Commit

_CAN_GO = (Role.MISSING, Role.MODULE, Role.FILE)
_SUFFIXES = r"(?:\.pyi?|/__init__\.py|(?:/index)?\.[cm]?[jt]sx?|\.json)?$"


def named(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """For each name that the message gives: what the commit did to it."""
    for name in scene.named:
        yield from _about(scene, commit, name)


def used_before(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """It wrote what the message names when that was still there: what it wrote worked then."""
    newer = scene.order[: scene.place_of[commit.sha]]
    for name in scene.named:
        wrote = next((line for line in scene.having(commit, name.word) if line.added), None)
        if wrote and name.role in _CAN_GO and any(_took_away(scene, other, name) for other in newer):
            yield Finding(w.USED_BEFORE, f"wrote {name.word} when it was still there", wrote.path, wrote.number)


def _took_away(scene: Scene, commit: Commit, name: Named) -> bool:
    return scene.once(("took away", commit.sha, name), lambda: _takes_away(scene, commit, name))


def _takes_away(scene: Scene, commit: Commit, name: Named) -> bool:
    if package_of(name.word) in changed_packages(commit):
        return True
    return any(one.weight in (w.TOOK_AWAY, w.FILE_GONE) for one in _about(scene, commit, name))


def said(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """It wrote the message's own words."""
    for line in scene.lines(commit):
        if line.added:
            for text in code.strings(line.text):
                if any(says(thrown.message, text) for thrown in scene.thrown):
                    yield Finding(
                        w.SAYS_IT,
                        f"wrote the message that the error bears, {line.path}:{line.number}",
                        line.path,
                        line.number,
                    )


def _about(scene: Scene, commit: Commit, name: Named) -> Iterator[Finding]:
    if name.role is Role.MISSING:
        yield from _missing(scene.having(commit, name.word), name.word)
    elif name.role in (Role.CALLED, Role.ARGUMENT):
        yield from _called(scene, commit, name)
    elif name.role in (Role.MODULE, Role.FILE):
        yield from _file(scene, commit, name)


def stood_before(scene: Scene, commit: Commit) -> bool:
    """Whether all that the message names stood in the lines that the commit wrote again, as often as since."""
    words = {
        one.word.rsplit("/", 1)[-1]
        for one in scene.named
        if one.role in (Role.MISSING, Role.CALLED, Role.MODULE, Role.ON)
    }
    told = [(word, scene.having(commit, word)) for word in sorted(words)]
    held = [(word, lines) for word, lines in told if lines]
    return bool(held) and all(not _balance(lines, _has(word)) and not _otherwise(lines, word) for word, lines in held)


def makes(scene: Scene, commit: Commit, word: str) -> tuple[Finding, ...]:
    """What was done to lines that make a name which the failing line reads."""
    return scene.once(("makes", commit.sha, word), lambda: tuple(_makes(scene.having(commit, word), word)))


def _makes(having: tuple[Line, ...], word: str) -> Iterator[Finding]:
    defining = [line for line in having if _defines(word).search(line.text)]
    if not defining:
        return
    gone = _balance(defining) < 0
    line = next((line for line in defining if line.added is not gone), defining[0])
    verb = "took away" if gone else "changed what makes"
    yield Finding(
        w.UNMADE if gone else w.MADE,
        f"{verb} {word}, which the failing code reads, {line.path}:{line.number}",
        line.path,
        line.number,
    )


def _missing(having: tuple[Line, ...], word: str) -> Iterator[Finding]:
    defining = [line for line in having if _defines(word).search(line.text)]
    dropped = [line for line in having if line.added and _drops(line.text)]
    if dropped or _balance(defining) < 0:
        line = next(line for line in dropped or defining if line.added is bool(dropped))
        yield Finding(
            w.TOOK_AWAY, f"took away {word}, which the error misses, {line.path}:{line.number}", line.path, line.number
        )
    elif (many := _balance(having, _has(word))) < 0:
        line = having[0]
        yield Finding(w.TOOK_AWAY_A_USE, f"removed lines with {word}, which the error misses", line.path, line.number)
    elif many > 0:
        line = next(line for line in having if line.added)
        yield Finding(
            w.BEGAN_TO_USE,
            f"began to use {word}, which the error misses, {line.path}:{line.number}",
            line.path,
            line.number,
        )


def _balance(lines: Sequence[Line], word: re.Pattern[str] | None = None) -> int:
    """How many more of them, or of a word in them, were added than removed."""
    counts = ((len(word.findall(line.text)) if word else 1, line.added) for line in lines)
    return sum(many if added else -many for many, added in counts)


def _called(scene: Scene, commit: Commit, name: Named) -> Iterator[Finding]:
    lines = scene.lines(commit)
    for line in lines:
        if name.role is Role.CALLED and _signature(name.word).search(line.text):
            yield Finding(
                w.CHANGED_SIGNATURE,
                f"changed how {name.word} is called, {line.path}:{line.number}",
                line.path,
                line.number,
            )
    called = [one.word for one in scene.named if one.role is Role.CALLED] or [name.word]
    calling = [line for line in lines if any(_call(one).search(line.text) for one in called)]
    added = next((line for line in calling if line.added), None)
    if added is not None:
        otherwise, more = any(_otherwise(calling, one) for one in called), _balance(calling) > 0
        if otherwise or more:
            words = f"calls {called[0]}{' otherwise than before' if otherwise else ''}, {added.path}:{added.number}"
            yield Finding(w.CALLS_OTHERWISE if otherwise else w.CALLS_IT, words, added.path, added.number)


def _otherwise(lines: Sequence[Line], word: str) -> bool:
    """Whether a call that was written again has more or fewer arguments."""
    called = [line for line in lines if _call(word).search(line.text)]
    before, after = (
        sorted(_arguments(line.text, word) for line in called if line.added is added) for added in (False, True)
    )
    return bool(before) and bool(after) and before != after


def _arguments(text: str, word: str) -> int:
    """Commas of a call that lie in no bracket of their own; the line's end ends it."""
    found = _call(word).search(text)
    depth = commas = 0
    for c in text[found.end() :] if found else "":
        depth += (c in "([{") - (c in ")]}")
        if depth < 0:
            break
        commas += c == "," and not depth
    return commas


def _file(scene: Scene, commit: Commit, name: Named) -> Iterator[Finding]:
    bare = re.sub(r"^(?:\.{1,2}/)+", "", name.word)
    for change in commit.own():
        if change.before and change.before != change.path and _means(name, bare, change.before):
            words = "removed" if not change.path else f"renamed to {change.path}"
            yield Finding(
                w.FILE_GONE, f"{change.before}, which the error names, was {words}", change.path or change.before
            )
        elif change.path and change.hunks and name.role is Role.FILE and _means(name, bare, change.path):
            yield Finding(
                w.FILE_CHANGED, f"changed {change.path}, which the error names", change.path, change.hunks[0].new
            )
    last = bare.rsplit("/", 1)[-1]
    having = [line for line in scene.lines(commit) if last in line.text]
    if _balance(having) > 0:
        line = next(line for line in having if line.added)
        yield Finding(
            w.BEGAN_TO_USE,
            f"began to use {last}, which the error names, {line.path}:{line.number}",
            line.path,
            line.number,
        )


def _means(name: Named, bare: str, path: str) -> bool:
    """Whether a path of the repository is the file or module that the message names: roots differ between machines."""
    if name.role is Role.FILE:
        return f"/{bare}".endswith(f"/{path}") or f"/{path}".endswith(f"/{bare}")
    module = bare if "/" in name.word else bare.replace(".", "/")
    return re.search(rf"(?:^|/){re.escape(module)}{_SUFFIXES}", path) is not None


@lru_cache(maxsize=512)
def _has(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w$]){re.escape(word)}(?![\w$])")


@lru_cache(maxsize=512)
def _defines(word: str) -> re.Pattern[str]:
    """A line that makes a name: a function, class, value, attribute, key, column, argument, import or export."""
    name = re.escape(word)
    return re.compile(
        rf"(?:\b(?:def|class|function\*?|const|let|var|func|fn|type|interface|module)\s+|\.)?(?<![\w$]){name}[\"'`]?\]?\s*(?::(?!:)|=(?![=>]))"
        rf"|\b(?:def|class|function\*?|func|fn|type|interface|module)\s+{name}\b|^\s*(?:async\s+|static\s+|get\s+)*{name}\s*\([^;]*\{{\s*$"
        rf"|\b(?:import|exports?|from|CREATE|ADD|Column)\b.*(?<![\w$]){name}\b|^\s*[\"'`]?{name}[\"'`]?\s*(?:,|$|\s[A-Z]{{3,}}\b)"
        rf"|[\"'`]{name}[\"'`]\s*[,\])}}]|[{{,]\s*{name}\s*[,}}]"
    )


@lru_cache(maxsize=512)
def _signature(word: str) -> re.Pattern[str]:
    name = re.escape(word)
    return re.compile(
        rf"\b(?:def|function\*?|func|fn)\s+{name}\s*\(|^\s*(?:async\s+|static\s+)*{name}\s*\([^;]*\{{\s*$|\b{name}\s*=\s*(?:async\s*)?\("
    )


@lru_cache(maxsize=512)
def _call(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w$]){re.escape(word)}\s*\(")


def _drops(text: str) -> bool:
    return re.search(r"\b(?:drop|rename|remove|alter|delete)", text, re.IGNORECASE) is not None
