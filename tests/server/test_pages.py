"""Pages over HTTP, without a browser: content, escaping, forms, size and speed."""

from __future__ import annotations

import gzip
import re
import time
from dataclasses import asdict
from pathlib import Path

import pytest
import sqlalchemy as sa

from prodwise import clock
from prodwise.heal import charge
from prodwise.model.change import Change, ChangeKind
from prodwise.model.evidence import Evidence
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.outcome import Outcome
from prodwise.model.record import Effect, EffectState, Rollout, RolloutState
from prodwise.model.release import ReleaseState
from prodwise.model.schema import Crossing, FileChange, MigrationFile
from prodwise.store import tables
from tests.server import stories
from tests.server.running_server import CONFIG, World, start_world

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202eevil\x1b[2J{{7*7}}" + "y" * 5000


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def form(html: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that posts to `action`."""
    found = re.search(rf'<form method="post" action="{re.escape(action)}">(.*?)</form>', html, re.S)
    assert found, f"no form for {action}"
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', found[1]))


def test_now_when_all_is_well(world: World) -> None:
    stories.history(world)
    with world.person() as client:
        page = client.get("/").text
    text = text_of(page)
    assert "● OK" in text
    assert "All good." in text
    assert "Last problem 6 h ago, fixed in 100 s." in text or "fixed in 2 min" in text
    assert "Nothing. You can go." in text
    order = [page.index(f'id="{name}"') for name in ("broken", "doing", "needs", "foot")]
    assert order == sorted(order)


def test_a_release_that_no_user_met_is_told_with_what_came_of_looking_for_its_fix(world: World) -> None:
    release = stories.unmet(world)
    with world.person() as client:
        text, releases = (text_of(client.get(path).text) for path in ("/", "/releases"))
    assert "● OK" in text
    refused = f"Release {release} was refused before any user met it (start): it does not come up: web keeps ending"
    assert refused in text
    fix = "A fix is proposed, as a draft: https://code.example/pulls/7"
    assert fix in text
    assert fix in releases
    world.store.releases.create("a" * 40, "ben")
    with world.person() as client:
        assert "before any user met it" not in text_of(client.get("/").text), "a newer one is looked at now"


def test_a_release_that_no_user_met_and_nobody_looked_for_is_said_to_be_so(world: World) -> None:
    stories.unmet(world, "")
    with world.person() as client:
        assert "No fix was looked for; this looks for one: prodwise fix --incident" in text_of(client.get("/").text)


def test_now_when_something_is_broken(world: World) -> None:
    stories.bad_release(world)
    with world.person() as client:
        text = text_of(client.get("/").text)
    for part in (
        "▲ Degraded",
        "Checkout fails for about 1 in 3 buyers",
        "38 people",
        "Doing it now: go back to release",
    ):
        assert part in text
    assert "a restart would hide it" in text


def test_badge_sentence_and_figures_never_contradict_each_other(world: World) -> None:
    """One user whose every POST fails: the probe is well, no detector is sure yet, and 46 % failed in the last minute."""
    stories.history(world)
    world.vitals.figures["web"] |= {"requests_per_s": 67 / 60, "failed_share": 31 / 67}
    with world.person() as client:
        text = text_of(client.get("/").text)
        for part in ("▲ Degraded", "31 of 67 requests to web failed in the last minute.", "46 %", "▲ not well"):
            assert part in text
        for part in ("● OK", "All good", "You can go", "Nothing to do"):
            assert part not in text
        world.vitals.figures["web"] |= {"requests_per_s": 3 / 60, "failed_share": 1 / 3}
        few = text_of(client.get("/").text)
        assert "No incident. 1 of 3 requests to web failed in the last minute. Too few to judge by." in few
        assert "33 %" not in few, "a share would sound more certain than three requests are"
        assert "All good" not in few
        world.vitals.figures["web"] |= {"requests_per_s": 67 / 60, "failed_share": 31 / 67}
        world.store.incidents.save("inc-old", state="closed", outcome="healed", closed_at=clock.now() - 5)
        assert "All good. What failed in the last minute failed before it was over." in text_of(client.get("/").text)
        world.vitals.figures["web"] |= {"requests_per_s": 1.0, "failed_share": 1.0}
        world.vitals.well["web"] = None
        assert "■ Down" in text_of(client.get("/").text)


def test_what_is_served_again_is_not_called_down_while_it_is_watched(world: World) -> None:
    stories.history(world)
    at = clock.now()
    crash = Symptom("crash", "web", "web died with exit code 1", at - 9, at - 9, severity=1.0)
    world.store.incidents.open(Incident("inc-new", "web", (crash,), at - 9, IncidentState.SEEN, title=crash.text))
    world.vitals.well["web"] = None
    with world.person() as client:
        assert "■ Down" in text_of(client.get("/").text)
        world.store.incidents.save("inc-new", state="watching", turn={"good_since": 3.0, "until": at + 12})
        text = text_of(client.get("/").text)
    assert "▲ Degraded" in text
    assert "■ Down" not in text
    assert "Web is well again; making sure. It was: web died with exit code 1" in text


def test_the_stepper_tells_how_long_each_step_took_and_what_comes_next(world: World) -> None:
    found = stories.bad_release(world, IncidentState.CHECKED)
    at = clock.now()
    turn = {**world.store.incidents.row(found.id)["turn"], "wall": at, "clock": 16.0}
    turn["entered"] = [["seen", 0.0], ["understood", 1.5], ["chosen", 4.0], ["checked", 12.0]]
    world.store.incidents.save(found.id, turn={**turn, "since": 12.0})
    with world.local() as client:
        story = client.get("/api/v1/status").json()["stories"][0]
    notes = {step["name"]: step["note"] for step in story["steps"]}
    assert (notes["seen"], notes["understood"], notes["chosen"]) == ("1.5 s", "2.5 s", "8 s")
    assert notes["checked"] in ("4 s", "5 s", "6 s")
    assert notes["watching"] == ""
    assert story["next"].startswith("Do it, once its checks pass, in 2")
    assert story["next"].endswith("s at most; else a person is called.")
    world.store.incidents.save(found.id, state="watching", turn={**turn, "until": at + 1080})
    with world.local() as client:
        story = client.get("/api/v1/status").json()["stories"][0]
    assert story["next"] == "Close it in 18 min, if it stays well; else take the step back or call a person."
    assert "18 min left" in story["steps"][-1]["note"]


def test_no_data_is_not_called_well(world: World) -> None:
    world.vitals.well = {}
    with world.person() as client:
        text = text_of(client.get("/").text)
    assert "○ Unknown" in text
    assert "All good" not in text


def test_a_person_approves_with_one_press_and_without_javascript(world: World) -> None:
    asked = stories.question(world)
    with world.person() as client:
        del client.headers["x-csrf-token"]
        page = client.get("/").text
        assert "If nobody answers, I do nothing." in page
        closer = client.get(f"/approve/{asked}")
        fields = form(closer.text, f"/act/approval/{asked}")
        assert fields["answer"] == "yes"
        assert client.post(f"/act/approval/{asked}", data=fields).status_code == 303
        assert client.post(f"/act/approval/{asked}", data=fields).status_code == 409
        assert client.get(f"/approve/{asked}").status_code == 404
    decided = world.store.approvals.load(asked)
    assert (decided.state.value, decided.decided_by.endswith("(dashboard)")) == ("approved", True)


def test_stop_is_one_press_and_start_asks_first(world: World) -> None:
    with world.person() as client:
        del client.headers["x-csrf-token"]
        assert client.post("/act/stop", data=form(client.get("/").text, "/act/stop")).status_code == 303
        assert world.target.stopped
        page = client.get("/").text
        assert "a person stopped me" in page
        assert "/act/stop" not in page
        assert client.post("/act/start", data=form(client.get("/confirm/start").text, "/act/start")).status_code == 303
    assert not world.target.stopped


def test_roll_back_undo_restart_and_take_over_are_confirmed_with_caveats(world: World) -> None:
    stories.bad_release(world)
    with world.person() as client:
        del client.headers["x-csrf-token"]
        assert "/confirm/rollback?release=2-2222222" in client.get("/releases").text
        for path, action, word in (
            ("/confirm/rollback?release=2-2222222", "/act/rollback", "env file stay as they are"),
            ("/confirm/undo/inc-new", "/act/undo/inc-new", "does not undo an undo"),
            ("/confirm/restart/web", "/act/restart/web", "may be lost"),
            ("/confirm/takeover/inc-new", "/act/takeover/inc-new", "until it is handed back"),
        ):
            page = client.get(path)
            assert word in page.text
            assert client.post(action, data=form(page.text, action)).status_code == 303
        for path in ("/confirm/rollback?release=9-9999999", "/confirm/restart/nope", "/confirm/undo/no", "/confirm/x"):
            assert client.get(path).status_code == 404
        assert client.post("/act/restart/nope", data={"csrf": page.text}).status_code == 403
    assert [asked[:2] for asked in world.controls.asked] == [
        ("rollback", "2-2222222"), ("undo", "inc-new"), ("restart", "web"),
    ]  # fmt: skip
    assert world.store.settings.get("freeze") is None, "other incidents and deploys are not held"
    assert charge.taken_over(world.store, "inc-new").endswith("(dashboard)")


def test_who_rolls_back_reads_first_what_migrations_did_since(world: World) -> None:
    ids, asks = stories.history(world), "Roll back all the same"
    drop = MigrationFile("migrations/3_<b>.sql", FileChange.ADDED, "CREATE TABLE a (id int);\nDROP TABLE carts;")
    with world.person() as client:
        page = client.get("/confirm/rollback").text
        assert asks not in page
        assert world.migrations.asked == [(ids[1], (ids[3], ids[2]))], "of every newer one, as of which one serves"
        world.migrations.crossing = Crossing((drop,))
        page = client.get("/confirm/rollback").text
        assert asks in page
        assert "migrations/3_&lt;b&gt;.sql:2 DROP TABLE" in page
        world.store.rollouts.put(Rollout(ids[3], ids[2], RolloutState.RAMPING, "5 %", 0.05, clock.now()))
        assert asks not in client.get("/confirm/rollback").text, "it serves beside the one that is withdrawn"
        assert asks in client.get(f"/confirm/rollback?release={ids[1]}").text


def test_a_question_says_why_it_is_asked(world: World) -> None:
    stories.bad_release(world)
    plan = {"action": {"kind": "rollback", "params": [["ask", "migrations/3.sql:2 DROP TABLE"], ["to", "2-2222222"]]}}
    world.store.approvals.ask("inc-new", "h" * 64, plan, 600.0)
    with world.person() as client:
        assert "I ask because migrations/3.sql:2 DROP TABLE." in client.get("/").text


def test_the_incident_page_shows_the_whole_story(world: World) -> None:
    stories.bad_release(world)
    with world.person() as client:
        html = client.get("/incidents/inc-new").text
        people = client.get("/incidents/inc-new?show=people").text
    text = text_of(html)
    for part in (
        "Release 4-4444444 broke checkout", "very likely", "What I don’t know", "why old coupons are rejected",
        "Fresh evidence passed", "Before", "During", "Go back to release 3-3333333 done",
        "sent all users of web back (all traffic on the old release)",
    ):  # fmt: skip
        assert part.lower() in text.lower()
    assert '<s class="name">Restart web</s>' in html
    places = [
        text.index(part)
        for part in ("What was done, and why", "Checked before", "Why nothing smaller", "Why nothing bigger")
    ]
    assert places == sorted(places), "what was done comes before what was not"
    assert "ent all users of web back" not in people.partition('id="timeline"')[2], "filtered"


def test_a_step_that_failed_for_one_service_is_no_step_that_was_done(world: World) -> None:
    found = stories.bad_release(world)
    order = {"release": "3-3333333", "actor": "prodwise"}
    world.store.ledger.intend(Effect("k2", found.id, "worker", "rollback", order, None, 1, clock.now()))
    world.store.ledger.settle("k2", EffectState.FAILED, "no answer")
    with world.person() as client:
        text = text_of(client.get("/incidents/inc-new").text)
    assert "What was tried, and why" in text
    assert "What was done, and why" not in text


def test_page_terminal_and_report_tell_a_withdrawn_release_in_the_same_words(world: World) -> None:
    found = stories.withdrawn(world)
    with world.person() as client:
        page = text_of(client.get(f"/incidents/{found}").text)
    with world.local() as client:
        report = client.get(f"/api/v1/incidents/{found}/report").json()["markdown"].replace("\\", "")
        view = client.get(f"/api/v1/incidents/{found}").json()["view"]
    for part in (
        "o back to release 3-3333333", "3-3333333 still runs beside it: sending its users back takes one write",
        "ow the release was judged", "Web: errors failed", "it is proven: waiting only lets more users meet it",
        "a new process of 4-4444444 runs the same code",
        "ikely (93 %) came in with commit 4444444 (“Fix the footer”, Ana Lima), shop/cart.py:41",
    ):  # fmt: skip
        assert part.lower() in page.lower(), part
        assert part.lower().replace("release was judged web", "") in report.lower(), part
    assert page.count("very likely") == 1
    assert "which line of the release" not in page.lower() + report.lower()
    assert view["decision"]["state"] == "done"
    assert [gate["verdict"] for gate in view["decision"]["verdicts"]] == ["fail", "pass"]
    assert view["decision"]["undo"] == "ship it again: prodwise deploy 4444444"


def test_a_question_is_not_told_as_done_because_of_what_was_done_before(world: World) -> None:
    stories.question(world)  # with an effect that was done already
    with world.local() as client:
        decision = client.get("/api/v1/incidents/inc-new").json()["view"]["decision"]
    assert (decision["state"], decision["title"]) == ("chosen", "What was chosen, and why")


def test_what_the_supervisor_did_is_told_as_done(world: World) -> None:
    found = stories.respawned(world)
    with world.person() as client:
        page = text_of(client.get(f"/incidents/{found}").text)
    for part in (
        "Done: restart web.",
        "the supervisor restarted it at",
        "Nothing smaller",
        "The supervisor does it by itself",
    ):
        assert part.lower() in page.lower(), part
    assert "not yet known" not in page.lower().partition("what was done, and why")[2].partition("evidence")[0]


def test_what_was_left_to_a_person_is_not_called_all_good_and_is_told_once(world: World) -> None:
    stories.history(world)
    at = clock.now()
    for n, title in enumerate(("nightly failed", "nightly failed", "disk is full")):
        seen = Symptom("alarm", "worker", title, at - 60, at - 60, source="alertmanager", subject=str(n))
        name = f"inc-worker-{n}"
        world.store.incidents.open(Incident(name, "worker", (seen,), at - 60 + n, IncidentState.SEEN, title=title))
        world.store.incidents.save(name, state="closed", outcome="escalated", closed_at=at - 30 + n)
    for n in range(30):
        seen = Symptom("crash", "web", "web died", at - 20, at - 20)
        name = f"inc-web-{n}"
        world.store.incidents.open(
            Incident(name, "web", (seen,), at - 20 + n / 10, IncidentState.SEEN, title="web died")
        )
        world.store.incidents.save(name, state="closed", outcome="healed", closed_at=at - 10)
    with world.person() as client:
        page = client.get("/").text
    text = text_of(page)
    assert "Nothing is open, but 2 things were left to a person." in text
    assert "All good" not in text
    assert "2 things need you" in text
    assert page.count("Others say so, and I see nothing of it myself.") == 2
    assert 'href="/incidents/inc-worker-1"' in page, "the newest of those that are alike"


def test_an_outage_that_was_handed_to_a_person_is_told_with_since_when_and_whom_it_hits(world: World) -> None:
    """In stage observe an incident is handed over within seconds: nobody looks into it any more, and users are hit all the same."""
    stories.history(world)
    at = clock.now()
    hang = Symptom(
        "hang", "web", "runs but does not answer: 3 probes in a row failed", at - 200, at - 190, severity=1.0
    )
    world.store.incidents.open(Incident("inc-hang", "web", (hang,), at - 190, IncidentState.SEEN, title=hang.text))
    world.store.incidents.save(
        "inc-hang", state="closed", outcome="escalated", closed_at=at - 180, users_hit=7, requests_failed=60
    )
    world.vitals.well["web"] = False
    world.vitals.figures["web"] |= {"requests_per_s": 3.0, "failed_share": 1.0}
    with world.person() as client:
        text = text_of(client.get("/").text)
        for part in (
            "■ Down Web runs but does not answer: 3 probes in a row failed Since", "7 people hit · 60 requests failed",
            "It was handed to a person", "Nothing more: it was handed to a person. I keep watching.", "■ down",
        ):  # fmt: skip
            assert part in text
        assert "Looking into it" not in text
        assert "I could not fix this. It needs a person." in text
        action = {"kind": "restart", "service": "web", "targets": ["web-a"], "footprint": {"traffic_share": 1.0}}
        for authority, offered in (("act", False), ("observe", True)):
            world.store.incidents.save("inc-hang", decision={"authority": authority, "plan": {"action": action}})
            page = client.get("/").text
            assert ("I would restart web, but I may not. Do you want to?" in page) is offered
            assert ('href="/confirm/restart/web">Restart web</a>' in page) is offered
        assert text.count("web runs but does not answer") + text.count("Web runs but does not answer") == 2
        world.vitals.well["web"] = True
        world.vitals.figures["web"] |= {"failed_share": 0.0}
        assert "runs but does not answer" not in text_of(client.get("/").text).partition("Last 24 hours")[2]


def test_of_more_than_a_page_has_room_for_it_says_so(world: World, tmp_path: Path) -> None:
    (tmp_path / "wide").mkdir()
    fill(world, 120)
    with world.person() as client:
        text = text_of(client.get("/incidents").text)
        assert "These are the newest 100." in text
    wide = start_world(tmp_path / "wide", {**CONFIG, "services": {f"svc-{n}": {"command": "x"} for n in range(70)}})
    try:
        wide.vitals.well = {f"svc-{n}": n != 69 for n in range(70)}
        with wide.person() as client:
            page = client.get("/").text
        assert page.count("●</span> well") == 49
        assert page.index(">svc-69<") < page.index(">svc-0<"), "who is not well stands first"
        assert "And 20 more services" in text_of(page)
    finally:
        wide.close()


def test_of_many_open_incidents_the_gravest_is_told_and_the_others_are_counted(world: World) -> None:
    stories.history(world)
    at = clock.now()
    world.vitals.well["web"] = None
    for n in range(40):
        service = "web" if n == 0 else f"svc-{n}"
        seen = Symptom("errors", service, f"{service} fails", at - 90, at - 90, severity=1.0 if n == 0 else 0.2)
        found = Incident(f"inc-{n}", service, (seen,), at - 90 + n, IncidentState.SEEN, title=seen.text)
        world.store.incidents.open(found)
    with world.person() as client:
        text = text_of(client.get("/").text)
    assert "■ Down Web fails" in text
    assert "And 34 more incidents are open." in text


@pytest.mark.parametrize(("entries", "cut"), [(490, False), (700, True)])
def test_of_a_long_incident_its_end_is_shown_and_what_is_left_out_is_said(
    world: World, entries: int, cut: bool
) -> None:
    found = stories.bad_release(world)
    at, have = clock.now(), len(world.store.ledger.entries(incident=found.id))
    facts = [Evidence("load", "proxy", at + n, at + n, f"load {n}", {"service": f"s{n}"}) for n in range(300)]
    world.store.incidents.add_evidence(found.id, facts)
    with world.store.unit():
        for n in range(entries - have):
            world.store.ledger.append("decided", f"thought no. {n}.", actor="prodwise", incident=found.id)
    with world.person() as client:
        text = text_of(client.get(f"/incidents/{found.id}").text)
        told = client.get(f"/api/v1/incidents/{found.id}").json()
    assert f"Thought no. {entries - have - 1}." in text, "the newest"
    assert "Thought no. 0." in text, "how it began"
    assert ("Some entries in between are left out" in text) is cut
    assert len(told["timeline"]) <= 500
    stored = len(world.store.incidents.evidence(found.id))
    assert told["view"]["evidence_stored"] == stored > len(told["evidence"])
    assert "load 299" in [one["text"] for one in told["evidence"]]


@pytest.mark.parametrize(
    ("outcome", "hit", "failed", "said"),
    [
        (None, None, 0, ("Impact not yet known. Began", "; going on for ")),
        ("escalated", None, 0, ("Impact not known. Began", "; handed to a person after 20 s.")),
        ("abandoned", 0, 0, ("No request failed. Began", "; it lasted 20 s.")),
        ("healed", 3, 9, ("3 people hit, 9 requests failed. Began", "; users were hit for 20 s.")),
    ],
)
def test_nobody_is_said_to_have_been_hit_who_was_not(
    world: World, outcome: str | None, hit: int | None, failed: int, said: tuple[str, str]
) -> None:
    at = clock.now() - 60
    seen = Symptom("heartbeat", "worker", "nightly failed", at, at, source="heartbeat:nightly")
    world.store.incidents.open(Incident("inc-w", "worker", (seen,), at, IncidentState.SEEN, title=seen.text))
    world.store.incidents.save("inc-w", users_hit=hit, requests_failed=failed)
    if outcome:
        world.store.incidents.save("inc-w", state="closed", outcome=outcome, closed_at=at + 20)
    with world.person() as client:
        text = text_of(client.get("/incidents/inc-w").text)
    for part in said:
        assert part in text


def test_what_fails_afterwards_for_another_reason_is_not_counted_as_after(world: World) -> None:
    found = stories.respawned(world)
    row = world.store.incidents.row(found)
    later = row["closed_at"] + 10
    world.vitals.requests += [(later + 1 + i * 0.1, True) for i in range(50)]
    with world.local() as client:
        assert client.get(f"/api/v1/incidents/{found}").json()["view"]["phases"][-1]["failed"] >= 50
        seen = Symptom("errors", "web", "other", later, later + 1)
        world.store.incidents.open(Incident("inc-later", "web", (seen,), later + 1, IncidentState.SEEN, title="other"))
        assert client.get(f"/api/v1/incidents/{found}").json()["view"]["phases"][-1]["failed"] < 10


def test_an_incident_that_is_not_understood_yet_says_so(world: World) -> None:
    seen = Symptom("probe", "web", "web does not answer", clock.now(), clock.now())
    world.store.incidents.open(Incident("inc-1", "web", (seen,), clock.now(), IncidentState.SEEN))
    with world.person() as client:
        text = text_of(client.get("/incidents/inc-1").text)
    assert "Not yet known" in text
    assert "The cause is not yet known." in text


@pytest.mark.parametrize(
    "broken", [{"plan": 7, "gates": "x", "skipped": [1, None], "refusal": []}, {"plan": {"action": []}}]
)
def test_odd_records_never_break_a_page(world: World, broken: dict[str, object]) -> None:
    stories.bad_release(world)
    odd = {"hypotheses": [None, {"weight": "much"}], "unknown": "?"}
    world.store.incidents.save("inc-new", decision=broken, diagnosis=odd, turn={"until": "soon", "note": 5})
    with world.person() as client:
        assert client.get("/incidents/inc-new").status_code == 200
        assert client.get("/").status_code == 200


def test_outside_text_is_escaped_visible_and_bounded_everywhere(world: World) -> None:
    stories.bad_release(world)
    now = clock.now()
    release = world.store.releases.create("e" * 40, HOSTILE)
    world.store.releases.describe(release.id, digest="d", title=HOSTILE, author=HOSTILE, facts={})
    world.store.changes.record(Change("h", now, ChangeKind.CONFIG, HOSTILE, HOSTILE, HOSTILE, HOSTILE, "", HOSTILE))
    seen = Symptom("errors", "web", HOSTILE, now, now, HOSTILE)
    world.store.incidents.save(
        "inc-new",
        title=HOSTILE,
        symptoms=[asdict(seen), asdict(seen)],
        turn={"note": HOSTILE},
        diagnosis={"hypotheses": [{"text": HOSTILE, "cause": HOSTILE, "supports": [HOSTILE]}], "unknown": [HOSTILE]},
        decision={
            "refusal": {"reasons": [HOSTILE]},
            "skipped": [{"action": HOSTILE, "reason": HOSTILE}],
            "gates": [{"gate": HOSTILE, "verdict": HOSTILE, "reason": HOSTILE}],
            "plan_hash": HOSTILE,
        },
    )  # fmt: skip
    world.store.incidents.add_evidence("inc-new", [Evidence("log", HOSTILE, now, now, HOSTILE, {HOSTILE: HOSTILE})])
    world.store.ledger.append("note", HOSTILE, actor=HOSTILE, incident="inc-new")
    world.store.approvals.ask("inc-new", "h" * 64, {"action": {"kind": HOSTILE, "targets": [HOSTILE]}}, 600)
    world.store.settings.put("freeze", {"reason": HOSTILE, "who": HOSTILE}, "ana")
    asked = world.store.approvals.open()[0].id
    with world.person() as client:
        for path in (
            "/",
            "/incidents",
            "/incidents/inc-new",
            "/releases",
            "/changes",
            f"/approve/{asked}",
            "/nothing?" + "<script>",
        ):
            html = client.get(path).text
            assert "<script>alert" not in html, path
            assert "<img src=x" not in html, path
            assert "\u202e" not in html, path
            assert "\x1b" not in html, path
            assert "y" * 2100 not in html, path
        assert "\\u202e" in client.get("/incidents/inc-new").text


def test_all_clocks_of_a_page_are_shown_in_its_readers_zone(world: World) -> None:
    """The script turns what stands in a <time> into the reader's own; any other clock would be the server's."""
    stories.bad_release(world)
    with world.person() as client:
        for path in ("/", "/incidents/inc-new", "/releases"):
            bare = re.sub(r"<time[^>]*>[^<]*</time>|<title>[^<]*</title>", "", client.get(path).text)
            assert re.findall(r"\b\d\d:\d\d\b", text_of(bare)) == [], path


def test_error_pages_are_friendly_and_alike(world: World) -> None:
    with world.person() as client:
        missing = client.get("/incidents/nope")
        nowhere = client.get("/nowhere")
        pressed, hook = client.get("/act/stop"), client.get("/hooks/deploy")
    assert (missing.status_code, nowhere.status_code) == (404, 404)
    assert "<code>prodwise incidents</code> lists them" in missing.text
    assert (pressed.status_code, hook.status_code) == (405, 405)
    assert "This address does not take GET" in pressed.text
    assert hook.json()["hint"].startswith("it takes POST")
    for page in (missing.text, nowhere.text):
        assert "Back to Now" in page
        assert "Traceback" not in page


def test_pages_are_small(world: World) -> None:
    stories.bad_release(world)
    with world.person() as client:
        for path in ("/", "/incidents/inc-new", "/releases"):
            html = client.get(path).text
            assets = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', html))
            whole = len(html.encode()) + sum(len(client.get(asset).content) for asset in assets)
            assert whole < 60_000, f"{path}: {whole} bytes"
            assert not re.findall(r'(?:src|href)="(?:https?:)?//(?!127\.0\.0\.1)', html)
        assert len(client.get("/static/live.js").content) <= 4096
        assert len(gzip.compress(client.get("/").content)) < 12_000


def test_pages_are_fast_with_ten_thousand_incidents(world: World) -> None:
    """Every page under 200 ms with 10,000 incidents, 60,000 ledger entries and 5,000 effects in the store."""
    fill(world, 10_000)
    worst: dict[str, float] = {}
    with world.person() as client:
        for path in ("/", "/incidents", "/incidents/i-9999", "/releases", "/api/v1/status", "/metrics"):
            client.get(path)  # templates compiled, 30-day report made
            spent = []
            for _ in range(5):
                began = time.perf_counter()
                assert client.get(path).status_code == 200
                spent.append(time.perf_counter() - began)
            worst[path] = sorted(spent)[2]
    print({path: f"{seconds * 1000:.0f} ms" for path, seconds in worst.items()})
    assert max(worst.values()) < 0.2, worst


def fill(world: World, incidents: int) -> None:
    """Rows straight into the tables: only their number matters here."""
    now = clock.now()
    symptom = asdict(Symptom("errors", "web", "checkout fails", now, now, "POST /checkout", "1-aaaaaaa", 0.3))
    rows, entries, effects = [], [], []
    for n in range(incidents):
        at = now - (incidents - n) * 240
        rows.append({
            "id": f"i-{n}", "service": "web", "title": "checkout fails", "opened_at": at, "state": "closed",
            "outcome": Outcome.HEALED.value, "closed_at": at + 60, "symptoms": [symptom], "turn": {},
            "diagnosis": None, "decision": None,
            "users_hit": 3, "requests_failed": 9,
        })  # fmt: skip
        for k in range(6):
            seq = n * 6 + k + 1
            entries.append({
                "seq": seq, "at": at + k, "kind": "effect" if k == 3 else "note", "actor": "prodwise", "service": "web",
                "incident": f"i-{n}", "text": "something was noted", "data": {"kind": "restart", "state": "done"},
                "previous": "", "hash": f"h{seq}",
            })  # fmt: skip
        if n % 2:
            effects.append({
                "key": f"k{n}", "story": f"i-{n}", "service": "web", "kind": "restart", "command": {"actor": "prodwise"}, "undo": None,
                "token": 1, "state": "done", "intended_at": at, "settled_at": at + 1, "result": "",
            })  # fmt: skip
    with world.store.database.engine.begin() as connection:
        connection.execute(sa.insert(tables.incident), rows)
        connection.execute(sa.insert(tables.ledger), entries)
        connection.execute(sa.insert(tables.effect), effects)


def test_a_refusal_that_may_pass_asks_nothing_and_a_handed_over_incident_does(world: World) -> None:
    found = stories.bad_release(world)
    refused = {"plan": None, "refusal": {"reasons": ["cool-down until 14:32"]}, "authority": "observe"}
    world.store.incidents.save(found.id, decision=refused)
    with world.person() as client:
        text = text_of(client.get("/").text)
        assert "Not acting for now: cool-down until 14:32" in text
        assert "Nothing. You can go." in text
        world.store.incidents.save(found.id, state="closed", outcome="escalated", closed_at=clock.now())
        assert "I could not fix this. It needs a person." in client.get("/").text
        world.vitals.well["web"] = True
        assert "Nothing. You can go." in client.get("/").text


def test_who_cannot_go_back_is_told_so_before_the_button(world: World) -> None:
    ids = stories.history(world)
    for one in ids[:-1]:
        world.store.releases.set_state(one, ReleaseState.FAILED, "it failed")
    with world.person() as client:
        page = client.get("/confirm/rollback")
        assert page.status_code == 409
        assert "There is no earlier verified-good release to go back to" in page.text
        assert "/act/rollback" not in page.text
        page = client.get(f"/confirm/rollback?release={ids[0]}")
        assert (page.status_code, "not known to be good" in page.text) == (409, True)
