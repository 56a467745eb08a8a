"""Commands that change what runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer

from prodwise.cli.client import ApiError, Client, nobody_answers
from prodwise.cli.codes import Code
from prodwise.cli.command import DryRun, IncidentId, Json, NoInput, Release, Yes, command
from prodwise.cli.desk import Desk, paint, person
from prodwise.cli.going_back import Goal, agreed, goal_of, warned
from prodwise.cli.reads import find_incident, print_json
from prodwise.loop.named import one_of
from prodwise.model.errors import NotRunning, UsageError

Ref = Annotated[str, typer.Argument(metavar="REF", help="A commit, branch or tag.")]
Detach = Annotated[bool, typer.Option("--detach", help="Return at once; the rollout goes on by itself.")]
Timeout = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", min=0, help="Stop following after so long (exit 124); 0: never."),
]
ServiceName = Annotated[str, typer.Argument(metavar="SERVICE", help="Its name in prodwise.toml: web, worker, ….")]
Back = Annotated[bool, typer.Option("--back", help="Hand it back to Prodwise.")]
Wrong = Annotated[str, typer.Option("--wrong", metavar="NOTE", help="Its diagnosis is wrong, and why.")]
Question = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The question's id, or the beginning of it; without it the open ones are listed."
    ),
]

SETTLE_S = 120.0


def add(app: typer.Typer) -> None:
    command(app, "Act", "prodwise deploy", "prodwise deploy v1.4", "prodwise deploy main --detach")(deploy)
    command(app, "Act", "prodwise rollback", "prodwise rollback 6-6c12aaa -y", "prodwise rollback --dry-run")(rollback)
    command(app, "Act", "prodwise restart web", "prodwise restart worker --dry-run")(restart)
    command(app, "Every day", "prodwise undo", "prodwise undo inc-20261104-1 -y")(undo)
    command(
        app,
        "Every day",
        "prodwise takeover",
        "prodwise takeover inc-20261104-1 --back",
        'prodwise takeover inc-20261104-1 --wrong "the database is full"',
    )(takeover)
    command(app, "Every day", "prodwise approve", "prodwise approve 5kTq0aXzB1cD")(approve)
    command(app, "Every day", "prodwise deny 5kTq0aXzB1cD")(deny)


def deploy(
    desk: Desk,
    ref: Ref = "HEAD",
    detach: Detach = False,
    timeout: Timeout = 0,
    dry_run: DryRun = False,
    json: Json = False,
) -> int:
    """Ship a commit to more and more users while the evidence is good. Built and checked before any user sees it.

    Goes back by itself when it is worse. Exit 0 verified good, 7 refused before any user saw it, 8 went back.
    Ctrl-C stops the following, not the rollout.
    """
    from prodwise.cli.follow import Follower, ending

    client = desk.client()
    if dry_run:
        return _deploy_plan(desk, client, ref, as_json=json)
    release = str(client.post("deploy", ref=ref)["release"])
    desk.say(f"deploying {ref} as release {release}", "bold")
    if detach:
        desk.data(release=release) if json else desk.show(release)
        return Code.OK
    try:
        code, rollout = Follower(desk, client, release).run(timeout)
    except KeyboardInterrupt:
        desk.say(f"\n{release} goes on without this terminal. Go back: prodwise rollback", "warn")
        return Code.INTERRUPTED
    if json:
        desk.data(
            release=release,
            result={0: "verified_good", 7: "refused", 8: "went_back"}.get(code, "timed_out"),
            rollout=rollout,
        )
    else:
        ending(client, desk, {"release": release, **rollout}, code)
    return code


def _deploy_plan(desk: Desk, client: Client, ref: str, *, as_json: bool) -> int:
    from prodwise import wiring
    from prodwise.config import load
    from prodwise.server.views.words import duration

    current = client.get("releases")
    commit, title = wiring.commit_of(desk.app_dir, ref)
    config = load(desk.app_dir)
    shares = [f"{share:g} %" for share in config.ramp.shares]
    if as_json:
        desk.data(dry_run=True, commit=commit, title=title, shares=list(config.ramp.shares), serving=current["serving"])
        return Code.OK
    desk.show(
        f"Would build {paint(commit[:7], 'bold')} {paint(title, '')}",
        "  and check it before any user sees it,",
        f"  then give it to {' ▸ '.join(shares)} of users, as fast as the evidence allows,",
        f"  then watch it for {duration(config.ramp.watch_seconds)}.",
        f"Now serving: {', '.join(current['serving']) or 'nothing'}.",
        "Nothing was changed.",
    )
    return Code.OK


def rollback(
    desk: Desk,
    release: Release = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    no_input: NoInput = False,
    json: Json = False,
) -> int:
    """Send all users back to the last good release. Or to the one you name.

    Works without the healer too. Data, uploads and the env file stay as they are. Where migrations since then changed what
    the older release knows, it says so with file and line, and asks once more. A release that was left with a share of the users is
    gone back from first. A restart that is going on is let end first, for 20 seconds at most; a rollout for two minutes, else nothing
    is done and you are told.
    """
    client = desk.client(patience_s=0.0)  # going back need not wait for it
    try:
        goal = goal_of(client, release)
    except NotRunning:
        return _rollback_offline(desk, release, dry_run=dry_run, yes=yes, no_input=no_input, as_json=json)
    told = warned(desk, goal)
    if dry_run:
        facts = {"dry_run": True, "release": goal.release, "serving": goal.serving, **told.data()}
        desk.data(**facts) if json else desk.show(goal.plan, *told.lines(), "Nothing was changed.")
        return Code.OK
    stays = ["Code and dependencies go back. Data, uploads and the env file stay as they are now."]
    if not agreed(desk, f"Go back to {goal.release}?", [goal.plan, *stays], told, yes=yes, no_input=no_input):
        return Code.FAILED
    try:
        went = str(client.post("rollback", release=goal.asked)["release"])
    except ApiError as error:
        if error.status < 500 or release:
            raise
        desk.say(f"{error.message}; going back without the healer", "warn")
        return _go_back_offline(desk, as_json=json)
    return _wait_for_release(desk, client, went, as_json=json)


def _wait_for_release(desk: Desk, client: Client, release: str, *, as_json: bool) -> int:
    from prodwise.cli.follow import wait_until
    from prodwise.clock import monotonic
    from prodwise.server.views.words import duration

    began = monotonic()
    alone = lambda: sorted(client.get("releases")["serving"]) == [release]  # noqa: E731
    served = wait_until(desk, f"going back to {release}", alone, SETTLE_S)
    took = duration(monotonic() - began)
    if as_json:
        desk.data(release=release, done=served, seconds=round(monotonic() - began, 2))
    elif served:
        desk.show(f"{paint('✓', 'good')} all users are on {paint(release, 'bold')} again ({took})")
    else:
        desk.show(
            f"{paint('✗', 'bad')} users are not all on {paint(release, 'bold')} after {took}: `prodwise releases` shows where"
        )
    return Code.OK if served else Code.TIMED_OUT


def _rollback_offline(desk: Desk, release: str, *, dry_run: bool, yes: bool, no_input: bool, as_json: bool) -> int:
    """Raises NotRunning when nothing of the app runs at all."""
    from prodwise import wiring

    if not wiring.status_offline(desk.app_dir).guard:
        raise nobody_answers(desk.app_dir)
    if release:
        raise UsageError(
            "the healer does not answer, so only the release before can be gone back to", "leave the name out"
        )
    goal, withdrawn = wiring.rollback_goal(desk.app_dir)
    told = warned(desk, Goal(goal, [], "", withdrawn))
    if dry_run:
        said = "The healer does not answer. Would go back to the release before, on this machine."
        facts = {"dry_run": True, "healer": False, **told.data()}
        desk.data(**facts) if as_json else desk.show(said, *told.lines(), "Nothing was changed.")
        return Code.OK
    here = ["The healer does not answer: this is done on the machine itself, and told to the ledger later."]
    if not agreed(desk, "Go back to the release before?", here, told, yes=yes, no_input=no_input):
        return Code.FAILED
    desk.say("going back without the healer")
    return _go_back_offline(desk, as_json=as_json)


def _go_back_offline(desk: Desk, *, as_json: bool) -> int:
    from prodwise import wiring

    done = wiring.rollback_now(desk.app_dir, person())
    if as_json:
        desk.data(done=True, healer=False, services=[asdict(one) for one in done])
    for one in () if as_json else done:
        desk.show(f"{paint('✓', 'good')} {one.service}: {one.before or 'nothing'} → {paint(one.after, 'bold')}")
    return Code.OK


def restart(
    desk: Desk,
    service: ServiceName,
    dry_run: DryRun = False,
    yes: Yes = False,
    no_input: NoInput = False,
    json: Json = False,
) -> int:
    """Restart one service's process, now."""
    from prodwise.cli.follow import wait_until

    client = desk.client()
    before = _pids(client.get("target"), service)
    if dry_run:
        what = f"Would end process {', '.join(map(str, sorted(before)))} of {service} and start a new one."
        facts = {"dry_run": True, "service": service, "processes": sorted(before)}
        desk.data(**facts) if json else desk.show(what, "Nothing was changed.")
        return Code.OK
    lost = ["Requests that it is serving right now may be lost."]
    if not desk.agree(f"Restart {service}?", lost, yes=yes, no_input=no_input):
        return Code.FAILED
    client.post("restart", service=service)
    now_run: set[int] = set()

    def fresh() -> bool:
        now_run.update(_pids(client.get("target"), service) - before)
        return bool(now_run)

    done = wait_until(desk, f"restarting {service}", fresh, SETTLE_S)
    if json:
        desk.data(service=service, done=done, processes=sorted(now_run))
    elif done:
        desk.show(f"{paint('✓', 'good')} {service} runs anew")
    else:
        desk.show(f"{paint('✗', 'bad')} {service} has no new process yet: `prodwise status` shows what is wrong")
    return Code.OK if done else Code.TIMED_OUT


def _pids(target: Mapping[str, Any], service: str) -> set[int]:
    """Its running processes. Raises UsageError for a service that does not exist."""
    known = {str(s["service"]): s for s in target["services"]}
    if service not in known:
        raise UsageError(f"there is no service {service!r}", f"known: {', '.join(sorted(known))}")
    return {int(slot["pid"]) for slot in known[service]["slots"] if slot["pid"]}


def undo(
    desk: Desk,
    incident: IncidentId = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    no_input: NoInput = False,
    json: Json = False,
) -> int:
    """Take back what Prodwise did in an incident. You take the incident over."""
    client = desk.client()
    chosen = find_incident(client, incident)
    seen = client.get(f"incidents/{chosen}")
    lines = [f"{e['kind']} of {e['service']}" for e in seen["effects"] if e["state"] == "done" and e["undo"]]
    if dry_run:
        able = bool(seen["view"]["can_undo"])
        what = f"Would take back in {chosen}: {', '.join(lines)}." if able else f"Nothing in {chosen} can be undone."
        facts = {"dry_run": True, "incident": chosen, "can_undo": able, "effects": lines if able else []}
        desk.data(**facts) if json else desk.show(what, "Nothing was changed.")
        return Code.OK
    if not seen["view"]["can_undo"]:
        raise UsageError(
            f"nothing in {chosen} can be undone",
            f"`prodwise why {chosen}` shows what was done; `prodwise changes` how each change is taken back",
        )
    if not desk.agree(f"Undo what was done in {chosen}?", lines, yes=yes, no_input=no_input):
        return Code.FAILED
    text = str(client.post(f"incidents/{chosen}/undo")["text"])
    desk.data(incident=chosen, text=text) if json else desk.show(text)
    return Code.OK


def takeover(desk: Desk, incident: IncidentId = "", back: Back = False, wrong: Wrong = "", json: Json = False) -> int:
    """Take one incident over from Prodwise, or hand it back. It only watches meanwhile.

    With --wrong your note is kept with the incident, and the same diagnosis leads to no step any more. Other incidents, deploys
    and the supervisor's respawns go on; `prodwise stop` holds them all.
    """
    if back and wrong:
        raise UsageError("--back and --wrong do not go together", "call it wrong first, hand it back later")
    client = desk.client()
    chosen = find_incident(client, incident)
    if back:
        answer, said = client.post(f"incidents/{chosen}/handback"), "handed back; Prodwise looks afresh"
    elif wrong:
        answer = client.post(f"incidents/{chosen}/wrong", note=wrong)
        said = "the note is kept" + ("; you have the incident now" if answer["taken_over"] else "")
    else:
        answer = client.post(f"incidents/{chosen}/takeover")
        said = f"{answer['taken_over']} has it; Prodwise only watches"
    more = "" if back or not answer["taken_over"] else f". Hand it back: prodwise takeover {chosen} --back"
    desk.data(incident=chosen, taken_over=answer["taken_over"]) if json else desk.show(f"{chosen}: {said}{more}")
    return Code.OK


def approve(
    desk: Desk, question: Question = "", yes: Yes = False, no_input: NoInput = False, json: Json = False
) -> int:
    """Say yes to what Prodwise wants to do."""
    return _answer(desk, question, agree=True, yes=yes, no_input=no_input, as_json=json)


def deny(desk: Desk, question: Question = "", json: Json = False) -> int:
    """Say no to what Prodwise wants to do."""
    return _answer(desk, question, agree=False, yes=True, no_input=True, as_json=json)


def _answer(desk: Desk, question: str, *, agree: bool, yes: bool, no_input: bool, as_json: bool) -> int:
    client = desk.client()
    found = client.get("approvals")
    if not question:
        print_json(found) if as_json else _questions(desk, found["approvals"])
        return Code.OK
    open_ones = {str(a["id"]): a for a in found["approvals"]}
    question = one_of(question, list(open_ones), "open question", "prodwise approve")
    asked = open_ones[question]
    if not desk.agree("Do it?", _question_lines(asked), yes=yes, no_input=no_input):
        return Code.FAILED
    answer = client.post(f"approvals/{question}", plan_hash=asked["plan_hash"], yes=agree)
    if as_json:
        print_json(answer)
    else:
        desk.show(f"{paint('✓', 'good')} {'approved' if agree else 'denied'}; `prodwise status` shows what happens")
    return Code.OK


def _questions(desk: Desk, approvals: list[dict[str, Any]]) -> None:
    if not approvals:
        desk.show("No open question. Nothing waits for you.")
    for asked in approvals:
        desk.show(paint(asked["id"], "bold"), *(f"  {paint(line, '')}" for line in _question_lines(asked)))


def _question_lines(asked: Mapping[str, Any]) -> list[str]:
    from prodwise.clock import now
    from prodwise.server.views.needs import risk_words
    from prodwise.server.views.words import left, plan_words

    plan = asked["plan"]
    return [
        f"incident {asked['incident']}: {plan_words(plan)}",
        str(plan.get("why") or ""),
        risk_words(plan),
        f"{left(asked['expires_at'] - now())} left to answer; without an answer nothing is done",
    ]
