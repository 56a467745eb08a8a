"""The rules, one small function each. A change that breaks one goes to a person, with the rule's name."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from prodwise.loop.choose.settings import is_example
from prodwise.loop.choose.settings.guarded import hidden
from prodwise.loop.verify.patch import found as rule
from prodwise.loop.verify.patch.apply import DoesNotApply
from prodwise.loop.verify.patch.holds import other_holds
from prodwise.loop.verify.patch.manifests import other_changes
from prodwise.loop.verify.patch.names import folded, resolved
from prodwise.loop.verify.patch.protected import holds_tests, is_lock, is_manifest, is_test, protected
from prodwise.loop.verify.patch.read import NotADiff, read
from prodwise.loop.verify.patch.scene import Case, Scene, case
from prodwise.loop.verify.patch.settings import other_settings
from prodwise.model.action import ActionKind
from prodwise.model.diff import LINK, MODULE, FileDiff
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.patch import Proposal
from prodwise.model.pin import HOLDS_FILE
from prodwise.model.redaction.patterns import FOUND, masked

GATE: Final = "policy"
LIMITS: Final = "limits"
FILES_MAX: Final = 3
LINES_MAX: Final = 40
CHARS_MAX: Final = 100_000
REVERT_FILES_MAX, REVERT_LINES_MAX = 30, 4_000
PIN_FILES_MAX, PIN_LINES_MAX = 8, 20_000
TOLD_MAX: Final = 3

_UNSEEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_BLANK: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u180b\u180c\u180d")
_SECRETS: Final = {"token", "login", "bearer", "random", "slack", "telegram", "pem"}
_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Broken:
    """rule: its stable name; reason: what breaks it, in plain words."""

    rule: str
    reason: str


Rule = Callable[[Case], Iterator[str]]


def policy_gate(proposal: Proposal, scene: Scene) -> GateResult:
    """PASS only if no rule is broken."""
    broken = judge(proposal, scene)
    if not broken:
        return GateResult(GATE, Verdict.PASS, f"none of {len(RULES) + 2} rules is broken")
    told = "; ".join(f"{one.rule}: {one.reason}" for one in broken[:TOLD_MAX])
    more = f"; and {len(broken) - TOLD_MAX} more" if len(broken) > TOLD_MAX else ""
    return GateResult(GATE, Verdict.FAIL, told + more)


def judge(proposal: Proposal, scene: Scene) -> tuple[Broken, ...]:
    """All that a proposal breaks, in the order of the rules. What cannot be read breaks the first two."""
    try:
        files = read(proposal.diff)
    except NotADiff as error:
        return (Broken("a diff that can be read", str(error)),)
    paths = [Broken("names of files", why) for file in files for name in file.names for why in _name(name, scene)]
    if paths:
        return tuple(paths)
    exact = _exact(proposal, files, scene)
    bare = Case(proposal.kind, files, scene, {}, {}, {}, exact)
    if large := tuple(_limits(bare)):  # what is too large is not read further
        return (*_broken(bare, _OF_NAMES), *(Broken(LIMITS, why) for why in large))
    try:
        one = case(proposal.kind, files, scene, exact)
    except DoesNotApply as error:
        return (*_broken(bare, _OF_FILES), Broken("applies where it says", str(error)))
    return _broken(one, RULES)


def _exact(proposal: Proposal, files: tuple[FileDiff, ...], scene: Scene) -> bool:
    """A commit that is taken back takes its own tests along: only where nothing else is in the diff, and where it is no matter of
    tests alone."""
    proven = proposal.kind is ActionKind.REVERT and bool(proposal.commit) and bool(scene.inverse)
    return proven and proposal.diff == scene.inverse and not all(is_test(one) for file in files for one in file.names)


def _broken(one: Case, rules: Iterable[tuple[str, Rule]]) -> tuple[Broken, ...]:
    return tuple(Broken(name, why) for name, look in rules for why in dict.fromkeys(look(one)))


def _name(name: str, scene: Scene) -> Iterator[str]:
    parts = name.split("/")
    if name.startswith(("/", "~")) or re.match(r"[A-Za-z]:", name):
        yield f"{_shown(name)} is no path inside the repository"
    elif any(part in ("", ".", "..") for part in parts) or "\\" in name:
        yield f"{_shown(name)} does not say plainly where it lies"
    elif any(unseen(char) for char in name) or unicodedata.normalize("NFC", name) != name:
        yield f"{_shown(name)} holds characters that are not seen, or not composed"
    elif len(name) > 500 or any(part != part.rstrip(". ") for part in parts):
        yield f"{_shown(name)} is no name that all file systems take alike"
    elif resolved(name, scene.links) != name:
        yield f"{_shown(name)} leads through a symbolic link"


def unseen(char: str) -> bool:
    """Invisible, bidirectional, control, or a blank that is none."""
    category = unicodedata.category(char)
    return (
        (category in _UNSEEN and char != "\t") or char in _BLANK or (category == "Zs" and char != " ")
        or "\ufe00" <= char <= "\ufe0f" or "\U000e0000" <= char <= "\U000e0fff"
    )  # fmt: skip


def _shown(text: str) -> str:
    return ascii(text[:120])[1:-1]


def _protected(one: Case) -> Iterator[str]:
    for file in one.files:
        for name in file.names:
            if name == HOLDS_FILE and one.kind is ActionKind.PIN:
                continue  # looked at line by line, with what the pin may change
            if one.kind is ActionKind.SETTING and is_example(name):
                continue  # an example of an environment: what it gets, it had before
            if kind := protected(name, one.scene.packages):
                yield f"{name} belongs to {kind}"
            elif one.kind is not ActionKind.PIN and (is_manifest(name) or is_lock(name)):
                yield f"{name} says which dependencies are installed"


def _pins(one: Case) -> Iterator[str]:
    """A pin changes versions, in manifests and lock files, and may write down that it holds them."""
    if one.kind is not ActionKind.PIN:
        return
    for file in one.files:
        if file.path == HOLDS_FILE and file.before in ("", HOLDS_FILE):
            yield from other_holds(one.scene.texts, one.after) if one.after else ()
        elif not all(is_manifest(name) or is_lock(name) for name in file.names):
            yield f"{file.path or file.before} is no manifest or lock file"
        elif not (file.before and file.path):
            yield f"{file.path or file.before} is made or removed"
        elif is_manifest(file.path) and file.path in one.after:
            yield from other_changes(
                file.path, one.scene.texts.get(file.path, ""), one.after[file.path], file.added, file.removed
            )


def _settings(one: Case) -> Iterator[str]:
    """Settings go back to what they were in this repository's own history, and nothing else changes."""
    for file in one.files if one.kind is ActionKind.SETTING else ():
        name = file.path or file.before
        if not (file.before and file.path):
            yield f"{name} is made or removed"
        elif name in one.after:
            yield from other_settings(
                name, one.scene.texts.get(name, ""), one.after[name], one.scene.past.get(name, ())
            )
        if hidden(line.text for hunk in file.hunks for line in hunk.lines):
            yield f"{name}: a line that is shown looks like a secret"


def _tests(one: Case) -> Iterator[str]:
    """No test is edited, removed, skipped or loosened; nor is one in the code itself. A commit that is taken back exactly takes its
    own tests along."""
    for file in one.files if not one.exact else ():
        yield from (f"{name} belongs to the tests" for name in file.names if is_test(name))
        if holds_tests(one.scene.texts.get(file.before, "")):
            yield f"{file.before} holds what tests are made of"
    yield from one.new(rule.TESTS)
    for path, lost in one.lost.items():
        for gone in lost:
            if gone.rule == rule.ASSERTS and not path.endswith(".pyi"):
                yield f"{path}:{gone.line} is no longer asserted: {gone.what.removeprefix('assert ')}"
            elif gone.rule in (rule.DOCTESTS, rule.TESTS):
                yield f"{path}:{gone.line} is gone: {gone.what}"


def _modes(one: Case) -> Iterator[str]:
    for file in one.files:
        if file.old_mode and file.mode and file.old_mode != file.mode:
            yield f"{file.path}: its mode goes from {file.old_mode} to {file.mode}"
        elif not file.before and file.mode == "100755":
            yield f"{file.path} is made a program"


def _links(one: Case) -> Iterator[str]:
    for file in one.files:
        if LINK in (file.old_mode, file.mode) or any(name in one.scene.links for name in file.names):
            yield f"{file.path or file.before} is a symbolic link"


def _modules(one: Case) -> Iterator[str]:
    for file in one.files:
        if MODULE in (file.old_mode, file.mode) or any(_subproject(line) for line in file.added):
            yield f"{file.path or file.before} is a submodule"


def _subproject(line: str) -> bool:
    return re.fullmatch(r"Subproject commit [0-9a-f]{7,64}(?:-dirty)?", line) is not None


def _binary(one: Case) -> Iterator[str]:
    yield from (f"{file.path or file.before} is not text" for file in one.files if file.binary)


def _moves(one: Case) -> Iterator[str]:
    for file in one.files:
        if file.copied or (file.before and file.path and file.before != file.path):
            yield f"{file.path} is moved or copied here"
        elif not file.path and one.kind is not ActionKind.REVERT:
            yield f"{file.before} is removed"


def _limits(one: Case) -> Iterator[str]:
    files, lines = {
        ActionKind.REVERT: (REVERT_FILES_MAX, REVERT_LINES_MAX),
        ActionKind.PIN: (PIN_FILES_MAX, PIN_LINES_MAX),
    }.get(one.kind, (FILES_MAX, LINES_MAX))
    if len(one.files) > files:
        yield f"{len(one.files)} files are changed, more than {files}"
    if sum(len(line) for file in one.files for line in file.added) > CHARS_MAX and one.kind is not ActionKind.PIN:
        yield f"more than {CHARS_MAX:,} characters are added"
    if (size := sum(len(file.added) + len(file.removed) for file in one.files)) > 2 * lines or sum(
        file.size for file in one.files
    ) > lines:
        yield f"{size} lines are added and removed, more than a change of {lines}"


def _near(one: Case) -> Iterator[str]:
    if one.kind in (ActionKind.SETTING, ActionKind.PIN, ActionKind.REVERT) or one.scene.near is None:
        return
    near = {folded(name) for name in one.scene.near}
    for file in one.files:
        if folded(file.path or file.before) not in near:
            yield f"{file.path or file.before} is not on the failing trace, nor imported by what is"


def _imports(one: Case) -> Iterator[str]:
    for path, found in one.news.items():
        for new in found:
            if new.rule == rule.IMPORTS and not _may_import(new.what, one.scene):
                yield f"{path}:{new.line} imports {new.what}"


def _may_import(what: str, scene: Scene) -> bool:
    return what.startswith("from here ") or what in sys.stdlib_module_names or what in scene.known


def _of(name: str) -> Rule:
    def look(one: Case) -> Iterator[str]:
        yield from one.new(name)

    return look


def _unicode(one: Case) -> Iterator[str]:
    """What is not seen; names in other scripts; a carriage return that is not the file's own end of line."""
    for file in one.files:
        before = one.scene.texts.get(file.before, "")
        returns = "\r\n" in before
        for line in file.added:
            shown = line[:-1] if line.endswith("\r") and returns else line
            if strange := next((char for char in shown if unseen(char)), ""):
                yield f"{file.path} gets a character that is not seen: U+{ord(strange):04X}"
            if (file.path or "").endswith((".py", ".pyi")) and (odd := _odd_name(shown)) and odd not in before:
                yield f"{file.path} gets a name in other letters: {_shown(odd)}"


def _odd_name(line: str) -> str:
    """A name with letters beyond ASCII that stands outside quotes, as far as one line tells."""
    bare = re.sub(r"#.*$|\"[^\"]*\"|'[^']*'", "", line)
    if bare.count('"') or bare.count("'"):
        return ""
    return next((word for word in _WORD.findall(bare) if not word.isascii() and re.search(r"[=(.,:\[]", bare)), "")


def secrets(files: Iterable[FileDiff]) -> Iterator[str]:
    """What looks like a credential in added lines that was not in removed ones. It is never repeated."""
    for file in files:
        old = "\n".join(file.removed)
        for match in FOUND.finditer("\n".join(file.added)):
            if match.lastgroup and _is_secret(match) and match[0] not in old:
                yield f"{file.path} gets what looks like a credential"


def _is_secret(match: re.Match[str]) -> bool:
    return any(match.groupdict().get(name) for name in _SECRETS) and masked(match) != match[0]


_OF_NAMES: Final[tuple[tuple[str, Rule], ...]] = (
    ("protected path", _protected),
    ("pins only", _pins),
    ("settings only", _settings),
    (rule.TESTS, _tests),
    ("no mode bits", _modes),
    ("no symbolic link", _links),
    ("no submodule", _modules),
    ("no binary", _binary),
    ("no file moved", _moves),
    ("near the fault", _near),
)
_OF_FILES: Final[tuple[tuple[str, Rule], ...]] = (
    *_OF_NAMES,
    (LIMITS, _limits),
    ("no hidden characters", _unicode),
    ("no secrets", lambda one: secrets(one.files)),
)
RULES: Final[tuple[tuple[str, Rule], ...]] = (
    *_OF_FILES,
    (rule.PARSES, _of(rule.PARSES)),
    (rule.IMPORTS, _imports),
    (rule.CALLS, _of(rule.CALLS)),
    (rule.BROAD, _of(rule.BROAD)),
    (rule.GAMES, _of(rule.GAMES)),
    (rule.MUTES, _of(rule.MUTES)),
)
