"""The Now page: what is broken, what Prodwise is doing, what it needs from you. Always in this order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from prodwise.model.incident import Incident
from prodwise.model.outcome import Outcome
from prodwise.model.release import Release, ReleaseState
from prodwise.server.views.certificates import CertificateLine, certificate_lines
from prodwise.server.views.facts import Brake, Case, NowFacts, Posture
from prodwise.server.views.needs import Card, handed_over, needs
from prodwise.server.views.report import Report, onset
from prodwise.server.views.shipping import Shipping, shipping
from prodwise.server.views.story import Story, story, title_of
from prodwise.server.views.strip import Strip, strip
from prodwise.server.views.unmet import UnmetLine, unmet_line
from prodwise.server.views.words import ago, count, duration, harm, number, percent

DAY_S, QUARTER_S = 86_400.0, 900.0
RECENT_S = 900.0  # an incident that ended less than this ago is still told about
DOWN_FROM = 0.9  # share of requests hit, from which a service counts as down
FAILING_FROM, FAILING_MIN = 0.05, 3
"""From this share of a minute's requests on, failures are told; from this many on, the service does not count as well."""
MINUTE_S = 60.0
OTHERS_SHOWN, SERVICES_SHOWN = 5, 50
FEW = 20  # with fewer requests a share would sound more certain than it is: they are counted instead


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
class Failing:
    """A service some of whose requests failed in the last minute, incident or not."""

    service: str
    failed: int
    requests: int
    down: bool  # all of them, and nothing says that it is well
    over: bool  # an incident of the service ended within that minute: they failed before

    @property
    def telling(self) -> bool:
        return self.failed >= FAILING_MIN and not self.over

    @property
    def text(self) -> str:
        return f"{self.failed:,} of {count(self.requests, 'request')} to {self.service} failed in the last minute."


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
    shown: tuple[ServiceLine, ...]  # those that a page has room for
    day: Strip
    quarter: Strip
    lately: Lately | None
    unmet: UnmetLine | None
    show_quarter: bool  # something goes on, or a day's strip would be nearly empty
    at_rest: str  # what stands where nothing is needed from a person


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
    certificates: tuple[CertificateLine, ...]
    foot: Foot


def now_view(facts: NowFacts, now: float) -> NowView:
    return NowView(
        app=facts.app,
        address=facts.address,
        at=now,
        broken=broken(facts, now),
        doing=doing(facts, now),
        needs=needs(facts, now),
        certificates=certificate_lines(facts.credentials, now),
        foot=Foot(
            stage=facts.posture.stage.value,
            held=facts.posture.held,
            freeze=facts.posture.freeze,
            self_test=_self_test(facts, now),
            report=facts.report,
        ),
    )


def broken(facts: NowFacts, now: float) -> Broken:
    worst = max(
        facts.open,
        key=lambda case: (not case.recovered, severity(case.incident), -case.incident.opened_at),
        default=None,
    )
    level, failures = level_of(facts, now), failing(facts, now)
    lines = _service_lines(facts, failures)
    theirs = with_a_person(facts, now) if worst is None else None
    told = worst.incident if worst is not None else theirs
    day = strip(facts.day, facts.marks, now - DAY_S, now)
    quarter = strip(facts.quarter, facts.marks, now - QUARTER_S, now, rows=15)
    users, failed = (theirs.users_hit, theirs.requests_failed) if theirs is not None else _hit(facts.open)
    busy = bool(facts.open) or facts.rollout is not None or level is not Level.OK or len(day.bars) < 5
    return Broken(
        level=level,
        sentence=title_of(theirs) if theirs is not None else _sentence(facts, worst, level, failures, now),
        details=((THEIRS,) if theirs is not None else ()) + tuple(_others(facts, worst)),
        since=onset(told) if told is not None else None,
        users=users,
        failed=failed,
        harm=harm(users, failed, over=theirs is not None),
        incident=told.id if told is not None else "",
        services=lines,
        shown=_shown(lines),
        day=day,
        quarter=quarter,
        lately=None if theirs is not None else lately(facts.recent, now),
        unmet=unmet_line(facts.unmet, facts.fix),
        show_quarter=busy and not quarter.empty,
        at_rest=_at_rest(level, worst),
    )


def with_a_person(facts: NowFacts, now: float) -> Incident | None:
    """The newest incident that was handed to a person and whose service our own eyes still see failing."""
    return next((one for one in handed_over(facts, now) if facts.health.get(one.service) is False), None)


def _at_rest(level: Level, worst: Case | None) -> str:
    if level is Level.OK or worst is not None:
        return "Nothing. You can go."
    return "Nothing that I know of. But I cannot say that all is well."


def failing(facts: NowFacts, now: float) -> tuple[Failing, ...]:
    """The figures beside the badge, as far as they speak of failures: badge and sentence must not say something else."""
    ended = {i.service for i in facts.recent if i.closed_at is not None and now - i.closed_at < MINUTE_S}
    found = []
    for service in facts.services:
        figures = facts.numbers.get(service.id, {})
        requests = round(figures.get("requests_per_s", 0.0) * 60)
        failed = round(requests * figures.get("failed_share", 0.0))
        if failed and failed >= FAILING_FROM * requests:
            down = failed >= DOWN_FROM * requests and facts.health.get(service.id) is not True
            over = service.id in ended and facts.health.get(service.id) is True
            found.append(Failing(service.id, failed, requests, down, over))
    return tuple(found)


def _hit(cases: Sequence[Case]) -> tuple[int | None, int]:
    """(people, failed requests) of what is open. The same people are likely to be hit by each: the largest counts."""
    known = [case.incident.users_hit for case in cases if case.incident.users_hit is not None]
    return max(known, default=None), sum(case.incident.requests_failed for case in cases)


def level_of(facts: NowFacts, now: float) -> Level:
    """Open incidents, our own probes, and what users got in the last minute; no data is UNKNOWN, never OK."""
    bad = [found for found in failing(facts, now) if found.telling]
    if any(found.down for found in bad) or any(
        severity(case.incident) >= DOWN_FROM
        and facts.health.get(case.incident.service) is not True
        and not case.recovered
        for case in facts.open
    ):
        return Level.DOWN
    known = [facts.health.get(service.id) for service in facts.services]
    if facts.open or bad or False in known:
        return Level.DEGRADED
    if facts.target is None or not known or None in known:
        return Level.UNKNOWN
    return Level.OK


def severity(incident: Incident) -> float:
    return max((symptom.severity for symptom in incident.symptoms), default=0.0)


def _sentence(facts: NowFacts, worst: Case | None, level: Level, failures: Sequence[Failing], now: float) -> str:
    if worst is not None:
        again = f"{worst.incident.service} is well again; making sure. It was: " if worst.recovered else ""
        return again + title_of(worst.incident)
    sick = [service.id for service in facts.services if facts.health.get(service.id) is False]
    if sick:
        return f"{' and '.join(sick)} {'does' if len(sick) == 1 else 'do'} not answer well. Looking into it."
    if facts.target is None:
        return "I cannot see the app right now."
    shipped = facts.rollout is not None and not facts.rollout.state.settled
    telling = [found.text for found in failures if found.telling]
    if telling:
        why = "A release is on its way, and is being judged." if shipped else NOT_PROVEN
        return " ".join([*telling, why])
    if level is Level.UNKNOWN:
        return "Waiting for the first data."
    if any(found.over for found in failures):
        return "All good. What failed in the last minute failed before it was over."
    if failures:
        return " ".join(["No incident.", *(found.text for found in failures), "Too few to judge by."])
    if left := sum(1 for _ in handed_over(facts, now)):
        were = "was" if left == 1 else "were"
        return " ".join(
            [
                f"Nothing is open, but {count(left, 'thing')} {were} left to a person.",
                *_last_deploy(facts.releases, now),
            ]
        )
    if shipped:
        return " ".join(["No incident. A release is on its way.", *_last_problem(facts.recent, now)])
    return " ".join(["All good.", *_last_problem(facts.recent, now), *_last_deploy(facts.releases, now)])


THEIRS = "It was handed to a person: I do nothing more about it by myself. Whom it hit is told as of then."
NOT_PROVEN = "No incident yet: it takes more proof that this is worse than usual, or it has been so from the start."


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
    return Lately(last.id, title_of(last), ended, last.closed_at, harm(last.users_hit, last.requests_failed, over=True))


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
    titles = [title_of(case.incident) for case in facts.open if worst is None or case.incident.id != worst.incident.id]
    found, more = titles[:OTHERS_SHOWN], len(titles) - OTHERS_SHOWN
    if more > 0:
        found.append(f"And {count(more, 'more incident')} {'is' if more == 1 else 'are'} open.")
    if facts.target is None and facts.target_error:
        found.append(facts.target_error)
    return found


def _service_lines(facts: NowFacts, failures: Sequence[Failing]) -> tuple[ServiceLine, ...]:
    telling = {found.service: found for found in failures if found.telling}
    return tuple(_service_line(facts, service.id, telling.get(service.id)) for service in facts.services)


def _shown(lines: tuple[ServiceLine, ...]) -> tuple[ServiceLine, ...]:
    """All in their order; of more than a page has room for, those that are not well first."""
    if len(lines) <= SERVICES_SHOWN:
        return lines
    return tuple(sorted(lines, key=lambda line: line.level is Level.OK)[:SERVICES_SHOWN])


def _service_line(facts: NowFacts, service: str, telling: Failing | None) -> ServiceLine:
    figures = facts.numbers.get(service, {})
    well = facts.health.get(service)
    level = Level.DEGRADED if telling or well is False else Level.OK if well else Level.UNKNOWN
    level = Level.DOWN if telling is not None and telling.down else level
    rate, failed, p50, p95 = (figures.get(name) for name in ("requests_per_s", "failed_share", "p50_ms", "p95_ms"))
    return ServiceLine(
        service,
        level,
        "–" if rate is None else f"{rate:.1f}/s" if rate < 10 else f"{rate:.0f}/s",
        "–" if failed is None else _failed(failed, rate),
        "–" if p50 is None else f"{p50:.0f} ms",
        "–" if p95 is None else f"{p95:.0f} ms",
    )


def _failed(share: float, rate: float | None) -> str:
    requests = round((rate or 0.0) * 60)
    return f"{round(share * requests)} of {requests}" if share and requests < FEW else percent(share)


def doing(facts: NowFacts, now: float) -> Doing:
    stories = tuple(story(case, facts.posture, facts.approvals, now) for case in facts.open[:5])
    under_way = shipping(facts.rollout, facts.way, facts.releases, now)
    headline = _headline(stories, under_way, facts.posture, failing(facts, now), with_a_person(facts, now) is not None)
    return Doing(headline, stories, under_way, facts.posture.stop)


def _headline(
    stories: Sequence[Story], shipping: Shipping | None, posture: Posture, failures: Sequence[Failing], theirs: bool
) -> str:
    """theirs: what fails was handed to a person."""
    if posture.stop.on:
        return "Nothing: a person stopped me. I keep watching."
    if stories:
        return stories[0].action
    if shipping is not None:
        return shipping.headline
    if theirs:
        return "Nothing more: it was handed to a person. I keep watching."
    if any(found.telling for found in failures):
        return "Watching what fails. I do nothing about it yet."
    return "Watching. Nothing to do."


def _self_test(facts: NowFacts, now: float) -> str:
    at = number(facts.self_test.get("at"))
    if at is None:
        return "not run yet"
    return f"{'passed' if facts.self_test.get('ok') else 'FAILED'} {ago(at, now)}"
