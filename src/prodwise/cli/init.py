"""`prodwise init`: shows what was found and the file it would write, asks, and writes it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from prodwise.cli.codes import Code
from prodwise.cli.desk import Desk, paint
from prodwise.cli.look import Found
from prodwise.cli.scan import Scan, scan
from prodwise.model.errors import Refused, UsageError

LIVE_LINES_MAX = 20
IGNORED = ".prodwise/"

COMMENTED = """
# Everything below is optional; these are the defaults.
# stage = "auto"                 # the most that Prodwise may ever do here; you allow it with `prodwise stage`
# address = "127.0.0.1:8000"     # where users reach the app
# dashboard = "127.0.0.1:7373"
# notify_command = ""            # run with the message on its stdin when a person is needed
# keep_releases = 5
#
# [ramp]
# shares = [5, 25, 50, 100]      # percent of users, as fast as the evidence allows
# watch_seconds = 600            # at 100 %, before a release counts as verified good
#
# [forge]                        # where lasting fixes are proposed, as drafts; without it none is (docs/repairs.md)
# kind = "github"                # or gitlab, gitea, git (a branch on the remote)
# repo = "owner/name"
# token_env = "GITHUB_TOKEN"
#
# [heartbeats.nightly-backup]    # a job that must say that it ran; `prodwise hooks` prints where
# every = "1 day"
# grace = "10 min"
# [hooks.alertmanager]           # also deploy, github, sentry, uptime-kuma, healthchecks
#
# For a service:
# checks = ["/"]                 # must answer before any user sees a release
# needs = ["db-proxy"]           # other services that it calls
# paths = ["web/", "shared/"]     # all that it is made of, so that a release of other files is known to leave it alone
# certificates = ["api.pay.com"]  # HOST or HOST:PORT that it calls, or is reached by, with TLS
# drain_seconds = 10
# env = { LOG_LEVEL = "info" }   # secrets belong into env_file
"""


def run(desk: Desk, *, dry_run: bool, force: bool, yes: bool, no_input: bool, as_json: bool) -> int:
    """Raises UsageError without a service, Refused when a file is there already."""
    path = desk.app_dir / "prodwise.toml"
    if not desk.app_dir.is_dir():
        raise UsageError(f"there is no folder {desk.app_dir}", "name the app's folder with --dir")
    if path.exists() and not force and not dry_run:
        raise Refused(
            f"{path} is there already", "--force writes a new one over it; --dry-run only shows what it would be"
        )
    desk.say(f"looking at {desk.app_dir.resolve()}", "dim")
    found = scan(desk.app_dir)
    if not found.services:
        raise UsageError(
            "no service was found here: no Procfile, no web framework that I know, no `start` in package.json",
            "write a Procfile with one line, `web: COMMAND` (the command gets its port as $PORT), and try again",
        )
    text = file_of(found)
    if as_json:
        desk.data(
            plan=[{"key": r.key, "value": r.value, "source": r.source} for r in plan(found)],
            notes=list(found.notes),
            file=text,
        )
    else:
        _show(desk, found, text)
    if dry_run:
        desk.say("Nothing was changed.")
        return Code.OK
    writes = [f"writes {path}"] + ([f"adds {IGNORED} to .gitignore"] if not _ignored(desk.app_dir) else [])
    if not desk.agree("Write it?", writes, yes=yes, no_input=no_input):
        return Code.FAILED
    _write(desk.app_dir, path, text)
    desk.say(f"✓ {path} written. Next: git add prodwise.toml .gitignore && git commit, then `prodwise up`", "good")
    return Code.OK


def plan(found: Scan) -> list[Found]:
    """The table: each row with where its value came from."""
    rows = [Found("name", found.name, "the folder's name")]
    rows += [found.framework] if found.framework else []
    for service in found.services:
        rows.append(Found(f"{service.name} runs as", service.command, service.source))
        if service.probe:
            rows.append(Found(f"{service.name} is well when", _probe_words(service.probe), service.probe_source))
    rows += [row for row in (found.build, found.release, found.env_file) if row]
    rows += found.shared
    rows.append(Found("users reach it at", "127.0.0.1:8000", "default" + _port_words(found)))
    return [
        *rows,
        *_levers(found),
        Found("stage", "observe: only watches", "default; you raise it with `prodwise stage`"),
    ]


def _port_words(found: Scan) -> str:
    if not found.ports:
        return ""
    first = found.ports[0]
    return f"; {first.source} says {first.value}, but it must listen on $PORT"


def _probe_words(probe: str) -> str:
    return "its port answers" if probe == "tcp" else f"{probe} answers below 500"


def _levers(found: Scan) -> list[Found]:
    """What Prodwise can do here, and what not yet, and why."""
    web = [s.name for s in found.services if s.kind == "web"]
    others = [s.name for s in found.services if s.kind != "web"]
    releases = "a release is a commit" if found.repository else "needs a commit first"
    rows = [
        Found("can restart", ", ".join(s.name for s in found.services), "supervisor"),
        Found("can roll back", "all of it" if found.repository else "not yet", f"git: {releases}"),
        Found("can ramp", ", ".join(web) or "nothing", "only what speaks HTTP can run beside itself"),
    ]
    if others:
        rows.append(Found("cannot ramp", ", ".join(others), "no HTTP: switched at promotion, judged by the process"))
    if found.release:
        rows.append(Found("cannot undo", "the release line", "what it did to data stays; a rollback across it says so"))
    rows.append(Found("cannot yet", "switch flags off, open fix PRs", "no flag provider or code host is connected"))
    return rows


def file_of(found: Scan) -> str:
    """prodwise.toml: at most 20 live lines, the rest commented. Checked like one that a person wrote."""
    from prodwise.config import validate

    top = ["version = 1", f"name = {_toml(found.name)}"]
    if found.build:
        top.append(f"build = {_toml(found.build.value)}")
    if found.release:
        top.append(f"release = {_toml(found.release.value)}")
    if found.env_file:
        top.append(f"env_file = {_toml(found.env_file.value)}  # read at each start, never stored")
    if found.shared:
        names = ", ".join(_toml(one.value) for one in found.shared)
        top.append(f"shared = [{names}]  # kept across releases")
    services = _service_lines(found)
    if len([line for line in top + services if line]) > LIVE_LINES_MAX:
        services = ["", "# The services are those of the Procfile."]
    text = (
        "\n".join(["# How Prodwise runs this app. `prodwise config` shows every value in force.", *top, *services, ""])
        + COMMENTED
    )
    validate(tomllib.loads(text), "prodwise.toml")
    return text


def _service_lines(found: Scan) -> list[str]:
    lines = []
    for service in found.services:
        lines += ["", f"[services.{service.name}]", f"command = {_toml(service.command)}"]
        if service.kind != "web":
            lines.append(f"kind = {_toml(service.kind)}")
        elif service.probe != "tcp":
            lines.append(f"probe = {_toml(service.probe)}")
    return lines


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _show(desk: Desk, found: Scan, text: str) -> None:
    from prodwise.cli.tables import table, wrapped

    table(("what", "value", "from"), [((r.key, "bold"), r.value, (r.source, "dim")) for r in plan(found)])
    desk.show("", paint("prodwise.toml", "bold"))
    for line in text.rstrip().splitlines():
        desk.show(f"  {paint(line, 'dim' if line.startswith('#') else '')}")
    notes = [*found.notes, *(f"{s.name}: {s.note}" for s in found.services if s.note)]
    if notes:
        desk.show("")
    for note in notes:
        desk.show(wrapped(note, "  ", "▲ "))
    desk.show("")


def _ignored(app_dir: Path) -> bool:
    path = app_dir / ".gitignore"
    lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
    return any(line.strip().strip("/") == IGNORED.strip("/") for line in lines)


def _write(app_dir: Path, path: Path, text: str) -> None:
    draft = path.with_name(".prodwise.toml.part")
    draft.write_text(text)
    draft.replace(path)
    if not _ignored(app_dir):
        ignore = app_dir / ".gitignore"
        before = ignore.read_text(errors="surrogateescape") if ignore.is_file() else ""
        glue = "" if not before or before.endswith("\n") else "\n"
        ignore.write_text(f"{before}{glue}{IGNORED}\n", errors="surrogateescape")
