"""How far faults and steps reach: figures, and what must hold of their order whatever is known."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from hypothesis import given
from hypothesis import strategies as st

from prodwise.loop import reach
from prodwise.loop.choose import WayBack, choose, reached
from prodwise.loop.choose.steps import Rung, smallest_first
from prodwise.loop.telemetry import graph_of
from prodwise.model.action import Action, ActionKind, Footprint
from prodwise.model.diagnosis import Cause
from prodwise.model.evidence import canonical
from prodwise.model.incident import Symptom
from prodwise.model.plan import Plan
from prodwise.model.reach import Link, Reach, RouteUse, Surroundings, Use
from prodwise.model.service import Service, ServiceKind
from prodwise.model.telemetry import Calls
from tests.loop.test_choose import BACK, DROPPED, NEW, NOW, OLD, because, situation

INVENTORY = (
    Service("web", ServiceKind.WEB, "x", needs=("cart",)),
    Service("cart", ServiceKind.WEB, "x", needs=("bank",)),
    Service("lab", ServiceKind.WEB, "x"),
    Service("mail", ServiceKind.WORKER, "x"),
    Service("bank", ServiceKind.WEB, "x", upstream=True),
)
WEB = Use(
    "web", 1000, 340, (RouteUse("GET /", 700, 300), RouteUse("POST /cart", 250, 90), RouteUse("GET /help", 50, 40))
)
CART = Use("cart", 170, None, (RouteUse("POST /add", 170, None),))
CALLS = (Calls(0, "web", "postgres", "", 10, 0, 1.0, 1.0), Calls(0, "web", "lab", "", 5, 0, 1.0, 1.0))


def around(*uses: Use, calls: tuple[Calls, ...] = ()) -> Surroundings:
    return reach.surroundings(INVENTORY, uses, graph_of(calls), ("shop.db",), 0.0, 3600.0)


def symptom(route: str = "", source: str = "") -> Symptom:
    return Symptom("errors", "web", "fails", NOW, NOW, route, source=source)


def test_a_restart_behind_the_front_reaches_those_that_call_it_and_no_more_of_them_than_it_was_asked() -> None:
    found = reach.step(around(WEB, CART), ActionKind.RESTART, ("cart",))
    assert (found.services, found.callers, found.needs) == (("cart",), ("web",), ("bank",))
    assert (found.share, found.people, len(found.routes), found.unknown) == (0.17, 340, 4, ())
    assert found.footprint == Footprint(False, False, 0, 0.17, 2, 4)
    assert reach.text(found) == "cart (at most 17 % of requests, 4 routes, ~340 people); called by web; writes data: no"
    assert any("cannot be repeated" in one for one in found.lasting)


def test_a_release_on_trial_reaches_at_most_the_users_that_it_was_given() -> None:
    fault, back, call = reach.on_trial(around(WEB, CART), ("web",), 0.05, "0007 drops a column")
    assert (fault.what, fault.services, fault.share, fault.requests) == ("fault", ("web",), 0.05, 50)
    assert "shop.db" in fault.data
    assert (back.what, back.share, back.data, back.data_touched) == ("rollback", 0.05, "0007 drops a column", True)
    assert (call.what, call.services) == ("handover", ())
    whole = reach.on_trial(around(WEB, CART), ("cart",), 1.0)
    assert whole[0].share == 0.17, "and no more than are known to need it"
    unknown = reach.on_trial(around(), ("web",), 0.05)
    assert unknown[0].share == 1.0, "what is not known counts as large"


def test_a_fault_on_some_routes_reaches_those_only() -> None:
    found = reach.fault(around(WEB), "web", (symptom("POST /cart"), symptom(source="alertmanager")))
    assert (found.share, found.people, found.routes) == (0.25, 90, ("web POST /cart",))
    assert "shop.db" in found.data
    assert "not known" in found.data
    whole = reach.fault(around(WEB), "web", (symptom("POST /cart"), symptom()))
    assert (whole.share, whole.people, len(whole.routes)) == (1.0, 340, 3)
    assert reach.fault(around(WEB), "web", (symptom("GET /unseen"),)).unknown


def test_a_worker_that_nobody_calls_meets_no_request() -> None:
    found = reach.step(around(WEB), ActionKind.RESTART, ("mail",))
    assert (found.share, found.people, found.unknown) == (0.0, 0, ())
    assert reach.text(found) == "mail (takes no requests); no other service calls it; writes data: no"
    assert reach.told.people(found) == "nobody"


def test_what_is_not_known_is_large_and_said() -> None:
    cases = {
        "who calls lab": reach.step(around(WEB, replace(CART, service="lab")), ActionKind.RESTART, ("lab",)),
        "no request to it was seen": reach.step(around(WEB), ActionKind.RESTART, ("cart",)),
        "fewer than 30": reach.step(around(replace(WEB, requests=29)), ActionKind.RESTART, ("web",)),
        "how many requests need mail": reach.step(
            replace(around(WEB), links=(Link("web", "mail", "declared"),)), ActionKind.RESTART, ("mail",)
        ),
        "not in the inventory": reach.step(around(WEB), ActionKind.RESTART, ("gone",)),
        "how much web is used": reach.step(reach.unmeasured(INVENTORY, NOW), ActionKind.RESTART, ("web",)),
    }
    for said, found in cases.items():
        assert said in "; ".join(found.unknown)
        assert said in reach.text(found)
        assert found.share == 1.0
        assert found.footprint.services == len(INVENTORY)
        assert found.footprint.paths > 999


def test_traces_tell_of_callers_and_of_databases() -> None:
    known = around(WEB, replace(CART, service="lab"), calls=CALLS)
    found = reach.step(known, ActionKind.RESTART, ("lab",))
    assert (found.callers, found.share, found.unknown) == (("web",), 0.17, ())
    assert reach.fault(known, "web", (symptom(),)).data.startswith("within reach: shop.db, postgres;")
    told = reach.evidence(known)
    assert "web → lab (traces)" in told.text
    one = replace(known, uses=(Use("web", 1, 1, (RouteUse("/", 1, 1),)),))
    assert reach.evidence(one).text.startswith("web: 1 request on 1 route by 1 person in the last ")
    assert "web → cart (declared)" in told.text
    assert reach.evidence(around(CART, WEB, calls=CALLS[::-1])).id == reach.evidence(around(WEB, CART, calls=CALLS)).id


def test_steps_are_told_smallest_first_and_survive_storage() -> None:
    seen = situation(around=around(WEB, CART), inventory=INVENTORY)
    told = json.loads(canonical(reached.told(seen)))
    steps = [Reach.from_json(one) for one in told["steps"]]
    assert [one.what for one in steps[:3]] == ["handover", "restart", "flag_off"]
    assert [one.footprint for one in steps] == sorted(one.footprint for one in steps)
    assert {one.what for one in steps if one.code_changed} == {"pin", "revert", "patch"}
    assert Reach.from_json(told["fault"]) == reach.fault(around(WEB, CART), "web", seen.symptoms)


def test_going_back_reaches_what_is_elsewhere_and_says_what_stays() -> None:
    back = replace(BACK, takes_back="3 commits")
    seen = situation(diagnosis=because(Cause.RELEASE, subject=NEW), way_back=back, around=around(WEB, CART))
    found = reached.step(seen, ActionKind.ROLLBACK)
    assert found.services == ("mail", "web"), "pay lies outside our control"
    assert "goes with it: 3 commits" in found.lasting
    assert not found.data_touched
    dropped = reached.step(replace(seen, way_back=WayBack(OLD, True, (DROPPED,), True)), ActionKind.ROLLBACK)
    unread = reached.step(replace(seen, way_back=WayBack(OLD, True, None, True)), ActionKind.ROLLBACK)
    assert dropped.data_touched
    assert "drops from users" in dropped.data
    assert unread.data_touched
    assert "not known" in unread.data
    made = choose(seen)
    assert isinstance(made, Plan)
    assert made.action.footprint == found.footprint


def test_the_ladder_takes_the_smaller_of_what_it_may() -> None:
    def rung(kind: ActionKind, share: float | None) -> Rung:
        if share is None:
            return Rung(kind, None, "not now")
        return Rung(kind, Action(kind, "web", ("web",), (), Footprint(False, False, 0, share, 1, 1), ""))

    ladder = [rung(ActionKind.RESTART, 1.0), rung(ActionKind.ROLLBACK, None), rung(ActionKind.FLAG_OFF, 0.2)]
    assert [one.kind.value for one in smallest_first(ladder)] == ["flag_off", "rollback", "restart"]


NAMES = tuple(one.id for one in INVENTORY)
USES = st.lists(
    st.builds(
        lambda name, counts: Use(
            name, sum(counts), None, tuple(RouteUse(f"GET /{n}", count, None) for n, count in enumerate(counts))
        ),
        st.sampled_from(NAMES),
        st.lists(st.integers(0, 500), max_size=4),
    ),
    max_size=5,
    unique_by=lambda one: one.service,
)
LINKS = st.lists(st.builds(Link, st.sampled_from(NAMES), st.sampled_from(NAMES), st.just("traces")), max_size=8)
SOME = st.sets(st.sampled_from(NAMES), min_size=1)


@given(USES, LINKS, SOME, SOME, st.sampled_from([ActionKind.RESTART, ActionKind.ROLLBACK, ActionKind.PATCH]))
def test_a_superset_never_counts_smaller(
    uses: list[Use], links: list[Link], some: set[str], more: set[str], kind: ActionKind
) -> None:
    known = replace(around(*uses), links=tuple(links))
    small, large = reach.step(known, kind, sorted(some)), reach.step(known, kind, sorted(some | more))
    assert small.footprint <= large.footprint
    assert set(small.services) | set(small.callers) <= set(large.services) | set(large.callers)
    assert small.share <= large.share <= 1.0


@given(USES, LINKS, SOME, SOME)
def test_unknown_never_counts_smaller_than_known(
    uses: list[Use], links: list[Link], some: set[str], other: set[str]
) -> None:
    known = replace(around(*uses), links=tuple(links))
    measured = reach.step(known, ActionKind.RESTART, sorted(some))
    blind = reach.step(reach.unmeasured(INVENTORY, NOW), ActionKind.RESTART, sorted(other | {"web"}))
    assert blind.unknown
    assert measured.footprint <= blind.footprint
    if measured.unknown:
        assert measured.share == 1.0
        assert asdict(measured.footprint) | {"paths": 0} == asdict(blind.footprint) | {"paths": 0}
