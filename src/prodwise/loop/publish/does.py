"""What a change does, as an imperative: the first line of its commit, and its title. What was wrong, its text tells."""

from __future__ import annotations

import re
from typing import Final

from prodwise.loop.publish.why import SEARCH
from prodwise.model.action import ActionKind
from prodwise.model.patch import Proposal

LONGEST: Final = 64
"""Characters of what is taken from code; a line of pieces cut in half tells less than the place."""
MODELS: Final = ("agent", "command")
"""What they say of their own work counts for nothing, and is nobody's headline."""
_PLACE: Final = re.compile(r"\s*\((?P<path>[^()]*), line (?P<line>\d+)\)\.?\s*$")
_HUNK: Final = re.compile(r"^@@ -(\d+)", re.MULTILINE)
_FILE: Final = re.compile(r"^\+\+\+ b/(.+)$", re.MULTILINE)
_PIN: Final = re.compile(r"pin [^\s:]+ to [^\s:]+(?: until [\d-]+)?")
_COMMIT: Final = re.compile(r"([0-9a-f]{7}) '(.*)' is (?:the first|suspected)")
_UNDO: Final = re.compile(r"the fix of (\S+) does not hold: ([0-9a-f]{7}) is taken back")
_WRONG: Final = tuple(
    (re.compile(said, re.IGNORECASE), does)
    for said, does in (
        (r"`([^`]+)` may be zero", "guard the division by {}"),
        (r"`([^`]+)` may be empty(?: as well)?", "allow for {} being empty"),
        (r"`([^`]+)` may be missing", "allow for {} being missing"),
        (r"`([^`]+)` (?:is|stands) .*, and is missing here", "add {}"),
        (r"`([^`]+)` (?:is usually|can be) given `([^`]+)` here", "give {} {}"),
        (r"only None is meant by `([^`]+)`", "ask {} for None alone"),
        (r"only (?:the failing call is one|those are meant) of which `([^`]+)`", "ask whether {}"),
        (r"`([^`]+)` is meant before `([^`]+)`", "ask for {} before {}"),
        (r"`([^`]+)` is meant where `([^`]+)` is empty", "use {} where {} is empty"),
        (r"`([^`]+)` may be None", "allow for {} being None"),
        (r"`([^`]+)` may be missing in `([^`]+)`", "allow for a missing {} in {}"),
        (r"`([^`]+)` may be empty or too short", "allow for {} being empty or too short"),
        (r"`([^`]+)` may be bytes", "allow for {} being bytes"),
        (r"the case `([^`]+)` is missing", "handle the case {}"),
        (r"`([^`]+)` is meant instead of `([^`]+)`", "use {} instead of {}"),
        (r"`?([^`]+)`? is (?:meant|expected) as `?([^`]+)`?", "use {1} instead of {0}"),
        (r"`([^`]+)` is expected when `([^`]+)`", "raise {} when {}"),
        (r"the call (?:lacks|is expected with) `([^`]+)`", "pass {} along"),
        (r"`([^`]+)` may stand anywhere in `([^`]+)`", "look for {} anywhere in {}"),
        (r"`([^`]+)` is to be `([^`]+)` and no more", "compare the whole of {} with {}"),
        (r"`([^`]+)` is only to (begin|end) with `([^`]+)`", "let {} only {} with {}"),
        (r"`([^`]+)` may be there, and be nothing", "allow for {} being empty"),
        (r"`([^`]+)` is meant with `([^`]+)`", "call {} with {}"),
        (r"`([^`]+)` of `([^`]+)` is meant", "use {} of {}"),
        (r"`([^`]+)` itself is meant", "use {} itself"),
        (r"`([^`]+)` is too much for `([^`]+)`", "pass {} no longer to {}"),
        (r"the character (\S+) is left out", "take the character {} into account"),
        (r"the character (\S+) is too much", "drop the character {}"),
        (r"what derives from the type is meant as well", "accept what derives from the type"),
        (r"only `([^`]+)` is meant", "use only {}"),
        (r"`([^`]+)` is too much here", "drop {}"),
        (r"`([^`]+)` is missing here", "add {}"),
        (r"`([^`]+)` is left out", "take {} into account"),
        (r"`([^`]+)` is not imported", "import {}"),
        (r"`([^`]+)` is not awaited", "await {}"),
        (r"`([^`]+)` is meant to be called", "call {}"),
        (r"`([^`]+)` is meant negated", "negate {}"),
        (r"`([^`]+)` is meant as well(?: as `[^`]+`)?", "accept {} as well"),
        (r"`([^`]+)` forgets what it was", "add to {} what it was"),
        (r"all calls share one `([^`]+)`", "make {} anew for each call"),
        (r"the limit of `([^`]+)` is too narrow", "widen the limit of {}"),
        (r"`([^`]+)` is one off", "move {} by one"),
        (r"(\w+) is raised here, and not handled as .+", "handle {} as well"),
        (r"`([^`]+)` may be of any class", "compare {} with its own class alone"),
        (r"`([^`]+)` is expected where \w+ is raised", "raise {} in its place"),
        (r"where (\w+) is raised, what follows is the answer", "go on where {} is raised"),
        (r"`([^`]+)` is raised here, and kept in by a handler of its own `try`", "let {} out of its own try"),
        (r"the answer depends on `([^`]+)`", "let the answer depend on {}"),
        (r"`([^`]+)` is asked for as `([^`]+)`", "call {} {}"),
        (r"what `([^`]+)` is given may not be UTF-8", "let {} replace what cannot be decoded"),
        (r"the text may not be (?:in this encoding|UTF-8)", "replace what cannot be decoded"),
        (r"elsewhere it is raised only if `([^`]+)`", "raise it only if {}"),
        (r"`([^`]+)` lacks a limit", "give {} a limit"),
        (r"`([^`]+)` lacks `([^`]+)`", "call {1} on {0}"),
        (r"`([^`]+)` may lack `([^`]+)`", "allow for {} without {}"),
        (r"`([^`]+)` may pass the end", "keep {} from passing the end"),
        (r"`([^`]+)` is asked of `.+`, and `([^`]+)` is meant", "ask {1} for {0}"),
        (r"`([^`]+)` is (text|str|bytes) already", "take {} as the {} that it is"),
        (r"`([^`]+)` holds it already", "ask {} for it"),
        (r"`([^`]+)` is asked elsewhere, and not here", "ask {} here as well"),
        (r"`([^`]+)` has another type than its neighbour", "give {} the type of its neighbour"),
        (r"`([^`]+)` is no parameter of what is called", "do not pass {}"),
        (r"`([^`]+)` may be given by the caller as well", "let the caller's {} go first"),
        (r"`([^`]+)` is not handed on", "hand {} on"),
        (r"the value of `([^`]+)` is not handed back", "hand the value of {} back"),
        (r"`([^`]+)` is not set on every path", "set {} on every path"),
        (r"`([^`]+)` is to be set, not `([^`]+)`", "set {} and not {}"),
        (r"`([^`]+)` is meant for `([^`]+)`", "pass {} as {}"),
        (r"the call lacks `([^`]+)`, which others of `([^`]+)` have", "pass {} to {}"),
        (r"it is (?:asked|done) only when `([^`]+)`", "go on only when {}"),
        (r"it is done whether or not `([^`]+)`", "go on whether or not {}"),
        (r"the condition lacks `([^`]+)`", "ask for {} as well"),
        (r"the condition asks too much with `([^`]+)`", "ask no longer for {}"),
        (r"the comparison is meant the other way, with `([^`]+)`", "compare the other way, with {}"),
        (r"the operands of `([^`]+)` are in the wrong order", "swap the operands of {}"),
        (r"the result is `([^`]+)` itself", "answer {} itself"),
        (r"the (square|whole) of `([^`]+)` is meant", "use the {} of {}"),
        (r"`([^`]+)` is to be asked (in any case|once|again and again)", "ask {} {}"),
        (r"`([^`]+)` is only to be asked where what is asked before does not hold", "ask {} only otherwise"),
        (r"the others are to be looked at as well", "look at the others as well"),
        (r"nothing after it is to be looked at", "look at nothing after it"),
        (r"nothing more is to be done with this one", "go on to the next one"),
        (r"`([^`]+)` is meant without its sign", "use {} without its sign"),
        (r"`([^`]+)` is meant without its argument", "call {} without an argument"),
        (r"`([^`]+)` is left out for `([^`]+)`", "pass {} to {}"),
        (r"`([^`]+)` does not belong there", "take {} out"),
        (r"`([^`]+)` falls back on `([^`]+)`", "let {} fall back on {}"),
        (r"`([^`]+)` is as it was at first", "set {} back to what it was at first"),
        (r"`([^`]+)` may be nothing", "allow for {} being nothing"),
        (r"`([^`]+)` need not be there yet", "allow for {} not being there yet"),
        (r"`([^`]+)` is always there", "ask for {} with no fallback"),
        (r"`([^`]+)` is called elsewhere", "call {}"),
        (r"`([^`]+)` is (?:meant|meant here)", "use {}"),
    )
)


def does(proposal: Proposal) -> str:
    """Not yet inert: names of packages, pieces of code and titles of commits stand in it."""
    if proposal.kind is ActionKind.PIN and (found := _PIN.match(proposal.why)):
        return found[0]
    if found := _UNDO.match(proposal.why):
        return f"take back the fix of {found[1]} ({found[2]})"
    if proposal.kind is ActionKind.REVERT:
        known = _COMMIT.match(proposal.why)
        return f"take back {known[1]}: {known[2]}" if known else f"take back {proposal.commit[:7] or 'a commit'}"
    if proposal.repairer == SEARCH:
        return _mended(proposal.why, proposal.diff)
    return _corrected(proposal.diff) if proposal.repairer in MODELS else proposal.why


def _mended(why: str, diff: str) -> str:
    """By what was wrong, and the file; only the place where that says too much, or is not known here."""
    place = _PLACE.search(why)
    said = _PLACE.sub("", why).strip().rstrip(".").removesuffix(", each time").removesuffix(", in both branches")
    path, line = (place["path"], place["line"]) if place else ("", "")
    name = path.rpartition("/")[2]
    for pattern, words in _WRONG:
        if found := pattern.fullmatch(said):
            done = words.format(*found.groups())
            whole = f"{done} in {name}" if name else done
            return next((one for one in (whole, done) if len(one) <= LONGEST), _at(path, line))
    return _at(path, line) if place else _corrected(diff)


def _corrected(diff: str) -> str:
    file, hunk = _FILE.search(diff), _HUNK.search(diff)
    return _at(file[1] if file else "", hunk[1] if hunk else "")


def _at(path: str, line: str) -> str:
    if not path:
        return "end a fault in production"
    return f"correct {path} near line {line}" if line else f"correct {path}"
