"""Commits that took away, renamed or began to use what an error's message names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from prodwise.loop.diagnose.suspect import code
from prodwise.loop.diagnose.suspect import weights as w
from prodwise.loop.diagnose.suspect.case import Finding
from prodwise.loop.diagnose.suspect.message import Named, Role, says
from prodwise.loop.diagnose.suspect.scene import Line, Scene
from prodwise.model.commit import Commit

_SUFFIXES = r"(?:\.pyi?|/__init__\.py|(?:/index)?\.[cm]?[jt]sx?|\.json)?$"


def named(scene: Scene, commit: Commit) -> Iterator[Finding]:
    """For each name that the message gives: what the commit did to it. What was written before the name was taken away worked
    then: who began to use it counts only if nobody took it away later."""
    for name in scene.named:
        for finding in _about(scene, commit, name):
            later = finding.weight == w.BEGAN_TO_USE and _taken_later(scene, commit, name)
            yield (
                Finding(w.USED_BEFORE, f"used {name.word} when it was still there", finding.path, finding.line)
                if later
                else finding
            )


def used_before(scene: Scene, commit: Commit) -> Iterator[Finding]:
    return (one for one in named(scene, commit) if one.weight < 0)


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
        yield from _missing(scene.lines(commit), name.word)
    elif name.role in (Role.CALLED, Role.ARGUMENT):
        yield from _called(scene, commit, name)
    else:
        yield from _file(scene, commit, name)


def _missing(lines: tuple[Line, ...], word: str) -> Iterator[Finding]:
    having = [line for line in lines if _has(word).search(line.text)]
    defining = [line for line in having if _defines(word).search(line.text)]
    dropped = [line for line in having if line.added and _drops(line.text)]
    gone = _balance(defining)
    if dropped or gone < 0:
        line = next(line for line in dropped or defining if line.added is bool(dropped))
        yield Finding(
            w.TOOK_AWAY, f"took away {word}, which the error misses, {line.path}:{line.number}", line.path, line.number
        )
    elif having and gone <= 0:
        line, many = having[0], _balance(having)
        if many < 0:
            yield Finding(
                w.TOOK_AWAY_A_USE, f"removed lines with {word}, which the error misses", line.path, line.number
            )
        elif many > 0:
            line = next(line for line in having if line.added)
            yield Finding(
                w.BEGAN_TO_USE,
                f"began to use {word}, which the error misses, {line.path}:{line.number}",
                line.path,
                line.number,
            )


def _balance(lines: list[Line]) -> int:
    """How many more of them were added than removed."""
    return sum(1 if line.added else -1 for line in lines)


def _called(scene: Scene, commit: Commit, name: Named) -> Iterator[Finding]:
    called = [one.word for one in scene.named if one.role is Role.CALLED] or [name.word]
    for line in scene.lines(commit):
        if name.role is Role.CALLED and _signature(name.word).search(line.text):
            yield Finding(
                w.CHANGED_SIGNATURE,
                f"changed how {name.word} is called, {line.path}:{line.number}",
                line.path,
                line.number,
            )
        elif line.added and any(_call(one).search(line.text) for one in called):
            yield Finding(w.CALLS_IT, f"calls {called[0]}, {line.path}:{line.number}", line.path, line.number)


def _file(scene: Scene, commit: Commit, name: Named) -> Iterator[Finding]:
    bare = re.sub(r"^(?:\.{1,2}/)+", "", name.word)
    path = bare.replace(".", "/") if name.role is Role.MODULE and "/" not in name.word else bare
    ends = re.compile(rf"(?:^|/){re.escape(path)}" + (_SUFFIXES if name.role is Role.MODULE else "$"))
    for change in commit.own():
        if change.before and change.before != change.path and ends.search(change.before):
            words = "removed" if not change.path else f"renamed to {change.path}"
            yield Finding(
                w.FILE_GONE, f"{change.before}, which the error names, was {words}", change.path or change.before
            )
        elif change.path and change.hunks and ends.search(change.path) and name.role is Role.FILE:
            yield Finding(
                w.FILE_CHANGED, f"changed {change.path}, which the error names", change.path, change.hunks[0].new
            )
    for line in scene.lines(commit):
        if line.added and bare in line.text:
            yield Finding(w.BEGAN_TO_USE, f"began to use {bare}, which the error names", line.path, line.number)


def _taken_later(scene: Scene, commit: Commit, name: Named) -> bool:
    newer = scene.order[: scene.place_of[commit.sha]]
    return any(one.weight in (w.TOOK_AWAY, w.FILE_GONE) for other in newer for one in _about(scene, other, name))


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
