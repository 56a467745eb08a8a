"""What came of a scenario: from the traffic client's records and the healer's events, nothing else. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from prodwise.drill.healers.base import Event
from prodwise.drill.result import ActionTaken, ScenarioResult
from prodwise.drill.scenario import ACTIONS, Expect, Scenario
from prodwise.drill.seen import Seen
from prodwise.drill.timing import WELL_S, times
from prodwise.model.outcome import Outcome

NOT_OURS = ("overload", "upstream_down")  # what no action on the app can heal
RESULT = {"intent": "unknown"}
SAME_RETURN_S = 30.0  # a rollback this near a refused release is what the refusal did
STEADY_S = 5.0  # good answers for this long, and the impact counts as over
PATIENCE_S = 20.0  # steady for this long, and the healer's own closing is not waited for
WATCH_S = 45.0  # of a promoted release
REMEDIES = {"kill": "restart", "hang": "restart", "slow": "restart", "release": "rollback", "config": "rollback"}
TOLD_S = 3.0


def actions(seen: Seen) -> tuple[ActionTaken, ...]:
    """What was done, in order: an intent and what became of it are one action; a refused release is a rollback.

    What belongs to a deploy (starting, ramping, promoting) and calling a person are not actions."""
    found: list[ActionTaken] = []
    open_at: dict[tuple[str, str, str], int] = {}
    for event in seen.events:
        kind, state = event.word("kind"), event.word("state")
        if event.kind != "action" or kind not in ACTIONS or _of_a_stand_in(event, seen):
            continue
        key = (kind, event.service, event.word("target"))
        if key in open_at and state != "intent":
            number = open_at[key]
            found[number] = replace(found[number], result=state)
            if state != "done":
                del open_at[key]
            continue
        at = round(event.at - seen.began, 3)
        target = event.word("target") if kind != "restart" or not event.service else event.service
        found.append(ActionTaken(kind, at, target or event.service, RESULT.get(state, state)))
        if state == "intent":
            open_at[key] = len(found) - 1
    return tuple(sorted([*found, *_refusals(seen, found)], key=lambda one: one.at))


def _of_a_stand_in(event: Event, seen: Seen) -> bool:
    """A service that the drill holds down to play another company's outage comes back by what keeps processes alive: that is
    part of the fault."""
    struck = [
        one.at for one in seen.injected if one.fault.kind == "upstream_down" and one.fault.service == event.service
    ]
    return event.word("actor") == "supervisor" and bool(struck) and event.at >= min(struck)


def _refusals(seen: Seen, found: Sequence[ActionTaken]) -> list[ActionTaken]:
    """A rollback for each refused release whose going back was not written down as one."""
    at_refused = [(event.at - seen.began, event.word("target") or event.service) for event in seen.events
                  if event.kind == "rollout_failed"]  # fmt: skip
    backs = [one.at for one in found if one.kind == "rollback"]
    return [
        ActionTaken("rollback", round(at, 3), target, "done")
        for at, target in at_refused
        if not any(abs(back - at) < SAME_RETURN_S for back in backs)
    ]


def outcome(seen: Seen) -> Outcome:
    """Exactly one; told from what users got, and from what the healer says only where users cannot know."""
    done = actions(seen)
    if seen.has("escalated") or seen.closed_as("escalated"):
        return Outcome.ESCALATED
    if _still_bad(seen):
        return Outcome.UNHEALED
    if seen.closed_as("undone") or any(one.result == "undone" for one in done):
        return Outcome.UNDONE
    if any(one.result == "done" for one in done):
        return Outcome.HEALED
    if done or _something_was_wrong(seen):
        return Outcome.UNHEALED
    if any(one.fault.deploys for one in seen.injected) and not seen.has("promoted"):
        return Outcome.UNHEALED
    return Outcome.QUIET


def _still_bad(seen: Seen) -> bool:
    if any(one.worker and one.back is None for one in seen.injected):
        return True
    impact = seen.impact
    return impact.onset is not None and (impact.recovered is None or seen.steady < WELL_S)


def _something_was_wrong(seen: Seen) -> bool:
    """A process fault is wrong even if no user noticed; for anything else the users decide."""
    if not seen.injected:
        return not seen.mostly_fine
    hard = ("kill", "hang", "crash_loop", "upstream_down")
    return seen.impact.onset is not None or any(one.fault.kind in hard for one in seen.injected)


def settled(scenario: Scenario, seen: Seen) -> str:
    """Why the scenario can end now, in words; "" while it cannot."""
    broken = _broken(scenario.expect, seen)
    if broken:
        return broken
    over = max((one.until for one in seen.injected), default=0.0)
    if len(seen.injected) < len(scenario.fault) or seen.now < over:
        return ""
    return _met(scenario.expect, seen, over)


def _broken(expect: Expect, seen: Seen) -> str:
    """Too many failed requests do not end a scenario: how long the recovery took is still worth knowing."""
    if expect.outcome == "quiet" and (done := actions(seen)):
        return f"{done[0].kind} although nothing was wrong"
    if expect.outcome == "quiet" and seen.has("escalated"):
        return "a person was called although nothing was wrong"
    promoted = [event.at for event in seen.events if event.kind == "promoted"]
    if expect.outcome != "quiet" and promoted and not actions(seen) and seen.now - promoted[-1] > WATCH_S:
        return f"the release was promoted and watched for {WATCH_S:g} s"
    return ""


def _met(expect: Expect, seen: Seen, over: float) -> str:
    if not seen.fix_is(expect.fix):
        return ""
    if expect.outcome == "quiet" and expect.fix:
        return f"the fix is {expect.fix}" if outcome(seen) is Outcome.QUIET else ""
    if expect.outcome == "quiet":
        promoted = [event.at for event in seen.events if event.kind == "promoted"]
        return f"promoted and watched for {WATCH_S:g} s" if promoted and seen.now - promoted[-1] > WATCH_S else ""
    if expect.outcome == "escalated":
        told = outcome(seen) is Outcome.ESCALATED and seen.now - over > TOLD_S
        well = seen.impact.onset is None or seen.steady >= STEADY_S or seen.now - over > PATIENCE_S
        return "a person was called" if told and well else ""
    if outcome(seen) != expect.outcome or seen.steady < STEADY_S or seen.now - over < STEADY_S:
        return ""
    if not _subsequence(expect.actions, [one.kind for one in actions(seen) if one.result != "unknown"]):
        return ""
    return expect.outcome if seen.idle or seen.steady > PATIENCE_S else ""


def score(scenario: Scenario, seen: Seen, notes: Sequence[str] = ()) -> ScenarioResult:
    """The scenario's row of the result."""
    done, end = actions(seen), outcome(seen)
    expect = scenario.expect
    failed = sum(one.failed for one in seen.requests)
    reasons = [*notes]
    if end != expect.outcome:
        reasons.append(f"expected {expect.outcome}, was {end}")
    if not _subsequence(expect.actions, [one.kind for one in done]):
        reasons.append(
            f"expected {', then '.join(expect.actions)}; done: {', '.join(one.kind for one in done) or 'nothing'}"
        )
    if not seen.fix_is(expect.fix):
        reasons.append(f"no fix was {expect.fix}")
    if expect.max_failed is not None and failed > expect.max_failed:
        reasons.append(f"{failed} requests failed, at most {expect.max_failed} were acceptable")
    wrong = _wrong(expect, seen, done)
    if wrong and seen.injected and all(one.fault.kind in NOT_OURS for one in seen.injected):
        reasons.append(f"{', '.join(one.kind for one in done)}, although nothing that is done here can help")
    detect, decide, recover = times(seen)
    return ScenarioResult(
        name=scenario.name, outcome=str(end), expected=expect.outcome, passed=len(reasons) == len(notes), actions=done,
        seconds_to_detect=detect, seconds_to_decide=decide, seconds_to_recover=recover,
        requests=len(seen.requests), requests_failed=failed,
        fix=expect.fix if seen.fix_is(expect.fix) else "",
        wrong_actions=wrong, repeats=_repeats(expect, seen, done), notes=tuple(reasons),
    )  # fmt: skip


def _respawns(seen: Seen) -> set[float]:
    """When a dead process was replaced by what keeps it alive: the answer to a death, never wrong and never one too many."""
    return {
        round(event.at - seen.began, 3)
        for event in seen.events
        if event.kind == "action" and event.word("actor") == "supervisor"
    }


def _wrong(expect: Expect, seen: Seen, done: Sequence[ActionTaken]) -> int:
    """Actions before anything was wrong, and kinds that the scenario does not call for (one that is to be healed and names none
    calls for any); a respawn is no choice of anybody's."""
    struck = seen.injected[0].at - seen.began if seen.injected else float("inf")
    chosen = [one for one in done if one.at not in _respawns(seen)]
    called_for = expect.actions or (ACTIONS if expect.outcome in ("healed", "undone") else ())
    return sum(one.at < struck - 0.5 or one.kind not in called_for for one in chosen)


def _repeats(expect: Expect, seen: Seen, done: Sequence[ActionTaken]) -> int:
    """The same action on the same target beyond what was called for, which is one for each fault at least; while a fault is kept
    up, it is not counted."""
    kept_up = [(one.at - seen.began, one.until - seen.began) for one in seen.injected if one.until > one.at]
    chosen = [one for one in done if one.at not in _respawns(seen)]
    counted = [one for one in chosen if not any(begin <= one.at <= end for begin, end in kept_up)]
    called_for = Counter(expect.actions) | Counter(REMEDIES.get(one.fault.kind, "") for one in seen.injected)
    again = Counter((one.kind, one.target) for one in counted)
    return sum(max(0, count - max(1, called_for[kind])) for (kind, _), count in again.items())


def _subsequence(wanted: Sequence[str], kinds: Sequence[str]) -> bool:
    rest = iter(kinds)
    return all(kind in rest for kind in wanted)
