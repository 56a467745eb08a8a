"""`prodwise signals`: who may report, what came in, and what is kept of it."""

from __future__ import annotations

import json as json_module
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from prodwise.cli.command import Json, command
from prodwise.cli.desk import Desk, paint
from prodwise.model.errors import UsageError

EventId = Annotated[str, typer.Option("--event", metavar="ID", help="Show exactly what is kept of one event.")]
GroupKey = Annotated[
    str, typer.Option("--group", metavar="KEY", help="Show one group of errors, by the beginning of its key.")
]

STATE_STYLE = {"new": "accent", "regressed": "bad", "resolved": "dim"}
GROUPS_SHOWN = 20
KEY_SHOWN = 10


def add(app: typer.Typer) -> None:
    command(
        app,
        "Every day",
        "prodwise signals",
        "prodwise signals --json | jq -r .projects[0].dsn",
        "prodwise signals --group 20c488",
        "prodwise signals --event 5c1f0c7b2d3e4f5a8b9c0d1e2f3a4b5c",
    )(signals)


def signals(desk: Desk, event: EventId = "", group: GroupKey = "", json: Json = False) -> None:
    """What programs report: each project's DSN, what came in, what was refused or left out, and the newest groups of errors."""
    client = desk.client()
    if event and group:
        raise UsageError("--event and --group are two questions", "ask one at a time")
    if event:
        answer = client.get(f"events/{_hex(event)}")
        draw = _event_text
    elif group:
        answer = client.get(f"groups/{_key(client.get('groups', limit=200)['groups'], group)}")
        draw = _group_text
    else:
        groups = client.get("groups", limit=GROUPS_SHOWN)
        answer = {**client.get("projects"), "groups": groups["groups"]}
        draw = _all_text
    print(json_module.dumps(answer, indent=2)) if json else draw(answer)


def _hex(event: str) -> str:
    found = event.replace("-", "").lower()
    if len(found) != 32 or set(found) - set("0123456789abcdef"):
        raise UsageError(f"{event!r} is no event's id", "it has 32 hex digits, as the SDK returned it")
    return found


def _key(groups: list[Mapping[str, Any]], beginning: str) -> str:
    found = [str(one["key"]) for one in groups if str(one["key"]).startswith(beginning.lower())]
    if len(found) != 1:
        said = "no group" if not found else f"{len(found)} groups"
        raise UsageError(f"{said} of the newest 200 begin with {beginning!r}", "`prodwise signals` lists them")
    return found[0]


def _all_text(answer: Mapping[str, Any]) -> None:
    from prodwise.cli.tables import table
    from prodwise.cli.times import since

    if not answer["projects"]:
        print("No program can report: [signals] receivers is 0, or the app was never up.")
        return
    if not answer["listening"]:
        print(paint(f"▲ No receiver answers at {answer['address']}: `prodwise up` starts what is missing.", "warn"))
    for one in answer["projects"]:
        print(f"{paint(one['name'], 'bold')}  {paint(one['dsn'], 'accent')}")
        print(f"  {_came_in(one, since)}")
        print(f"  OpenTelemetry: {_otlp(one['dsn'])}")
        if one["forwarded"]:
            print("  passed on to another Sentry, too")
        left = sorted(((count, reason) for reason, count in one["counts"].items() if count), reverse=True)
        if left:
            print()
            table(("count", "what was refused, left out or cleaned"), [(str(n), reason) for n, reason in left], 2)
        print()
    rows = [
        ((one["key"][:KEY_SHOWN], "bold"), (one["state"], STATE_STYLE.get(one["state"], "")), str(one["count"]),
         str(one["users"]), since(one["last_seen"]), _what(one))
        for one in answer["groups"]
    ]  # fmt: skip
    table(("group", "state", "events", "users", "last", "what"), rows) if rows else print("No errors reported.")


def _otlp(dsn: str) -> str:
    """What its SDKs are told by variables."""
    scheme, _, rest = dsn.partition("://")
    key, _, place = rest.partition("@")
    address = place.rpartition("/")[0]
    return f"OTEL_EXPORTER_OTLP_ENDPOINT={scheme}://{address} OTEL_EXPORTER_OTLP_HEADERS=x-prodwise-key={key}"


def _came_in(project: Mapping[str, Any], since: Any) -> str:
    from prodwise.server.views.signals import taken

    if project["last"] is None:
        return "Nothing reported yet. Give the DSN to your Sentry SDK: sentry_sdk.init(dsn=…)"
    return f"last report {since(project['last'])}; {taken(project)}"


def _what(group: Mapping[str, Any]) -> str:
    return f"{group['title']} ({group['where']})" if group["where"] else str(group["title"])


def _group_text(answer: Mapping[str, Any]) -> None:
    from prodwise.cli.tables import table
    from prodwise.cli.times import since

    one = answer["group"]
    print(f"{paint(one['key'], 'bold')}  {paint(one['state'], STATE_STYLE.get(one['state'], ''))}")
    print(f"  {_what(one)}")
    print(
        f"  {one['count']} events, {one['users']} users, first {since(one['first_seen'])}, last {since(one['last_seen'])}; "
        f"grouped by rule {one['rule']}"
    )
    print()
    for name in ("releases", "routes"):
        table((name, "events"), [(text or "(not said)", str(count)) for text, count in one[name].items()], 2)
        print()
    table(
        ("event", "when", "release", "route"),
        [((event["id"], "bold"), since(event["at"]), event["release"], event["route"]) for event in answer["events"]],
        2,
    )


def _event_text(answer: Mapping[str, Any]) -> None:
    from prodwise.server.views.words import visible

    one = dict(answer["event"])
    detail = one.pop("detail")
    for name, value in one.items():
        print(f"{name + ':':13} {visible(str(value), 300)}")
    if detail is None:
        print("Only this is kept: enough like it are kept in full.")
        return
    print("Kept in full, private values out:")
    print(json_module.dumps(detail, indent=2))
