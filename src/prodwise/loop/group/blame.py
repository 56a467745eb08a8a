"""Which of an exception's calls is to blame, and who called it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from prodwise.loop.group.files import is_library, plain_file
from prodwise.loop.group.names import function_name, module_name, passes_on, split_async
from prodwise.loop.group.template import printable
from prodwise.model.event import Frame, Thrown

FRAMES = 100
"""Frames looked at, from where it was raised outwards."""
NEAR = 20
"""Calls named in search of a name, or of a caller that does more than pass on."""
CODE_CHARS = 200
"""A longer line is minified: its text is the whole file's."""

JAVASCRIPT = frozenset({"javascript", "node", "browser", "react-native"})
_RAISES_AGAIN = re.compile(r"(?:raise|throw|panic|return)?[\s(]*+[\w.&]*+[\s);,]*+(?:from \w++)?[\W_]*+$")


@dataclass(frozen=True, slots=True)
class Call:
    """One call, named as in every release. place: module, class or file; name: "" when unknown; code: one line of source."""

    place: str
    name: str
    file: str
    code: str = ""

    @property
    def where(self) -> str:
        return f"{self.file or self.place}:{self.name or '?'}"


@dataclass(frozen=True, slots=True)
class Blame:
    """The app's innermost call and the next one of its own outside it; `app` is False when only libraries were seen."""

    call: Call
    caller: Call | None
    app: bool


def blame_of(thrown: Thrown, platform: str) -> Blame | None:
    """1. The innermost frame of the app's own code is to blame; in libraries only, the innermost frame that has a name.
    2. A frame without a name of its own (lambda, minified) takes that of the next outer one in the same place, and keeps its code.
    3. The caller is the next outer function that is another and does not merely pass calls on. So repeated frames of a
       recursion count once.
    None without frames."""
    javascript = platform in JAVASCRIPT
    own = islice((frame for frame in _inwards_out(thrown) if _is_app(frame)), NEAR)
    first = next(own, None)
    if first is None:
        return _in_library(thrown, javascript)
    call, caller = call_of(first, javascript), None
    for frame in own:
        outer = call_of(frame, javascript)
        if not call.name and outer.place == call.place:
            call = Call(call.place, outer.name, call.file, call.code)
        elif outer.name and (outer.place, outer.name) != (call.place, call.name) and not passes_on(outer.name):
            caller = outer
            break
    return Blame(call, caller, True)


def call_of(frame: Frame, javascript: bool) -> Call:
    """The frame without what changes between releases: line, hash, generated parts."""
    file = plain_file(frame.file)
    module = "" if javascript else module_name(frame.module)
    module, name = split_async(module, function_name(frame.function, javascript))
    return Call(module or file, name, file, _told_by(frame.code))


def app_calls(thrown: Thrown, platform: str) -> Iterator[Call]:
    """Calls of the app's own code, from where it was raised outwards, at most `FRAMES` of them."""
    javascript = platform in JAVASCRIPT
    return (call_of(frame, javascript) for frame in _inwards_out(thrown) if _is_app(frame))


def _inwards_out(thrown: Thrown) -> Iterator[Frame]:
    return iter(thrown.frames[: -FRAMES - 1 : -1])


def _is_app(frame: Frame) -> bool:
    return not is_library(frame.file, frame.module) if frame.in_app is None else frame.in_app


def _in_library(thrown: Thrown, javascript: bool) -> Blame | None:
    calls = (call_of(frame, javascript) for frame in islice(_inwards_out(thrown), NEAR))
    named = next((call for call in calls if call.name), None)
    return Blame(named, None, False) if named else None


def _told_by(code: str) -> str:
    """The line's text when it tells one fault from another: not when it is minified, and not `raise error` or `)`."""
    if len(code) > CODE_CHARS:
        return ""
    line = printable(code).rstrip(" ;,")
    return "" if _RAISES_AGAIN.match(line) else line
