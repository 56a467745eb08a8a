"""Root causes by metrics over a call graph: a simulated shop with faults of many kinds, quiet windows, and input of any shape."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.diagnose.metrics import RankedCause, Unreadable, look, rank
from prodwise.loop.diagnose.metrics.blame import graph_of, own_parts
from prodwise.loop.diagnose.metrics.cause import Kind
from prodwise.loop.diagnose.metrics.services import kind_of
from prodwise.model.telemetry import CallGraph, Edge
from tests.loop.shop import EDGES, Fault, Table, shop

NORMAL = shop(1, 240)
LASTS = range(3, 8)


def during(fault: Fault, seed: int = 7) -> Table:
    """Ten minutes: three quiet ones, five of the fault, two after it."""
    return shop(seed, 10, dict.fromkeys(LASTS, fault), since=1000)


def names(causes: tuple[RankedCause, ...]) -> list[str]:
    return [one.service for one in causes]


@pytest.mark.parametrize("target", ["web", None])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("search", slow=0.1),
        Fault("db", slow=0.05),
        Fault("bank", slow=0.8),
        Fault("web", slow=0.1),
        Fault("search", fails=0.1),
        Fault("db", fails=0.05),
        Fault("pay", fails=0.3),
        Fault("index", fails=0.5),
        Fault("web", fails=0.05),
        Fault("cart", slow=0.3, fails=0.2),
    ],
    ids=str,
)
def test_a_fault_is_found_where_it_is(fault: Fault, target: str | None) -> None:
    for seed in (7, 8, 9):
        assert names(rank(EDGES, None, NORMAL, during(fault, seed), target=target))[:1] == [fault.service]


@pytest.mark.parametrize("length", [5, 10, 30])
def test_no_cause_is_named_where_nothing_is_wrong(length: int) -> None:
    quiet = [look(EDGES, None, NORMAL, shop(seed, length, since=1000)) for seed in range(100, 150)]
    assert sum(bool(one.causes) for one in quiet) <= 1
    assert all(bool(one.causes) == bool(one.symptoms) for one in quiet)


def test_what_nobody_waits_for_explains_nothing() -> None:
    assert rank(EDGES, None, NORMAL, during(Fault("mail", slow=5.0))) == ()


def test_a_dead_service_stands_behind_the_one_that_calls_it() -> None:
    """The caller may have stopped asking as well: nothing that is measured tells the two apart."""
    causes = rank(EDGES, None, NORMAL, during(Fault("bank", dead=True)))
    assert names(causes)[:2] == ["pay", "bank"]
    assert "fell silent" in causes[1].evidence[0]


def test_more_requests_than_usual_are_named_as_the_cause() -> None:
    causes = rank(EDGES, None, NORMAL, during(Fault(load=2.4)))
    assert (causes[0].service, causes[0].kind) == ("web", "load")
    assert any("times the usual requests" in one for one in causes[0].evidence)
    assert "search" in names(causes), "where it gives in is told, too"


def test_a_busy_service_whose_latency_nobody_measures_is_suspected() -> None:
    normal, now = dict(NORMAL), during(Fault("bank", slow=0.8))
    for table in (normal, now):
        times = table["bank", "requests", "Sum"]
        for metric in ("latency", "availability"):
            table.pop(("bank", metric, "Average"))
        busy = {at for at in times if table is now and at / 60 - 1000 in LASTS}
        table["bank", "cpu", "Average"] = {at: (0.98 if at in busy else 0.2) + 0.001 * (at % 7) for at in times}
    causes = rank(EDGES, None, normal, now)
    assert names(causes)[:2] == ["bank", "pay"]
    assert any("cpu" in str(one) for one in causes[0].moved)


def test_a_new_callee_is_evidence_against_its_caller() -> None:
    now = during(Fault("cart", fails=0.4))
    now["wrong-table", "requests", "Sum"] = {at * 60.0: 50.0 for at in range(1003, 1008)}
    now["wrong-table", "availability", "Average"] = {at * 60.0: 0.0 for at in range(1003, 1008)}
    causes = rank([*EDGES, ("cart", "wrong-table")], None, NORMAL, now)
    assert names(causes)[:1] == ["cart"]
    assert "cart: began to call wrong-table" in causes[0].evidence


def test_a_service_that_drifted_long_before_is_not_blamed() -> None:
    now = during(Fault("search", slow=0.1))
    bank = now["bank", "latency", "Average"]
    now["bank", "latency", "Average"] = {at: value + 0.5 for at, value in bank.items()}
    web = now["web", "latency", "Average"]
    assert names(rank(EDGES, None, NORMAL, now))[0] == "search"
    assert web == now["web", "latency", "Average"], "what is given is not changed"


def test_causes_say_what_they_rest_on() -> None:
    cause = rank(EDGES, None, NORMAL, during(Fault("db", slow=0.05)))[0]
    moved = cause.moved[0]
    assert (moved.service, moved.kind, moved.metric) == ("db", Kind.LATENCY, "latency Average")
    assert moved.now == pytest.approx(0.054, rel=0.2)
    assert moved.usual == pytest.approx(0.0055, rel=0.5)
    assert 0.5 < cause.score <= 1
    assert any("explained by nothing that it calls" in one for one in cause.evidence)
    assert cause.to_dict()["what"] == cause.what == "db"
    caller = next(
        one for one in rank(EDGES, None, NORMAL, during(Fault("search", slow=0.1))) if one.service == "search"
    )
    assert not any("search, which it calls" in one for one in caller.against)


def test_scores_are_shares_of_one() -> None:
    for fault in (Fault("db", fails=0.05), Fault("cart", slow=0.3, fails=0.2), Fault(load=2.4)):
        assert sum(one.score for one in rank(EDGES, None, NORMAL, during(fault))) <= 1 + 1e-9


def nested(table: Table) -> dict[str, dict[str, dict[str, dict[float, float]]]]:
    found: dict[str, dict[str, dict[str, dict[float, float]]]] = {}
    for (service, metric, statistic), series in table.items():
        found.setdefault(service, {}).setdefault(metric, {})[statistic] = series
    return found


class Frame:
    """The part of a pandas table that is read: columns, index, a column by its label."""

    def __init__(self, index: list[Any], columns: Mapping[Any, list[float]]) -> None:
        self.index, self.columns, self._data = index, list(columns), columns

    def __getitem__(self, label: Any) -> list[float]:
        return self._data[label]


def frame(table: Table) -> Frame:
    times = sorted({at for series in table.values() for at in series})
    index = [datetime.fromtimestamp(at, UTC) for at in times]
    return Frame(index, {key: [series.get(at, math.nan) for at in times] for key, series in table.items()})


def test_every_form_of_the_same_input_gives_the_same_answer() -> None:
    now = during(Fault("search", slow=0.1))
    expected = rank(EDGES, None, NORMAL, now)
    assert names(expected)[0] == "search"
    whole = {key: {**NORMAL[key], **now[key]} for key in NORMAL}
    periods = (0, 239 * 60), (60_000, 60_540)
    iso = tuple(tuple(datetime.fromtimestamp(at, UTC).isoformat() for at in period) for period in periods)
    callees: dict[str, list[str]] = {}
    for caller, callee in EDGES:
        callees.setdefault(caller, []).append(callee)
    parts = sorted({name for edge in EDGES for name in edge})
    adjacency = Frame(parts, {one: [float((caller, one) in EDGES) for caller in parts] for one in parts})
    weights = {one: {other: float((one, other) in EDGES) for other in parts} for one in parts}
    noun = CallGraph((), tuple(Edge(caller, callee, 1, 0, 1.0, 1.0) for caller, callee in EDGES))
    for graph in (callees, adjacency, weights, noun, [list(one) for one in EDGES], iter(EDGES)):
        assert rank(graph, whole, *periods) == expected
    for metrics in (nested(whole), frame(whole), {key: list(series.items()) for key, series in whole.items()}):
        assert rank(EDGES, metrics, *periods) == expected
        assert rank(EDGES, metrics, *iso) == expected
    assert rank(EDGES, whole, [at * 60 for at in range(240)], [at * 60 for at in range(1000, 1010)]) == expected
    assert rank(EDGES, whole, NORMAL, periods[1]) == expected


def test_availability_as_a_share_and_counts_of_errors_say_the_same() -> None:
    fault = dict.fromkeys(LASTS, Fault("db", fails=0.05))
    shares = [shop(1, 240, percent=False), shop(7, 10, fault, since=1000, percent=False)]
    assert names(rank(EDGES, None, *shares))[0] == "db"
    counts: list[Table] = []
    for table in shares:
        counts.append({key: series for key, series in table.items() if key[1] != "availability"})
        for (service, metric, _), series in table.items():
            if metric == "availability":
                asked = table[service, "requests", "Sum"]
                counts[-1][service, "errors", "Sum"] = {at: (1 - value) * asked[at] for at, value in series.items()}
    assert names(rank(EDGES, None, *counts))[0] == "db"


def test_names_of_metrics_are_understood() -> None:
    expected = {
        "latency": Kind.LATENCY, "response_time": Kind.LATENCY, "http.server.duration": Kind.LATENCY, "latency-90": Kind.LATENCY,
        "availability": Kind.ERRORS, "error_rate": Kind.ERRORS, "5xx": Kind.ERRORS, "failed_requests": Kind.ERRORS,
        "requests": Kind.REQUESTS, "calls": Kind.REQUESTS, "workload": Kind.REQUESTS, "cpu": Kind.RESOURCE, "memory": Kind.RESOURCE,
    }  # fmt: skip
    assert {name: kind_of(name) for name in expected} == expected


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([Fault("db", slow=0.05), Fault("pay", fails=0.3)]))
def test_the_order_of_the_input_changes_nothing(rng: Any, fault: Fault) -> None:
    now = during(fault)
    edges, normal_keys, now_keys = list(EDGES), list(NORMAL), list(now)
    for one in (edges, normal_keys, now_keys):
        rng.shuffle(one)
    mixed = rank(edges, None, {key: NORMAL[key] for key in normal_keys}, {key: now[key] for key in now_keys})
    assert mixed == rank(EDGES, None, NORMAL, now)


ANY = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.none(), st.integers(-(10**400), 10**400), st.just("")
)
KEYS = st.tuples(
    st.sampled_from("abc"), st.sampled_from(["latency", "availability", "requests", "cpu"]), st.just("Average")
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"))),
    st.dictionaries(KEYS, st.lists(ANY, max_size=40)),
    st.dictionaries(KEYS, st.lists(ANY, max_size=12)),
)
def test_no_numbers_and_no_graph_break_it(edges: Any, normal: Any, now: Any) -> None:
    causes = rank(edges, None, normal, now)
    assert all(0 < one.score <= 1 + 1e-9 for one in causes)


def test_nothing_known_gives_no_answer() -> None:
    nans = {key: dict.fromkeys(series, math.nan) for key, series in NORMAL.items()}
    flat = {key: dict.fromkeys(series, 1.0) for key, series in NORMAL.items()}
    for normal, now in (({}, {}), (NORMAL, {}), ({}, NORMAL), (NORMAL, nans), (nans, NORMAL), (flat, flat)):
        assert rank(EDGES, None, normal, now) == ()
    assert look([], None, {}, {}).unknown == ("no service has latency or failures in the period in question",)


def test_circles_and_calls_to_oneself_are_survived() -> None:
    graph = [*EDGES, ("db", "cart"), ("search", "search"), ("nowhere", "web"), ("db", "unheard-of")]
    assert "db" in names(rank(graph, None, NORMAL, during(Fault("db", slow=0.05))))
    assert graph_of([("a", "b"), ("b", "a"), ("b", "c")]).entries(["a", "b", "c"]) == ["a", "b"]


def test_own_parts_pass_the_narrowest_place() -> None:
    graph = graph_of([("web", "a"), ("a", "b"), ("web", "later"), ("later", "deep")])
    amounts = {"web": 10.0, "a": 9.0, "b": 1.0, "later": 2.0, "deep": 100.0}
    assert own_parts(graph, amounts, {"web": 10.0}) == {"a": 8.0, "b": 1.0, "deep": pytest.approx(2.0)}
    unknown_between = own_parts(graph, {"web": 5.0, "b": 4.0}, {"web": 5.0})
    assert unknown_between == {"web": 1.0, "b": 4.0}, "unknown lets all through, both ways"


def test_many_services_and_long_series_take_bounded_work() -> None:
    many = [(f"s{at // 3}", f"s{at}") for at in range(1, 2000)]
    table = {(f"s{at}", "latency", "p95"): [0.1 + 0.001 * (at * k % 7) for k in range(60)] for at in range(2000)}
    assert rank(many, None, table, {key: values[:10] for key, values in table.items()}) == ()
    long = {("s0", "latency", "p95"): [0.1 + 0.001 * (k % 7) for k in range(20_000)]}
    slow = {("s0", "latency", "p95"): [0.1 + 0.001 * (k % 7) + (k > 1500) for k in range(3000)]}
    assert names(rank([], None, long, slow)) == ["s0"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((5, {}, (0, 1), (1, 2)), "a graph is needed"),
        (("web", {}, (0, 1), (1, 2)), "a graph is needed"),
        (([("web",)], {}, (0, 1), (1, 2)), "an edge of the graph is"),
        (({"web": "db"}, {}, (0, 1), (1, 2)), "a collection of callees is needed"),
        ((EDGES, 7, (0, 1), (1, 2)), "metrics is int"),
        ((EDGES, {"web": [1, 2]}, (0, 1), (1, 2)), "(service, metric, statistic)"),
        ((EDGES, {("web", "latency"): 3}, (0, 1), (1, 2)), "a series is needed"),
        ((EDGES, {("web", "latency"): [("noon", 1.0)]}, (0, 1), (1, 2)), "has a sample at 'noon'"),
        ((EDGES, {}, "yesterday", (1, 2)), "normal is str"),
        ((EDGES, {}, (1, 0), (1, 2)), "normal ends before it begins"),
        ((EDGES, {}, (0, 1), (1, "noon")), "abnormal holds what is no time"),
    ],
)
def test_what_cannot_be_read_is_told(arguments: tuple[Any, Any, Any, Any], words: str) -> None:
    with pytest.raises(Unreadable) as told:
        rank(*arguments)
    assert words in str(told.value)


def test_a_target_without_metrics_is_told() -> None:
    with pytest.raises(Unreadable, match="the target 'shop' has no metrics: known are api"):
        rank(EDGES, None, NORMAL, NORMAL, target="shop")


def test_the_page_s_example_says_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "diagnosis.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(from prodwise.loop.diagnose.metrics.*?)```", page, re.DOTALL)
    assert code is not None
    exec(code[1], {})
    expected = re.search(r"# (.*)\n$", code[1])
    assert expected is not None
    assert capsys.readouterr().out.strip() == expected[1]
