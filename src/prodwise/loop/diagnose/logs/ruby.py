"""Logs of Bundler and RubyGems, and of Ruby programs and tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue, Reading
from prodwise.loop.diagnose.logs.ruby_raised import raised
from prodwise.loop.diagnose.logs.rules import apply, began, between, bumped, move, rule, wants
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Ecosystem, Failure

_MARKS: Final = (
    "Bundler",
    "bundle ",
    "Gemfile",
    "/gems/",
    "gem ",
    "rspec",
    ".rb:",
    "Gem::",
    "RubyGems",
    "cannot load such file",
    "uninitialized constant",
    " in any of the sources",
    "(NoMethodError)",
)
RESOLUTION, LOCK, RUNTIME = Failure.RESOLUTION, Failure.LOCK, Failure.RUNTIME
_GEM: Final = r"(?P<name>[A-Za-z0-9][\w.-]{0,100}?)"
_VER: Final = r"(?P<version>\d[\w.]{0,60})"
_RULES: Final = (
    rule(
        "Gem files will remain installed in",
        r"/(?P<name>[\w.-]{1,100}?)-(?P<version>\d[\w.]{0,40}) for inspection",
        Reason.FAILS_TO_BUILD,
        Failure.RESOLUTION,
    ),
    rule(
        "An error occurred while installing",
        rf"while installing {_GEM} \({_VER}",
        Reason.FAILS_TO_BUILD,
        RESOLUTION,
        1.2,
    ),
    rule(
        "Could not find gem '",
        rf"Could not find gem '{_GEM}(?: \([=~> ]{{0,4}}{_VER}?[^)]{{0,60}}\))?(?: \w{{1,20}})?'",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule("in any of the sources", rf"Could not find {_GEM}-{_VER} in any of the sources", Reason.NOT_FOUND, RESOLUTION),
    rule(
        "in locally installed gems",
        rf"Could not find {_GEM}-{_VER}[, ].{{0,300}}in locally installed gems",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule(
        "You have already activated",
        rf"already activated {_GEM} {_VER}, but your Gemfile requires",
        Reason.CONFLICTS,
        RUNTIME,
    ),
    rule(
        "requires Ruby version",
        rf"(?:^|: )\s{{0,8}}{_GEM}(?:-{_VER})? requires Ruby version",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule(
        "to support your Ruby",
        rf"last version of {_GEM} \([^)]{{1,40}}\) to support your Ruby",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule(
        "requires ruby version",
        rf"(?:^|\s){_GEM}-{_VER}(?:-[\w-]{{1,40}})? requires ruby version",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule(
        "requires rubygems version",
        rf"(?:^|\s){_GEM}-{_VER}(?:-[\w-]{{1,40}})? requires rubygems version",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule("because every version of", rf"every version of {_GEM} depends on Ruby", Reason.NOT_FOUND, RESOLUTION, 0.8),
    rule("can't activate", rf"can't activate {_GEM} \(", Reason.CONFLICTS, RUNTIME),
    rule("is not part of the bundle", rf"^.{{0,200}}\b{_GEM} is not part of the bundle", Reason.NOT_FOUND, RUNTIME),
    rule("has been yanked", rf"Your bundle is locked to {_GEM} \({_VER}\)", Reason.NOT_FOUND, RESOLUTION),
    rule("was specified in your Gemfile", rf"Your bundle is locked to {_GEM} \({_VER}\)", Reason.NOT_FOUND, RESOLUTION),
    rule("There was an error while trying to load the gem", rf"load the gem '{_GEM}'", Reason.RAISES, RUNTIME),
    rule("could not be found in any of the sources", rf"locked to {_GEM} \({_VER}\)", Reason.NOT_FOUND, RESOLUTION),
    rule("The gemspec for", rf"The gemspec for {_GEM}-{_VER}", Reason.FAILS_TO_BUILD, RESOLUTION),
    rule("[BUG] ", rf"/gems/{_GEM}-{_VER}/\S{{1,300}}: \[BUG\] ", Reason.RAISES, RUNTIME),
    rule(
        "to define constant",
        rf"expected file \S{{0,300}}/gems/{_GEM}-{_VER}/\S{{1,300}} to define constant",
        Reason.LACKS,
        RUNTIME,
        1.2,
    ),
    rule("checksum", rf"(?:mismatch for|for) {_GEM}[- ]\(?{_VER}\)?", Reason.DIFFERS, LOCK, 0.8),
)
_EXTENSION: Final = re.compile(r"/gems/([A-Za-z0-9_][\w.-]{0,80}?)-(\d[\w.]{0,40})/ext(?:/|$)")
_THREW: Final = re.compile(r"^\S{1,300}\.rb:\d{1,7}:in [^\n]{1,1200}\([A-Z][\w:]{1,100}\)", re.MULTILINE)
_BECAUSE: Final = re.compile(
    r"(?<![\w.-])([A-Za-z0-9][\w.-]{0,100}?)((?: [=<>~]{1,2} \d[\w.]{0,60},?){0,3}) depends on ([A-Za-z"
    r"0-9][\w.-]{0,100}?)((?: [=<>~]{1,2} \d[\w.]{0,60},?){0,3})(?=[\s,.]|$)"
)
_WAS: Final = re.compile(r"(?:Installing|Using|Fetching) ([\w.-]{1,100}) (\d[\w.]{0,60}) \(was (\d[\w.]{0,60})\)")
_USING: Final = re.compile(r"^(?:Installing|Using|Fetching) ([\w.-]{1,100}) (\d[\w.]{0,60})")
_INSTALLED: Final = re.compile(r"^Successfully installed ([A-Za-z][\w.-]{0,80}?)-(\d[\w.]{0,40})$")
_RESOLVED: Final = re.compile(
    r"^\s{2,14}([\w.-]{1,100})(?: \([^)]{1,80}\))? was resolved to (\d[\w.]{0,40}), which depends on$"
)
_ACTIVATE: Final = re.compile(
    r"Unable to activate ([\w.-]{1,100}?)-(\d[\w.]{0,40}), because ([\w.-]{1,100}?)-(\d[\w.]{0,40}) conflicts with"
    r" [\w.-]{1,100} \(([^)]{1,80})\)"
)


def read(log: Log) -> Reading:
    found = began(Ecosystem.RUBY, log, _MARKS)
    if found is None:
        return Reading(Ecosystem.RUBY)
    bumped(log, found, lambda name: "" if "/" in name or ":" in name or name.startswith("@") else name)
    for number, line in log.hits(" (was ", 500):
        if (one := _WAS.search(line)) is not None:
            move(found, one[1], one[3], one[2], number)
    for word in ("Installing ", "Using ", "Fetching "):
        for _, line in log.hits(word, 1_000):
            if (used := _USING.match(line)) is not None:
                found.versions[used[1]] = used[2]
    for _, line in log.hits("Successfully installed ", 300):
        if (new := _INSTALLED.match(line)) is not None:
            found.versions[new[1]] = new[2]
    found.clues += apply(log, _RULES, lambda name: name)
    found.clues += _of_older_ruby(log)
    found.clues += _solved(log)
    found.clues += raised(log, found)
    found.kind = _step(log, found)
    return found


def _step(log: Log, found: Reading) -> Failure | None:
    kinds = {clue.kind for clue in found.clues}
    frozen = (
        "in deployment mode after changing" in log.text
        or "in frozen mode after changing" in log.text
        or "lockfile can't be updated because frozen" in log.text
    )
    if Failure.LOCK in kinds or ("Gemfile.lock" in log.text and frozen):
        return Failure.LOCK
    if Failure.RESOLUTION in kinds:
        return Failure.RESOLUTION
    tested = re.search(r"^\d+ (?:examples?|runs), .{0,80}[1-9]\d* (?:failures?|errors?)", log.text, re.MULTILINE)
    if tested:
        return Failure.TEST
    return Failure.RUNTIME if found.clues or _THREW.search(log.text) else None


def _of_older_ruby(log: Log) -> Iterator[Clue]:
    """Gems that ask for another Ruby, as older Bundlers draw it."""
    for number, _ in log.hits("conflicting requirements for the Ruby", 4):
        for at, line in log.after(number, 12):
            if (gem := _RESOLVED.match(line)) is not None:
                yield Clue(Reason.NOT_FOUND, gem[1], RESOLUTION, at, gem[2])


def _solved(log: Log) -> Iterator[Clue]:
    """Bundler: the sentence of its resolver, or the older tree of who wants what; and what a frozen lock does not have."""
    told: dict[str, str] = {}
    asks: dict[tuple[str, str, str, str], int] = {}
    for word in ("Because ", "So, because ", "And because "):
        for number, line in log.hits(word, 12):
            text = " ".join(
                [
                    line,
                    *(
                        more.strip()
                        for _, more in log.after(number, 3)
                        if more.strip() and not more.startswith("Because")
                    ),
                ]
            )[:1_500]
            mine = {one[3]: one[4] for one in _BECAUSE.finditer(text) if one[1].endswith("Gemfile")}
            told |= {name: bounds.strip(" =<>~,") for name, bounds in mine.items()}
            for one in _BECAUSE.finditer(text):
                if not one[1].endswith("Gemfile") and one[1].lower() not in ("because", "and") and one[3] != "both":
                    asks.setdefault((one[1], one[2].strip(" =<>~,").split(",")[0], one[3], one[4]), number)
    yield from between(RESOLUTION, min(asks.values(), default=0), asks, told)
    for number, line in log.hits("Unable to activate ", 4):
        if (two := _ACTIVATE.search(line)) is not None:
            yield from wants(RUNTIME, number, (two[1], two[2]), (two[3], two[5]), two[4], 1.2)
    for number, _ in log.hits("Failed to build gem native extension", 6):
        for at, more in log.after(number, 8):
            if (built := _EXTENSION.search(more)) is not None:
                yield Clue(Reason.FAILS_TO_BUILD, built[1], RESOLUTION, at, built[2])
                break
    for number, line in log.hits("could not find compatible versions for gem", 6):
        yield from _tree(log, number, line)
    for number, _ in [
        *log.hits("You have added to the Gemfile:", 2),
        *log.hits("You have changed in the Gemfile:", 2),
        *log.hits("You have deleted from the Gemfile:", 2),
    ]:
        for at, more in log.after(number, 8):
            named = re.match(r"^\* ([\w.-]{1,100})(?: \([=~> ]{0,4}(\d[\w.]{0,60})?.{0,40}\))?", more)
            if named:
                yield Clue(Reason.DIFFERS, named[1], LOCK, at, named[2] or "")
            elif not more.strip():
                break


def _tree(log: Log, number: int, line: str) -> Iterator[Clue]:
    gem = re.search(r'for gem "([\w.-]{1,100})"', line)
    if gem is None:
        return
    parent, bounds, have = ("", ""), [], ""
    for at, more in log.after(number, 24):
        one = re.match(
            r"^\s{2,14}([\w.-]{1,100})(?: \(([^)]{1,80})\))?(?: (x86\S{0,40}|ruby))?(?: was resolved"
            r" to (\d[\w.]{0,60}),? which)?( depends on)?$",
            more,
        )
        if one is None:
            if more.strip() and not more.strip().startswith("In "):
                break
            parent = ("", "")
            continue
        if one[1] == gem[1] and not one[5]:
            if parent[0]:
                bounds.append((at, parent, one[2] or ""))
            else:
                have = (one[2] or "").strip(" =~><")
        if one[5]:
            parent = (one[1], one[4] or (one[2] or "").strip(" =~><"))
    for at, wanter, wanted in bounds:
        yield from wants(RESOLUTION, at, wanter, (gem[1], wanted), have)
    if not bounds:
        yield Clue(Reason.NOT_FOUND, gem[1], RESOLUTION, number, have)
