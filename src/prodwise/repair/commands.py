"""The failing command read for its test: which file it lies in, and the command that runs that file whole."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

_NODE = re.compile(r"([^\s'\"]+\.py)(::[^\s'\"]+)")
_SET = re.compile(r"(?:[A-Za-z_]\w*=[\w./:,@%+-]*[ \t]+)+(?=[\w./-]+(?:\s|$))")
_WORD = re.compile(r"^([^\s'\"]+\.py)::.*$", re.DOTALL)
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"$`\\\n]*\"|\S+\.py::[^\s'\"|&;<>()$`\\*?#{}]*")
"""What a shell takes as it stands. The brackets of a test's parameters are no pattern of files: none has such a name."""
_SHELL = re.compile(r"[|&;<>()$`\\*?\[\]#~{}!'\"\n]|^\s*\S*=")
_FILE = re.compile(r"(?<![\w/.-])([\w][\w/.-]*\.py)(?![\w/-])")


@dataclass(frozen=True, slots=True)
class Check:
    """command: the failing one, without a needless shell; whole: the same for the whole test file, None when that is the same
    or cannot be told; files: the test files that it names; pytest: the words that run pytest here, () when it is not pytest;
    env: what a shell line sets for it."""

    command: tuple[str, ...]
    whole: tuple[str, ...] | None
    files: tuple[str, ...]
    pytest: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


def read(command: Sequence[str], exists: Callable[[str], bool]) -> Check:
    """exists: whether a path, relative to the root, is a file."""
    env, command = _settings(command)
    return replace(_read(command, exists), env=env)


def _settings(command: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """`A=b python -m pytest` in a shell as ({"A": "b"}, the same without)."""
    found = _SET.match(command[2]) if len(command) == 3 and command[1] == "-c" else None
    if found is None:
        return {}, tuple(command)
    pairs = (word.partition("=") for word in found[0].split())
    return {name: value for name, _, value in pairs}, (command[0], "-c", command[2][found.end() :])


def _read(command: Sequence[str], exists: Callable[[str], bool]) -> Check:
    plain = _unwrapped(command)
    text = "\n".join(plain)
    files = tuple(dict.fromkeys(found.removeprefix("./") for found in _FILE.findall(text) if exists(found)))
    pytest = _pytest(plain)
    if any(word == "unittest" for word in plain):
        return _unittest(plain, files, exists)
    whole = tuple((_WORD if pytest else _NODE).sub(r"\1", word) for word in plain)
    if pytest and "-k" in whole:
        at = whole.index("-k")
        whole = whole[:at] + whole[at + 2 :]
    return Check(plain, whole if whole != plain else None, files, pytest)


def _unwrapped(command: Sequence[str]) -> tuple[str, ...]:
    """`/bin/sh -c "python -m pytest a.py"` without its shell, where the line uses nothing of it."""
    if (
        len(command) == 3
        and command[0].endswith("sh")
        and command[1] == "-c"
        and not _SHELL.search(_QUOTED.sub("", command[2]))
    ):
        try:
            return tuple(shlex.split(command[2])) or tuple(command)
        except ValueError:
            return tuple(command)
    return tuple(command)


def _pytest(command: tuple[str, ...]) -> tuple[str, ...]:
    if not command:
        return ()
    if command[0].rpartition("/")[2] in ("pytest", "py.test"):
        return command[:1]
    if len(command) > 2 and command[1] == "-m" and command[2] in ("pytest", "py.test"):
        return command[:3]
    return ()


def _unittest(command: tuple[str, ...], files: tuple[str, ...], exists: Callable[[str], bool]) -> Check:
    """`a.b.Class.test` → `a.b`, the longest beginning that is a module."""
    words, found = [], list(files)
    for word in command:
        parts = word.split(".")
        for many in range(len(parts), 0, -1):
            path = "/".join(parts[:many]) + ".py"
            if re.fullmatch(r"[\w.]+", word) and exists(path):
                words.append(".".join(parts[:many]))
                found.append(path)
                break
        else:
            words.append(word)
    whole = tuple(words)
    return Check(command, whole if whole != command else None, tuple(dict.fromkeys(found)))
