"""INI, .properties and examples of environments: a setting a line, and lines that go on."""

from __future__ import annotations

import re
from typing import Final

from prodwise.loop.choose.settings.forms.lines import Line, lines_of
from prodwise.loop.choose.settings.told import NotApart
from prodwise.model.setting import Entry, Key

_SECTION = re.compile(r"[ \t]*\[([^\]\n]{1,200})\][ \t]*(?:[#;].*)?")
_INI = re.compile(r"([^\s=:#;\[][^=:\n]{0,200}?)[ \t]*[=:][ \t]*")
_PROPERTY = re.compile(r"[ \t]*([^\s=:#!][^\s=:]{0,300})[ \t]*(?:[=:]|[ \t])[ \t]*")
_VARIABLE = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.]{0,200})[ \t]*=[ \t]*")
_ODD_SLASHES = re.compile(r"(?<!\\)(?:\\\\)*\\$")
_COMMENTS: Final = ("#", ";")


def ini(text: str) -> tuple[Entry, ...]:
    """Sections; a line that is further in goes on with the value before it."""
    found, section = list[Entry](), Key()
    for line in lines_of(text):
        bare = line.text.strip()
        if not bare or bare.startswith(_COMMENTS):
            continue
        if line.text[0] in " \t" and found and found[-1].last == line.start:
            found[-1] = _longer(found[-1], line, text)
        elif head := _SECTION.fullmatch(line.text):
            section = (head[1].strip(),)
        else:
            found.append(_entry(line, _INI.match(line.text), section))
    return _once(found)


def properties(text: str) -> tuple[Entry, ...]:
    """A backslash at a line's end goes on with the next one."""
    found, going_on = list[Entry](), False
    for line in lines_of(text):
        if going_on:
            found[-1] = _longer(found[-1], line, text)
        elif line.text.strip() and line.text.strip()[0] not in "#!":
            found.append(_entry(line, _PROPERTY.match(f"{line.text} "), ()))
        else:
            continue
        going_on = _ODD_SLASHES.search(line.text) is not None
    return _once(found)


def env(text: str) -> tuple[Entry, ...]:
    found = list[Entry]()
    for line in lines_of(text):
        if not line.text.strip() or line.text.lstrip().startswith("#"):
            continue
        one = _entry(line, _VARIABLE.match(line.text), ())
        if one.value[:1] in "\"'" and one.value and one.value.count(one.value[0]) % 2:
            raise NotApart("a value goes on over lines")
        found.append(one)
    return _once(found)


def _entry(line: Line, match: re.Match[str] | None, section: Key) -> Entry:
    if match is None:
        raise NotApart(f"a line is no setting: {line.text.strip()[:40]!r}")
    start = line.start + min(match.end(), len(line.text))
    end = max(start, line.start + len(line.text.rstrip()))
    return Entry(
        (*section, match[1].strip()), line.start, start, end, line.last, line.text[start - line.start :].rstrip()
    )


def _longer(one: Entry, line: Line, text: str) -> Entry:
    end = line.start + len(line.text.rstrip())
    return Entry(one.key, one.first, one.start, end, line.last, text[one.start : end])


def _once(found: list[Entry]) -> tuple[Entry, ...]:
    if len({one.key for one in found}) != len(found):
        raise NotApart("a setting stands there twice")
    return tuple(found)
