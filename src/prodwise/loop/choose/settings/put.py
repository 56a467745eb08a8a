"""One setting of a text put back to what it was in another one. All else stays, byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

from prodwise.loop.choose.pins.json_text import drop, put_as
from prodwise.loop.choose.settings.files import form_of
from prodwise.loop.choose.settings.forms import flags, ini_forms, json_form, python_form, toml_form, yaml_form
from prodwise.loop.choose.settings.told import NotApart, NotPut, Unreadable
from prodwise.model.setting import Change, Entry, Form, Key

TEXT_MAX: Final = 200_000
LINES_MAX: Final = 2_000
_READERS: Final[dict[Form, Callable[[str], tuple[Entry, ...]]]] = {
    Form.TOML: toml_form.read, Form.YAML: yaml_form.read, Form.JSON: json_form.read, Form.INI: ini_forms.ini,
    Form.PROPERTIES: ini_forms.properties, Form.ENV: ini_forms.env, Form.PYTHON: python_form.read, Form.FLAG: flags.read,
}  # fmt: skip


def entries(path: str, text: str) -> dict[Key, Entry]:
    """Its settings as they stand. Raises Unreadable, NotApart."""
    form = form_of(path)
    if form is None or len(text) > TEXT_MAX:
        raise NotApart("it is no settings file" if form is None else "it is too long to be looked at")
    return {one.key: one for one in _READERS[form](text)}


def put_back(text: str, changes: Sequence[Change]) -> str:
    """A file with some of its changes undone, always in the same order. Raises NotPut."""
    done = text
    for one in sorted((one for one in changes if one.hunk < 0), key=lambda one: one.key):
        done = put(one.path, done, one.key, one.then)
    hunks = [one for one in changes if one.hunk >= 0]
    return with_hunks(done, hunks[0].then, {one.hunk for one in hunks}) if hunks else done


def put(path: str, text: str, key: Key, then: str) -> str:
    """With this setting as the other text has it: its value, or its lines, or without it. What comes out is read again: exactly
    that must differ. Raises NotPut."""
    try:
        now, before = entries(path, text), entries(path, then)
        wanted = {name: one.value for name, one in now.items() if name != key}
        wanted |= {key: before[key].value} if key in before else {}
        for made in _ways(path, text, key, now, before, then):
            if _values(path, made) == wanted:
                return made
    except (Unreadable, NotApart) as error:
        raise NotPut(str(error)) from None
    raise NotPut("where it stood is not known")


def _values(path: str, text: str) -> dict[Key, str] | None:
    try:
        return {name: one.value for name, one in entries(path, text).items()}
    except (Unreadable, NotApart):
        return None


def _ways(path: str, text: str, key: Key, now: dict[Key, Entry], before: dict[Key, Entry], then: str) -> Iterator[str]:
    """Texts that may be it, the likeliest first."""
    here, there = now.get(key), before.get(key)
    if here is not None and there is not None:
        yield text[: here.start] + there.value + text[here.end :]
    elif form_of(path) is Form.JSON:
        yield put_as(text, key, there.value) if there is not None else drop(text, key)
    elif here is not None:
        yield text[: here.first] + text[here.last :]
    elif there is not None:
        lines = then[there.first : there.last]
        for at in _places(key, now, list(before)):
            lead = "\n" if at and text[at - 1] != "\n" else ""
            tail = "" if lines.endswith("\n") or at == len(text) else "\n"
            yield text[:at] + lead + lines + tail + text[at:]


def _places(key: Key, now: dict[Key, Entry], order: list[Key]) -> Iterator[int]:
    """Behind what stood before it, before what stood behind it: of the same section."""
    at, above = order.index(key), key[:-1]
    beside = [one for one in order if one in now and one[: len(above)] == above]
    for one in reversed([one for one in beside if order.index(one) < at]):
        yield now[one].last
        break
    for one in (one for one in beside if order.index(one) > at):
        yield now[one].first
        break


def hunks(text: str, then: str) -> list[tuple[int, str, str]]:
    """(number of its first line, lines now, lines then) of each stretch that differs. Raises NotApart for what is too long."""
    mine, theirs = text.splitlines(keepends=True), then.splitlines(keepends=True)
    return [(a + 1, "".join(mine[a:b]), "".join(theirs[c:d])) for a, b, c, d in _stretches(mine, theirs)]


def with_hunks(text: str, then: str, which: Collection[int]) -> str:
    """With those stretches as they were."""
    mine, theirs = text.splitlines(keepends=True), then.splitlines(keepends=True)
    done, behind = list[str](), 0
    for number, (a, b, c, d) in enumerate(_stretches(mine, theirs)):
        done += mine[behind:a] + (theirs[c:d] if number in which else mine[a:b])
        behind = b
    return "".join(done + mine[behind:])


def above(text: str, line: int) -> Key:
    """The sections that a line stands in, outermost first, as far as headers and indents tell."""
    rows = text.splitlines()
    depth = _depth(rows[line - 1]) if line <= len(rows) else 0
    found = list[str]()
    for row in reversed(rows[: line - 1]):
        if row.lstrip().startswith("["):
            found.append(row)
            break
        if row.strip() and _depth(row) < depth:
            found.append(row)
            depth = _depth(row)
    return tuple(name for row in reversed(found) if (name := row.strip(" \t-[]{}:\"',")))


def _depth(row: str) -> int:
    return len(row) - len(row.lstrip())


def _stretches(mine: list[str], theirs: list[str]) -> list[tuple[int, int, int, int]]:
    if max(len(mine), len(theirs)) > LINES_MAX:
        raise NotApart("it is too long to be compared")
    found = SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
    return [(a, b, c, d) for kind, a, b, c, d in found if kind != "equal"]
