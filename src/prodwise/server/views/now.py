"""The Now page: what is broken, what Prodwise is doing, what it needs from you. Always in this order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from prodwise.model.incident import Incident, IncidentState
from prodwise.model.outcome import Outcome
from prodwise.model.record import Rollout, RolloutState
from prodwise.model.release import Release, ReleaseState
from prodwise.server.views.facts import Brake, Case, NowFacts, Posture
from prodwise.server.views.needs import Card, needs
from prodwise.server.views.report import Report, onset
from prodwise.server.views.strip import Strip, strip
from prodwise.server.views.words import (
    ago,
    duration,
    harm,
    left,
    mapping,
    number,
    percent,
    plan_words,
    sequence,
    visible,
)

DAY_S, QUARTER_S = 86_400.0, 900.0
RECENT_S = 900.0  # an incident that ended less than this ago is still told about
DOWN_FROM = 0.9  # share of requests hit, from which a service counts as down


class Level(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"

    @property
    def shape(self) -> str:
        return {"ok": "●", "degraded": "▲", "down": "■", "unknown": "○"}[self.value]

    @property
    def word(self) -> str:
        return {"ok": "OK", "degraded": "Degraded", "down": "Down", "unknown": "Unknown"}[self.value]


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """One service's figures over the last minute, ready to read; "–" when not known."""

    id: str
    level: Level
    rate: str
    failed: str
    p50: str
    p95: str


@dataclass(frozen=True, slots=True)
class Lately:
    """The last incident, while it is fresh: what it was, how it ended, whom it hit."""

    incident: str
    title: str
    ended: str
    closed: float
    harm: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    level: Level
    sentence: str
    details: tuple[str, ...]
    since: float | None
    users: int | None
    failed: int
    harm: tuple[str, ...]
    incident: str
    services: tuple[ServiceLine, ...]
    day: Strip
    quarter: Strip
    lately: Lately | None
    show_quarter: bool  # something goes on, or a day's strip would be nearly empty


@dataclass(frozen=True, slots=True)
class Step:
    """state: done, now or todo."""

    name: str
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """What Prodwise does about one incident."""

    incident: str
    title: str
    steps: tuple[Step, ...]
    began: float
    action: str
    next: str
    smaller: str
    bigger: str


@dataclass(frozen=True, slots=True)
class Shipping:
    """A release on its way."""

    release: str
    title: str
    headline: str
    share: str
    began: float
    gates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Doing:
    headline: str
    stories: tuple[Story, ...]
    shipping: Shipping | None
    stop: Brake


@dataclass(frozen=True, slots=True)
class Foot:
    stage: str
    held: str
    freeze: Brake
    self_test: str
    report: Report


@dataclass(frozen=True, slots=True)
class NowView:
    app: str
    address: str
    at: float
    broken: Broken
    doing: Doing
    needs: tuple[Card, ...]
    foot: Foot


def now_view(facts: NowFacts, now: float) -> NowView:
    return NowView(
        app=facts.app,
        address=facts.address,
        at=now,
        broken=broken(facts, now),
        doing=doing(facts, now),
        needs=needs(facts, now),
        foot=Foot(
            stage=facts.posture.stage.value,
            held=facts.posture.held,
            freeze=facts.posture.freeze,
            self_test=_self_test(facts, now),
            report=facts.report,
        ),
    )


def broken(facts: NowFacts, now: float) -> Broken:
    worst = max(facts.open, key=lambda case: (severity(case.incident), -case.incident.opened_at), default=None)
    level = level_of(facts)
    day = strip(facts.day, facts.marks, now - DAY_S, now)
    quarter = strip(facts.quarter, facts.marks, now - QUARTER_S, now, rows=15)
    users, failed = _hit(facts.open)
    busy = bool(facts.open) or facts.rollout is not None or level is not Level.OK or len(day.bars) < 5
    return Broken(
        level=level,
        sentence=_sentence(facts, worst, level, now),
        details=tuple(_others(facts, worst)),
        since=onset(worst.incident) if worst else None,
        users=users,
        failed=failed,
        harm=harm(users, failed),
        incident=worst.incident.id if worst else "",
        services=tuple(_service_line(facts, service.id) for service in facts.services),
        day=day,
        quarter=quarter,
        lately=lately(facts.recent, now),
        show_quarter=busy and not quarter.empty,
    )


def _hit(cases: Sequence[Case]) -> tuple[int | None, int]:
    """(people, failed requests) of what is open. The same people are likely to be hit by each: the largest counts."""
    known = [case.incident.users_hit for case in cases if case.incident.users_hit is not None]
    return max(known, default=None), sum(case.incident.requests_failed for case in cases)


def level_of(facts: NowFacts) -> Level:
    """Open incidents and our own probes; no data is UNKNOWN, never OK."""
    if any(
        severity(case.incident) >= DOWN_FROM and facts.health.get(case.incident.service) is not True
        for case in facts.open
    ):
        return Level.DOWN
    known = [facts.health.get(service.id) for service in facts.services]
    if facts.open or False in known:
        return Level.DEGRADED
    if facts.target is None or not known or None in known:
        return Level.UNKNOWN
    return Level.OK


def severity(incident: Incident) -> float:
    return max((symptom.severity for symptom in incident.symptoms), default=0.0)


def title_of(incident: Incident) -> str:
    text = incident.title or (incident.symptoms[0].text if incident.symptoms else "")
    return visible(text or f"{incident.service} has a problem", 200)


def _sentence(facts: NowFacts, worst: Case | None, level: Level, now: float) -> str:
    if worst is not None:
        return title_of(worst.incident)
    sick = [service.id for service in facts.services if facts.health.get(service.id) is False]
    if sick:
        return f"{' and '.join(sick)} {'does' if len(sick) == 1 else 'do'} not answer well. Looking into it."
    if facts.target is None:
        return "I cannot see the app right now."
    if level is Level.UNKNOWN:
        return "Waiting for the first data."
    if facts.rollout is not None and not facts.rollout.state.settled:
        return " ".join(["No incident. A release is on its way.", *_last_problem(facts.recent, now)])
    return " ".join(["All good.", *_last_problem(facts.recent, now), *_last_deploy(facts.releases, now)])


def _last_problem(recent: Sequence[Incident], now: float) -> list[str]:
    last = recent[0] if recent else None
    if last is None or last.closed_at is None:
        return ["No problem seen so far."]
    if now - last.closed_at < RECENT_S:
        return []  # it has lines of its own
    spent = duration(last.closed_at - onset(last))
    how = {
        Outcome.HEALED: f"fixed in {spent}",
        Outcome.UNDONE: f"undone after {spent}",
        Outcome.ESCALATED: "handed to a person",
    }.get(last.outcome or Outcome.ABANDONED, "closed")
    return [f"Last problem {ago(last.opened_at, now)}, {how}."]


def lately(recent: Sequence[Incident], now: float) -> Lately | None:
    """For whoever looks just after it was over: nothing seems wrong any more, and something was."""
    last = recent[0] if recent else None
    if last is None or last.closed_at is None or now - last.closed_at > RECENT_S:
        return None
    ended = {
        Outcome.HEALED: f"Fixed in {duration(last.closed_at - onset(last))}",
        Outcome.UNDONE: "Undone",
        Outcome.ESCALATED: "Handed to a person",
    }.get(last.outcome or Outcome.ABANDONED, "It went away by itself")
    return Lately(last.id, title_of(last), ended, last.closed_at, harm(last.users_hit, last.requests_failed))


def _last_deploy(releases: Sequence[Release], now: float) -> list[str]:
    if not releases:
        return []
    last = releases[0]
    state = {
        ReleaseState.VERIFIED_GOOD: "holding",
        ReleaseState.FAILED: "refused",
        ReleaseState.PROMOTED: "being watched",
        ReleaseState.RETIRED: "superseded",
    }.get(last.state, "on its way")
    return [f"Last deploy {ago(last.created_at, now)}, {state}."]


def _others(facts: NowFacts, worst: Case | None) -> list[str]:
    found = [title_of(case.incident) for case in facts.open if worst is None or case.incident.id != worst.incident.id]
    if facts.target is None and facts.target_error:
        found.append(facts.target_error)
    return found[:5]


def _service_line(facts: NowFacts, service: str) -> ServiceLine:
    figures = facts.numbers.get(service, {})
    well = facts.health.get(service)
    level = Level.UNKNOWN if well is None else Level.OK if well else Level.DEGRADED
    rate, failed, p50, p95 = (figures.get(name) for name in ("requests_per_s", "failed_share", "p50_ms", "p95_ms"))
    return ServiceLine(
        service,
        level,
        "–" if rate is None else f"{rate:.1f}/s" if rate < 10 else f"{rate:.0f}/s",
        "–" if failed is None else percent(failed),
        "–" if p50 is None else f"{p50:.0f} ms",
        "–" if p95 is None else f"{p95:.0f} ms",
    )


def doing(facts: NowFacts, now: float) -> Doing:
    stories = tuple(story(case, facts.posture, now) for case in facts.open[:5])
    shipping = _shipping(facts.rollout, facts.releases, now)
    return Doing(_headline(stories, shipping, facts.posture), stories, shipping, facts.posture.stop)


def _headline(stories: Sequence[Story], shipping: Shipping | None, posture: Posture) -> str:
    if posture.stop.on:
        return "Nothing: a person stopped me. I keep watching."
    if stories:
        return stories[0].action
    if shipping is not None:
        return shipping.headline
    return "Watching. Nothing to do."


STEPS = (
    IncidentState.SEEN,
    IncidentState.UNDERSTOOD,
    IncidentState.CHOSEN,
    IncidentState.CHECKED,
    IncidentState.APPLYING,
    IncidentState.WATCHING,
)


def story(case: Case, posture: Posture, now: float) -> Story:
    """The stepper and the two lines of why."""
    at = STEPS.index(case.incident.state) if case.incident.state in STEPS else len(STEPS)
    until = number(case.turn.get("until"))
    note = f"{left(until - now)} left" if until is not None and until > now else ""
    steps = tuple(
        Step(step.value, "done" if index < at else "now" if index == at else "todo", note if index == at else "")
        for index, step in enumerate(STEPS)
    )
    action = _action_line(case, posture)
    return Story(
        incident=case.incident.id,
        title=title_of(case.incident),
        steps=steps,
        began=onset(case.incident),
        action=action,
        next=visible(case.turn.get("note") or case.turn.get("next") or "", 200),
        smaller=why_not_smaller(case),
        bigger=why_not_bigger(case),
    )


def _action_line(case: Case, posture: Posture) -> str:
    words = visible(plan_words(case.plan), 160) if case.plan else ""
    reasons = [visible(r, 160) for r in sequence(mapping(case.decision.get("refusal")).get("reasons"))]
    if reasons:
        return f"Not acting for now: {reasons[0]}"
    if not words:
        why = visible(case.decision.get("why") or "", 200)
        return f"{why[:1].upper()}{why[1:]}." if why else "Finding out what it is."
    if case.incident.state is IncidentState.APPLYING:
        return f"Doing it now: {words}."
    if case.incident.state is IncidentState.WATCHING:
        return f"Done: {words}. Watching that it holds."
    authority = str(case.decision.get("authority", ""))
    if authority == "ask":
        return f"Waiting for your yes to {words}."
    if authority == "observe" or posture.stage == "observe":
        return f"Only watching (stage: {posture.stage.value}). I would {words}."
    return f"About to {words}."


def why_not_smaller(case: Case) -> str:
    skipped = [mapping(entry) for entry in sequence(case.decision.get("skipped") or case.plan.get("skipped"))]
    if not skipped and mapping(case.decision.get("refusal")).get("reasons"):
        return "No step is taken for now."
    if not skipped:
        return "Nothing smaller would do: this is the smallest step there is." if case.plan else "Not yet known."
    first = skipped[-1]
    return visible(f"{_plain(first.get('action', ''))}: {first.get('reason', 'no reason given')}", 200)


def why_not_bigger(case: Case) -> str:
    if mapping(case.decision.get("refusal")).get("reasons"):
        return "Nothing bigger is called for while this holds it back."
    return "A bigger step is only taken once this one has failed." if case.plan else "Not yet known."


def _plain(text: object) -> str:
    return str(text).replace("_", " ")


_ON_ITS_WAY = {
    RolloutState.QUEUED: "Queued: release {r}.",
    RolloutState.BUILDING: "Building release {r}. No user sees it yet.",
    RolloutState.CHECKING: "Checking release {r} before any user sees it.",
    RolloutState.RAMPING: "Shipping release {r}: {s} of users have it.",
    RolloutState.WATCHING: "Release {r} serves everyone; watching that it holds{left}.",
}


def _shipping(rollout: Rollout | None, releases: Sequence[Release], now: float) -> Shipping | None:
    if rollout is None or rollout.state.settled:
        return None
    title = next((release.title for release in releases if release.id == rollout.release), "")
    if any(gate.get("verdict") == "fail" for gate in rollout.gates):
        headline = f"Taking release {rollout.release} back."
        return Shipping(
            rollout.release, visible(title, 100), headline, f"{rollout.share * 100:.1f}%", rollout.began_at, ()
        )
    remaining = f" ({left(rollout.watch_until - now)} left)" if rollout.watch_until else ""
    headline = _ON_ITS_WAY[rollout.state].format(r=rollout.release, s=percent(rollout.share), left=remaining)
    gates = tuple(visible(f"{gate.get('gate', '')}: {gate.get('reason', '')}", 160) for gate in rollout.gates[:3])
    return Shipping(
        rollout.release, visible(title, 100), headline, f"{rollout.share * 100:.1f}%", rollout.began_at, gates
    )


def _self_test(facts: NowFacts, now: float) -> str:
    at = number(facts.self_test.get("at"))
    if at is None:
        return "not run yet"
    return f"{'passed' if facts.self_test.get('ok') else 'FAILED'} {ago(at, now)}"
