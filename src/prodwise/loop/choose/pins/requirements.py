"""requirements and constraints files of pip and pip-compile: one logical line changes, with the hashes that it had in history."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from prodwise.loop.choose.pins.seen import Cannot, same
from prodwise.model.pin import Hold

NOTE: Final = "(prodwise pin)"
_LINE: Final = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)(?P<extras>\s*\[[^\]]*\])?"
    r"(?P<spec>\s*(?:(?:===?|~=|!=|<=?|>=?)\s*[\w.+*!-]+\s*,?\s*)*)(?P<rest>.*)",
    re.ASCII | re.DOTALL,
)
_HASHES: Final = re.compile(r"(?:\s*\\?\n?\s*--hash[= ]\s*\w+:\w+)+")


@dataclass(frozen=True, slots=True)
class _Line:
    """A logical line: from `start` to `end` of the text, without its newline."""

    start: int
    end: int
    name: str
    extras: str
    spec: str
    rest: str

    def hashes(self) -> str:
        found = _HASHES.search(self.rest)
        return found[0] if found else ""

    def beside(self) -> str:
        """Markers and comments, without the hashes."""
        return " ".join(_HASHES.sub("", self.rest).replace("\\", "").split())


def pinned(text: str, hold: Hold, then: str) -> str | Cannot:
    """Every line of the package at the version. then: the file when it named that version; "" if it never did."""
    lines, new = [one for one in _lines(text) if same(one.name, hold.package)], text
    before = [one for one in _lines(then) if same(one.name, hold.package) and _version(one) == hold.version]
    if any(one.rest.lstrip().startswith("@") for one in lines):
        return Cannot(f"{hold.package} is not from a registry")
    for line in reversed(lines):
        alike = next((one for one in before if one.extras.strip() == line.extras.strip()), None)
        if _version(line) == hold.version:
            written = text[line.start : line.end]
        elif alike is not None and alike.beside() == line.beside() and bool(alike.hashes()) == bool(line.hashes()):
            written = then[alike.start : alike.end]
        elif line.hashes() and (alike is None or not alike.hashes()):
            return Cannot(f"the hashes of {hold.package} {hold.version} are not in this file's history")
        else:
            rest = (
                line.rest.replace(line.hashes(), alike.hashes()) if line.hashes() and alike is not None else line.rest
            )
            written = f"{line.name}{line.extras}=={hold.version}{_gap(line)}{rest}"
        new = new[: line.start] + written + new[line.end :]
    return noted(new, hold)


def appended(text: str, hold: Hold) -> str:
    """With a line of its own for a package that the file does not name."""
    end = "" if not text or text.endswith("\n") else "\n"
    return noted(f"{text}{end}{hold.package}=={hold.version}\n", hold)


def asked(text: str, package: str) -> str | None:
    """What the file asks for: "==2.31.0", ">=2", ""; None where it does not name it."""
    found = next((one for one in _lines(text) if same(one.name, package)), None)
    return None if found is None else found.spec.strip()


def unhashed(text: str) -> list[str]:
    """Packages without a hash."""
    return [one.name for one in _lines(text) if not one.hashes()]


def noted(text: str, hold: Hold) -> str:
    """With one comment above each line of the package, that says until when and why."""
    note = f"# held until {hold.expires.isoformat()} {NOTE}: {hold.reason}\n"
    new = _unnoted(text, hold.package)
    for line in reversed([one for one in _lines(new) if same(one.name, hold.package)]):
        new = new[: line.start] + note + new[line.start :]
    return new


def released(text: str, package: str, spec: str) -> str:
    """Without the note; the line asks for `spec` again, and goes where nothing was asked for."""
    new = _unnoted(text, package)
    for line in reversed([one for one in _lines(new) if same(one.name, package)]):
        if not spec:
            new = new[: line.start] + new[line.end + 1 :]
        elif spec != line.spec.strip():
            new = new[: line.start] + f"{line.name}{line.extras}{spec}{_gap(line)}{line.rest}" + new[line.end :]
    return new


def _unnoted(text: str, package: str) -> str:
    for line in reversed([one for one in _lines(text) if same(one.name, package)]):
        above = text[: line.start].rstrip("\n").rpartition("\n")[2]
        if above.startswith("# held until ") and NOTE in above and text[: line.start].endswith(f"{above}\n"):
            text = text[: line.start - len(above) - 1] + text[line.start :]
    return text


def _lines(text: str) -> Iterator[_Line]:
    at = 0
    while at < len(text):
        end = _end(text, at)
        start = at + len(text[at:end]) - len(text[at:end].lstrip())
        found = _LINE.fullmatch(text[start:end].rstrip("\r"))
        if found and (not found["rest"] or found["rest"][0] in ";#@\\ -" or found["spec"]):
            yield _Line(start, end, found["name"], found["extras"] or "", found["spec"], found["rest"])
        at = end + 1


def _end(text: str, at: int) -> int:
    """Of the logical line that begins there: a backslash continues it, in a comment it does not."""
    while True:
        end = text.find("\n", at)
        if end < 0:
            return len(text)
        line = text[at:end].rstrip("\r")
        if not line.endswith("\\") or line.lstrip().startswith("#"):
            return end
        at = end + 1


def _version(line: _Line) -> str:
    return line.spec.strip().removeprefix("==").strip() if line.spec.strip().startswith("==") else ""


def _gap(line: _Line) -> str:
    """The blanks that stood behind the version."""
    return line.spec[len(line.spec.rstrip()) :]
