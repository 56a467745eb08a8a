"""The failing check, of whatever was given: a command, a trace with its values, else the request that failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from prodwise.heal.fixing.budget import Budget
from prodwise.heal.fixing.given import Given, NotReproduced, given
from prodwise.heal.fixing.replayed import drafted, replayed
from prodwise.heal.fixing.reproducer import Reproducer, reproduce
from prodwise.loop.diagnose import tracebacks
from prodwise.loop.replay.forms import told
from prodwise.loop.verify.started import notes, start_check
from prodwise.loop.watch.unmet import alike
from prodwise.model.breakage import Moved
from prodwise.model.event import Frame
from prodwise.model.patch import Fault
from prodwise.model.service import Service
from prodwise.ports.repair import Workshop


@dataclass(frozen=True)
class Wanted:
    """test: a command; trace, request: as text; service: whose failure it is, "" when not known; packages: that its diagnosis
    blames; since: the commit of the release before, "" when not known; start: the service that does not come up; said: what was
    printed where it failed first: the command or the start must fail alike; suspects: commits that may have brought it, likeliest
    first; why_not: why there is nothing to run. At least one of test, trace, request, start and why_not."""

    test: str = ""
    trace: str = ""
    request: str = ""
    service: str = ""
    packages: tuple[Moved, ...] = ()
    since: str = ""
    start: Service | None = None
    said: str = ""
    suspects: tuple[str, ...] = ()
    why_not: str = ""

    @property
    def asks(self) -> str:
        """The request: given by itself, or told by the report that the trace is."""
        if self.request or self.test or self.start:
            return "" if self.test or self.start else self.request
        return self.trace if self.trace.lstrip()[:1] in ("{", "[") and not isinstance(told(self.trace), str) else ""


def planned(wanted: Wanted, workshop: Workshop, base: str, root: str) -> Given | NotReproduced:
    """What would be run, without running anything of the repository."""
    first = _first(wanted, workshop, base, root)
    if isinstance(first, Given) or not wanted.asks:
        return first or _NOTHING
    draft = drafted(wanted.asks, wanted.trace, workshop, base, root, wanted.service)
    return _both(first, draft) if isinstance(draft, NotReproduced) else draft.given(draft.request)


def check(
    wanted: Wanted, workshop: Workshop, base: str, budget: Budget, root: str, tell: Callable[[str], None]
) -> Reproducer | NotReproduced:
    """It fails at the base, each time for one reason. The request is made again where the values of a trace do not lead to that."""
    found = _check(wanted, workshop, base, budget, root, tell)
    if isinstance(found, NotReproduced):
        return found
    told = replace(found.fault, packages=wanted.packages, since=wanted.since, suspects=wanted.suspects)
    return replace(found, fault=told)


def _check(
    wanted: Wanted, workshop: Workshop, base: str, budget: Budget, root: str, tell: Callable[[str], None]
) -> Reproducer | NotReproduced:
    first = _first(wanted, workshop, base, root)
    found: Reproducer | NotReproduced | None = first if isinstance(first, NotReproduced) else None
    if isinstance(first, Given):
        tell(f"running the check at the base: {first.shown}")
        found = _as_there(_same(reproduce(first, workshop, base, budget, root), first, root), wanted, root)
    if isinstance(found, Reproducer) or not wanted.asks:
        return found or _NOTHING
    draft = drafted(wanted.asks, wanted.trace, workshop, base, root, wanted.service)
    if isinstance(draft, NotReproduced):
        return _both(found, draft)
    tell(f"making the request again: {draft.request.method} {draft.request.path[:80]}")
    again = replayed(draft, workshop, base, budget, root, tell)
    if isinstance(again, NotReproduced):
        return _both(found, again)
    tell(f"running the check at the base: {again.shown}")
    return reproduce(again, workshop, base, budget, root)


_NOTHING = NotReproduced("there is neither a command, nor a trace, nor a request")


def _first(wanted: Wanted, workshop: Workshop, base: str, root: str) -> Given | NotReproduced | None:
    if wanted.why_not:
        return NotReproduced(wanted.why_not)
    if wanted.start is not None:
        text = start_check(wanted.start)
        shown = f"{wanted.start.id} started as it is declared"
        return Given(Fault(("python3", "-c", text)), shown, text, notes(wanted.start))
    return given(wanted.test, wanted.trace, workshop, base, root) if wanted.test or wanted.trace else None


def _same(found: Reproducer | NotReproduced, first: Given, root: str) -> Reproducer | NotReproduced:
    """A test written from a trace must end with the trace's error: a view that is called without its request, say, does not."""
    want = first.fault.error.rpartition(".")[2]
    if isinstance(found, NotReproduced) or not (first.text and want):
        return found
    got = tracebacks.read(found.fault.output, root).error.rpartition(".")[2]
    if got == want:
        return found
    return NotReproduced(
        f"{first.shown} fails for another reason: {got or found.reason.words}, not {want}", refused=False
    )


def _as_there(found: Reproducer | NotReproduced, wanted: Wanted, root: str) -> Reproducer | NotReproduced:
    """What fails here for want of something that was there says nothing of the code."""
    refused = wanted.start is not None or (wanted.test and wanted.said)
    if isinstance(found, NotReproduced) or not refused:
        return found
    there, here = (_place(one) for one in (tracebacks.read(wanted.said, root).frames, found.fault.frames))
    if alike(wanted.said, found.reason) and (there is None or here is None or there == here):
        return found
    where = f" in {here.file}, line {here.line}" if here else ""
    return NotReproduced(
        f"here it fails otherwise than on its way to users: {found.reason.words}{where}", refused=False
    )


def _place(frames: Sequence[Frame]) -> Frame | None:
    """Where the repository's own code was."""
    return next((one for one in reversed(frames) if one.in_app), None)


def _both(first: NotReproduced | None, second: NotReproduced) -> NotReproduced:
    return second if first is None else NotReproduced(f"{first.reason}; {second.reason}", refused=False)
