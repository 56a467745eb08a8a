"""Stack traces as programs print them, back into exceptions and calls: Python, JavaScript, Java, .NET, Go, Ruby, PHP.

Each line is looked at once, by expressions that never go back: a hostile text costs as much as an honest one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from prodwise.model.event import Frame, Thrown

TEXT_MAX = 64 * 1024
LINE_MAX = 1_000
FRAMES_MAX = 250
CHAIN_MAX = 20

_PYTHON_CALL = re.compile(r'File "([^"]{1,500})", line (\d{1,7})(?:, in (.{1,300}))?$')
_PYTHON_TITLE = re.compile(r"([A-Za-z_][\w.]{0,200})(?:: (.*)|:)?$")
_GROUP = re.compile(r"^\s*[|+] ")
_JAVA_CALL = re.compile(r"at (?:[\w.@-]{1,100}/{1,2})?([\w.$<>/-]{1,300})\(([^():]{1,300})(?::(\d{1,7}))?\)$")
_NET_CALL = re.compile(r"at ([\w.+`<>\[\],|]{1,300})\([^()]*\)(?: in (.{1,500}):line (\d{1,7}))?$")
_V8_CALL = re.compile(r"at (?:(.{1,300}?) \()?([^()\s][^()]{0,500}?):(\d{1,7}):\d{1,7}\)?$")
_V8_NATIVE = re.compile(r"at (.{1,300}?) \((?:<anonymous>|native|index \d+)\)$")
_TITLE = re.compile(r"(?:Uncaught )?([A-Za-z_$][\w.$\\]{0,200})(?: \[\w+\])?(?:: (.*)|:)?$")
_CAUSED = re.compile(r"(?:Caused by|\[cause\]|--->): ?")
_GO_CALL = re.compile(r"([\w./~%*()\[\]-]{1,300}?)\([^()]*\)$|created by ([\w./~%*()-]{1,300})")
_GO_PLACE = re.compile(r"(\S{1,500}\.(?:go|s)):(\d{1,7})(?: \+0x[0-9a-f]+)?$")
_RUBY_CALL = re.compile(r"(?:from )?([^\s:][^:]{0,500}):(\d{1,7}):in [`']([^']{1,300})'(?:: (.*))?$")
_RUBY_TITLE = re.compile(r"(.*?) ?\(([A-Z][\w:]{0,200})\)$")
_PHP_CALL = re.compile(r"#\d{1,4} (?:(.{1,500}?)\((\d{1,7})\)|\[internal function\]): (.{1,300})$")
_PHP_TITLE = re.compile(
    r"(?:PHP )?(?:Fatal error: +)?(?:Uncaught )?([A-Za-z_][\w\\]{0,200})(?:: (.*))? in (\S{1,500}):(\d{1,7})$"
)
_PHP_AT = re.compile(r"at ([\w.\\{}]{1,300})\(([^():]{1,300}):(\d{1,7})\)$")


@dataclass(slots=True)
class _Building:
    """One exception while its lines come. frames: as printed."""

    kind: str = ""
    message: str = ""
    frames: list[Frame] = field(default_factory=list)

    def thrown(self, turned: bool) -> Thrown:
        frames = self.frames[::-1] if turned else self.frames
        return Thrown(self.kind, self.message, tuple(frames[-FRAMES_MAX:]))


def chain_of(text: str, kind: str = "", message: str = "") -> tuple[Thrown, ...]:
    """Root cause first, each with its outermost call first; () for a text that holds no call.

    kind, message: what the report itself calls the exception at the top, which is believed before the text.
    """
    lines = [line[:LINE_MAX].rstrip() for line in text[:TEXT_MAX].splitlines()]
    reader = _reader(lines)
    found = [one for one in (reader(lines) if reader else ()) if one.frames]
    if not found:
        return ()
    named = [one for one in found if kind and _last(one.kind) == _last(kind)]
    top = named[-1] if named else found[-1]
    below = [one for one in found if one is not top]
    return (*below[1 - CHAIN_MAX :], replace(top, kind=kind or top.kind, message=message or top.message))


def _last(kind: str) -> str:
    return re.split(r"[.:\\]", kind)[-1]


def _reader(lines: Sequence[str]) -> Callable[[Sequence[str]], list[Thrown]] | None:
    """Whose writing it is, by the first line that only one of them writes."""
    for line in map(str.strip, lines):
        for looks, reader in _WRITERS if line else ():
            if looks(line):
                return reader
    return None


def _python(lines: Sequence[str]) -> list[Thrown]:
    """Causes first. A call's line, then its code further in; the first line that is not indented ends the exception."""
    found, one, calls = [], _Building(), list[list[str]]()
    for raw in lines:
        line, text = raw, raw.lstrip()
        if text.startswith(("|", "+")):
            line = _GROUP.sub("", raw)
            text = line.lstrip()
        call = _PYTHON_CALL.match(text) if text.startswith("File ") else None
        if call:
            calls.append([call[3] or "", call[1], call[2], ""])
        elif not calls or not text:
            continue
        elif line.startswith("    "):
            if not calls[-1][3] and not text.startswith(("^", "~")):
                calls[-1][3] = text
        elif line == text:
            title = _PYTHON_TITLE.match(text)
            one.kind, one.message = (title[1], title[2] or "") if title else ("", text)
            one.frames, calls = _python_frames(calls), []
            found.append(one.thrown(False))
            one = _Building()
    one.frames = _python_frames(calls)
    return [*found, one.thrown(False)]


def _python_frames(calls: Sequence[Sequence[str]]) -> list[Frame]:
    return [Frame(name, "", file, int(line), None, code) for name, file, line, code in calls[-FRAMES_MAX:]]


def _v8(lines: Sequence[str]) -> list[Thrown]:
    """Causes last, calls innermost first."""
    return _with_causes(lines, _v8_call)


def _v8_call(line: str) -> Frame | None:
    line = line.removesuffix(" {")  # more about the error follows
    call = _V8_CALL.match(line)
    if call:
        return Frame(call[1] or "", "", call[2], int(call[3]), None)
    native = _V8_NATIVE.match(line)
    return Frame(native[1], "", "native", 0, False) if native else None


def _java(lines: Sequence[str]) -> list[Thrown]:
    return _with_causes(lines, _java_call)


def _java_call(line: str) -> Frame | None:
    """Also as OpenTelemetry's PHP prints its calls."""
    php = _PHP_AT.match(line) if ".php" in line else None
    if php:
        module, _, name = php[1].rpartition(".")
        return Frame(name, module.replace(".", "\\"), php[2], int(php[3]), None)
    call = _JAVA_CALL.match(line)
    if not call:
        return None
    module, _, name = call[1].rpartition(".")
    return Frame(name, module, "" if " " in call[2] else call[2], int(call[3] or 0), None)


def _net(lines: Sequence[str]) -> list[Thrown]:
    """The cause is said first, in the title, and its calls come first."""
    return _with_causes(lines, _net_call)


def _net_call(line: str) -> Frame | None:
    call = _NET_CALL.match(line)
    if not call:
        return None
    module, _, name = call[1].rpartition(".")
    return Frame(name, module, call[2] or "", int(call[3] or 0), None)


def _with_causes(lines: Sequence[str], call_of: Callable[[str], Frame | None]) -> list[Thrown]:
    """Exceptions one after the other, the cause of each below it; what was suppressed beside one is left out."""
    found, one, aside = [], _Building(), False
    for line in map(str.strip, lines):
        frame = call_of(line)
        if frame is not None:
            if not aside:
                one.frames.append(frame)
            continue
        cause = _CAUSED.match(line)
        if line.startswith("Suppressed:"):
            aside = True
        elif cause or not one.frames:
            title = _TITLE.match(line[cause.end() :].rstrip(" {") if cause else line)
            if cause:
                found.append(one.thrown(True))
                one, aside = _Building(), False
            if title and not one.kind:
                one.kind, one.message = title[1], title[2] or ""
    return [*found, one.thrown(True)][::-1]


def _go(lines: Sequence[str]) -> list[Thrown]:
    """A function's line, then its place. Only the first goroutine is the one that failed."""
    one, name = _Building(), ""
    for line in map(str.strip, lines):
        place = _GO_PLACE.match(line)
        if line.startswith("goroutine "):
            if one.frames:
                break
        elif line.startswith("panic: ") and not one.kind:
            one.kind, one.message = "panic", line[7:]
        elif place and name:
            module, function = _go_name(name)
            one.frames.append(Frame(function, module, place[1], int(place[2]), None))
            name = ""
        elif call := _GO_CALL.match(line):
            name = call[1] or call[2]
        elif line and " " not in line:
            name = line
    return [one.thrown(True)]


def _go_name(name: str) -> tuple[str, str]:
    """(package, function): `example.com/shop/cart.(*Cart).Total` → `example.com/shop/cart`, `(*Cart).Total`."""
    folder, slash, last = name.rpartition("/")
    package, _, function = last.partition(".")
    return folder + slash + package, function


def _ruby(lines: Sequence[str]) -> list[Thrown]:
    """A title in the first call's line begins an exception; causes come last."""
    found: list[_Building] = []
    for line in map(str.strip, lines):
        call = _RUBY_CALL.match(line)
        if not call:
            continue
        if not found or call[4] is not None:
            title = _RUBY_TITLE.match(call[4] or "")
            found.append(_Building(title[2] if title else "", title[1] if title else call[4] or ""))
        found[-1].frames.append(Frame(call[3], "", call[1], int(call[2]), None))
    return [one.thrown(True) for one in found[::-1]]


def _php(lines: Sequence[str]) -> list[Thrown]:
    """Causes first ("Next" begins the one that they led to). A line says what was called from where: so each place belongs to
    the function that the line below calls."""
    found, one = [], _Building()
    place: tuple[str, int] | None = None
    for line in map(str.strip, lines):
        title = _PHP_TITLE.match(line.removeprefix("Next "))
        call = _PHP_CALL.match(line)
        if title:
            if one.frames:
                found.append(one.thrown(True))
            one, place = _Building(title[1], title[2] or ""), (title[3], int(title[4]))
        elif call:
            module, name = _php_name(call[3])
            if place:
                one.frames.append(Frame(name, module, place[0], place[1], None))
            place = (call[1], int(call[2])) if call[1] else None
        elif place and line.endswith("{main}"):
            one.frames.append(Frame("{main}", "", place[0], place[1], None))
            place = None
    return [*found, one.thrown(True)]


def _php_name(call: str) -> tuple[str, str]:
    """(class, function) of `App\\Cart->total(Object(App\\Cart), 3)`."""
    name = call.split("(", 1)[0]
    module, _, function = name.replace("::", "->").rpartition("->")
    return module, function


def _matches(*patterns: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda line: any(pattern.match(line) for pattern in patterns)


_WRITERS: Iterable[tuple[Callable[[str], bool], Callable[[Sequence[str]], list[Thrown]]]] = (
    (lambda line: _PYTHON_CALL.match(line.lstrip("|+ ")) is not None, _python),
    (_matches(_JAVA_CALL, _PHP_AT), _java),
    (_matches(_V8_CALL, _V8_NATIVE), _v8),
    (_matches(_NET_CALL), _net),
    (_matches(_GO_PLACE), _go),
    (_matches(_RUBY_CALL), _ruby),
    (_matches(_PHP_CALL), _php),
)
