"""What the reads show, against a real server."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

from prodwise.clock import now
from prodwise.heal import charge
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.record import Rollout, RolloutState
from prodwise.model.release import ReleaseState
from tests.cli.conftest import Terminal
from tests.server import stories
from tests.server.running_server import World, target_seen


def test_status_all_well(shop: Terminal, world: World) -> None:
    stories.history(world)
    world.store.incidents.save("inc-old", state="closed")
    said = shop.run("status")
    assert said.code == 0, said
    assert "● OK" in said.out
    bands = [said.out.index(text) for text in ("What is broken", "What Prodwise is doing", "What it needs from you")]
    assert bands == sorted(bands)
    assert "Nothing. You can go." in said.out
    assert said.err == ""


def test_status_broken_says_what_to_type_and_exits_3(shop: Terminal, world: World) -> None:
    asked = stories.question(world)
    said = shop.run("status")
    assert said.code == 3
    assert "checkout fails for about 1 in 3 buyers" in said.out
    assert "38 people hit" in said.out
    assert f"prodwise approve {asked}" in said.out
    told = json.loads(shop.run("status", "--json").out)
    assert told["schema_version"] == 1
    assert told["state"] == "degraded"


def test_a_release_that_no_user_met_is_told_with_its_fix(shop: Terminal, world: World) -> None:
    release = stories.unmet(world)
    said = shop.run("status")
    assert said.code == 0, "users are well"
    told, why = " ".join(said.out.split()), " ".join(shop.run("why", release).out.split())
    assert f"Release {release} was refused before any user met it (start): it does not come up" in told
    for text in (told, why):
        assert "A fix is proposed, as a draft: https://code.example/pulls/7" in text
    assert json.loads(shop.run("status", "--json").out)["unmet"]["release"] == release
    assert "fix is proposed" in json.loads(shop.run("why", release, "--json").out)["fix"]


def test_unknown_is_not_well(shop: Terminal, world: World) -> None:
    world.vitals.well = {"web": None, "worker": True}
    assert shop.run("status").code == 3


def test_incidents_and_one_of_them_by_its_beginning(shop: Terminal, world: World) -> None:
    stories.bad_release(world)
    listed = shop.run("incidents").out
    assert "inc-new" in listed
    assert "inc-old" in listed
    assert "inc-old" not in shop.run("incidents", "--open").out
    shown = shop.run("show", "inc-n").out
    assert "What I don't know" in shown
    assert "why old coupons are rejected" in shown
    data = json.loads(shop.run("show", "inc-new", "--json").out)
    assert data["incident"]["id"] == "inc-new"
    assert shop.run("show", "inc").code == 2
    wrong = shop.run("show", "icn-new")
    assert wrong.code == 2
    assert "did you mean inc-new" in wrong.err


def test_why_gives_the_whole_reasoning(shop: Terminal, world: World) -> None:
    stories.bad_release(world)
    said = shop.run("why").out
    for part in (
        "What I saw", "very likely", "31 % of POST /checkout", "a restart would hide it for a while",
        "go back to release", "fresh evidence passed: newest request", "What was done, and why", "Step by step", "What I don't know",
    ):  # fmt: skip
        assert part in said, part


def test_a_prompt_for_a_coding_agent_and_a_persons_word(shop: Terminal, world: World) -> None:
    found = stories.bad_release(world)
    said = shop.run("show", "--prompt")
    assert said.code == 0
    assert said.out.startswith("A service that is in production has a problem.")
    assert "| Evidence ev-" in said.out
    assert json.loads(shop.run("show", found.id, "--prompt", "--json").out)["incident"] == found.id
    charge.call_wrong(world.store, found.id, "the disk is full", "ana (dashboard)")
    for command in ("show", "why"):
        told = shop.run(command).out
        assert "the disk is full" in told
        assert "ana (dashboard) has taken it over" in told
    assert "ana (dashboard) took over" in shop.run("status").out


def test_why_of_a_release(shop: Terminal, world: World) -> None:
    release = stories.ramp(world)
    said = shop.run("why", release).out
    assert "ramping" in said
    assert "418 of about 600 requests" in said


def test_a_release_is_found_by_its_id_however_many_came_since(shop: Terminal, world: World) -> None:
    store = world.store
    for number in range(60):
        made = store.releases.create(f"{number:02x}" * 20, "ana").id
        store.releases.set_state(made, ReleaseState.VERIFIED_GOOD if number == 0 else ReleaseState.FAILED, "")
        store.rollouts.put(Rollout(made, "", RolloutState.FAILED, "", 0.0, float(number), ended_at=1.0))
    first, newest = "1-0000000", "60-3b3b3b3"
    assert json.loads(shop.run("why", first, "--json").out)["rollout"]["release"] == first
    assert json.loads(shop.run("why", "1-", "--json").out)["release"]["id"] == first
    world.target.seen = target_seen(0.0, newest)
    for wanted in (first, "1-"):
        assert json.loads(shop.run("rollback", wanted, "--dry-run", "--json").out)["release"] == first
    refused = shop.run("rollback", "5", "--dry-run")
    assert refused.code == 2
    assert "could be more than one release" in refused.err
    world.target.seen = target_seen(0.0, first)
    assert json.loads(shop.run("releases", "--json").out)["serving"] == {first: "100 %"}


def test_every_command_takes_the_beginning_of_an_id(shop: Terminal, world: World) -> None:
    """Those of the healer's own machine (`fix`, `rollback`) are tried beside what they do."""
    question, incident = stories.question(world), world.store.incidents.list()[0].id
    release = stories.ramp(world)
    assert f"{incident}: " in shop.run("takeover", incident[:-1]).out
    assert f"take back in {incident}" in shop.run("undo", incident[:-1], "--dry-run").out
    assert incident in shop.run("report", incident[:-1]).out
    assert json.loads(shop.run("why", release[:3], "--json").out)["release"]["id"] == release
    whole, begun = (json.loads(shop.run("audit", "--incident", one, "--json").out) for one in (incident, incident[:-1]))
    assert whole == begun
    assert "denied" in shop.run("deny", question[:4]).out


def test_an_old_incident_is_found_by_its_beginning(shop: Terminal, world: World) -> None:
    """Among more than one answer holds."""
    stories.bad_release(world)
    with world.store.unit():
        for number in range(1001):
            seen = Symptom("crash", f"job{number}", "it ended", 1.0, 1.0)
            at = now() + number
            world.store.incidents.open(Incident(f"inc-job{number}-1", seen.service, (seen,), at, IncidentState.SEEN))
    old = world.store.incidents.list(limit=2000)[-1].id
    assert old in shop.run("report", old[:-1]).out
    assert "more than one" in shop.run("report", "inc-job").err
    assert shop.run("report", "inc-\udcff").code == 2
    assert shop.run("audit", "--incident", old[:-1], "--json").code == 0


def test_releases_in_truth(shop: Terminal, world: World) -> None:
    release = stories.ramp(world)
    said = shop.run("releases").out
    assert release in said
    assert "25 %" in said
    assert json.loads(shop.run("releases", "--json").out)["serving"] == {release: "25 %", "3-3333333": "75 %"}


def test_changes_with_what_they_did_and_how_they_are_taken_back(shop: Terminal, world: World) -> None:
    stories.changes(world)
    said = shop.run("changes").out
    for part in (
        "failed requests 0.2 % on the release before, 13 % on this one, worse",
        "package: flask 3.0.3 → 3.1.0",
        "variable: COUPON_KEY added",
        "take back: prodwise rollback 2-2222222",
        "take back: none: a restart leaves nothing behind",
        "take back: prodwise unfreeze",
    ):
        assert part in said, part
    told = json.loads(shop.run("changes", "--json", "--service", "web", "--since", "2d").out)
    assert told["schema_version"] == 1
    assert {one["service"] for one in told["changes"]} == {"", "web"}
    assert shop.run("changes", "--limit", "1").out.count("take back:") == 1
    assert shop.run("changes", "--since", "yesterday").code == 2


def test_outside_text_cannot_drive_the_terminal(shop: Terminal, world: World) -> None:
    ids = stories.history(world)
    world.store.releases.describe(ids[3], digest="d", title="evil \x1b]0;title\x07 [red]x[/red]", author="x", facts={})
    said = shop.run("releases").out
    assert "\x1b" not in said
    assert "\\x1b" in said
    assert "[red]x[/red]" in said


def test_watch_prints_one_json_line_per_change(shop: Terminal, world: World) -> None:
    stories.history(world)
    watching = shop.begin("status", "--json", "--watch")
    assert watching.stdout is not None
    first = json.loads(watching.stdout.readline())
    world.vitals.well["web"] = False
    deadline = time.monotonic() + 20
    line = first
    while line["state"] == first["state"] and time.monotonic() < deadline:
        line = json.loads(watching.stdout.readline())
    assert line["state"] == "degraded"
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=20)
    assert watching.returncode == 130


def test_a_reader_that_leaves_is_no_error(shop: Terminal, world: World) -> None:
    stories.bad_release(world)
    command = " ".join([*shop.command("audit"), "| head -n 1"])
    assert os.system(f"cd {shop.folder} && {command} > /dev/null 2> {shop.folder}/said") == 0
    assert (shop.folder / "said").read_text() == ""


def test_audit_lists_in_order_and_pages(shop: Terminal, world: World) -> None:
    for number in range(2100):
        world.store.ledger.append("note", f"entry {number}", actor="prodwise")
    told = json.loads(shop.run("audit", "--json", "--limit", "3").out)["events"]
    assert [entry["text"] for entry in told] == ["entry 2097", "entry 2098", "entry 2099"]
    assert "entry 2099" in shop.run("audit", "--limit", "1").out


def test_audit_verify_needs_only_the_database(shop: Terminal, world: World) -> None:
    import sqlalchemy as sa

    world.store.ledger.append("note", "one", actor="prodwise")
    world.store.ledger.append("note", "two", actor="prodwise")
    whole = shop.run("audit", "verify")
    assert whole.code == 0
    assert "the chain is whole" in whole.out
    with world.store.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE ledger SET text = 'changed' WHERE seq = 1"))
    broken = shop.run("audit", "verify", "--json")
    assert broken.code == 1
    assert json.loads(broken.out)["wrong"] == "entry 1 was changed or reordered"


def test_audit_verify_without_a_ledger_makes_none(terminal: Terminal, app_dir: Path) -> None:
    said = terminal.run("audit", "verify", "--dir", str(app_dir))
    assert said.code == 1
    assert "no ledger" in said.err
    assert not (app_dir / ".prodwise").exists()


def test_how_far_it_reaches_is_told_in_a_line(shop: Terminal, world: World) -> None:
    stories.bad_release(world)
    line = "reaches: web (32 % of requests, 1 route, ~122 people); no other service calls it"
    assert line in " ".join(shop.run("show").out.split())
    why = " ".join(shop.run("why").out.split())
    assert f"the fault {line}" in why
    assert "▸ go back reaches: web, worker (100 % of requests, 2 routes, ~340 people)" in why
    assert json.loads(shop.run("why", "--json").out)["view"]["reach"]["fault"]["share"] == "32 %"


def test_a_report_is_markdown_on_stdout_or_in_a_file(shop: Terminal, world: World, tmp_path: Path) -> None:
    found = stories.bad_release(world)
    said = shop.run("report")
    assert said.code == 0
    assert said.out.startswith("# checkout fails for about 1 in 3 buyers")
    assert "[^1]: " in said.out
    assert json.loads(shop.run("report", found.id, "--json").out)["markdown"] == said.out
    assert shop.run("report", "inc-new", "--out", str(tmp_path / "report.md")).code == 0
    assert (tmp_path / "report.md").read_text() == said.out
    wrong = shop.run("report", "--out", str(tmp_path / "none" / "report.md"))
    assert wrong.code == 2
    assert "cannot be written" in wrong.err
