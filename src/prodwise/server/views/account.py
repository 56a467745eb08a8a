"""One incident's report: plain Markdown, made from stored rows only; each sentence cites the rows that it rests on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from prodwise.loop.verify.proof import KIND as PROOF
from prodwise.model.evidence import Evidence
from prodwise.model.outcome import Outcome
from prodwise.model.record import Entry
from prodwise.server.views.decision import Decision, decision_of
from prodwise.server.views.facts import IncidentFacts
from prodwise.server.views.incident import moment, outcome_words, recovered_at, settled
from prodwise.server.views.likely import OF_A_COMMIT, likelihood, likely_commit
from prodwise.server.views.markdown import Sources, plain
from prodwise.server.views.prompt import Shield
from prodwise.server.views.reach import Reaches, reaches
from prodwise.server.views.report import onset
from prodwise.server.views.story import title_of
from prodwise.server.views.words import VERDICTS, actor_name, harm, mapping, number, percent, sequence

MOMENTS_MAX, CAUSES_MAX, CITED_MAX = 60, 4, 8
DECIDED = ("decided", "refused")
Lines = Iterator[str]


def account_of(facts: IncidentFacts, app: str) -> str:
    """The same stored rows make the same text: it knows no clock, and live figures stay out."""
    return _Account(Shield().facts(facts), app).text()


class _Account:
    def __init__(self, facts: IncidentFacts, app: str) -> None:
        shield = Shield()
        self._facts, self._app = facts, app
        self._case, self._incident = facts.case, facts.case.incident
        self._evidence = {fact.id: shield.text(fact.text) for fact in facts.evidence}
        self._record = f"incident {self._incident.id}"
        self._reach = reaches(facts.case)
        rows = {self._record: f"Incident record `{plain(self._incident.id, 100)}`"}
        rows |= {fact.id: self._row(fact) for fact in facts.evidence}
        rows |= {_entry(one): _entry_row(one) for one in facts.timeline}
        self._sources = Sources(rows)

    def text(self) -> str:
        parts = (
            ("What broke", self._broke()),
            ("For whom", self._whom()),
            ("Since when", self._when()),
            ("What was done, and by whom", self._done()),
            ("Why this, and nothing smaller or bigger", self._why()),
            ("Proof", self._proof()),
            ("Cause", self._causes()),
            ("What is not known", self._unknown()),
            ("What remains to be done", self._remains()),
        )
        told = [f"# {plain(title_of(self._incident), 200)}", "", *self._head()]
        for title, lines in parts:
            told += ["", f"## {title}", *lines]
        return "\n".join([*told, "", "## Sources", *self._sources.notes(), ""])

    def _head(self) -> Lines:
        service = self._incident.service or "the app as a whole"
        outcome = outcome_words(self._incident)
        yield self._say(f"App {plain(self._app, 60)}, service {plain(service, 60)}. {outcome}.", [self._record])
        yield ""
        yield "Made from stored evidence alone; each number leads to the row it rests on. Times are UTC."

    def _broke(self) -> Lines:
        for one in self._incident.symptoms[:20]:
            seen = [
                fact.id for fact in self._facts.evidence if fact.kind == "symptom" and _is(fact, one.kind, one.route)
            ]
            who = "" if one.ours else f" (only {plain(one.source, 60)} says so)"
            yield self._item(f"{plain(one.text)}{who}.", seen or [self._record])

    def _whom(self) -> Lines:
        told = harm(self._incident.users_hit, self._incident.requests_failed, self._incident.closed_at is not None)
        yield self._item(f"{'; '.join(told)[:1].upper()}{'; '.join(told)[1:]}.", [self._record])
        if self._reach is not None:
            yield self._item(f"It could reach {plain(self._reach.fault.text, 1200)}.", self._measured())

    def _when(self) -> Lines:
        yield self._item(f"It began at {_clock(onset(self._incident))}.", self._symptoms())
        yield self._item(f"It was noticed at {_clock(self._incident.opened_at)}.", self._kind("incident_opened"))
        better = recovered_at(self._facts)
        if better is not None:
            yield self._item(f"Users were served again at {_clock(better)}.", self._kind("recovered", "effect"))
        if self._incident.closed_at is not None:
            yield self._item(f"It was closed at {_clock(self._incident.closed_at)}.", self._kind("incident_closed"))
        elif self._facts.timeline:
            last = self._facts.timeline[-1]
            yield self._item(f"It was still open at {_clock(last.at)}.", [_entry(last)])

    def _done(self) -> Lines:
        moments = [(one, moment(one)) for one in settled(self._facts.timeline)]
        acts = [(entry, told) for entry, told in moments if told.group in ("changes", "people")]
        for entry, told in acts[-MOMENTS_MAX:]:
            yield self._item(f"{_clock(told.at)}, {plain(told.who, 60)}: {plain(told.what)}.", [_entry(entry)])
        if not acts:
            yield self._item("Nothing was done.", [self._record])

    def _why(self) -> Lines:
        decision, rests = decision_of(self._facts), self._decided()
        if decision.chosen is not None:
            because = f", because {plain(decision.chosen.reason, 900)}" if decision.chosen.reason else ""
            state = decision.state[:1].upper() + decision.state[1:]
            yield self._item(f"{state}: {plain(decision.chosen.action, 160)}{because}.", rests)
        for reason in decision.refusal:
            yield self._item(f"No action by itself: {plain(reason)}.", rests)
        if decision.chosen is None and not decision.refusal:
            yield self._item(f"{plain(decision.why)}.", rests)
        yield from self._asked(decision, rests)
        for rung in decision.smaller:
            yield self._item(f"Not: {plain(rung.action, 160)}, because {plain(rung.reason, 900)}.", rests)
        for text in filter(None, (decision.smallest, decision.bigger)):
            yield self._item(plain(text), rests)
        yield from self._reached(self._reach, bool(self._case.plan))

    def _asked(self, decision: Decision, rests: list[str]) -> Lines:
        for title, gates in (("How the release was judged", decision.verdicts), ("Checked before", decision.gates)):
            for gate in gates:
                reason = f": {plain(gate.reason)}" if gate.reason else ""
                yield self._item(f"{title}: {plain(gate.name)} {VERDICTS[gate.verdict]}{reason}.", rests)

    def _reached(self, found: Reaches | None, planned: bool) -> Lines:
        """Each candidate's reach, smallest first; beyond the chosen one they are bigger."""
        beyond = False
        for one in found.steps if found is not None else ():
            chosen = found is not None and found.chosen is not None and one.about == found.chosen.about
            side = ("Bigger" if beyond else "Smaller") if planned else "Step"
            why = "Chosen" if chosen else side
            yield self._item(f"{why}: to {plain(one.about, 60)} reaches {plain(one.text, 1200)}.", self._measured())
            beyond = beyond or chosen

    def _proof(self) -> Lines:
        found = [fact for fact in self._facts.evidence if fact.kind == PROOF]
        if not found:
            yield self._item("No figures before and after were stored.", [self._record])
            return
        yield "| | Requests | Failed | Share |"
        yield "|---|---|---|---|"
        for name in ("before", "during", "after"):
            counts = mapping(found[-1].data.get(name))
            n, failed = (int(number(counts.get(key)) or 0) for key in ("requests", "failed"))
            share = percent(failed / n) if n else "no requests"
            yield f"| {name} {self._sources.cite([found[-1].id])} | {n:,} | {failed:,} | {share} |"

    def _causes(self) -> Lines:
        causes = [mapping(one) for one in sequence(self._case.diagnosis.get("hypotheses"))[:CAUSES_MAX]]
        for place, one in enumerate(causes):
            supports, against = ([str(name) for name in sequence(one.get(key))] for key in ("supports", "contradicts"))
            word = "Likeliest" if place == 0 else "Also thought of"
            told = f"{word} ({likelihood(one)}): {plain(one.get('text', ''))}."
            yield self._item(told, [name for name in supports if name in self._evidence][:CITED_MAX] or [self._record])
            came = likely_commit(self._facts.evidence) if place == 0 and one.get("cause") in OF_A_COMMIT else ""
            if came:
                found = [fact.id for fact in self._facts.evidence if fact.kind == "suspect"][:1]
                yield "  " + self._item(f"{came[:1].upper()}{plain(came, 600)[1:]}.", found)
            for sign, ids in (("For", supports), ("Against", against)):
                for name in ids[:CITED_MAX]:
                    if name in self._evidence:
                        yield "  " + self._item(f"{sign}: {plain(self._evidence[name])}.", [name])
        for note in self._case.notes:
            who, text = plain(actor_name(str(note.get("who", ""))), 60), plain(note.get("note", ""), 500)
            yield self._item(f"{who} called the diagnosis wrong: {text}.", [self._record])
        if not causes:
            yield self._item("No cause was found.", [self._record])

    def _unknown(self) -> Lines:
        told = [plain(one) for one in sequence(self._case.diagnosis.get("unknown"))[:20]]
        for text in told or ["nothing was noted as unknown" if self._case.diagnosis else "the cause"]:
            yield self._item(f"{text[:1].upper()}{text[1:]}.", [self._record])
        for text in self._reach.fault.unknown if self._reach is not None else ():
            yield self._item(f"How far it reaches: {plain(text)}.", self._measured())

    def _remains(self) -> Lines:
        incident, before = self._incident, [one for one in self._facts.timeline if one.kind == "escalated"]
        action = mapping(self._case.plan.get("action"))
        leading = mapping(next(iter(sequence(self._case.diagnosis.get("hypotheses"))), {}))
        if incident.outcome is None:
            yield self._item("It is not closed yet.", [self._record])
        for one in before[-1:]:
            yield self._item(f"A person is needed: {plain(one.text).removesuffix('.')}.", [_entry(one)])
        if incident.outcome in (Outcome.HEALED, Outcome.UNDONE) and leading.get("cause") in ("release", "dependency"):
            subject = f"Release {plain(leading['subject'], 100)}" if leading.get("subject") else "The blamed release"
            yield self._item(f"{subject} needs a fix before it is shipped again.", self._decided())
        elif incident.outcome is Outcome.HEALED and action.get("kind") in (None, "restart"):
            yield self._item("What made it fail is not mended: a fresh process only begins anew.", self._decided())
        elif incident.outcome is not None and not before:
            yield self._item("Nothing that is stored asks for more.", [self._record])

    def _say(self, text: str, ids: Iterable[str]) -> str:
        return f"{text}{self._sources.cite(ids)}"

    def _item(self, text: str, ids: Iterable[str]) -> str:
        return f"- {self._say(text, ids or [self._record])}"

    def _kind(self, *kinds: str) -> list[str]:
        return [_entry(one) for one in self._facts.timeline if one.kind in kinds][-3:] or [self._record]

    def _decided(self) -> list[str]:
        return self._kind(*DECIDED)[-1:]

    def _measured(self) -> list[str]:
        return [fact.id for fact in self._facts.evidence if fact.kind == "reach"][-1:] or self._decided()

    def _symptoms(self) -> list[str]:
        return [fact.id for fact in self._facts.evidence if fact.kind == "symptom"][:3] or [self._record]

    def _row(self, fact: Evidence) -> str:
        window = f"{_stamp(fact.since)} to {_clock(fact.until)}"
        told = plain(self._evidence[fact.id])
        return f"Evidence `{fact.id}` ({plain(fact.kind, 40)}, from {plain(fact.source, 60)}, {window}): {told}"


def _is(fact: Evidence, kind: str, route: str) -> bool:
    return fact.data.get("kind") == kind and fact.data.get("route", "") == route


def _entry(one: Entry) -> str:
    return f"entry {one.seq}"


def _entry_row(one: Entry) -> str:
    kind = plain(one.kind.replace("_", " "), 40)
    return f"Ledger entry {one.seq} ({kind}, {_stamp(one.at)}, by {plain(actor_name(one.actor), 60)})"


def _stamp(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def _clock(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%d %b %H:%M:%S")
