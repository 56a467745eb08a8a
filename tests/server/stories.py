"""What the pages are shown with: a shop with a history, a bad release, a question, a ramp."""

from __future__ import annotations

import random
from dataclasses import asdict
from typing import Any

from prodwise import clock
from prodwise.loop import reach
from prodwise.loop.watch.withdrawn import Withdrawal
from prodwise.model.action import Action, ActionKind, Footprint
from prodwise.model.change import Change, ChangeKind
from prodwise.model.delta import Commit, Delta, Named, Package, Setting, Touched
from prodwise.model.evidence import Evidence
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.outcome import Outcome
from prodwise.model.plan import Plan, Skipped
from prodwise.model.reach import RouteUse, Use
from prodwise.model.record import Effect, EffectState, Entry, Rollout, RolloutState
from prodwise.model.release import ReleaseState
from prodwise.model.service import Service, ServiceKind
from prodwise.model.telemetry import CallGraph
from prodwise.model.unmet import Unmet, UnmetAt
from prodwise.store.ledger import append
from tests.server.running_server import World, target_seen

TITLES = ("Show the tea of the day", "Faster checkout", "New coupon format", "Fix the footer")


def history(world: World) -> list[str]:
    """Traffic of a day, four releases, one healed crash of six hours ago. Once. Returns the release ids."""
    if made := world.store.releases.list():
        return [release.id for release in reversed(made)]
    now, dice = clock.now(), random.Random(7)
    world.vitals.requests = [(now - dice.random() ** 1.4 * 86_400, dice.random() < 0.002) for _ in range(40_000)]
    world.vitals.requests += [(now - dice.random() * 900, dice.random() < 0.002) for _ in range(18_000)]
    world.vitals.figures = {"web": {"requests_per_s": 20.4, "failed_share": 0.002, "p50_ms": 14, "p95_ms": 61}}
    world.store.settings.put("autonomy", "auto", "ana (terminal)")
    world.store.settings.put("self_test", {"at": now - 4000, "ok": True}, "prodwise")
    ids = []
    for number, title in enumerate(TITLES):
        commit = f"{number + 1}" * 40
        release = world.store.releases.create(commit, "ana (terminal)")
        world.store.releases.describe(release.id, digest="d" * 64, title=title, author="Ana Lima", facts={})
        state = ReleaseState.VERIFIED_GOOD if number == 2 else ReleaseState.RETIRED
        world.store.releases.set_state(release.id, state if number < 3 else ReleaseState.READY, "its watch passed")
        ids.append(release.id)
    world.store.changes.record(
        Change("c1", now - 7200, ChangeKind.RELEASE, "", ids[1], ids[2], "ana (terminal)", f"rollback to {ids[1]}")
    )
    crash = Symptom("crash", "web", "web died with exit code 1", now - 21_600, now - 21_599.7, severity=1.0)
    world.store.incidents.open(
        Incident("inc-old", "web", (crash,), now - 21_599.7, IncidentState.SEEN, title=crash.text)
    )
    world.store.incidents.save(
        "inc-old", state="closed", outcome=Outcome.HEALED.value, closed_at=now - 21_500, requests_failed=3
    )
    world.vitals.requests += [(now - 21_600 + i * 0.2, True) for i in range(14)]
    world.target.seen = target_seen(0.0, ids[2])
    return ids


def changes(world: World) -> list[str]:
    """Of every kind: releases with what they brought and did, a heal, settings, a restart, one elsewhere. Returns release ids."""
    ids, now = history(world), clock.now()
    facts = {"built": True, "delta": DELTA.to_json()}
    world.store.releases.describe(ids[2], digest="d" * 64, title=TITLES[2], author="Ana Lima", facts=facts)
    brought = Delta(ids[2], "3" * 40, "4" * 40, (Commit("4" * 40, "Fix the footer", "Ana Lima"),), 1)
    facts = {"built": True, "delta": brought.to_json()}
    world.store.releases.describe(ids[3], digest="d" * 64, title=TITLES[3], author="Ana Lima", facts=facts)
    web = {"arms": {"stable": {"n": 2400, "errors": 4}, "canary": {"n": 310, "errors": 41}}}
    world.store.rollouts.put(
        Rollout(ids[3], ids[2], RolloutState.FAILED, "25 %", 0.0, now - 4000, now - 3900, numbers={"web": web})
    )
    world.store.ledger.intend(
        Effect("r", "restart-web", "web", "restart", {"actor": "ana (terminal)"}, None, 1, now - 60)
    )
    world.store.ledger.settle("r", EffectState.DONE, "")
    respawn = (
        "supervisor",
        "none: a restart changes no state",
        "worker: the supervisor started it again after signal 9",
    )
    for made in (
        Change("respawn-1", now - 9000, ChangeKind.PLATFORM, "worker", "", ids[2], *respawn),
        Change(
            "outside-1", now - 12_000, ChangeKind.FLAG, "web", "v41", "v42", "flags", "none of ours", "new checkout on"
        ),
    ):
        world.store.changes.record(made)
    world.store.ledger.append(
        "settings_file", "settings in prodwise.toml changed: ramp.watch_seconds 600 → 60", actor="prodwise up"
    )
    world.store.settings.put("freeze", {"who": "ana", "reason": "big sale", "until": None}, "ana (terminal)")
    return ids


DELTA = Delta(
    "2-2222222",
    "2" * 40,
    "3" * 40,
    commits=(Commit("3" * 40, "New coupon format", "Ana Lima"), Commit("9" * 40, "Tidy the cart", "Ben Okoye")),
    commit_count=23,
    packages=(Package("uv.lock", "flask", "3.0.3", "3.1.0"), Package("web/package-lock.json", "left-pad", "", "1.3.0")),
    package_count=2,
    settings=(Setting("ramp.shares", "changed", "5, 100", "5, 25, 100"), Setting("services.web.command", "changed")),
    environment=Named(added=("COUPON_KEY",), changed=("DATABASE_URL",)),
    migrations=("migrations/0007_coupons.sql",),
    unknown=("packages of api/yarn.lock: it is longer than 2048 KiB",),
    touched=Touched(("web",), ("web", "shared")),
)


def plan_for(release: str, previous: str) -> Plan:
    footprint = Footprint(False, False, 1, 1.0, 1, 50)
    action = Action(ActionKind.ROLLBACK, "web", ("web",), (("to", previous),), footprint, f"send traffic to {release}")
    skipped = (Skipped("restart web", "the errors began with a release: a restart would hide it for a while"),)
    return Plan(action, ("fresh", "warm"), "rev", (), skipped, "1", f"errors began 4 s after {release}", 1800)


AROUND = reach.surroundings(
    (
        Service("web", ServiceKind.WEB, "x", needs=("payments",)),
        Service("worker", ServiceKind.WORKER, "x"),
        Service("payments", ServiceKind.WEB, "x", upstream=True),
    ),
    (
        Use("web", 4210, 340, (RouteUse("GET /", 2900, 320), RouteUse("POST /checkout", 1310, 122))),
        Use("payments", 1290, None, (RouteUse("POST /charge", 1290, None),)),
    ),
    CallGraph(),
    ("shop.db",),
    0.0,
    3600.0,
)


def reach_of(seen: Symptom) -> dict[str, Any]:
    """As a decision stores it."""
    steps = [
        reach.step(AROUND, ActionKind.HANDOVER, ()),
        reach.step(AROUND, ActionKind.RESTART, ("web",)),
        reach.step(AROUND, ActionKind.ROLLBACK, ("web", "worker"), lasting=("goes with it: 3 commits",)),
    ]
    told = {"fault": asdict(reach.fault(AROUND, "web", (seen,))), "steps": [asdict(one) for one in steps]}
    return {**told, "front": "web"}


def turn_in(state: IncidentState, opened: float, now: float) -> dict[str, Any]:
    """What a story that has come so far keeps: each step before took a second more than the one before it."""
    clock, steps = now - opened, list(IncidentState)
    entered = [(step.value, 0.5 * n * (n + 1)) for n, step in enumerate(steps[: steps.index(state) + 1])]
    watching = state is IncidentState.WATCHING
    note = "web answers, and no request failed" if watching else ""
    until = now + 1080 if watching else None
    return {
        "state": state.value, "wall": now, "clock": clock, "since": entered[-1][1], "entered": entered,
        "until": until, "note": note,
    }  # fmt: skip


def bad_release(world: World, state: IncidentState = IncidentState.APPLYING, authority: str = "act") -> Incident:
    """Release 4 breaks one checkout in three; a rollback is on its way."""
    ids, now = history(world), clock.now()
    begun = now - 140
    world.vitals.requests += [(begun + i * 0.4, i % 3 != 0) for i in range(340)]
    world.vitals.well["web"] = False
    world.vitals.figures["web"] |= {"failed_share": 0.31, "p95_ms": 240}
    seen = Symptom(
        "errors", "web", "checkout fails for about 1 in 3 buyers", begun, begun + 4, "POST /checkout", ids[3], 0.31
    )
    found = Incident("inc-new", "web", (seen,), begun + 4, IncidentState.SEEN, title=seen.text)
    world.store.incidents.open(found)
    world.store.changes.record(
        Change("c2", begun - 4, ChangeKind.RELEASE, "", ids[2], ids[3], "ana (terminal)", "", f"release {ids[3]}")
    )
    fact = Evidence(
        "requests", "proxy", begun, now, "31 % of POST /checkout failed on the new release, 0.2 % on the old one",
        {"canary": {"requests": 220, "failed": 68, "failed_share": 0.31}, "stable": {"requests": 640, "failed": 1}},
    )  # fmt: skip
    world.store.incidents.add_evidence(found.id, [fact])
    plan = plan_for(ids[3], ids[2])
    world.store.incidents.save(
        found.id,
        state=state.value,
        users_hit=38,
        requests_failed=102,
        turn=turn_in(state, begun + 4, now),
        diagnosis={
            "hypotheses": [
                {"cause": "release", "text": f"release {ids[3]} broke checkout", "weight": 4.2, "supports": [fact.id]},
                {
                    "cause": "overload",
                    "text": "too much traffic",
                    "weight": -3.0,
                    "supports": [],
                    "contradicts": [fact.id],
                },
            ],
            "unknown": ["whether orders that failed were paid for", "why old coupons are rejected"],
        },
        decision={
            "plan": asdict(plan),
            "plan_hash": plan.hash,
            "refusal": None,
            "skipped": [asdict(s) for s in plan.skipped],
            "gates": [
                {"gate": "fresh evidence", "verdict": "pass", "reason": "newest request 0.4 s old"},
                {"gate": "old release warm", "verdict": "pass", "reason": "answers on its own port"},
            ],
            "authority": authority,
            "why": plan.why,
            "reach": reach_of(seen),
        },
    )
    undo = {"release": ids[3]}
    made = Effect("k1", found.id, "web", "rollback", {"release": ids[2], "actor": "prodwise"}, undo, 1, now - 3)
    world.store.ledger.intend(made)
    world.store.ledger.settle("k1", EffectState.DONE, "all traffic on the old release")
    return found


def question(world: World) -> str:
    """The same, but Prodwise asks first. Returns the approval's id."""
    found = bad_release(world, IncidentState.CHOSEN, "ask")
    plan = world.store.incidents.row(found.id)["decision"]["plan"]
    hashed = world.store.incidents.row(found.id)["decision"]["plan_hash"]
    return world.store.approvals.ask(found.id, hashed, plan, 1500).id


def ramp(world: World, share: float = 0.25) -> str:
    """Release 4 on its way, at a quarter of the users. Returns its id."""
    ids, now = history(world), clock.now()
    world.target.seen = target_seen(share, ids[2], ids[3])
    world.store.releases.set_state(ids[3], ReleaseState.CANARY, "")
    gates = (
        {"gate": "starts and answers", "verdict": "pass", "reason": "3 of 3 declared checks below 500"},
        {"gate": "errors", "verdict": "hold", "reason": "418 of about 600 requests seen; no more failures than before"},
    )
    web = {
        "arms": {
            "stable": {"n": 1254, "errors": 3, "lanes": 310, "p50_ms": 14.0, "p95_ms": 61.0},
            "canary": {"n": 418, "errors": 1, "lanes": 104, "p50_ms": 13.0, "p95_ms": 58.0},
        },
        "evidence": {
            "errors": {"e": 1.4, "proof": 120.0, "done": 0.07},
            "latency": {"e": 0.2, "proof": 900.0, "done": 0.0},
        },
        "routes": [
            {
                "route": "POST /checkout",
                "canary_n": 41,
                "canary_errors": 1,
                "stable_n": 120,
                "stable_errors": 1,
                "done": 0.05,
            },
            {"route": "GET /about", "canary_n": 0, "canary_errors": 0, "stable_n": 9, "stable_errors": 0, "done": 0.0},
        ],
    }
    with world.store.database.unit() as session:
        for state, stage, ago in (
            ("building", "", 42),
            ("checking", "", 39),
            ("ramping", "5 %", 35),
            ("ramping", "25 %", 12),
        ):
            data = {"state": state, "stage": stage, "release": ids[3]}
            append(session, Entry(0, now - ago, "rollout_stage", "prodwise", "", ids[3], f"{state} {stage}", data))
    numbers = {"web": web, "waiting_for": "about 180 more requests without a rise in failures"}
    world.store.rollouts.put(
        Rollout(
            ids[3],
            ids[2],
            RolloutState.RAMPING,
            "25 %",
            share,
            now - 42,
            gates=gates,
            numbers=numbers,
            asked_by="ana (terminal)",
        )
    )
    return ids[3]


def withdrawn(world: World) -> str:
    """Release 4 went back on its way, and the commit that it likely came in with was found since. Returns the incident."""
    ids, at = history(world), clock.now() - 60
    gone = Withdrawal(
        ids[3], ids[2], "web", ("web",), 0.05, "web: broken on the new release: GET /cart (7 of 9 failed)", "",
        ({"gate": "web: latency", "verdict": "pass", "reason": "as fast as before"},
         {"gate": "web: errors", "verdict": "fail", "reason": "web: 7 of 9 failed"}), {},
    )  # fmt: skip
    symptom = Symptom("release", "web", gone.text(), at - 3, at, release=ids[3])
    found = Incident(f"inc-{ids[3]}", "web", (symptom,), at, IncidentState.APPLYING, title=gone.title())
    world.store.incidents.open(found)
    fact = Evidence("judge", "proxy", at - 3, at, gone.reason, {})
    suspect = Evidence("suspect", "git", at, at, "suspect commit 4444444", {"suspects": [
        {"commit": "4" * 40, "title": "Fix the footer", "author": "Ana Lima", "share": 0.93, "path": "shop/cart.py", "line": 41}
    ]})  # fmt: skip
    world.store.incidents.add_evidence(found.id, [fact, suspect])
    world.store.incidents.save(
        found.id, users_hit=7, requests_failed=8, state="closed", outcome="healed", closed_at=at + 1,
        diagnosis={**gone.diagnosis(fact.id), "unknown": []}, decision=gone.decision(fact.id),
    )  # fmt: skip
    made = Effect("w1", found.id, "web", "rollback", {"share": 0.0, "actor": "prodwise"}, {"share": 0.05}, 1, at)
    world.store.ledger.intend(made)
    world.store.ledger.settle("w1", EffectState.DONE, "")
    return found.id


def respawned(world: World) -> str:
    """web died, and the supervisor had it back before anybody else could act. Returns the incident."""
    history(world)
    at = clock.now() - 120
    symptom = Symptom("crash", "web", "web ended after signal 9", at, at, severity=1.0)
    world.store.incidents.open(
        Incident("inc-web-9", "web", (symptom,), at, IncidentState.SEEN, title="web ended after signal 9")
    )
    world.vitals.requests += [(at + i * 0.05, True) for i in range(4)]
    done = {"kind": "restart", "reason": "the supervisor restarted it at 10:13, and it answers again", "at": at + 0.2}
    world.store.incidents.save(
        "inc-web-9", state="closed", outcome="healed", closed_at=at + 9, requests_failed=4,
        decision={"plan": None, "done": done, "skipped": [], "gates": [], "authority": "observe", "why": done["reason"]},
    )  # fmt: skip
    return "inc-web-9"


def unmet(world: World, told: str = "a fix is proposed, as a draft: https://code.example/pulls/7") -> str:
    """All is well, and the newest release was refused before any user met it. told: what came of looking for its fix, "" for nothing.
    Returns its id."""
    history(world)
    release = world.store.releases.create("f" * 40, "ana").id
    reason = "it does not come up: web keeps ending (exit code 1, 3 restarts)"
    world.store.rollouts.put(
        Rollout(release, "", RolloutState.FAILED, "", 0.0, clock.now(), ended_at=clock.now()), reason
    )
    world.store.releases.set_state(release, ReleaseState.FAILED, reason)
    noted = Unmet(release, UnmetAt.START, "web", reason, "NameError: <b>curency</b>")
    world.store.ledger.append("unmet", noted.title, actor="prodwise", incident=release, data=noted.to_json())
    for text, state in ((told, "open"), ("about to propose: x", "intent")) if told else ():
        world.store.ledger.append("pull", text, actor="prodwise", incident=release, data={"state": state})
    return release
