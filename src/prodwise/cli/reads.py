"""Commands that look and change nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from prodwise.cli.client import ApiError, Client
from prodwise.cli.codes import Code
from prodwise.cli.command import IncidentId, Json, Watch, command
from prodwise.cli.desk import Desk, paint
from prodwise.loop.named import one_of
from prodwise.model.errors import NotRunning, UsageError

AskedAbout = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="An incident's or a release's id, or the beginning of it; else the newest incident."
    ),
]
AsPrompt = Annotated[bool, typer.Option("--prompt", help="As a prompt for a coding agent.")]
Out = Annotated[str, typer.Option("--out", metavar="FILE", help="Write it there; - is stdout.")]
OpenOnly = Annotated[bool, typer.Option("--open", help="Only those that are not closed.")]

ID_CHARS_MAX = 200
RELEASE_STYLE = {"verified_good": "good", "failed": "bad", "canary": "accent", "promoted": "accent", "retired": "dim"}


def add(app: typer.Typer) -> None:
    command(app, "Every day", "prodwise status", "prodwise status --watch", "prodwise status --json | jq .state")(
        status
    )
    command(app, "Every day", "prodwise incidents", "prodwise incidents --open --json")(incidents)
    command(app, "Every day", "prodwise show", "prodwise show inc-20261104-1", "prodwise show --prompt | my-agent")(
        show
    )
    command(
        app,
        "Every day",
        "prodwise why",
        "prodwise why inc-20261104-1",
        "prodwise why 6-7f3a1c9     # a release that was refused",
    )(why)
    command(app, "Every day", "prodwise report", "prodwise report inc-20261104-1 --out report.md")(report)
    command(app, "Act", "prodwise releases", "prodwise releases --watch --json")(releases)


def status(desk: Desk, json: Json = False, watch: Watch = False) -> int:
    """What is broken, what Prodwise is doing, what it needs from you.

    Exit code 3 unless everything is known to be well and no incident is open.
    """
    from prodwise.cli.status_text import status_text
    from prodwise.cli.watching import watch as keep

    client = desk.client()
    if watch:
        return keep(desk, lambda: client.get("status"), status_text, as_json=json, ignore=("at",))
    try:
        seen = client.get("status")
    except NotRunning as absent:
        return _offline(desk, absent, as_json=json)
    if json:
        print_json(seen)
    else:
        status_text(seen)
    return Code.OK if seen["state"] == "ok" and not seen["stories"] else Code.UNHEALTHY


def _offline(desk: Desk, absent: NotRunning, *, as_json: bool) -> int:
    """Without the healer: what the machine itself shows. Raises `absent` when nothing runs at all."""
    from prodwise import wiring
    from prodwise.cli.status_text import offline_text

    seen = asdict(wiring.status_offline(desk.app_dir))
    if not (seen.get("supervisor") or seen.get("guard") or seen.get("proxy")):
        raise absent
    if as_json:
        desk.data(state="unknown", healer=False, sentence="The healer does not answer.", offline=seen)
    else:
        offline_text(seen, wiring.app_name(desk.app_dir))
    return Code.UNHEALTHY


def incidents(desk: Desk, open_: OpenOnly = False, json: Json = False, watch: Watch = False) -> int | None:
    """What was wrong, newest first."""
    from prodwise.cli.watching import watch as keep

    client = desk.client()
    asked = {"open": "true" if open_ else None, "limit": 100}
    if watch:
        return keep(desk, lambda: client.get("incidents", **asked), _incidents_text, as_json=json)
    found = client.get("incidents", **asked)
    if json:
        print_json(found)
    else:
        _incidents_text(found)
    return None


def _incidents_text(answer: Mapping[str, Any]) -> None:
    from prodwise.cli.incident_text import OUTCOME_STYLE
    from prodwise.cli.tables import table
    from prodwise.cli.times import since

    rows = []
    for one in answer["incidents"]:
        outcome = str(one["outcome"] or "open")
        state = outcome if one["outcome"] else f"open: {one['state']}"
        text = one["title"] or (one["symptoms"][0]["text"] if one["symptoms"] else "")
        rows.append(
            (
                (one["id"], "bold"),
                since(one["opened_at"]),
                one["service"] or "whole app",
                (state, OUTCOME_STYLE.get(outcome, "")),
                text,
            )
        )
    if rows:
        table(("incident", "began", "service", "outcome", "what"), rows)
    else:
        print("No incidents.")


def show(
    desk: Desk, incident: IncidentId = "", prompt: AsPrompt = False, json: Json = False, watch: Watch = False
) -> int | None:
    """One incident: impact, timeline, evidence, what is not known.

    --prompt gives it to a coding agent as plain text: stored evidence only, without secrets, outside text fenced.
    """
    from prodwise.cli.incident_text import show_text

    if prompt:
        client = desk.client()
        answer = client.get(f"incidents/{find_incident(client, incident)}/prompt")
        print_json(answer) if json else print(answer["prompt"], end="")
        return None
    return _one(desk, incident, show_text, as_json=json, keep_on=watch)


def why(desk: Desk, incident: AskedAbout = "", json: Json = False) -> int | None:
    """Why Prodwise did what it did, or did not. Symptoms, causes, the ladder, gates."""
    from prodwise.cli.incident_text import why_text

    if incident and _rollout(desk, incident, as_json=json):
        return None
    return _one(desk, incident, why_text, as_json=json, keep_on=False)


def report(desk: Desk, incident: IncidentId = "", out: Out = "-", json: Json = False) -> None:
    """What happened, as Markdown: from stored evidence alone, each sentence with its source."""
    client = desk.client()
    answer = client.get(f"incidents/{find_incident(client, incident)}/report")
    if json:
        print_json(answer)
    elif out == "-":
        print(answer["markdown"], end="")
    else:
        try:
            Path(out).write_text(answer["markdown"], encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{out} cannot be written: {error.strerror}", "name another file") from None
        desk.say(f"wrote {out}")


def _one(desk: Desk, incident: str, draw: Any, *, as_json: bool, keep_on: bool) -> int | None:
    from prodwise.cli.watching import watch as keep

    client = desk.client()
    chosen = find_incident(client, incident)
    if keep_on:
        return keep(desk, lambda: client.get(f"incidents/{chosen}"), lambda a: draw(a["view"]), as_json=as_json)
    answer = client.get(f"incidents/{chosen}")
    if as_json:
        print_json(answer)
    else:
        draw(answer["view"])
    return None


def find_incident(client: Client, wanted: str) -> str:
    """The one that `wanted` names or begins; the newest for "". Raises UsageError that names near ones."""
    known = begun(client, "incidents", wanted) if wanted else []
    known = known or [str(one["id"]) for one in client.get("incidents", limit=1000)["incidents"]]
    if not known:
        raise UsageError("there is no incident yet", "`prodwise status` shows how things are")
    return one_of(wanted, known, "incident", "prodwise incidents") if wanted else known[0]


def begun(client: Client, what: str, wanted: str) -> list[str]:
    """The ids that begin so, however old; what: "incidents" or "releases"."""
    return [str(one["id"]) for one in rows_begun(client, what, wanted)]


def rows_begun(client: Client, what: str, wanted: str) -> list[dict[str, Any]]:
    """Those whose ids begin so, as `begun`."""
    if not wanted.isprintable() or len(wanted) > ID_CHARS_MAX:
        return []
    limits = {"limit": 1000} if what == "incidents" else {}
    return [one for one in client.get(what, begins=wanted, **limits)[what] if one["id"].startswith(wanted)]


def _rollout(desk: Desk, wanted: str, *, as_json: bool) -> bool:
    """Tells why a release was let through or refused, if `wanted` names or begins one."""
    from prodwise.cli.incident_text import gates
    from prodwise.cli.tables import wrapped

    client = desk.client()
    names = begun(client, "releases", wanted)
    if not names:
        return False
    wanted = one_of(wanted, names, "release", "prodwise releases")
    rollouts = client.get("rollouts", release=wanted)["rollouts"]
    found = next((one for one in rollouts if one["release"] == wanted), None)
    if found is None:
        return False  # it was found running: nothing was judged
    known = client.get("releases", begins=wanted)
    release: Mapping[str, Any] = next(r for r in known["releases"] if r["id"] == wanted)
    fix = str(known["fixes"].get(wanted, ""))
    if as_json:
        desk.data(rollout=found, release=release, fix=fix)
        return True
    state = str(found["state"])
    desk.show(f"{paint(wanted, 'bold')}  {paint(state.replace('_', ' '), RELEASE_STYLE.get(state, 'accent'))}")
    print(wrapped(str(release.get("title") or ""), "  "))
    if release.get("reason"):
        print(wrapped(str(release["reason"]), "  "))
    if fix:
        print(wrapped(fix, "  "))
    gates(found["gates"])
    return True


def releases(desk: Desk, json: Json = False, watch: Watch = False) -> int | None:
    """What runs where in truth, and what can be gone back to."""
    from prodwise.cli.watching import watch as keep

    client = desk.client()
    if watch:
        return keep(desk, lambda: client.get("releases"), _releases_text, as_json=json)
    answer = client.get("releases")
    if json:
        print_json(answer)
    else:
        _releases_text(answer)
    return None


def _releases_text(answer: Mapping[str, Any]) -> None:
    from prodwise.cli.tables import table
    from prodwise.cli.times import since

    rows = []
    for one in answer["releases"][:30]:
        state, share = str(one["state"]), answer["serving"].get(one["id"], "")
        why_not = str(one["reason"]).partition("\n")[0].rstrip(":") if state == "failed" else ""
        said = ": ".join(text for text in (one["title"], why_not) if text)
        rows.append(
            (
                (one["id"], "bold"),
                (state.replace("_", "-"), RELEASE_STYLE.get(state, "")),
                share,
                since(one["created_at"]),
                said,
            )
        )
    table(("release", "state", "users", "made", "what"), rows) if rows else print("No releases yet: `prodwise up`")
    print()
    table(
        ("service", "slot", "release", "users", "process"),
        [
            (p["service"], p["slot"], p["release"], p["share"], (p["process"], "" if p["well"] else "warn"))
            for p in answer["places"]
        ],
    )
    if answer["warning"]:
        print(paint(f"▲ {answer['warning']}", "warn"))


def print_json(answer: Mapping[str, Any]) -> None:
    """What the API answered, as it is."""
    print(json.dumps(answer, indent=2))


__all__ = ["ApiError", "add", "find_incident", "print_json"]
