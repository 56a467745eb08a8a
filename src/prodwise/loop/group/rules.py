"""The rules by which errors become groups, in the order in which they are asked. The first that answers decides.

A rule gives the parts of a key, and the call to blame when it knows one. What is in no part cannot split a group: not lines
and columns, not releases, hosts or environments, not the sender's clock.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prodwise.loop.group.blame import Blame, app_calls, blame_of
from prodwise.loop.group.names import module_name
from prodwise.loop.group.template import printable, route_of, template_of
from prodwise.model.event import ErrorEvent, Thrown

LINKS = 4
"""Exceptions of a chain that are looked at: the first two and the last two."""


@dataclass(frozen=True, slots=True)
class Answer:
    """parts: what the key is made of; blame: whose call it was."""

    parts: tuple[str, ...]
    blame: Blame | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """why: the reason for it, as people read it."""

    name: str
    why: str
    answer: Callable[[ErrorEvent], Answer | None]


def kind_of(thrown: Thrown) -> str:
    return module_name(printable(thrown.kind)) or "?"


def text_of(event: ErrorEvent) -> str:
    return event.chain[-1].message if event.chain else event.message


_SCRIPT_ERROR = re.compile(r"\s*(?:Uncaught )?(?:Error: )?Script error\.?\s*$", re.IGNORECASE)
_STALE_ASSET = re.compile(
    r"(?:Loading (?:CSS )?chunk|Failed to fetch dynamically imported module|[Ee]rror loading dynamically imported module"
    r"|Importing a module script failed|Unable to preload CSS|ChunkLoadError)"
)
_MEMORY = re.compile(
    r"(?:^|[.:])(?:MemoryError|OutOfMemory(?:Error|Exception)|NoMemoryError)$|^Allowed memory size|bad_alloc"
    r"|heap out of memory|Out ?[oO]f ?[mM]emory|[Cc]annot allocate memory"
)
_DEADLINE = re.compile(
    r"(?:^|[.:])(?:SystemExit|KeyboardInterrupt|SignalException|Interrupt|WorkerTimeout|WorkerLostError|SoftTimeLimitExceeded"
    r"|TimeLimitExceeded|JobTimeoutException|RequestTimeout(?:Error|Exception)|RequestExpiryError|ApplicationNotResponding|AppHang"
    r"|ANR)$|^Maximum execution time of|^Task timed out after"
)
_ENDLESS = re.compile(
    r"(?:^|[.:])(?:RecursionError|StackOverflowError|StackOverflowException|SystemStackError)$"
    r"|maximum recursion depth exceeded|Maximum call stack size exceeded|^too much recursion|^stack overflow|stack level too deep"
)


def _script_error(event: ErrorEvent) -> Answer | None:
    named = any(frame.function for one in event.chain for frame in one.frames)
    return None if named or not _SCRIPT_ERROR.match(text_of(event)[:100]) else Answer(())


def _stale_asset(event: ErrorEvent) -> Answer | None:
    kind = event.chain[-1].kind if event.chain else ""
    return Answer(()) if _STALE_ASSET.match(kind) or _STALE_ASSET.search(text_of(event)[:300]) else None


def _out_of_memory(event: ErrorEvent) -> Answer | None:
    return Answer((kind_of(event.chain[0]),)) if event.chain and _says(_MEMORY, event.chain[0]) else None


def _deadline(event: ErrorEvent) -> Answer | None:
    found = next((one for one in event.chain[-LINKS:] if _says(_DEADLINE, one)), None)
    if found is None:
        return None
    entry = route_of(event.route)
    if not entry:
        outermost = list(app_calls(found, event.platform))[-1:]
        entry = outermost[0].where if outermost else ""
    return Answer((kind_of(found), entry))


def _endless_recursion(event: ErrorEvent) -> Answer | None:
    found = next((one for one in event.chain[-LINKS:] if _says(_ENDLESS, one)), None)
    if found is None:
        return None
    seen = Counter((call.place, call.name) for call in app_calls(found, event.platform))
    again = sorted(call for call, times in seen.items() if times > 2)
    return (
        Answer((kind_of(found), *(part for call in again for part in call)), blame_of(found, event.platform))
        if again
        else None
    )


def _frames(event: ErrorEvent) -> Answer | None:
    blames = [(one, blame_of(one, event.platform)) for one in _links(event.chain)]
    if not any(blame and blame.app for _, blame in blames):
        return None
    shown = next(blame for _, blame in reversed(blames) if blame and blame.app)
    ends = {id(blames[0][0]), id(blames[-1][0])}
    return Answer(_distinct(_link(one, blame, id(one) in ends) for one, blame in blames), shown)


def _library_frames(event: ErrorEvent) -> Answer | None:
    links = _links(event.chain)
    blame = next((found for one in links if (found := blame_of(one, event.platform))), None)
    if blame is None:
        return None
    told = _distinct((kind_of(one), template_of(one.message)) for one in (links[0], links[-1]))
    return Answer((blame.call.place, blame.call.name, *told))


def _exception(event: ErrorEvent) -> Answer | None:
    if not event.chain:
        return None
    told = _distinct((kind_of(one), template_of(one.message)) for one in _links(event.chain))
    return Answer((route_of(event.route), *told))


def _message(event: ErrorEvent) -> Answer | None:
    told = template_of(event.template or event.message)
    return Answer((told, printable(event.logger[:200]), route_of(event.route))) if told else None


def _nothing(event: ErrorEvent) -> Answer | None:
    return Answer((printable(event.platform[:50]), printable(event.logger[:200]), route_of(event.route)))


RULES: tuple[Rule, ...] = (
    Rule(
        "script-error",
        "A browser hides what a script of another origin did: 'Script error.' without frames is one group, not news each time.",
        _script_error,
    ),
    Rule(
        "stale-asset",
        "After a deploy, open pages ask for files of the old release: one group, whichever file is missing.",
        _stale_asset,
    ),
    Rule(
        "out-of-memory",
        "Memory ends wherever the next allocation happens to be: the frame says nothing.",
        _out_of_memory,
    ),
    Rule(
        "deadline", "A deadline interrupts code wherever it is: what was asked for says more than the frame.", _deadline
    ),
    Rule(
        "endless-recursion",
        "The stack ends at any call of the cycle: the functions that repeat are the fault, not the last one.",
        _endless_recursion,
    ),
    Rule(
        "frames",
        "Each exception of the chain by its type, the app's innermost call and that call's caller, and the blamed line's text "
        "or, if unknown, the message's template: lines move, text tells two faults in one function apart, and a generic "
        "wrapper does not hide its cause.",
        _frames,
    ),
    Rule(
        "library-frames",
        "No frame of the app's own was seen: the library's function, and what the cause and the top of the chain say.",
        _library_frames,
    ),
    Rule("exception", "No frames at all: types and message templates, by route.", _exception),
    Rule("message", "No exception: the text before its values were filled in, by logger and route.", _message),
    Rule("nothing", "An event that says nothing: by platform, logger and route.", _nothing),
)


def _says(pattern: re.Pattern[str], thrown: Thrown) -> bool:
    return pattern.search(thrown.kind[:200]) is not None or pattern.search(thrown.message[:300]) is not None


def _links(chain: tuple[Thrown, ...]) -> tuple[Thrown, ...]:
    half = LINKS // 2
    return chain if len(chain) <= LINKS else (*chain[:half], *chain[-half:])


def _link(thrown: Thrown, blame: Blame | None, end: bool) -> tuple[str, ...]:
    """One exception of the chain. Only its ends say what happened: what lies between them repeats one or the other."""
    if blame is None or not blame.app:
        return (kind_of(thrown), "", "", "", "", template_of(thrown.message) if end else "")
    caller = (blame.caller.place, blame.caller.name) if blame.caller else ("", "")
    told = blame.call.code or (template_of(thrown.message) if end else "")
    return (kind_of(thrown), blame.call.place, blame.call.name, *caller, told)


def _distinct(links: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Flat, each link once: of five equal exceptions in a group, as of a retry's repeated ones, one counts."""
    return tuple(part for link in dict.fromkeys(links) for part in link)
