"""A repository's own way to begin a commit, learnt from its recent ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from prodwise.loop.publish.inert import inert
from prodwise.model.action import ActionKind

SUBJECTS_MAX = 60
SUBJECT_CHARS = 72
_ENOUGH = 3
_TICKET = re.compile(r"^(?:\[?[A-Z][A-Z0-9]{1,9}-\d{1,8}\]?|\[?#\d{1,8}\]?)[:\s-]*")
_CONVENTIONAL = re.compile(
    r"^(?:feat|fix|chore|docs|refactor|test|tests|perf|build|ci|style|revert)(?:\(([^()\s]{1,40})\))?!?: \S"
)
_SCOPED = re.compile(r"^([A-Za-z0-9_][A-Za-z0-9_./-]{0,29}): \S")


class Form(StrEnum):
    CONVENTIONAL = "conventional"  # fix(scope): text
    SCOPED = "scoped"  # scope: text
    PLAIN = "plain"  # Text


@dataclass(frozen=True, slots=True)
class Style:
    """scopes: those in use, most frequent first; lower: texts begin with a small letter; dot: they end with one. Numbers of
    tickets are left out: there is none for a fault that nobody filed."""

    form: Form = Form.PLAIN
    scopes: tuple[str, ...] = ()
    lower: bool = False
    dot: bool = False


def learn(subjects: Iterable[str]) -> Style:
    """What more than half of them do. Fewer than three tell nothing."""
    lines = [_TICKET.sub("", line[:200]).strip() for line in list(subjects)[:SUBJECTS_MAX]]
    lines = [line for line in lines if line]
    if len(lines) < _ENOUGH:
        return Style()
    for form, pattern in ((Form.CONVENTIONAL, _CONVENTIONAL), (Form.SCOPED, _SCOPED)):
        hits = [found for line in lines if (found := pattern.match(line))]
        if 2 * len(hits) > len(lines):
            scopes = Counter(found[1] for found in hits if found[1])
            tails = [found.string[found.end() - 1 :] for found in hits]
            return Style(
                form, tuple(name for name, _ in scopes.most_common()), _most(tails, _is_lower), _most(tails, _dot)
            )
    return Style(Form.PLAIN, (), _most(lines, _is_lower), _most(lines, _dot))


_PLACE = re.compile(r"\s*\([^()]*\bline \d+\)\.?\s*$")
"""Where in a file: the text says so, the first line has no room for it."""


def subject(style: Style, kind: ActionKind, text: str, files: Iterable[str]) -> str:
    """The commit's first line and the pull request's title: inert, 72 characters at most."""
    scope = _scope(style, tuple(files))
    word = "revert" if kind is ActionKind.REVERT else "fix"
    lead = {
        Form.CONVENTIONAL: f"{word}({scope}): " if scope else f"{word}: ",
        Form.SCOPED: f"{scope}: " if scope else "",
        Form.PLAIN: "",
    }[style.form]
    said = (
        inert(_PLACE.sub("", text).replace("`", ""), 500).lstrip("/∕-*+=>!?.,:; ").rstrip(". ")
        or "end a fault in production"
    )
    if not said[:2].isupper() and said.split()[0].isalpha():
        said = (said[0].lower() if style.lower else said[0].upper()) + said[1:]
    room = SUBJECT_CHARS - len(lead) - style.dot
    if len(said) > room:
        said = f"{said[: room - 1].rsplit(' ', 1)[0].rstrip(',;:')}…"
    return f"{lead}{said}{'.' if style.dot and not said.endswith('…') else ''}"


def _scope(style: Style, files: tuple[str, ...]) -> str:
    """The most frequent scope in use that a part of the first file's path bears; a scoped form falls back to the file's name."""
    if not files:
        return ""
    path = PurePosixPath(files[0])
    parts = {path.stem, path.name, *path.parts[:-1]}
    named = next((scope for scope in style.scopes if scope in parts), "")
    fallback = path.stem if style.form is Form.SCOPED else ""
    return inert(named or fallback, 30)


def _most(lines: list[str], holds: Callable[[str], bool]) -> bool:
    return 2 * sum(holds(line) for line in lines) > len(lines)


def _is_lower(line: str) -> bool:
    return line[:1].islower()


def _dot(line: str) -> bool:
    return line.endswith(".")
