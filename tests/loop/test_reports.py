"""When errors that programs report are a fault, and what they say of a release on trial."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.choose.told import Told, news
from prodwise.loop.choose.trust import hearsay
from prodwise.loop.detect.hits import LATE_S
from prodwise.loop.detect.reports import GROUPS_KEPT, SHOWN_MAX, Hit, ReportMonitor, View
from prodwise.loop.diagnose.blamed import calls_in
from prodwise.loop.diagnose.case import Case, GroupFacts
from prodwise.loop.diagnose.diagnose import diagnose
from prodwise.loop.diagnose.evidence import evidence_of
from prodwise.loop.group import calls
from prodwise.loop.watch.reports import AGREES, ReportsContrast
from prodwise.model.change import Change, ChangeKind
from prodwise.model.diagnosis import Cause
from prodwise.model.digest import Group, Heard
from prodwise.model.event import ErrorSeen
from prodwise.model.gate import Verdict
from prodwise.model.incident import Symptom
from prodwise.model.project import Project
from prodwise.model.release import Release, ReleaseState
from prodwise.model.report import Sessions

T = 1_000_000
SHOP = Project(1, "shop", "k" * 32, "web")
IMPORTANT = frozenset({"POST /order"})
ALL_THE_TIME = View(lambda second: True, lambda tag, second: False, lambda tag: False)
RELEASE = Release("2-abcdef1", 2, "abcdef1" + "0" * 33, "", 0.0, ReleaseState.VERIFIED_GOOD)


def error(at: float, number: int, group: str = "a", **more: object) -> Heard:
    """Heard a hundredth of a second later. number: tells its id from others'."""
    given = {"user": "", "release": "1-a", "route": "GET /", "handled": False, "level": "error", **more}
    seen = ErrorSeen(at=at, service="web", group=group * 16, title=f"ValueError: {group}", source="sentry", id=f"{number:032x}",
                     **given)  # type: ignore[arg-type]  # fmt: skip
    return Heard(at + 0.01, 1, "web", seen)


class Running:
    """A monitor, second by second."""

    def __init__(self, absent_s: int = 0, view: View = ALL_THE_TIME) -> None:
        self.monitor, self.view = ReportMonitor(SHOP, IMPORTANT), view
        self.at, self.number, self.alarms = T, 0, 0
        self.monitor.close(T, view)
        self.seconds(absent_s)

    def seconds(self, count: int, share: float = 0.0, hits: int = 1, seed: int = 0, **more: object) -> int:
        """`hits` errors in that share of the seconds. Returns after how many it alarmed, 0 for never."""
        rng, first, was_on = Random(seed), 0, bool(self.said())
        for number in range(count):
            if rng.random() < share:
                for _ in range(hits):
                    self.number += 1
                    self.monitor.hear(error(self.at + rng.random(), self.number, **more))  # type: ignore[arg-type]
            self.at += 1
            self.monitor.close(self.at, self.view)
            on = bool(self.said())
            self.alarms += on and not was_on
            first = first or (number + 1 if on else 0)
            was_on = on
        return first

    def said(self) -> tuple[Symptom, ...]:
        return self.monitor.symptoms(float(self.at))

    def again(self) -> Running:
        """After a restart of the healer."""
        made = Running()
        made.monitor.restore(json.loads(json.dumps(self.monitor.to_json())))
        made.at, made.number = self.at, self.number + 1_000_000
        made.monitor.close(made.at, made.view)
        return made


@pytest.mark.parametrize(("share", "hits"), [(0.001, 1), (0.02, 3), (0.2, 1), (0.9, 2), (0.5, 8)])
@pytest.mark.parametrize("route", ["GET /", "POST /order"])
def test_known_noise_never_alarms_at_its_usual_rate_nor_after_a_restart(share: float, hits: int, route: str) -> None:
    house = Running()
    house.seconds(3_000, share, hits, seed=1, route=route)
    assert house.alarms == 0 or (route == "POST /order" and share < 0.01), "rare and new where it matters is told once"
    house.alarms = 0
    house.seconds(3_000, share, hits, seed=2, route=route)
    again = house.again()
    again.seconds(3_000, share, hits, seed=3, route=route)
    assert (house.alarms, again.alarms) == (0, 0)


@pytest.mark.parametrize(
    ("absent_s", "share", "route", "within"),
    [(600, 1.0, "GET /", 8), (600, 0.5, "GET /", 20), (600, 1.0, "POST /order", 1),
     (60, 1.0, "POST /order", 2)],
)  # fmt: skip
def test_what_is_new_is_a_fault_soon_and_at_once_where_it_matters(
    absent_s: int, share: float, route: str, within: int
) -> None:
    house = Running(absent_s)
    assert 0 < house.seconds(60, share, route=route) <= within
    (said,) = house.said()
    assert (said.kind, said.source, said.subject, said.ours, said.release) == (
        "errors",
        "reports:shop",
        "a" * 16,
        False,
        "",
    )
    assert "never seen before, first in release 1-a" in said.text
    assert hearsay(house.said()) == "only reports:shop says so: no probe, request or process of ours agrees"


def test_noise_that_grows_is_a_fault_also_when_every_second_had_some() -> None:
    for share, before, after in ((0.05, 1, 1), (1.0, 2, 30)):
        house = Running()
        house.seconds(2_000, share, before)
        assert not house.said()
        assert 0 < house.seconds(60, 1.0, after) <= 20


def test_one_user_who_reloads_is_one_hit_and_warnings_are_none() -> None:
    house = Running(600)
    assert not house.seconds(120, 1.0, user="ada")
    assert not house.seconds(120, 1.0, 20, group="b", level="warning")


def test_nothing_recovers_while_nobody_asks() -> None:
    asked = True
    house = Running(600, View(lambda second: asked, lambda tag, second: False, lambda tag: False))
    house.seconds(20, 1.0)
    asked = False
    house.seconds(300)
    assert house.said()
    asked = True
    house.seconds(30)
    assert not house.said()


def test_sessions_show_that_a_worker_runs_and_a_service_without_either_has_no_time() -> None:
    house = Running(0, View(lambda second: False, lambda tag, second: False, lambda tag: False))
    house.seconds(100)
    assert house.monitor.used == 0
    house.monitor.hear(Heard(house.at + 0.5, 1, "web", Sessions(house.at + 0.4, "1-a", "", 1)))
    house.seconds(2)
    assert house.monitor.used == 1


def test_a_resolved_group_that_is_back_in_another_release_is_new_and_in_an_old_one_is_not() -> None:
    house = Running()
    house.seconds(2_000, 0.3)
    house.seconds(300)
    house.monitor.resolved("a" * 16, T + 5_000.0, frozenset({"1-a"}))
    house.seconds(200, 0.3, seed=5)
    assert house.alarms == 0
    assert house.seconds(30, 1.0, release="3-c") == 2
    assert "it was resolved, and is back" in house.said()[0].text
    assert house.monitor.take_returned() == [("a" * 16, "ValueError: a")]
    again = house.again()
    again.monitor.resolved("a" * 16, T + 5_000.0, frozenset({"1-a"}))
    again.seconds(5, 1.0, release="3-c")
    assert not again.monitor.take_returned(), "the same word is not news twice"


def test_what_should_have_been_seen_in_a_release_and_was_not_is_missing() -> None:
    house = Running(10)
    house.seconds(2_000, 0.1, release="1-a")
    used = house.monitor.used
    own = RELEASE.id.__eq__
    house.seconds(20)
    assert not house.monitor.missing(own, house.monitor.used - used)
    house.seconds(80)
    assert house.monitor.missing(own, house.monitor.used - used) == ["a" * 16]
    assert not house.monitor.missing("1-a".__eq__, 10_000)


def test_groups_are_bounded_and_what_was_forgotten_is_not_new() -> None:
    house = Running(600)
    for number in range(GROUPS_KEPT + 50):
        house.monitor.hear(error(house.at + 0.5, number, group=f"{number:08x}"[-8:]))
        house.seconds(1)
    assert len(house.monitor.to_json()["rates"]) == GROUPS_KEPT
    (storm,) = house.said()
    assert "many kinds are reported that were not seen before" in storm.text
    kept = house.again().monitor.to_json()
    assert kept["forgot"] > 600


def test_a_storm_is_one_symptom_and_covers_what_comes_after_the_call() -> None:
    house = Running(600)
    for second in range(20):
        for number in range(400):
            group = f"{number % 40:x}".rjust(2, "0")
            house.monitor.hear(error(house.at + 0.5, second * 1_000 + number, group=group))
        house.seconds(1)
    (storm,) = house.said()
    assert storm.subject == ""
    assert "errors of 40 kinds are reported" in storm.text
    assert len(house.monitor.worst()) == SHOWN_MAX
    one = Symptom("errors", "web", "x", T, T, source="reports:shop", subject="f" * 16)
    told = Told((storm,), Cause.ERRORS, T, T)
    assert news(told, (one,), T + 60.0) == ()
    assert news(told, (Symptom("errors", "web", "x", T, T),), T + 60.0), "our own eyes are news"


Report = tuple[int, str, str, str, str]
REPORTS = st.lists(
    st.tuples(
        st.integers(0, 40_000),
        st.sampled_from("abcd"),
        st.sampled_from(["", "ada", "bob"]),
        st.sampled_from(["1-a", "2-abcdef1"]),
        st.sampled_from(["GET /", "POST /order"]),
    ),
    min_size=1,
    max_size=120,
)


def _arrive(reports: Sequence[Report], rng: Random) -> tuple[list[tuple[Symptom, ...]], list[Hit]]:
    """Each up to two seconds late, some twice, in batches of any size; judged three seconds after."""
    late = View(lambda second: True, lambda tag, second: tag.startswith("2-") and second < T + 20, lambda tag: False)
    monitor, told, hits = ReportMonitor(SHOP, IMPORTANT), list[tuple[Symptom, ...]](), list[Hit]()
    monitor.close(T - 300, late)
    monitor.close(T, late)
    arrivals = []
    for number, (ms, group, user, release, route) in enumerate(reports):
        seen = error(T + ms / 1000, number, group, user=user, release=release, route=route).item
        for _ in range(1 + (rng.random() < 0.3)):
            arrivals.append((T + ms / 1000 + rng.random() * LATE_S, Heard(T + ms / 1000 + LATE_S, 1, "web", seen)))
    arrivals.sort(key=lambda pair: pair[0])
    for second in range(T, T + 60):
        due = [one for at, one in arrivals if second <= at < second + 1]
        while due:
            size = rng.randint(1, len(due))
            batch, due = due[:size], due[size:]
            rng.shuffle(batch)
            for one in batch:
                monitor.hear(one)
            hits += monitor.close(second - 3, late)
        hits += monitor.close(second - 3, late)
        told.append(monitor.symptoms(float(second)))
    return told, hits


@settings(max_examples=40, deadline=None)
@given(REPORTS, st.integers(0, 2**32), st.integers(0, 2**32))
def test_order_duplication_and_batching_change_no_decision(reports: list[Report], one: int, other: int) -> None:
    assert _arrive(reports, Random(one)) == _arrive(reports, Random(other))


def _trial(seed: int, hits: int, canary_share: float, w: float = 0.1) -> ReportsContrast:
    rng, contrast = Random(seed), ReportsContrast(0.01)
    for number in range(hits):
        contrast.observe(f"g{rng.randrange(4)}", "ValueError", f"u{number}", rng.random() < canary_share, w)
    return contrast


def test_reports_alike_on_both_releases_speak_against_none() -> None:
    proven = sum(bool(_trial(seed, 400, 0.1).worse()) for seed in range(200))
    assert proven <= 6, "alpha is 1 %: more than six of 200 happen once in 200,000 times"


def test_what_only_the_new_release_reports_is_proven_and_holds_only_if_the_proxy_suspects_it() -> None:
    contrast = _trial(1, 40, 1.0)
    assert contrast.worse()
    alone, agreed = contrast.gate(1.0), contrast.gate(AGREES)
    assert alone is not None
    assert agreed is not None
    assert (alone.verdict, agreed.verdict) == (Verdict.PASS, Verdict.HOLD)
    assert "told and holds nothing" in alone.reason
    assert ReportsContrast(0.01).gate(1e9) is None, "nothing was reported: it is not asked"


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.booleans(), st.floats(0, 1)), max_size=60),
    st.floats(0, 1e9),
)
def test_reports_never_fail_a_release_by_themselves(hits: list[tuple[str, int, bool, float]], doubt: float) -> None:
    contrast = ReportsContrast(0.01)
    for group, who, canary, w in hits:
        contrast.observe(group, group, str(who), canary, w)
    gate = contrast.gate(doubt)
    assert gate is None or gate.verdict is Verdict.PASS or (gate.verdict is Verdict.HOLD and doubt >= AGREES)


def test_what_came_with_a_release_is_a_fault_also_if_nobody_had_listened_before() -> None:
    house = Running()
    assert not house.seconds(30, 1.0)
    house.monitor.came_with("a" * 16, "ValueError: a", "2-b")
    assert 0 < house.seconds(30, 1.0) <= 8
    assert "first in release 2-b" in house.said()[0].text
    house = Running()
    house.seconds(200, 1.0)
    house.monitor.came_with("a" * 16, "ValueError: a", "2-b")
    assert not house.seconds(200, 1.0), "what is known is judged by what is known"


def test_a_user_counts_once_in_a_group() -> None:
    contrast = ReportsContrast(0.01)
    for _ in range(100):
        contrast.observe("g", "ValueError", "ada", True, 0.05)
    assert not contrast.worse()


@pytest.mark.parametrize(
    ("tag", "means"),
    [("2-abcdef1", True), ("shop@2-abcdef1", True), ("abcdef1", True), ("abcdef1" + "0" * 33, True), ("abcdef", False), ("", False),
     ("1-abcdef1", False), ("shop@", False)],
)  # fmt: skip
def test_which_release_a_tag_means(tag: str, means: bool) -> None:
    assert calls(tag, RELEASE) is means


def _group(**releases: int) -> Group:
    named = {tag.replace("_", "-"): count for tag, count in releases.items()}
    return Group(
        "a" * 32,
        1,
        "ValueError: no price",
        "web.py:price",
        "frames",
        "error",
        T,
        T + 5,
        9,
        3,
        named,
        {"POST /order": 9},
    )


def test_a_group_of_one_release_is_cited_and_weighs_nothing() -> None:
    raised = {"values": [{"type": "ValueError", "stacktrace": {"frames": [
        {"filename": "lib.py", "function": "wsgi", "lineno": 1, "in_app": False},
        {"filename": "web.py", "function": "order", "lineno": 30, "in_app": True},
        {"filename": "web.py", "function": "price\x1b[31m", "lineno": 12, "in_app": True}]}}]}  # fmt: skip
    facts = GroupFacts.of(_group(x2_abcdef1=0), "web", "reports:shop", [RELEASE], {"exception": raised})
    assert facts.only_in == ""
    facts = GroupFacts.of(Group(**{**_as_dict(_group()), "releases": {"2-abcdef1": 9}}), "web", "reports:shop", [RELEASE],
                          {"exception": raised})  # fmt: skip
    assert (facts.only_in, facts.calls) == ("2-abcdef1", ("web.py:12 price [31m", "web.py:30 order"))
    change = Change("c", T - 9.0, ChangeKind.RELEASE, "", "1-a", "2-abcdef1", "ana", "roll back")
    ours = Symptom("errors", "web", "9 of 20 requests failed", float(T), float(T))
    case = Case("web", T + 10.0, T - 600.0, (ours,), (), changes=(change,))
    cited = Case("web", T + 10.0, T - 600.0, (ours,), (), changes=(change,), groups=(facts,))
    (evidence,) = [one for one in evidence_of(cited) if one.kind == "group"]
    assert "only in release 2-abcdef1; web.py:12" in evidence.text
    leading, before = diagnose(cited).leading, diagnose(case).leading
    assert (leading.cause, leading.subject) == (Cause.RELEASE, "2-abcdef1")
    assert evidence.id in leading.supports
    assert leading.weight == before.weight


def _as_dict(group: Group) -> dict[str, object]:
    return {name: getattr(group, name) for name in group.__dataclass_fields__}


@pytest.mark.parametrize(
    "detail", [{}, {"exception": 3}, {"exception": {"values": [None, 3]}}, {"exception": [{"stacktrace": []}]}]
)
def test_a_detail_of_any_shape_has_no_calls(detail: dict[str, object]) -> None:
    assert calls_in(detail) == ()
