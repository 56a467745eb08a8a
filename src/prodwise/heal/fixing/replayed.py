"""A check written from a failing request: the app is called with it in the sandbox, and what it takes to fail is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from prodwise.heal.fixing.budget import Budget
from prodwise.heal.fixing.given import Given, NotReproduced
from prodwise.heal.fixing.repository import Repository
from prodwise.loop.replay.asked import asked
from prodwise.loop.replay.declared import declared
from prodwise.loop.replay.entry import entry
from prodwise.loop.replay.outcome import Outcome, expected, first, outcome, unlike
from prodwise.loop.replay.shrink import parts, shrunk, without
from prodwise.loop.replay.text import END, TEXT_MAX, text, texts
from prodwise.loop.verify.traced import Traced, traced
from prodwise.model.patch import Fault
from prodwise.model.request import Entry, Request
from prodwise.ports.repair import Ran, Workshop

RUN_MAX_S: Final = 30.0
TRIES_MAX: Final = 40
SHARE: Final = 0.25
"""Of the time that is left, at most, for making the request smaller."""
OUTPUT: Final = 200_000
OUTPUT_ALL: Final = 2_000_000
ON_BASE: Final = 4
NOTES: Final = (
    "what the app should answer: the reproducer only asks that it is no server error",
    "whether production's data matters: the request is made on what the repository holds, with no connection to anywhere",
)


@dataclass(frozen=True)
class Draft:
    """A request and who answers it, before anything ran. want: what was reported of the failure, None for nothing; read: the trace."""

    request: Request
    entry: Entry
    want: Outcome | None
    read: Traced

    def text(self, request: Request | None = None) -> str:
        return text(request or self.request, self.entry, self.want.error if self.want else "")

    @property
    def left_out(self) -> tuple[str, ...]:
        return (*self.request.left_out, *self.entry.left_out)

    def given(self, request: Request) -> Given:
        written = self.text(request)
        fault = Fault(("python3", "-c", written), "", self.read.error, self.read.message, self.read.frames)
        left = (
            (f"what depends on what was left out of the request: {', '.join(self.left_out)[:300]}",)
            if self.left_out
            else ()
        )
        shown = f"a test that calls the app with {request.method} {request.path[:80]}"
        return Given(fault, shown, written, (*NOTES, *left), ON_BASE)


def drafted(
    told: str, trace: str, workshop: Workshop, base: str, root: str, service: str = ""
) -> Draft | NotReproduced:
    """told: the request as it was given; trace: what is known of the failure, "" for nothing. Nothing is run."""
    request = asked(told)
    if isinstance(request, str):
        return NotReproduced(f"the request cannot be made again: {request}", refused=False)
    if request.lost:
        return NotReproduced(f"the request cannot be made again: {request.lost}", refused=False)
    with workshop.fresh(base) as tree:
        repository = Repository.of(tree.root)
        found = next((one for way in declared(repository.text, service) if (one := entry(way, repository.text))), None)
        read = traced(trace, root)
        read = replace(
            read, frames=tuple(replace(one, file=repository.inside(one.file) or one.file) for one in read.frames)
        )
        want = expected(read, repository.inside)
    if found is None:
        return NotReproduced("no command here starts a Python web app that can be imported and called", refused=False)
    if isinstance(want, str) and want:
        return NotReproduced(f"the request is not made again: {want}", refused=False)
    draft = Draft(request, found, want if isinstance(want, Outcome) else None, read)
    if len(draft.text()) > TEXT_MAX:
        return NotReproduced("the request is too large for a test", refused=False)
    return draft


def replayed(
    draft: Draft, workshop: Workshop, base: str, budget: Budget, root: str, tell: Callable[[str], None]
) -> Given | NotReproduced:
    """1. It must fail here as it was reported, or clearly by the app's own code. 2. It is made smaller while it fails alike."""
    here = _Here(draft, workshop, base, budget, root)
    got = here.made(draft.request)
    why = unlike(draft.want, got) if draft.want else first(got)
    if why:
        left = f"; left out, since it may be secret: {', '.join(draft.left_out)}" if draft.left_out else ""
        return NotReproduced(f"the request was made again, and {why}{left[:400]}", refused=False)
    tell(f"the request fails here, too: {got.words}; leaving out what it does not need")
    return draft.given(_smaller(here, got))


@dataclass(frozen=True)
class _Here:
    """Where the requests of a draft are made: each run in a fresh checkout. root: the repository's own path."""

    draft: Draft
    workshop: Workshop
    base: str
    budget: Budget
    root: str

    def made(self, request: Request) -> Outcome:
        ran, inside = self._run(self.draft.text(request), OUTPUT)
        return outcome(ran.code, ran.output, ran.ended, self.root, inside)

    def all_made(self, requests: Sequence[Request]) -> list[Outcome]:
        """Of the first ones, as many as find place in one program and come to an end."""
        ran, inside = self._run(texts(requests, self.draft.entry), OUTPUT_ALL)
        told = ran.output.split(END)[:-1]
        return [outcome(int("Traceback" in one), one, "", self.root, inside) for one in told]

    def _run(self, program: str, output: int) -> tuple[Ran, Callable[[str], str]]:
        with self.workshop.fresh(self.base) as tree:
            inside = Repository.of(tree.root).inside
            return tree.run(("python3", "-c", program), self.budget.limits(RUN_MAX_S, output)), inside


def _smaller(here: _Here, got: Outcome) -> Request:
    """1. Each part is left out alone, all of them in one run. 2. What may go alone goes together, if that fails alike. 3. Else
    pieces are tried, one after another."""
    whole, until = here.draft.request, here.budget.left * (1 - SHARE)
    each = parts(whole)
    if not each:
        return whole

    def fails(request: Request) -> bool:
        return here.budget.left > until and not unlike(got, here.made(request), lines=True)

    ends = here.all_made([without(whole, frozenset({one})) for one in each])
    gone = frozenset(part for part, end in zip(each, ends, strict=False) if not unlike(got, end, lines=True))
    smaller = without(whole, gone)
    if len(ends) == len(each) and (not gone or fails(smaller)):
        return smaller
    return shrunk(whole, fails, TRIES_MAX)
