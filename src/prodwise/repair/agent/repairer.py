"""The loop: ask, act, record, until the check passes in a fresh checkout or a bound is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from prodwise import clock
from prodwise.loop.repair import spending
from prodwise.loop.repair.paths import plain
from prodwise.loop.repair.spending import Bounds, Price, Spent
from prodwise.model.action import ActionKind
from prodwise.model.patch import Fault, Proposal
from prodwise.ports.repair import Limits, Tree, Workshop
from prodwise.repair import beneath
from prodwise.repair.agent.desk import TOOLS, Desk, Finish, NotDone
from prodwise.repair.agent.talk import Call, NoAnswer, Talk
from prodwise.repair.prompt import INSTRUCTIONS, opening
from prodwise.repair.transcript import Ended, Transcript
from prodwise.repair.veil import Veil

if TYPE_CHECKING:
    from pydantic_ai.models import Model

CALLS_MAX, SILENT_MAX, FINISHES_MAX = 8, 3, 4


class Agent:
    """A repairer that asks a model. folder: where transcripts are kept; on_end: told how each repair ended, and where to read it."""

    name = "agent"

    def __init__(
        self,
        model: Model,
        *,
        veil: Veil,
        folder: Path,
        bounds: Bounds | None = None,
        price: Price | None = None,
        limits: Limits | None = None,
        on_end: Callable[[Ended], None] = lambda _: None,
    ) -> None:
        self._model, self._veil, self._folder, self._price, self._on_end = model, veil, folder, price, on_end
        self._bounds, self._limits = bounds or Bounds(), limits or Limits()
        spending.check(self._bounds, price, model.model_name)

    def propose(self, fault: Fault, workshop: Workshop, base: str, seconds: float) -> Iterator[Proposal]:
        bounds = replace(self._bounds, seconds=min(self._bounds.seconds, seconds))
        transcript = Transcript(self._folder, fault.key or "check", self._veil)
        began, why, work = clock.monotonic(), "interrupted", None
        try:
            with workshop.fresh(base) as tree:
                desk = Desk(tree, fault, self._veil, self._limits, began + bounds.seconds)
                work = _Work(desk, workshop, fault, base, transcript, bounds, self._price, began, self._veil)
                why = work.through(self._model, tree)
        finally:
            spent = work.spent if work else Spent()
            took = round(clock.monotonic() - began, 2)
            ended = Ended(why, transcript.path, spent.steps, spent.tokens, spent.dollars(self._price), took)
            transcript.end(why, steps=ended.steps, tokens=ended.tokens, dollars=ended.dollars, seconds=took)
            self._on_end(ended)
        if work.diff:
            told = " ".join(self._veil.text(work.summary, 300).split()).rstrip(".") or "no reason given"
            yield Proposal(self.name, ActionKind.PATCH, work.diff, f"a model's fix: {told}")


class _Work:
    """One repair, from the first question to its end."""

    def __init__(self, desk: Desk, workshop: Workshop, fault: Fault, base: str, transcript: Transcript, bounds: Bounds,
                 price: Price | None, began: float, veil: Veil) -> None:  # fmt: skip
        self._desk, self._workshop, self._fault, self._base = desk, workshop, fault, base
        self._transcript, self._bounds, self._price, self._began = transcript, bounds, price, began
        self.spent, self.diff, self.summary = Spent(), "", ""
        self._silent = self._finishes = 0
        self._veil = veil

    def through(self, model: Model, tree: Tree) -> str:
        """Why it ended."""
        with suppress(NotDone):
            first = tree.run(self._fault.command, self._desk.limits())
            if first.code == 0:
                return "the check passes already"
            prompt = opening(self._fault, first.output or self._fault.output, self._veil)
            self._transcript.say("opening", prompt=prompt)
            with Talk(model, INSTRUCTIONS, prompt, TOOLS) as talk:
                while not (why := self._step(talk)):
                    pass
                return why
        return "time"

    def _step(self, talk: Talk) -> str:
        """One question and what it leads to; why it was the last one, "" if it was not."""
        elapsed = clock.monotonic() - self._began
        room = spending.room(self._bounds, self._price, self.spent, talk.prompt_tokens, elapsed)
        if room.over:
            return room.over
        asked = talk.prompt_tokens
        try:
            reply = talk.ask(room.answer_tokens, room.seconds)
        except TimeoutError:
            self.spent = self.spent.plus(asked, room.answer_tokens)
            return "time"
        except NoAnswer as error:
            self.spent = self.spent.plus(asked, room.answer_tokens)
            self._transcript.say("no answer", reason=str(error))
            return "no answer"
        self.spent = self.spent.plus(reply.asked, reply.answered)
        self._transcript.say("model", text=reply.text, tokens=[reply.asked, reply.answered])
        if not reply.calls:
            self._silent += 1
            talk.tell("Use one of the tools; finish ends the work.")
            return "says nothing" if self._silent >= SILENT_MAX else ""
        return self._acted(talk, reply.calls)

    def _acted(self, talk: Talk, calls: tuple[Call, ...]) -> str:
        told: list[tuple[Call, str]] = []
        for at, call in enumerate(calls):
            why, text = (
                self._answered(call) if at < CALLS_MAX else ("", f"Not done: at most {CALLS_MAX} calls at once.")
            )
            self._transcript.say("tool", tool=call.tool, arguments=call.arguments, answer=text)
            if why:
                return why
            told.append((call, text))
        talk.answer(told)
        return ""

    def _answered(self, call: Call) -> tuple[str, str]:
        """(why this was the last call, or "", what the model is told)."""
        try:
            asked = self._desk.arguments(call)
            return self._finished(asked) if isinstance(asked, Finish) else ("", self._desk.act(asked))
        except NotDone as error:
            return "", str(error)

    def _finished(self, asked: Finish) -> tuple[str, str]:
        """What a model says about its own work counts for nothing: its edits alone, in a fresh checkout, must pass the check."""
        self.summary = plain(asked.summary)
        if not asked.fixed:
            return "given up", ""
        self._finishes += 1
        told = self._tried()
        if self.diff:
            return "proposed", told
        return ("never passes" if self._finishes >= FINISHES_MAX else ""), told

    def _tried(self) -> str:
        if not self._desk.written:
            return "Nothing was changed, and the check still fails."
        with self._workshop.fresh(self._base) as clean:
            for path, data in self._desk.written.items():
                with suppress(beneath.NotThere):  # in a folder that only a run made
                    beneath.write(clean.root, path, data)
            diff = clean.diff()
            ran = clean.run(self._fault.command, self._desk.limits()) if diff else None
        if ran is None:
            return "Your edits leave the code as it was, and the check still fails."
        if self._veil.is_told(diff):
            return "Your edits hold a secret."
        self.diff = diff if ran.code == 0 else ""
        return "In a fresh checkout with your edits alone: " + self._desk.ran(ran)
