"""Packages that a log's own commands install by name: when something fails right after, they are looked at first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue, Reading
from prodwise.loop.diagnose.logs.python_packages import canonical
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Ecosystem, Failure

COMMANDS_MAX: Final = 40
ENDS_CHARS: Final = 3_000
FEW: Final = ((1, 1.0), (3, 0.8), (8, 0.5))
"""Packages asked for at most → share of the weight; of more none stands out."""
_COMMANDS: Final = (
    (Ecosystem.NODE, re.compile(r"\b(?:npm (?:install|i|add|update|up)|yarn (?:add|upgrade|up)|pnpm (?:add|update|up)) (.+)")),
    (Ecosystem.PYTHON, re.compile(r"\b(?:pip3? install|uv add|uv pip install|poetry add|pipenv install) (.+)")),
    (Ecosystem.PYTHON, re.compile(r"^Collecting ([\w.-]{1,100}(?:\[[\w,-]{1,60}\])?==\S{1,60})$")),
    (Ecosystem.RUBY, re.compile(r"^Successfully installed ([A-Za-z][\w.-]{0,80}?-\d[\w.]{0,40})$")),
    (Ecosystem.RUBY, re.compile(r"\b(?:gem install|bundle add|bundle update|bundle install --gemfile) (.+)")),
    (Ecosystem.GO, re.compile(r"\bgo get (.+)")),
    (Ecosystem.PHP, re.compile(r"\bcomposer (?:require|update) (.+)")),
    (Ecosystem.RUST, re.compile(r"\bcargo (?:add|update -p) (.+)")),
)  # fmt: skip
_WORDS: Final = (
    "Successfully installed ",
    " install ",
    " add ",
    " i ",
    " up",
    "Collecting ",
    "go get ",
    "composer require ",
    "cargo ",
)
_ONE: Final = re.compile(
    r"((?:@[\w.-]{1,80}/)?[A-Za-z][\w.-]{0,100}(?:/[\w.~-]{1,100}){0,8})(?:\[[\w,-]{1,60}\])?"
    r"(?:(?:==|@|:)[\^~]?(v?\d[\w.+!-]{0,60}|latest|next)|[<>~=!].{0,60})?"
)
_INSIDE: Final = re.compile(r"/(?:cmd/.*|\.\.\.)$")
"""What follows a module in the path of a command or of all its packages."""
_GEM: Final = re.compile(r"([A-Za-z][\w.-]{0,80}?)(?:[-:](\d[\w.]{0,40}))?")
_TOOLS: Final = frozenset(
    ["typescript", "jest", "vitest", "mocha", "pytest", "mypy", "rspec", "minitest", "webpack", "esbuild"]
)
"""What runs the rest: named in a command beside others, it is less often at fault than these."""
_FAILED: Final = re.compile(
    r"(?i)(?:\b|(?<=[a-z]))(?:error|exception|failed|failure|fatal|went wrong|exit(?:ed)? (?:with )?(?:code|status) [1-9])\b"
)
_LISTS: Final = (".txt", ".in", ".toml", ".lock", ".cfg")
"""Ends of files that hold names, and are none."""
_NO_NAMES: Final = frozenset(["and", "or", "to", "with", "the", "a", "in", "for", "from", "npm", "node", "pip", "y"])


def asked(log: Log, reading: Reading, commands: Mapping[int, str]) -> Iterator[Clue]:
    """A clue for each package of the reading's ecosystem; none where nothing failed, or too many were asked for."""
    kind = reading.kind or (Failure.RUNTIME if failed(log) else None)
    if kind is None:
        return
    names = dict(names_asked(log, reading.ecosystem, commands))
    told = _told(log, names) if names else set()
    share = next((share for most, share in FEW if len(names) <= most), 0.0)
    for name, (number, version) in names.items() if share else ():
        used = version if version[:1].isdigit() or version[1:2].isdigit() else reading.versions.get(name, "")
        least = 0.6 if name in _TOOLS and len(names) > 1 else 1.0
        yield Clue(Reason.ASKED, name, kind, number, used, share * least * (1.5 if name in told else 1.0))


def failed(log: Log) -> bool:
    """Whether its end tells of a failure, in whatever words."""
    return _FAILED.search(log.text[-ENDS_CHARS:]) is not None


def _told(log: Log, names: Iterable[str]) -> set[str]:
    """Of these, those that an identifier in a line with an error begins with."""
    words = {word for _, line in log.hits("rror", 60) for word in re.findall(r"[a-z]\w{2,60}", line.lower())}
    plain = {name: re.sub(r"[^a-z0-9]", "", name.rpartition("/")[2].lower()) for name in names}
    return {name for name, one in plain.items() if len(one) > 2 and any(word.startswith(one) for word in words)}


def commands_of(log: Log) -> dict[int, str]:
    """The lines that may be commands which install something."""
    lines: dict[int, str] = {}
    for word in _WORDS:
        lines.update(log.hits(word, COMMANDS_MAX))
    return dict(sorted(lines.items()))


def names_asked(log: Log, ecosystem: Ecosystem, commands: Mapping[int, str]) -> Iterator[tuple[str, tuple[int, str]]]:
    """(package, (line, version)) of those that a command of the log installs."""
    if ecosystem is Ecosystem.RUBY and ".rb" not in log.text:
        return
    patterns = [pattern for one, pattern in _COMMANDS if one is ecosystem]
    for number, line in commands.items():
        for pattern in patterns:
            if (found := pattern.search(line)) is not None:
                yield from ((name, (number, version)) for name, version in _named(found[1].split(), ecosystem))


def _named(words: Sequence[str], ecosystem: Ecosystem) -> Iterator[tuple[str, str]]:
    """Names up to what begins another command."""
    for word in words[:40]:
        if word in ("&&", "||", ";", "|") or "#" in word:
            return
        if word.endswith(_LISTS):
            continue
        one = (_GEM if ecosystem is Ecosystem.RUBY else _ONE).fullmatch(word.strip("'\"`;,"))
        if one is None or one[1].lower() in _NO_NAMES:
            continue
        whole = (
            "/" in one[1]
            if ecosystem in (Ecosystem.GO, Ecosystem.PHP)
            else "/" not in one[1].lstrip("@").partition("/")[2]
        )
        if whole:
            name = _INSIDE.sub("", one[1]) if ecosystem is Ecosystem.GO else one[1]
            yield canonical(name) if ecosystem is Ecosystem.PYTHON else name, one[2] or ""
