"""Errors of Node programs and tests: what a module lacks, and whose code is on the way to an error."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue
from prodwise.loop.diagnose.logs.node.names import FULL, PATH, dashed, likely, of_node, package
from prodwise.loop.diagnose.logs.rules import host_of, rule
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Failure

RUNTIME: Final = Failure.RUNTIME
RULES: Final = (
    rule(
        " found",
        rf"(?:[Ee]nvironment|[Pp]reset|[Pp]lugin|[Mm]odule|[Ll]oader|[Pp]ackage) ['\"]?{FULL}['\"]? "
        r"(?:in the \w{1,40} option )?(?:cannot be|was not|could not be|not) found",
        Reason.LACKS,
        RUNTIME,
    ),
    rule(
        "does not provide an export named",
        rf"requested module '(?:[^']{{0,200}}node_modules/)?{PATH}' does not provide",
        Reason.LACKS,
        RUNTIME,
    ),
    rule(
        "Named export '",
        rf"The requested module '(?:[^']{{0,200}}node_modules/)?{PATH}' is a CommonJS",
        Reason.LACKS,
        RUNTIME,
    ),
    rule(
        "ERR_REQUIRE_ESM",
        rf"ES Module:? (?:[^ ]| (?!from )){{0,400}}/node_modules/{PATH}(?: from|\s|$)",
        Reason.LACKS,
        RUNTIME,
        1.1,
    ),
    rule(
        "to load ES Module",
        rf"to load ES Module: \S{{0,300}}/node_modules/{PATH}(?:\s|$)",
        Reason.LACKS,
        RUNTIME,
        1.1,
    ),
    rule(
        "require() of ",
        rf"require\(\) of (?:ES Module )?\S{{0,300}}/node_modules/{PATH} from ",
        Reason.LACKS,
        RUNTIME,
        1.1,
    ),
    rule(
        "require() of ",
        rf"from \S{{0,300}}/node_modules/{PATH} (?:is an ES|not supported)",
        Reason.RAISES,
        RUNTIME,
        0.9,
    ),
    rule(
        'is not defined by "exports"',
        rf'is not defined by "exports" in \S{{0,300}}/node_modules/{FULL}/package\.json',
        Reason.LACKS,
        RUNTIME,
        1.1,
    ),
    rule(
        'No "exports" main defined',
        rf"defined in \S{{0,300}}/node_modules/{FULL}/package\.json",
        Reason.LACKS,
        RUNTIME,
        1.1,
    ),
    rule(
        "Cannot find module",
        rf"Cannot find module '(?:/[^']{{0,300}}/node_modules/)?{PATH}'",
        Reason.LACKS,
        RUNTIME,
        0.9,
    ),
    rule("Cannot find package '", rf"Cannot find package '{FULL}'", Reason.LACKS, RUNTIME, 0.9),
    rule("Failed to load plugin '", r"Failed to load plugin '(?P<name>[\w@/.-]{1,120})'", Reason.LACKS, RUNTIME, 0.3),
    rule("Cannot read config file", rf"node_modules/{FULL}/", Reason.RAISES, RUNTIME, 0.5),
    rule(
        "node_modules/",
        rf"^(?:Details:)?\s{{0,8}}(?:\S.{{0,300}}/)?node_modules/{PATH}:\d{{1,6}}$",
        Reason.RAISES,
        RUNTIME,
        0.9,
    ),
    rule("Class extends value undefined", rf"node_modules/{FULL}", Reason.RAISES, RUNTIME),
    rule("Invalid hook call", r"(?P<name>react)", Reason.NAMED, RUNTIME, 0.6),
)
_AT: Final = r"^(?:(?:npm (?:ERR!|error) )?(?:\d{1,6} verbose stack|stack)?\s{1,12})at "
_FRAME: Final = re.compile(
    rf"{_AT}(?:.{{0,200}} \()?(?:file://)?([^()\s]{{1,400}}|[^()]{{1,400}}):\d{{1,7}}:\d{{1,7}}\)?"
)
_BARE_FRAME: Final = re.compile(rf"{_AT}(?:.{{0,200}} \()?([^()\s]{{0,400}}/node_modules/[^()\s]{{1,400}})\)?$")
"""A frame without its place in the file, or that a terminal has cut."""
_FIELD: Final = re.compile(r"^\s{1,12}(error|name): ['\"]?(.{0,1000}?)['\"]?$")
_TOLD_FRAME: Final = re.compile(
    r"^\s{2,16}(?:\S.{0,200} )?\(?(?:file://)?(/[^()\s]{1,400}|node:\S{1,200}):\d{1,7}:\d{1,7}\)?$"
)
"""What Node's own runner tells of an error, and a frame as it is told there."""
_IN: Final = re.compile(r"node_modules/(?:\.pnpm/[^/]{1,200}/node_modules/)?((?:@[\w.-]{1,80}/)?[\w.-]{1,120})")
_RAISED: Final = re.compile(
    r"(?:^|Uncaught |\s{1,8}|● .{0,200}|\] |\.\.)((?:[A-Z]\w{0,60}\.)?(?:[A-Z]\w{0,60})?(?:Error|Exception))"
    r"(?: \[(\w{1,80})\])?: (.{0,1000})"
)
_IMPORTED: Final = re.compile(
    r"\b(?:import|const|let|var) [^\n'\"]{1,200}(?:from |require\()['\"]([^'\"\n]{1,160})['\"]"
)
_CALLED: Final = re.compile(r"(?<![\w$.])([\w$]{1,80})(?:\.[\w$.]{0,200})?\)?$")
_NOBODY: Final = frozenset(["default", "this", "exports", "module", "undefined", "null", "value", "object"])
_TESTERS: Final = re.compile(
    r"^(?:jest|@jest/.*|jest-.*|mocha|vitest|@vitest/.*|jasmine.*|tap|ava|expect|chai|ts-nod"
    r"e|ts-jest|babel-jest|tsx|karma.*|cypress|npm|yarn|pnpm)$"
)


def raised(log: Log, known: Collection[str]) -> Iterator[Clue]:
    """Errors with their frames: the first dependency on the way, until the program's own code."""
    for number, _ in log.hits("  stack: |-", 200):
        above = [_FIELD.match(log.line(at)) for at in range(max(1, number - 12), number)]
        fields = {found[1]: found[2] for found in above if found}
        frames = [(at, found[1]) for at, line in log.after(number, 30) if (found := _TOLD_FRAME.match(line))]
        yield from _of_error(log, number, fields.get("name", "Error"), fields.get("error", ""), frames, known)
    lines: dict[int, str] = {}
    for word in ("Error: ", "Error ["):
        lines.update(log.hits(word, 400))
    for number, line in sorted(lines.items()):
        raised = _RAISED.search(line)
        if raised is None:
            continue
        frames = _frames(log, number)
        if raised[1] == "SyntaxError" and not any("node_modules/" in file for _, file in frames):
            yield from _marked(log, number)
        yield from _of_error(log, number, raised[1], raised[3], frames, known)


def _frames(log: Log, number: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    quiet = 0
    for at, line in log.after(number, 60):
        frame = _FRAME.match(line) or _BARE_FRAME.match(line)
        if frame:
            found.append((at, frame[1]))
        elif found and quiet:
            break
        elif found:
            quiet += 1
    return found


def _of_error(
    log: Log, number: int, name: str, message: str, frames: list[tuple[int, str]], known: Collection[str]
) -> Iterator[Clue]:
    first = True
    own = False
    lacks = " is not a " in message or "of undefined" in message
    inside = [one[-1] for _, file in frames[:30] if (one := _IN.findall(file))]
    for at, file in frames[:30]:
        packages = _IN.findall(file)
        package = packages[-1] if packages else ""
        if of_node(file) or _TESTERS.match(package):
            continue
        if not package:
            own = True
            break
        yield Clue(Reason.RAISES if first else Reason.PASSES, package, RUNTIME, at, share=1.0 if first else 0.7)
        if first and lacks and (host := host_of(package, {*inside, *known, *_receiver(message)})):
            yield Clue(Reason.LACKS, host, RUNTIME, number)
        first = False
    called, is_not, _ = message.partition(" is not a ")
    found = _CALLED.search(called[-300:]) if is_not else None
    if found and first:
        hint = re.sub(r"(?:_\d{1,3}|__WEBPACK_\w{1,60}|_default|_module|Module)$", "", found[1]).lstrip("_$")
        origin = _origin(log, number, found[1])
        if origin:
            yield Clue(Reason.LACKS, origin, RUNTIME, number)
        elif hint and (own or not frames) and hint not in _NOBODY:
            yield Clue(Reason.NAMED, likely(dashed(hint), known), RUNTIME, number, share=1.2)


def _marked(log: Log, number: int) -> Iterator[Clue]:
    """The import that the code shown under an error marks: what is imported cannot be read."""
    for at, line in log.after(number, 8):
        if line.lstrip().startswith(">") and (one := _IMPORTED.search(line)) is not None and (name := package(one[1])):
            yield Clue(Reason.LACKS, name, RUNTIME, at, share=0.9)


def _origin(log: Log, number: int, name: str) -> str:
    """The package that a name was imported from, where the code shown under an error tells it."""
    for _, line in log.after(number, 20):
        if name in line and (one := _IMPORTED.search(line)) is not None:
            return package(one[1])
    return ""


def _receiver(message: str) -> list[str]:
    """The variable whose method is none."""
    found = _CALLED.search(message.partition(" is not a ")[0][-300:])
    return [dashed(found[1])] if found and "." in found[0] else []
