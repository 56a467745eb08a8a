"""What a change did, and how it is taken back: intervals against published figures and simulation, windows, inverses."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from prodwise.loop.changes import compare
from prodwise.loop.changes.effects import Known, everything, measured
from prodwise.loop.changes.interval import difference, share
from prodwise.loop.changes.inverse import inverse
from prodwise.loop.changes.latency import WIDTH, bucket, quantile
from prodwise.loop.changes.measure import Span, windows
from prodwise.model.change import Change, ChangeKind
from prodwise.model.delta import Commit, Delta, Named, Package, Setting
from prodwise.model.measured import Measured, Minute
from prodwise.model.record import Effect, EffectState, Entry, Rollout, RolloutState

T = 1_000_020_000.0  # a whole minute
RELEASE = Change("release-2-b", T, ChangeKind.RELEASE, "", "1-a", "2-b", "ana", "")
ELSEWHERE = "it was put in place elsewhere, and is not ours to take back: do it where it was made"
NOTHING = Known((RELEASE,), (), (), (), (), 0.0, True, "web", frozenset({"web"}))


def minutes(since: float, count: int, n: int, failed: int, ms: float = 20.0) -> list[Minute]:
    return [Minute(since + 60 * i, n, failed, {bucket(ms): n - failed}) for i in range(count)]


def only(known: Known, seen: list[Minute], now: float, change: str = "release-2-b") -> Measured:
    return measured(known, {"web": seen}, now, {change})[change]


def test_newcombes_interval_is_the_published_one() -> None:
    """Newcombe 1998, table II, method 10: 56/70 against 48/80, 9/10 against 3/10, 5/56 against 0/29."""
    for (a, m), (b, n), low, high in (
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
    ):
        found = difference(share([(n, b)]), share([(m, a)]))
        assert found == pytest.approx((low, high), abs=5e-5)


def coverage(draw: Random, bursty: bool) -> float:
    """How often the interval of an equal share's difference holds zero. Bursty: a minute's requests fail together."""
    held = 0
    for _ in range(300):
        sides = []
        for _ in range(2):
            rates = [0.5 if bursty and draw.random() < 0.1 else 0.0 if bursty else 0.05 for _ in range(30)]
            sides.append(share([(40, sum(draw.random() < rate for _ in range(40))) for rate in rates]))
        low, high = difference(*sides)
        held += low <= 0 <= high
    return held / 300


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    assert coverage(Random(1), bursty=False) >= 0.93
    assert coverage(Random(2), bursty=True) >= 0.90, "errors that come together prove less"


def test_a_quantiles_limits_hold_it_and_too_few_requests_tell_none() -> None:
    draw, held = Random(3), 0
    for _ in range(200):
        side = [Minute(60.0 * i, 20, 0, _counts([draw.expovariate(1 / 100) for _ in range(20)])) for i in range(15)]
        found = quantile(side, 0.95)
        assert found is not None
        held += found.low <= 299.6 <= found.high  # the p95 of an exponential with mean 100
    assert held / 200 >= 0.94
    assert quantile(minutes(T, 1, 150, 0), 0.95) is None
    assert quantile(minutes(T, 1, 150, 0), 0.5) is not None


def _counts(latencies: list[float]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for ms in latencies:
        counts[bucket(ms)] = counts.get(bucket(ms), 0) + 1
    return counts


def test_buckets_are_a_tenth_wide_and_bounded() -> None:
    assert bucket(0.0) == bucket(1.0) == 0
    assert all(WIDTH ** bucket(ms) <= ms * 1.0001 < WIDTH ** (bucket(ms) + 1) * 1.0002 for ms in (1.5, 20, 333, 60_000))
    assert bucket(1e12) == bucket(1e15)


def test_windows_are_equal_and_end_at_other_changes() -> None:
    span = Span(T + 30, T + 90)
    assert windows(span, (), 0.0, T + 1e6) == (T, T + 120, 1800, 1800)
    assert windows(span, (), 0.0, T + 720) == (T, T + 120, 600, 1800)
    assert windows(span, (Span(T - 615, T - 610),), 0.0, T + 1e6)[2:] == (600, 600)
    assert windows(span, (Span(T + 500, T + 500),), 0.0, T + 1e6)[2:] == (360, 360)
    assert windows(span, (Span(T + 60, T + 500),), 0.0, T + 1e6)[3] == 0
    assert windows(span, (), T - 300, T + 1e6)[3] == 300, "no further back than figures are kept"


def test_a_worse_release_is_seen_with_its_interval() -> None:
    seen = minutes(T - 1800, 30, 40, 0) + minutes(T, 30, 40, 4, 90.0)
    found = only(NOTHING, seen, T + 1800)
    failed, median, p95 = found.figures
    assert (found.final, found.window_s, found.before, found.after) == (True, 1800, 1200, 1200)
    assert (failed.before, failed.after, failed.verdict) == (0.0, 0.1, "more")
    assert 0.07 < failed.low < 0.1 < failed.high < 0.13
    assert (median.verdict, p95.verdict) == ("more", "more")
    assert median.after == pytest.approx(90, rel=0.1)
    assert Measured.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("seen", "now", "why"),
    [
        ([], T + 1800, "not known: no figures are kept from before it"),
        (minutes(T, 30, 40, 0), T + 1800, "not known: no figures are kept from before it"),
        (minutes(T - 1800, 31, 40, 0), T + 60, "not yet: its first minutes are still to come"),
        (minutes(T - 1800, 60, 1, 0), T + 1800, "too few requests: 30 before, 30 after"),
        (minutes(T - 1800, 33, 20, 0), T + 120, "too few requests so far: 40 before, 40 after"),
    ],
)
def test_unknown_is_said(seen: list[Minute], now: float, why: str) -> None:
    found = only(NOTHING, seen, now)
    assert (found.figures, found.why_not) == ((), why)


def test_a_neighbour_that_is_too_close_hides_the_effect_and_one_of_another_service_does_not() -> None:
    seen = minutes(T - 1800, 60, 40, 0)
    respawn = Change("respawn-1", T + 30, ChangeKind.PLATFORM, "web", "", "2-b", "supervisor", "")
    pushed = Change("outside-github-1", T + 30, ChangeKind.COMMIT, "", "", "c" * 40, "ben", "")
    for other, measurable in ((respawn, False), (replace(respawn, service="worker"), True), (pushed, True)):
        found = only(replace(NOTHING, changes=(RELEASE, other)), seen, T + 1800)
        assert bool(found.figures) is measurable, other
    assert (
        only(replace(NOTHING, changes=(RELEASE, respawn)), seen, T + 1800).why_not
        == "other changes came too close to it"
    )


@pytest.mark.parametrize(
    ("keys", "measurable"), [(("ramp.shares", "stage"), True), (("stage", "services.web.env.A"), False)]
)
def test_settings_that_users_cannot_meet_are_no_neighbours(keys: tuple[str, ...], measurable: bool) -> None:
    entry = replace(_entry(30, "settings_file", settings=[{"key": key, "how": "changed"} for key in keys]), at=T + 30)
    found = only(replace(NOTHING, entries=(entry,)), minutes(T - 1800, 60, 40, 0), T + 1800)
    assert bool(found.figures) is measurable


def test_a_release_is_compared_from_before_its_first_share_to_after_its_last() -> None:
    """It fails on its way only: neither window holds that time."""
    way = (
        Entry(3, T - 5, "promoted", "prodwise", "", "2-b", "", {}),
        Entry(2, T - 290, "rollout_stage", "prodwise", "", "2-b", "", {"share": 0.05}),
        Entry(1, T - 400, "rollout_stage", "prodwise", "", "2-b", "", {"share": 0.0}),
    )
    seen = minutes(T - 2100, 30, 40, 0) + minutes(T - 300, 5, 40, 20) + minutes(T, 30, 40, 0)
    found = only(replace(NOTHING, way=way), seen, T + 1800)
    assert (found.window_s, found.figures[0].after) == (1800, 0.0)


def _entry(seq: int, kind: str, **data: object) -> Entry:
    return Entry(seq, T + seq, kind, "ana", "", "", f"entry {seq}", data)


SETTINGS = (
    _entry(8, "clock", moved_s=60.0),
    _entry(7, "settings_file", settings=[]),
    _entry(6, "setting", name="freeze", value=None),
    _entry(5, "setting", name="freeze", value={"until": None}),
    _entry(4, "start"),
    _entry(3, "stop"),
    _entry(2, "setting", name="autonomy", value="auto"),
    _entry(1, "setting", name="takeover:inc-1", value={"who": "ana"}),
)


def test_settings_restarts_and_withdrawn_releases_are_changes_with_their_inverse() -> None:
    def restart(key: str, actor: str, state: EffectState) -> Effect:
        return Effect(key, "inc-1", "web", "restart", {"actor": actor}, None, 1, T + 9, state)

    def numbers(n: int) -> dict[str, object]:
        return {"web": {"arms": {"stable": {"n": 900, "errors": 1}, "canary": {"n": n, "errors": 30}}}}

    known = Known(
        changes=(RELEASE,),
        entries=SETTINGS,
        effects=(restart("k1", "prodwise", EffectState.DONE), restart("k2", "ana", EffectState.FAILED)),
        rollouts=(
            Rollout("3-c", "2-b", RolloutState.FAILED, "5 %", 0.0, T, T + 20, numbers=numbers(90)),
            Rollout("4-d", "2-b", RolloutState.FAILED, "", 0.0, T, T + 21, numbers=numbers(0)),
            Rollout("5-e", "2-b", RolloutState.RAMPING, "25 %", 0.25, T + 30, numbers=numbers(60)),
        ),
        way=(), since=T, whole=True, entry="web", web=frozenset({"web"}),
    )  # fmt: skip
    found = {one.id: (one.kind.value, one.before, one.after, inverse(one, "2-b").text) for one in everything(known)}
    nothing = "none: a restart leaves nothing behind: there is nothing to put back"
    assert found == {
        "under-way:5-e": ("release", "2-b", "5-e", "prodwise rollback"),
        "withdrawn:3-c": ("heal", "3-c", "2-b", "prodwise deploy c"),
        "restart:k1": ("heal", "", "", nothing),
        "clock:8": ("platform", "", "", "none: time goes its own way: whoever set the clock can set it again"),
        "file:7": ("config", "", "", "edit prodwise.toml back, then type `prodwise up`"),
        "freeze:6": ("config", "frozen", "", "prodwise freeze"),
        "freeze:5": ("config", "", "frozen", "prodwise unfreeze"),
        "stop:4": ("config", "stopped", "", "prodwise stop"),
        "stop:3": ("config", "", "stopped", "prodwise start"),
        "stage:2": ("config", "observe", "auto", "prodwise stage observe"),
        "release-2-b": ("release", "1-a", "2-b", "prodwise rollback 1-a"),
    }
    beside = only(known, [], T + 100, "withdrawn:3-c")
    assert (beside.at_once, beside.figures[0].verdict, beside.final) == (True, "more", True)
    assert only(known, [], T + 100, "under-way:5-e").final is False, "more of it comes in"
    assert "what Prodwise does" in only(known, [], T + 100, "stop:3").why_not
    cut = replace(known, whole=False)
    assert inverse(next(one for one in everything(cut) if one.id == "stage:2")).why_none


@pytest.mark.parametrize(
    ("change", "serving", "text"),
    [
        (replace(RELEASE, before=""), "2-b", "none: it is the first release: there is nothing to go back to"),
        (RELEASE, "3-c", "none: 2-b does not serve any more: 3-c does"),
        (RELEASE, "", "prodwise rollback 1-a"),
        (replace(RELEASE, before="1-a; reboot"), "2-b", "prodwise rollback '1-a; reboot'"),
        (replace(RELEASE, id="inc-web-1", kind=ChangeKind.HEAL), "2-b", "prodwise undo inc-web-1"),
        (replace(RELEASE, id="return-1", kind=ChangeKind.MANUAL), "2-b", "prodwise deploy a"),
        (replace(RELEASE, id="outside-1"), "2-b", f"none: {ELSEWHERE}"),
        (replace(RELEASE, id="outside-1", after=""), "2-b", "none: it put nothing in place that users could meet"),
        (replace(RELEASE, kind=ChangeKind.FLAG), "2-b", "none: what stood there before is not known"),
        (replace(RELEASE, kind=ChangeKind.PLATFORM), "2-b", "none: a restart leaves nothing behind: there is nothing to put back"),
    ],
)  # fmt: skip
def test_every_change_has_an_inverse_or_a_reason(change: Change, serving: str, text: str) -> None:
    found = inverse(change, serving)
    assert found.text == text
    assert sum(map(bool, (found.command, found.step, found.why_none))) == 1


@pytest.mark.parametrize("kind", list(ChangeKind))
def test_no_kind_of_change_is_without_an_answer(kind: ChangeKind) -> None:
    assert inverse(replace(RELEASE, kind=kind)).text


def test_settings_are_compared_by_key_and_show_no_text_that_may_be_secret() -> None:
    before = {"stage": "auto", "ramp": {"shares": [5, 100]}, "notify_command": "curl https://hook/T0P", "tls": False}
    after = {
        "stage": "observe",
        "ramp": {"shares": [5, 25, 100]},
        "notify_command": "curl https://hook/N3W",
        "tls": True,
        "services": {"web": {"command": "run --token=T0P", "drain_seconds": 5, "env": {"KEY": 7, "kind": "T0P"}}},
    }
    found = compare.settings(before, after)
    assert found == (
        Setting("notify_command", "changed"),
        Setting("ramp.shares", "changed", "5, 100", "5, 25, 100"),
        Setting("services.web.command", "added"),
        Setting("services.web.drain_seconds", "added", "", "5"),
        Setting("services.web.env.KEY", "added"),
        Setting("services.web.env.kind", "added"),
        Setting("stage", "changed", "auto", "observe"),
        Setting("tls", "changed", "false", "true"),
    )
    assert "T0P" not in str(found)


def test_the_environment_is_compared_by_name() -> None:
    found = compare.names({"A": "1", "B": "2", "C": "3"}, {"B": "2", "C": "4", "D": "5"})
    assert found == Named(("D",), ("A",), ("C",))


def test_migrations_are_known_by_their_place() -> None:
    paths = (
        "db/migrate/1_add.rb",
        "shop/migrations/0002_x.py",
        "shop/migrations/__init__.py",
        "shop/migrate.py",
        "README.md",
    )
    assert compare.migrations(paths) == ("db/migrate/1_add.rb", "shop/migrations/0002_x.py")


def test_a_delta_survives_the_store() -> None:
    made = Delta(
        "1-a", "a" * 40, "b" * 40, (Commit("b" * 40, "t", "a"),), 1, 0, (Package("uv.lock", "a", "1", "2"),), 1,
        (Setting("tls", "changed", "false", "true"),), Named(("A",)), ("m/1.sql",), ("x",),
    )  # fmt: skip
    assert Delta.from_json(made.to_json()) == made
