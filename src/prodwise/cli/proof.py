"""Commands that prove: judge, drill, demo, audit."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from prodwise.cli.codes import Code
from prodwise.cli.command import DryRun, Json, Watch, command, new_app
from prodwise.cli.desk import Desk, paint
from prodwise.cli.reads import begun
from prodwise.loop.named import one_of
from prodwise.model.errors import NotRunning, UsageError

Alpha = Annotated[float, typer.Option(metavar="A", help="Chance of a false alarm, however long one looks.")]
Baseline = Annotated[float | None, typer.Option(metavar="P", help="The known share of failing requests, e.g. 0.01.")]
TwoSample = Annotated[bool, typer.Option("--two-sample", help="Compare with the stable lines (the default).")]
Worse = Annotated[float, typer.Option(metavar="R", help="Pass means: not worse than R times the baseline.")]

LogFile = Annotated[str, typer.Option("--log", metavar="FILE", help="The log; - for stdin.")]
Repo = Annotated[Path | None, typer.Option("--repo", metavar="DIR", help="The app's git repository.")]
JsonFile = Annotated[str, typer.Option("--json", metavar="FILE", help="Write the result there; - for stdout.")]
FixRepo = Annotated[
    Path | None, typer.Option("--repo", metavar="DIR", help="The repository, if it is not --dir; it is only read.")
]
FixRequest = Annotated[
    str,
    typer.Option(
        "--request",
        metavar="FILE",
        help="A request that is answered with a server error: HTTP, a HAR, or JSON with method, url, headers, body.",
    ),
]
FixIncident = Annotated[
    str,
    typer.Option(
        "--incident",
        metavar="ID",
        help="An incident of the app, or a release that was refused before any user met it: its id, or the beginning of it.",
    ),
]
Test = Annotated[str, typer.Option("--test", metavar="CMD", help="A command that fails, and must pass.")]
Trace = Annotated[
    str,
    typer.Option(
        "--trace", metavar="FILE", help="A traceback, a Sentry event as JSON, or what pytest printed; - for stdin."
    ),
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Who may be asked beyond rules and search: none, configured (docs/repairs.md), or PROVIDER:MODEL.",
    ),
]
Seconds = Annotated[float, typer.Option("--budget", metavar="SECONDS", min=5, max=86400, help="How long it may take.")]
Keep = Annotated[bool, typer.Option("--keep", help="Leave it running afterwards, to explore.")]
Scenarios = Annotated[list[str], typer.Argument(metavar="NAME|FILE...", help="Built-in names, or scenario files.")]
HealerName = Annotated[str, typer.Option("--healer", metavar="NAME", help="prodwise, none, supervisor or monit.")]
ReportFile = Annotated[str, typer.Option("--report", metavar="FILE", help="Write an HTML report there.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="For the traffic's choices.")]

What = Annotated[str, typer.Argument(metavar="verify", help="verify: check the chain of hashes.")]
After = Annotated[int, typer.Option("--after", metavar="N", min=0, help="Only entries with a higher number.")]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=2000, help="At most so many.")]
OfIncident = Annotated[
    str,
    typer.Option(
        "--incident", metavar="ID", help="Only those of one incident or release: its id, or the beginning of it."
    ),
]


def add(app: typer.Typer) -> None:
    command(
        app, "Get started", "prodwise demo", "prodwise demo --keep", "prodwise demo --json result.json", folder=False
    )(demo)
    command(
        app,
        "Prove",
        "prodwise judge --baseline 0.01 < outcomes.ndjson",
        "prodwise judge --two-sample < outcomes.ndjson",
        folder=False,
    )(judge)
    command(
        app, "Prove", "prodwise diagnose --log build.log", "prodwise diagnose --log build.log --repo .",
        "npm ci 2>&1 | prodwise diagnose --log -", folder=False,
    )(diagnose)  # fmt: skip
    command(
        app, "Act", 'prodwise fix --repo . --test "pytest tests/test_cart.py"', "prodwise fix --repo . --trace error.txt",
        "prodwise fix --repo . --request failing.har",
        "prodwise fix --incident inc-web-123", 'prodwise fix --repo . --test "npm test" --json fix.json',
    )(fix)  # fmt: skip
    drills = new_app(
        "Break things on purpose, and see what heals.\n\nEach runs on its own copy of an app; yours is not touched.",
        no_args_is_help=False,
    )
    command(drills, "Commands", "prodwise drill list", "prodwise drill list --json", name="list", folder=False)(
        drill_list
    )
    command(
        drills, "Commands", "prodwise drill run bad-release", "prodwise drill run crash hang --json result.json",
        "prodwise drill run my-scenario.toml --healer supervisor", name="run", folder=False,
    )(drill_run)  # fmt: skip
    app.add_typer(drills, name="drill", rich_help_panel="Prove")
    command(
        app,
        "Set up",
        "prodwise audit",
        "prodwise audit verify",
        "prodwise audit --incident inc-20261104-1",
        "prodwise audit --watch --json",
    )(audit)


def judge(
    desk: Desk, alpha: Alpha = 0.01, baseline: Baseline = None, two_sample: TwoSample = False, worse: Worse = 2.0
) -> int:
    """Judge a canary from outcomes on stdin. Answers as soon as it is decided.

    One request a line, in order: {"arm":"stable"|"canary","ok":bool,"ms":number?}; with "run": id many streams are judged in one
    pass. Prints {"verdict":"fail"|"pass"|"hold","n_canary":int,"n_stable":int,"reason":...}. Exit 0 pass, 7 fail, 5 hold.
    """
    from prodwise.cli.judge import judge_command

    if sys.stdin.isatty():
        desk.say('reading from the terminal, one line a request: {"arm": "canary", "ok": true}; Ctrl-D ends', "dim")
    return judge_command(alpha, baseline, two_sample, worse, sys.stdin, sys.stdout)


def diagnose(desk: Desk, log: LogFile, repo: Repo = None, json: JsonFile = "") -> int:
    """Find the dependency that broke a build, a test run or a start, from its log.

    Reads logs of Maven, Gradle, pip, uv, Poetry, npm, Yarn, pnpm, Bundler, Go, Composer and Cargo, of their compilers and
    tests, and stack traces. With --repo, the versions that its last commits changed count, too. Nothing of either is run.
    """
    from prodwise.cli.diagnose import diagnose_command

    return diagnose_command(desk, log, repo, json)


def fix(
    desk: Desk, repo: FixRepo = None, test: Test = "", trace: Trace = "", request: FixRequest = "", incident: FixIncident = "",
    model: Model = "none", budget: Seconds = 120.0, json: JsonFile = "", dry_run: DryRun = False,
) -> int:  # fmt: skip
    """Find a small patch for a failing test, a stack trace, a request or an incident, and prove it. Never touches the repository.

    Everything runs in a sandbox, on copies. A patch is shown only if it passes every gate: the failing check passes with it,
    time and again; no other test is lost; and nothing is touched that decides how code is tested, built or shipped.
    Exit 0 fixed, 1 no fix, 6 refused, 124 the budget is over.
    """
    from prodwise.cli.fix import Wish, fix_command

    return fix_command(desk, Wish(repo or desk.app_dir, test, trace, request, incident, model, budget, json, dry_run))


def demo(desk: Desk, json: JsonFile = "", keep: Keep = False) -> int:
    """Watch a shop on this machine break in several ways, and heal. About three minutes.

    Needs no account, no key, no container engine. Exit 0 only if everything ended as expected.
    """
    from prodwise.cli.narrator import Narrator, closing
    from prodwise.drill.demo import run_demo
    from prodwise.drill.report import write_report

    desk.say("starting the demo shop and its traffic; everything stays on this machine", "bold")
    with Narrator(desk) as narrator:
        result = run_demo(json_path=json, keep=keep, on_event=narrator.tell)
    folder = Path("demo-report")
    folder.mkdir(exist_ok=True)
    report = write_report(result, folder / "report.html")
    closing(result, aside=json == "-")
    desk.say(f"\nreport   {report.resolve()}")
    desk.say("next     cd my-app && prodwise init", "accent")
    return result.exit_code


def drill_list(desk: Desk, json: Json = False) -> None:
    """The built-in scenarios."""
    from prodwise.cli.tables import table
    from prodwise.drill.run import list_scenarios

    found = list_scenarios()
    if json:
        desk.data(
            scenarios=[
                {"name": s.name, "about": s.about, "expect": s.expect.outcome, "seconds": s.seconds} for s in found
            ]
        )
        return
    table(
        ("scenario", "expected", "limit", "what"),
        [
            ((s.name, "bold"), s.expect.outcome, f"{s.seconds:g} s", s.about or ", ".join(f.kind for f in s.fault))
            for s in found
        ],
    )


def drill_run(
    desk: Desk,
    scenarios: Scenarios,
    healer: HealerName = "prodwise",
    json: JsonFile = "",
    report: ReportFile = "",
    seed: Seed = 1,
) -> int:
    """Run scenarios, and score what the healer did. Exit 0 if all passed."""
    from prodwise.cli.narrator import Narrator, closing
    from prodwise.drill.report import write_report
    from prodwise.drill.run import run_scenarios

    with Narrator(desk) as narrator:
        result = run_scenarios(scenarios, healer=healer, json_path=json, seed=seed, on_event=narrator.tell)
    closing(result, aside=json == "-")
    if report:
        desk.say(f"\nreport   {write_report(result, Path(report)).resolve()}")
    return result.exit_code


def audit(
    desk: Desk,
    what: What = "",
    after: After = 0,
    limit: Limit = 50,
    incident: OfIncident = "",
    json: Json = False,
    watch: Watch = False,
) -> int | None:
    """Everything that was decided and done, and by whom. `verify` checks that nothing was changed or removed."""
    if what == "verify":
        return _verify(desk, as_json=json)
    if what:
        raise UsageError(f"audit {what}: not known", "`prodwise audit` lists, `prodwise audit verify` checks")
    if watch:
        return _follow(desk, after, incident, as_json=json)
    _list(desk, after, limit, incident, as_json=json)
    return None


def _verify(desk: Desk, *, as_json: bool) -> int:
    from prodwise import wiring
    from prodwise.config.environment import state_dir

    if not (os.environ.get("PRODWISE_DATABASE_URL") or (state_dir(desk.app_dir) / "prodwise.db").is_file()):
        raise NotRunning(f"there is no ledger in {desk.app_dir.resolve()} yet", "it begins with `prodwise up`")
    desk.say("checking every entry", "dim")
    checked, wrong = wiring.audit_verify(desk.app_dir)
    if as_json:
        desk.data(checked=checked, ok=not wrong, wrong=wrong)
    elif wrong:
        desk.show(f"{paint('✗', 'bad')} {checked:,} entries checked: {paint(wrong, 'bad')}")
    else:
        desk.show(f"{paint('✓', 'good')} {checked:,} entries checked; the chain is whole")
    return Code.FAILED if wrong else Code.OK


def _list(desk: Desk, after: int, limit: int, incident: str, *, as_json: bool) -> None:
    client = desk.client()
    incident = _meant(client, incident)
    asked = {"incident": incident or None}
    found: list[dict[str, Any]] = []
    while True:
        page = client.get("events", after=after, limit=2000, **asked)["events"]
        found = [*found, *page][-limit:]
        if len(page) < 2000:
            break
        after = int(page[-1]["seq"])
    if incident and not found:
        hint = "`prodwise incidents` and `prodwise releases` list ids"
        raise UsageError(f"the ledger knows nothing of {incident!r}", hint)
    if as_json:
        desk.data(events=found)
        return
    for entry in found:
        desk.show(_line(entry))


def _meant(client: Any, wanted: str) -> str:
    """The incident or release that `wanted` begins; else itself, for the ledger knows older ones."""
    if not wanted:
        return ""
    known = [*begun(client, "incidents", wanted), *begun(client, "releases", wanted)]
    return one_of(wanted, known, "incident or release", "prodwise incidents") if known else wanted


def _follow(desk: Desk, after: int, incident: str, *, as_json: bool) -> int:
    import time

    client = desk.client()
    incident = _meant(client, incident)
    if not after:
        after = max((int(e["seq"]) for e in _tail(client)), default=0)
    while True:
        try:
            page = client.get("events", after=after, limit=500, incident=incident or None)["events"]
        except NotRunning:
            page = []
        for entry in page:
            desk.line(entry) if as_json else print(_line(entry), flush=True)
            after = int(entry["seq"])
        time.sleep(0.5)


def _tail(client: Any) -> list[dict[str, Any]]:
    """The last ten entries' worth, to begin with."""
    after, last = 0, []
    while page := client.get("events", after=after, limit=2000)["events"]:
        after, last = int(page[-1]["seq"]), page
    return list(last[:-10])


def _line(entry: Mapping[str, Any]) -> str:
    from prodwise.cli.times import clock

    number = paint(f"{entry['seq']:>6}", "dim")
    who = paint(str(entry["actor"] or "prodwise").ljust(10), "dim")
    return f"{number}  {clock(entry['at'])}  {who}  {paint(entry['text'] or entry['kind'], '')}"
