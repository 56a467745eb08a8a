"""Errors of Ruby programs and tests: the gem that lacks a name or a file, and whose code is on the way."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue, Reading
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Failure

RUNTIME: Final = Failure.RUNTIME
_FRAME: Final = re.compile(
    r"/gems/((?:[A-Za-z0-9_]+|-(?!\d+\.\d)){1,60})-(\d[\w.]{0,60})(?:-[\w-]{1,40})?/(?!gems/)(?:lib|a"
    r"pp|ext|config|bin|exe|rails|vendor)?"
)
_SHORT_FRAME: Final = re.compile(r"^\s{0,8}([a-z][\w-]{0,80}) \((\d[\w.]{0,40})\) \S{1,300}\.rb:\d")
"""A frame as Rails writes it: a gem, its version, and a path in it."""
_RAILS_ERROR: Final = re.compile(r"^\s{0,8}(?:NoMethod|Argument|Name|Type|Load|NotImplemented)Error \(.{1,1000}\):?$")
_RUBYS_OWN: Final = re.compile(r"/lib/ruby/(?:site_ruby/|vendor_ruby/)?\d[\w.]{0,20}/(?!gems/|bundler/)")
_RAISED: Final = re.compile(
    r"(?:\(([A-Z]\w{0,80}(?:::\w{1,80}){0,6})\)\s{0,3}$|^\s{0,8}([A-Z]\w{0,80}(?:::\w{1,80})"
    r"{0,6}(?:Error|Exception|NotFound|Conflict)):|^\s{0,8}([A-Z]\w{0,80}(?:::[A-Z]\w{0,80}){1,6}): )"
)
_TOOL: Final = re.compile(r"/lib/ruby/(?:site_ruby/|vendor_ruby/)?\d[\w.]{0,20}/(bundler|rubygems)[/.]")
"""Ruby's own installer, which comes with it and is updated like a gem."""
_LOADER: Final = re.compile(r"/active_support/dependencies(?:/\w{1,60})?\.rb:|/bundled_gems\.rb:|/polyglot\.rb:")
"""What stands in for Ruby's own `require`: whoever asked for a file is below."""
_SAID: Final = ("cannot load such file", "undefined method", "uninitialized constant")
"""What is told of an error on a line of its own, under its class."""
_UNFIT: Final = re.compile(r"wrong number of arguments|(?:missing|unknown) keywords?:")
_LOAD: Final = re.compile(r"cannot load such file -- ([\w./-]{1,200})")
_CONSTANT: Final = re.compile(
    r"uninitialized constant (?:#<\w{1,40}:\S{1,80}>::)?([A-Z]\w{0,80}(?:::[A-Z]\w{0,80}){0,6})"
)
_METHOD: Final = re.compile(
    r"undefined (?:local variable or )?method [`'](\S{1,100})' for (?:an instance of |class "
    r"|module |#<(?:Class:)?)?([A-Z]\w{0,80}(?:::[A-Z]\w{0,80}){0,6})?"
)
_RECEIVER: Final = re.compile(r" for (?:module |class )?([A-Z][a-z0-9]{1,40}[A-Z]\w{1,60})(?::Module|:Class|\s|$)")
_OWN: Final = frozenset(["app", "config", "features", "lib", "spec", "spec_helper", "rails_helper", "test_helper"])
"""What programs call their own folders and files."""
_SPACES: Final = frozenset(["dry", "net", "test"])
"""Folders and modules that several gems share, none of which has its name."""
PARTS_MAX: Final = 4  # of a file's path, or of a constant, that may be a gem's name
_STANDARD: Final = frozenset(
    [
        "json",
        "date",
        "time",
        "set",
        "uri",
        "net",
        "openssl",
        "yaml",
        "psych",
        "erb",
        "csv",
        "logger",
        "digest",
        "tempfile",
        "fileutils",
        "stringio",
        "socket",
        "english",
        "object",
        "kernel",
        "string",
        "array",
        "hash",
        "integer",
        "nilclass",
        "symbol",
        "module",
        "class",
        *("didyoumean", "errorhighlight", "syntaxsuggest"),
    ]
)
_UNCAUGHT: Final = re.compile(r"\.rb:\d{1,6}:in [`'].{1,400}: .{1,600} \([A-Z]\w{0,80}(?:::\w{1,80}){0,8}\)$")
_TESTERS: Final = frozenset(
    [
        "rspec",
        "rspec-core",
        "rspec-expectations",
        "rspec-mocks",
        "minitest",
        "rake",
        "bundler",
        "test-unit",
        "cucumber",
        "spring",
        "bootsnap",
        "zeitwerk",
        "irb",
        "rubygems",
    ]
)


def raised(log: Log, reading: Reading) -> Iterator[Clue]:
    """Errors, with the frames around them: Ruby prints the innermost one before the message, test tools print them below."""
    lines: dict[int, str] = {}
    for word in ("Error", "Exception", "cannot load such file", "undefined method", "uninitialized constant", "::"):
        lines.update(log.hits(word, 300))
    lines.update((number, line) for number, line in log.hits(":in ", 400) if _UNCAUGHT.search(line))
    for number, line in sorted(lines.items()):
        raised = _RAISED.search(line) or _UNCAUGHT.search(line) or _RAILS_ERROR.match(line)
        if raised is None and not any(words in line for words in _SAID):
            continue
        text = line + "\n" + log.line(number + 1)
        frames = _frames(log, number, reading)
        yield from _of_error(number, text, frames, reading.versions)


def _frames(log: Log, number: int, reading: Reading) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for at, line in [(number, log.line(number)), *log.after(number, 25)]:
        if at != number and (".rb:" not in line or _RAISED.search(line)):
            if found and ".rb:" not in line:
                break
            continue
        gem = _FRAME.search(line) or _SHORT_FRAME.match(line)
        if gem:
            reading.versions.setdefault(gem[1], gem[2])
        if ".rb:" in line and not _LOADER.search(line):
            tool = _TOOL.search(line) if gem is None else None
            if gem or tool or not _RUBYS_OWN.search(line):
                found.append((at, gem[1] if gem else tool[1] if tool else ""))
    return found


def _of_error(number: int, text: str, frames: list[tuple[int, str]], known: Collection[str]) -> Iterator[Clue]:
    path = [(at, gem) for at, gem in frames if gem not in _TESTERS]
    load, constant, method = _LOAD.search(text), _CONSTANT.search(text), _METHOD.search(text)
    if load and (holder := _holding(load[1], known)):
        yield Clue(Reason.LACKS, holder, RUNTIME, number, share=0.9 if "/" in load[1] else 0.8)
    for named in (constant and constant[1], method and method[2]):
        used = _used(named, known) if named else ""
        if named and (used or "::" in named) and named.split("::")[0].lower() not in _STANDARD:
            gem = used or _gem_of(named)
            elsewhere = bool(path and path[0][1] and path[0][1] != gem)
            yield Clue(Reason.LACKS, gem, RUNTIME, number, share=1.1 if elsewhere else 0.8)
    owner = _RECEIVER.search(text)
    if owner and owner[1].lower() not in _STANDARD:
        yield Clue(Reason.LACKS, _used(owner[1], known) or _gem_of(owner[1]), RUNTIME, number, share=0.6)
    callee = frames[0][1] if frames and _UNFIT.search(text) else ""
    if callee and next((gem for _, gem in frames if gem != callee), ""):
        yield Clue(Reason.LACKS, callee, RUNTIME, frames[0][0])
    if frames and not path:
        yield Clue(Reason.RAISES, frames[0][1], RUNTIME, frames[0][0], share=0.9)
    yield from _on_the_way(path, load is not None)


def _on_the_way(path: list[tuple[int, str]], asks: bool) -> Iterator[Clue]:
    """The gems up to the program's own code. asks: for a file, so that the first one asks in vain, and raises nothing itself."""
    asker = ""
    for at, gem in path[:12]:
        if not gem:
            break
        if not asker:
            yield Clue(Reason.RAISES, gem, RUNTIME, at, share=0.9 if asks else 1.0)
        elif not (asks and gem == asker):
            yield Clue(Reason.PASSES, gem, RUNTIME, at, share=0.7)
        asker = asker or gem
    nearest = next(((at, gem) for at, gem in path if gem), None)
    if not asker and nearest is not None:
        yield Clue(Reason.PASSES, nearest[1], RUNTIME, nearest[0], share=0.8)


def _holding(path: str, known: Collection[str]) -> str:
    """The gem of a file that is not there: of the starts of its path, written with dashes, the longest that a gem in use
    is called after (a/b/c is a file of a-b, if a-b_x asks for it); else the first part. "" for the program's own and Ruby's.
    """
    parts = re.sub(r"\.(?:rb|so|bundle|dll)$", "", path).rstrip("/").split("/")
    if not parts[0] or parts[0].startswith(".") or parts[0] in _OWN:
        return ""
    if len(parts) == 1:
        return "" if parts[0] in _STANDARD else parts[0]
    for many in range(min(len(parts), PARTS_MAX), 1, -1):
        name = "-".join(parts[:many])
        if any(one == name or one.startswith((f"{name}-", f"{name}_")) for one in known):
            return name
    if parts[0] in _SPACES:
        return "-".join(parts[:2])
    return _used(parts[0], known) or parts[0]


def _used(constant: str, known: Collection[str]) -> str:
    """The gem in use whose name is the longest start of a constant's, whatever parts its words; "" for none."""
    parts = constant.lower().replace("_", "").split("::")[:PARTS_MAX]
    starts = ["".join(parts[:many]) for many in range(len(parts), 0, -1)]
    named = {re.sub(r"[-_]", "", one.lower()): one for one in known}
    return next((named[start] for start in starts if start in named), "")


def _gem_of(constant: str) -> str:
    """ActiveSupport::Thing comes from activesupport or active_support: Rails writes the former, most others the latter. A::B may
    be a-b.
    """
    top, _, below = constant.partition("::")
    if below and top.lower() in _SPACES:
        return f"{top.lower()}-{_gem_of(below)}"
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", top)
    if words == ["Gem"]:
        return "rubygems"
    return "".join(words).lower() if words[:1] in (["Active"], ["Action"]) else "_".join(words).lower()
