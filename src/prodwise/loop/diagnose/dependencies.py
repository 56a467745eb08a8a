"""A package that a release changed, and that an error or a log speaks of: the release's fault, told more closely.

A dependency weighs what its release does and never more, so that what is reported changes the name of the cause, not the step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from prodwise.loop.diagnose import weights as w
from prodwise.loop.diagnose.logs import clean, diagnose_log
from prodwise.loop.diagnose.logs.manifests import ecosystem_of
from prodwise.loop.diagnose.logs.python_packages import STANDARD, canonical, published
from prodwise.loop.diagnose.shares import shared
from prodwise.loop.group.template import printable
from prodwise.model.breakage import Blamed, Ecosystem, Moved
from prodwise.model.delta import Package
from prodwise.model.diagnosis import Cause, Diagnosis, Hypothesis
from prodwise.model.event import ErrorEvent, Frame, Thrown
from prodwise.model.evidence import Evidence

PACKAGE: Final = "package"
"""Kind of evidence."""
LOG_CHARS: Final = 64 * 1024
FACTS_MAX: Final = 3
FRAMES_MAX: Final = 60
CHAIN_MAX: Final = 5
SAID_CHARS: Final = 160
SURE: Final = 0.3
"""Of what the log alone says: raised in its code is 0.4 and more, a name that it lacks 0.7, on the way to the error 0.1."""
_ASKED: Final = frozenset(("AttributeError", "TypeError", "ImportError"))


@dataclass(frozen=True, slots=True)
class PackageFacts:
    """sure: the error was raised in its code, or it lacks what was asked of it; else its code is on the way. at: of the error;
    source: the credential of who reported it, or "log" for what the release's own process or build wrote; said: the line."""

    release: str
    lock: str
    name: str
    before: str
    after: str
    sure: bool
    source: str
    at: float
    said: str = ""

    @property
    def ecosystem(self) -> Ecosystem | None:
        return ecosystem_of(self.lock)

    @property
    def moved(self) -> Moved | None:
        """As repairers take it."""
        kind = self.ecosystem
        return Moved(kind, self.name, self.before, self.after, f"{self.lock} in {self.release}") if kind else None

    @property
    def told(self) -> str:
        return f"dependency {self.name} {self.before} → {self.after} ({self.lock})"

    @property
    def pin(self) -> str:
        return f"prodwise pin {self.name}=={self.before}"


def in_log(
    packages: Sequence[Package], release: str, text: str, at: float, source: str = "log"
) -> tuple[PackageFacts, ...]:
    """Packages that the release moved and that its own log speaks of, likeliest first."""
    moved = [one for one in packages if one.before and one.after and "," not in one.before and ecosystem_of(one.lock)]
    if not moved or not text.strip():
        return ()
    causes = diagnose_log(clean(text[-LOG_CHARS:].encode("utf-8", "replace"))).causes
    found: dict[str, PackageFacts] = {}
    for place, cause in enumerate(causes):
        package = next((one for one in moved if _is(one, cause)), None)
        if package is not None:
            sure = place == 0 and cause.confidence >= SURE
            said = printable(next((one.text for one in cause.evidence if one.number), ""))[:SAID_CHARS]
            found.setdefault(package.name, _fact(package, release, sure, source, at, said))
    return tuple(found.values())[:FACTS_MAX]


def in_error(packages: Sequence[Package], release: str, event: ErrorEvent, source: str) -> tuple[PackageFacts, ...]:
    """The same of an error: by the code that it was raised in or passes, and by what the raising line asks of a package."""
    found = {one.name: one for one in in_log(packages, release, as_log(event), event.at, source)}
    for package in packages:
        line = _asking(package, event)
        if line and package.before and package.after and not any(one.sure for one in found.values()):
            found[package.name] = _fact(package, release, True, source, event.at, printable(line)[:SAID_CHARS])
    return tuple(sorted(found.values(), key=lambda one: not one.sure))[:FACTS_MAX]


def apart(found: Hypothesis, packages: Sequence[PackageFacts]) -> Iterator[Hypothesis]:
    """A release's hypothesis, and beside it the package that it changed, where one is spoken of: together they say no more than
    it alone did."""
    mine = sorted((one for one in packages if one.release == found.subject), key=lambda one: (not one.sure, one.name))
    if not mine:
        yield found
        return
    first = mine[0]
    cited = tuple(sorted({stated(one).id for one in mine}))
    text = f"{first.told}: {found.text}; to take back that alone: {first.pin}"
    own = replace(found, cause=Cause.DEPENDENCY, text=text, supports=tuple(sorted({*found.supports, *cited})))
    if first.sure:
        yield own
        less = round(found.weight + w.PACKAGE_EXPLAINS, 6)
        yield replace(found, weight=less, contradicts=tuple(sorted({*found.contradicts, *cited})))
    else:
        yield replace(own, weight=round(found.weight + w.PACKAGE_PASSED, 6))
        yield found


def refined(told: Diagnosis, packages: Sequence[PackageFacts]) -> Diagnosis:
    """A diagnosis that was made before the package was spoken of. Shares stay unsaid where they were."""
    found = [
        each for one in told.hypotheses for each in (apart(one, packages) if one.cause is Cause.RELEASE else (one,))
    ]
    ranked = sorted(found, key=lambda one: -one.weight)
    return replace(told, hypotheses=tuple(shared(ranked) if ranked[0].share is not None else ranked))


def stated(fact: PackageFacts) -> Evidence:
    how = "is what the error comes from" if fact.sure else "lies on the way to the error"
    line = f": {fact.said}" if fact.said else ""
    text = f"release {fact.release} moved {fact.name} {fact.before} → {fact.after} ({fact.lock}), which {how}{line}"
    return Evidence(PACKAGE, fact.source, fact.at, fact.at, text, {**asdict(fact), "pin": fact.pin})


def fact_in(data: Mapping[str, Any]) -> PackageFacts:
    """Of stored evidence."""
    return PackageFacts(**{name: value for name, value in data.items() if name != "pin"})


def as_log(event: ErrorEvent) -> str:
    """An error as its runtime would have printed it. Frames of the standard library are left out: they raise for others."""
    node = event.platform in ("node", "javascript") or any(
        "node_modules/" in f.file for one in event.chain for f in one.frames
    )
    return "\n".join(line for one in event.chain[-CHAIN_MAX:] for line in (_node(one) if node else _python(one)))


def _python(thrown: Thrown) -> Iterator[str]:
    yield "Traceback (most recent call last):"
    for frame in thrown.frames[-FRAMES_MAX:]:
        if path := _path(frame):
            yield f'  File "{path}", line {frame.line}, in {_line(frame.function)}'
    yield f"{_line(thrown.kind)}: {_line(thrown.message)}"


def _node(thrown: Thrown) -> Iterator[str]:
    yield f"{_line(thrown.kind)}: {_line(thrown.message)}"
    for frame in reversed(thrown.frames[-FRAMES_MAX:]):
        yield f"    at {_line(frame.function) or '<anonymous>'} ({_line(frame.file)}:{frame.line}:1)"


def _path(frame: Frame) -> str:
    """Reporters cut a library's path to what comes after site-packages, or to less; its module tells more."""
    file = _line(frame.file)
    if frame.in_app is not False or "-packages" in file:
        return file
    inside = f"{_line(frame.module).replace('.', '/')}.py" if frame.module else file
    top = inside.removesuffix(".py").partition("/")[0]
    return "" if not top or top in STANDARD or inside.startswith(("/", "<")) else f"site-packages/{inside}"


def _asking(package: Package, event: ErrorEvent) -> str:
    """The line of code that raised, where it asks the package for something by its module's name, and the error names that."""
    last = event.chain[-1] if event.chain else None
    frame = last.frames[-1] if last is not None and last.frames else None
    if last is None or frame is None or last.kind.rpartition(".")[2] not in _ASKED:
        return ""
    for module, name in re.findall(r"\b([A-Za-z_]\w{0,60})\.([A-Za-z_]\w{0,60})", frame.code[:400]):
        if canonical(published(module)) == canonical(package.name) and re.search(rf"\b{name}\b", last.message[:400]):
            return frame.code.strip()
    return ""


def _is(package: Package, cause: Blamed) -> bool:
    return ecosystem_of(package.lock) is cause.ecosystem and canonical(package.name) == canonical(cause.what)


def _fact(package: Package, release: str, sure: bool, source: str, at: float, said: str) -> PackageFacts:
    return PackageFacts(release, package.lock, package.name, package.before, package.after, sure, source, at, said)


def _line(text: str) -> str:
    return " ".join(text.split())[:500]
