"""The pure views: words, the 30-day report, the strip's geometry."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodwise.config import validate
from prodwise.model.evidence import Evidence
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.outcome import Outcome
from prodwise.model.record import Entry
from prodwise.model.release import Release, ReleaseState
from prodwise.server.views import words
from prodwise.server.views.evidence import fact_of
from prodwise.server.views.facts import Case, stage_of
from prodwise.server.views.incident import Moment, joined, phases, telling
from prodwise.server.views.releases import _row
from prodwise.server.views.report import REPEAT_S, onset, report
from prodwise.server.views.story import title_of
from prodwise.server.views.strip import HEIGHT, strip

NOW = 1_800_000_000.0
DAY = 86_400.0


def healed(number: int, opened: float, seconds: float, kind: str = "crash") -> Incident:
    seen = Symptom(kind, "web", "web died", opened, opened)
    return Incident(f"i{number}", "web", (seen,), opened, IncidentState.CLOSED, Outcome.HEALED, opened + seconds)


def test_few_healings_are_too_few_to_say() -> None:
    made = report([healed(n, NOW - n * DAY, 10, f"kind{n}") for n in range(4)], {}, NOW)
    assert (made.recovery.value, made.recovery.text) == (10.0, "too few to say (n = 4)")
    assert report([], {}, NOW).recovery.text == "nothing to measure yet"


def test_recovery_is_the_median_from_onset_to_served_again() -> None:
    incidents = [healed(n, NOW - n * DAY, 600, f"kind{n}") for n in range(5)]
    made = report(incidents, {"i0": NOW + 10, "i1": NOW - DAY + 20, "i2": NOW - 2 * DAY + 30}, NOW)
    assert (made.recovery.value, made.recovery.n, made.worst.value) == (30.0, 5, 600.0)


def test_a_failure_that_comes_back_within_a_week_counts_as_repeated() -> None:
    first = healed(1, NOW - 20 * DAY, 60)
    again = healed(2, first.opened_at + 60 + REPEAT_S - 1, 60)
    assert report([first, again], {}, NOW).repeats.value == 0.5
    late = healed(2, first.opened_at + 60 + REPEAT_S + 1, 60)
    assert report([first, late], {}, NOW).repeats.value == 0.0
    other = healed(2, first.opened_at + 100, 60, "hang")
    assert report([first, other], {}, NOW).repeats.value == 0.0


def test_an_alarm_of_others_moves_no_onset() -> None:
    hang = Symptom("hang", "web", "no answer", NOW - 8, NOW - 5)
    alarm = Symptom("alarm", "web", "slow", NOW - 3600, NOW, source="alertmanager")
    found = Incident("i", "web", (alarm, hang), NOW - 5, IncidentState.CLOSED, Outcome.HEALED, NOW + 10)
    assert onset(found) == NOW - 8
    assert report([found], {}, NOW + 20).seconds == (18.0,)
    assert onset(replace(found, symptoms=(alarm,))) == NOW - 3600


def test_what_is_older_than_thirty_days_does_not_count() -> None:
    assert report([healed(1, NOW - 31 * DAY, 5)], {}, NOW).incidents == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "now"),
        (0.3, "1 s"),
        (59.6, "60 s"),
        (1080, "18 min"),
        (21_600, "6 h"),
        (90_000, "25 h"),
        (260_000, "3 days"),
    ],
)
def test_time_that_is_left_reads_like_speech(seconds: float, text: str) -> None:
    assert words.left(seconds) == text


@given(st.text(max_size=300))
def test_visible_text_holds_no_invisible_character_and_is_bounded(text: str) -> None:
    shown = words.visible(text, 100)
    assert not {char for char in shown if unicodedata.category(char)[0] == "C" and char not in "\n\t"}
    assert len(shown) <= 100 * 10
    if text.isprintable() and text.isascii() and len(text) <= 100:
        assert shown == text


@pytest.mark.parametrize("char", ["\u202e", "\u2066", "\u200b", "\x1b", "\x07", "\u0085", "\ufeff", "\u2028"])
def test_bidi_zero_width_and_control_characters_are_shown_as_escapes(char: str) -> None:
    assert char not in words.visible(f"a{char}b")
    assert "\\" in words.visible(f"a{char}b")


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.0004, "< 0.1 %"), (0.004, "0.4 %"), (0.31, "31 %"), (0.999, "> 99 %"), (1, "100 %"), (0.01, "1 %")],
)
def test_shares_never_round_to_nothing_or_to_all(share: float, text: str) -> None:
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.84, "0.8 s"), (45, "45 s"), (180, "3 min"), (7500, "2 h 5 min"), (6 * DAY, "6 days"), (-4, "0 s")],
)
def test_durations_read_like_speech(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), min_size=1, max_size=96),
)
def test_bars_stay_inside_the_picture_and_failures_are_seen(counts: list[tuple[int, int]]) -> None:
    buckets = [(NOW - DAY + n * 900, max(a, b), min(a, b)) for n, (a, b) in enumerate(counts)]
    made = strip(buckets, [], NOW - DAY, NOW)
    assert len(made.bars) == sum(1 for _, requests, _ in buckets if requests)
    assert made.failed == sum(row.failed for row in made.rows)
    for bar in made.bars:
        x, width = float(bar.x.rstrip("%")), float(bar.width.rstrip("%"))
        assert 0 <= x <= 100
        assert x + width <= 100.2
        assert -0.06 <= float(bar.y) <= HEIGHT
        assert (float(bar.fail_height) > 0) == (bar.failed > 0)


def test_markers_come_from_changes_and_settled_effects_only() -> None:
    def entry(kind: str, data: dict[str, str]) -> Entry:
        return Entry(1, NOW - 60, kind, "prodwise", "web", "", "text", data)

    entries = [
        entry("change", {"kind": "release"}),
        entry("effect", {"kind": "restart", "state": "done"}),
        entry("effect", {"kind": "restart", "state": "intent"}),
        entry("effect", {"kind": "switch", "state": "done"}),
        entry("note", {"kind": "release"}),
    ]
    made = strip([(NOW - 900, 1, 0)], entries, NOW - 900, NOW)
    assert [(marker.kind, marker.text) for marker in made.markers] == [("deploy", "text"), ("heal", "restarted web")]


def test_phases_split_at_onset_and_recovery() -> None:
    buckets = [(NOW + n * 10, 10, 5 if 10 <= n < 20 else 0) for n in range(30)]
    made = {phase.name: phase.share for phase in phases(buckets, NOW + 100, NOW + 195, NOW + 300)}
    assert made == {"before": "0 %", "during": "50 %", "after": "0 %"}


def test_the_repositorys_file_only_lowers_the_stage() -> None:
    service = {"services": {"web": {"command": "x"}}, "version": 1}
    free, held = validate(service, "t"), validate({**service, "stage": "observe"}, "t")
    assert stage_of(free, "auto") == ("auto", "")
    assert stage_of(free, None) == ("observe", "")
    assert stage_of(free, "nonsense") == ("observe", "")
    assert stage_of(held, "auto") == ("observe", "prodwise.toml holds it at observe")


def test_the_same_line_many_times_in_a_row_is_one_line() -> None:
    lines = [Moment(n, NOW + n, "Prodwise", what, "prodwise") for n, what in enumerate("aabba")]
    assert [(line.what, line.times, line.at) for line in joined(lines)] == [
        ("a", 2, NOW), ("b", 2, NOW + 2), ("a", 1, NOW + 4),
    ]  # fmt: skip


def test_of_many_readings_the_newest_and_the_cited_are_shown() -> None:
    readings = [Evidence("load", "proxy", NOW + n, NOW + n, f"{n}/s", {"service": "web", "rate": n}) for n in range(50)]
    other = Evidence("probe", "prober", NOW, NOW, "no answer", {"service": "web", "slot": "a"})
    cited = {"hypotheses": [{"supports": [readings[7].id]}]}
    shown = telling(Case(healed(1, NOW, 1), diagnosis=cited), [other, *readings])
    assert shown == [other, readings[7], readings[49]]


def test_of_what_a_build_printed_the_line_that_says_what_is_wrong_is_shown() -> None:
    said = "migrate failed (exit code 1):\nTraceback:\n  File x\nModuleNotFoundError: orjson\nthe whole log: /srv/build.log"
    failed = Release("2-abcdef0", 2, "abcdef0" * 5, "", NOW, ReleaseState.FAILED, reason=said)
    assert _row(failed, {}, "", "").reason == "migrate failed (exit code 1): ModuleNotFoundError: orjson"
    assert _row(failed, {}, "", "").title == "Commit abcdef0"
    assert _row(replace(failed, reason="its watch passed", title="Ways in"), {}, "", "").reason == "its watch passed"
    assert _row(replace(failed, reason=""), {}, "", "").reason == ""


def test_of_more_incidents_than_are_counted_it_is_said_that_they_were_more() -> None:
    incidents = [healed(n, NOW - n, 1) for n in range(10)]
    assert report(incidents, {}, NOW, 10).cut
    assert not report(incidents, {}, NOW, 11).cut


@pytest.mark.parametrize(
    ("key", "value", "name", "said"),
    [
        ("requests_per_s", 12.5, "requests a second", "12.5"),
        ("kills_s", 98.3, "counted for", "98 s"),
        ("p95_now_ms", 44.16, "slowest 5 % now", "44 ms"),
        ("onset_at", NOW, "onset at", "2027-01-15 08:00:00 UTC"),
        ("since", NOW + 1, "since", "2027-01-15 08:00:01 UTC"),
        ("failing_since", None, "failing since", "–"),
        ("rss_bytes", 16_846_848, "rss", "16 MiB"),
        ("disk_free_bytes", 83_391_582_208, "disk free", "77.7 GiB"),
        ("grown_bytes", -4096, "grown", "-4 KiB"),
        ("files_share", 0.0005, "files share", "< 0.1 %"),
        ("running", True, "running", "yes"),
        ("detail", "", "detail", "–"),
        ("services", ["web", "worker"], "services", "web, worker"),
        ("stores", [], "stores", "–"),
        ("links", [{"caller": "web", "rate": 0.5, "routes": []}], "links", "caller web, rate 50 %"),
        ("calls", list(range(9)), "calls", "0, 1, 2, 3, 4, 5, 6, 7, …"),
    ],
)  # fmt: skip
def test_a_figure_of_evidence_has_its_unit_and_a_moment_its_zone(key: str, value: object, name: str, said: str) -> None:
    assert fact_of(Evidence("use", "machine", NOW, NOW, "so it is", {key: value})).figures == ((name, said),)


@pytest.mark.parametrize(
    ("people", "failed", "said"),
    [
        (None, 0, "impact not yet known"),
        (0, 0, "no request failed so far"),
        (None, 12, "12 requests failed, how many people were hit is not known"),
        (1, 2, "1 person hit, 2 requests failed"),
        (38, 102, "38 people hit, 102 requests failed"),
        (10_000, 90_000, "10,000+ people hit, 90,000 requests failed"),
    ],
)
def test_whom_it_hit_is_said_or_said_to_be_unknown(people: int | None, failed: int, said: str) -> None:
    assert ", ".join(words.harm(people, failed)) == said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("runs but does not answer: 3 probes failed", "web runs but does not answer: 3 probes failed"),
        ("the process ended by signal 9 (slot a)", "web: the process ended by signal 9 (slot a)"),
        ("POST /checkout fails", "POST /checkout fails"),
        ("", "web has a problem"),
    ],
)
def test_a_title_names_the_service_where_its_text_goes_on_from_it(text: str, told: str) -> None:
    assert title_of(Incident("inc-1", "web", (), 1.0, IncidentState.SEEN, title=text)) == told
