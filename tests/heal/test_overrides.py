"""What a person says goes: stop, freeze, rollback and undo, against a real app, proxy and healer."""

from __future__ import annotations

import os
import signal

import pytest

from prodwise.cli.client import ApiError
from prodwise.model.target import Switch
from prodwise.targets.local import local_control, procs
from prodwise.testing import apps
from tests.heal.running_healer import House, traffic

pytestmark = pytest.mark.timeout(300)


def begin_ramp(house: House, variant: str = apps.GOOD) -> str:
    """A release that has a share of the users; the thin traffic keeps it there for a while."""
    apps.commit(house.dir, variant)
    release = str(house.api.post("deploy", ref="HEAD")["release"])
    apps.until(lambda: house.switch.share > 0, 60, "the ramp")
    return release


def by_automation(house: House, after: int) -> list[str]:
    """Effects that automation carried out, by their ledger rows."""
    entries = house.store.ledger.entries(after, 2000)
    done = [e for e in entries if e.kind == "effect" and e.data.get("state") == "done"]
    return [e.text for e in done if e.actor == "prodwise"]


def verified(house: House, release: str) -> None:
    """With users: without them there is too little evidence."""
    with traffic(house.address):
        apps.until(lambda: house.state_of(release) == "verified_good", 120, "the end of the watch")
        apps.until(lambda: house.serves(release), 20, "the end of the release before")


def good_after(house: House) -> str:
    """A second release, verified good. Returns the first, which is retired then."""
    first = house.serving().release
    apps.commit(house.dir)
    second = str(house.api.post("deploy", ref="HEAD")["release"])
    verified(house, second)
    return first


@pytest.mark.full
def test_a_stop_holds_a_ramp_across_deaths_and_start_goes_on(house: House) -> None:
    """By file, as with everything else dead; the lease lapses meanwhile and takes users back to stable."""
    release, stable = begin_ramp(house), house.serving().release
    local_control.stop_all(house.dir, "ana", "look closer")
    with traffic(house.address) as seen:
        apps.until(lambda: "stop" in house.kinds(), 10, "the stop's entry")
        entry = house.last_entry
        house.end_healer()
        guard = procs.read_pid(house.target.layout.pid("guard")).pid
        os.kill(guard, signal.SIGKILL)
        apps.until(lambda: house.switch == Switch(house.switch.stable), 20, "the return after the lease lapsed")
        house.ready()
        apps.until(lambda: house.target.observe().holder != "", 20, "the healer's lease")
        apps.until(lambda: seen.answers[200] > 60, 20, "traffic")
        assert by_automation(house, entry) == []
        assert house.state_of(release) not in ("verified_good", "failed", "promoted")
        local_control.start_again(house.dir, "ana")
        apps.until(lambda: house.state_of(release) == "verified_good", 120, "the end of the ramp")
        apps.until(lambda: house.serves(release), 20, "the end of the other release")
    assert seen.failed == 0
    assert stable != release
    assert {"stop", "start"} <= set(house.kinds())
    house.whole()


def test_under_a_stop_a_person_still_goes_back_and_restarts(house: House) -> None:
    stable = house.serving().release
    release = begin_ramp(house)
    house.api.post("stop", reason="too risky")
    with pytest.raises(ApiError, match="stopped") as refused:
        house.api.post("deploy", ref="HEAD")
    assert refused.value.exit_code == 6
    assert "prodwise start" in refused.value.hint
    house.api.post("rollback")
    apps.until(lambda: house.serves(stable), 20, "the return")
    apps.until(lambda: house.state_of(release) == "failed", 20, "the record")
    pid = house.serving().pid
    house.api.post("restart", service="web")
    apps.until(lambda: house.serving().pid not in (0, pid), 20, "the restart")
    assert house.target.observe().stopped
    assert apps.get(house.address).text == stable
    house.whole()


@pytest.mark.full
def test_a_freeze_holds_deploys_and_ramps_and_says_why(house: House) -> None:
    release = begin_ramp(house)
    house.api.post("freeze", reason="launch day")
    with pytest.raises(ApiError, match="launch day") as refused:
        house.api.post("deploy", ref="HEAD")
    assert (refused.value.exit_code, refused.value.code) == (6, "refused")
    waits = lambda: dict(getattr(house.store.rollouts.load(release), "numbers", {})).get("waiting_for")  # noqa: E731
    apps.until(lambda: "launch day" in str(waits()), 20, "the held ramp")
    share = house.switch.share
    house.api.post("unfreeze")
    assert share == 0.5
    verified(house, release)


def test_nothing_is_healed_while_frozen_and_a_person_is_told(house: House) -> None:
    house.api.post("freeze", reason="launch day")
    pid, entry = house.hang(), house.last_entry
    apps.until(lambda: house.outcome() == "escalated", 40, "the call")
    assert by_automation(house, entry) == []
    apps.until(lambda: "frozen" in house.told() and "launch day" in house.told(), 10, "the message")
    os.kill(pid, signal.SIGCONT)


def test_a_rollback_without_an_earlier_release_is_refused(house: House) -> None:
    before = house.target.observe().revision
    with pytest.raises(ApiError, match="no earlier verified-good release") as refused:
        house.api.post("rollback")
    assert refused.value.exit_code == 6
    assert house.target.observe().revision == before


@pytest.mark.full
def test_a_rollback_past_a_dead_healer_reaches_the_records(house: House) -> None:
    first = good_after(house)
    second = house.serving().release
    house.end_healer()
    with traffic(house.address) as seen:
        local_control.rollback_now(house.dir, actor="ana")
        assert house.serves(first)
    assert seen.failed == 0
    assert house.state_of(second) == "verified_good"  # nobody could write it down
    house.ready()
    assert (house.state_of(first), house.state_of(second)) == ("verified_good", "failed")
    told = [e for e in house.store.ledger.recent(100, ["break_glass"]) if e.actor == "ana"]
    assert len(told) == 1
    assert not house.target.layout.journal.exists()
    house.end_healer()
    house.ready()
    assert len(house.store.ledger.recent(100, ["break_glass"])) == 1, "taken in once"


@pytest.mark.full
def test_a_rollback_whose_word_was_lost_is_seen_on_the_target(house: House) -> None:
    first = good_after(house)
    second = house.serving().release
    house.end_healer()
    local_control.rollback_now(house.dir, actor="ana")
    house.target.layout.journal.unlink()
    house.ready()
    assert (house.state_of(first), house.state_of(second)) == ("verified_good", "failed")


@pytest.mark.full
def test_a_rollback_by_hand_during_a_ramp_ends_the_rollout(house: House) -> None:
    stable = house.serving().release
    release = begin_ramp(house)
    house.end_healer()
    local_control.rollback_now(house.dir, actor="ana")
    house.ready()
    apps.until(lambda: house.state_of(release) == "failed", 30, "the rollout's end")
    assert house.serves(stable)
    assert "ana went back by hand" in house.store.releases.load(release).reason
    house.whole()


@pytest.mark.full
def test_a_persons_rollback_ends_the_open_incident(house: House) -> None:
    """Healthy probe, broken pages, and nobody allowed automation to act."""
    first = good_after(house)
    house.store.settings.put("autonomy", "suggest", "test")
    house.hang()
    apps.until(lambda: house.store.approvals.open(), 40, "the question")
    house.api.post("rollback")
    apps.until(lambda: house.serves(first), 30, "the return")
    apps.until(house.outcome, 40, "the incident's end")
    assert house.outcome() == "healed", house.incident()


LATE = apps.WEB.replace('500 if VARIANT == "bad"', '500 if os.path.exists("beats")')


@pytest.mark.full
def test_undo_puts_back_once_what_an_incident_took_away(house: House) -> None:
    """A release whose pages all fail once it is verified good is gone back from; a person wants it back all the same."""
    first = house.serving().release
    apps.commit(house.dir, apps.GOOD, {"web.py": LATE})
    second = str(house.api.post("deploy", ref="HEAD")["release"])
    verified(house, second)
    with apps.load(house.address, clients=1):
        (house.dir / "beats").touch()
        apps.until(lambda: house.serving().release == first, 60, "the rollback")
        apps.until(lambda: house.outcome() == "healed", 60, "the incident's end")
    row = house.incident()
    assert row is not None
    assert str(row["id"]).startswith("inc-web-")
    (house.dir / "beats").unlink()
    with traffic(house.address) as seen:
        assert second in str(house.api.post(f"incidents/{row['id']}/undo")["text"])
        apps.until(lambda: house.serves(second), 40, "the undo")
    assert seen.failed == 0
    apps.until(lambda: house.state_of(second) == "verified_good", 10, "the record")
    assert house.state_of(first) == "retired"
    entry, pid = house.last_entry, house.serving().pid
    assert "already" in str(house.api.post(f"incidents/{row['id']}/undo")["text"])
    assert house.serving().pid == pid
    assert "effect" not in house.kinds(entry)
    house.whole()


def test_a_restart_has_no_undo_and_says_so(house: House) -> None:
    house.hang()
    apps.until(lambda: house.outcome() == "healed", 60, "the restart")
    row = house.incident()
    assert row is not None
    with pytest.raises(ApiError, match="nothing was done") as refused:
        house.api.post(f"incidents/{row['id']}/undo")
    assert "changes no state" in refused.value.hint
    assert refused.value.exit_code == 6


@pytest.mark.full
def test_a_release_that_went_back_during_its_ramp_is_not_put_back(house: House) -> None:
    with apps.load(house.address, clients=1):
        apps.commit(house.dir, apps.BAD)
        release = str(house.api.post("deploy", ref="HEAD")["release"])
        apps.until(lambda: house.state_of(release) == "failed", 60, "the refusal")
    if any(i.id == f"inc-{release}" for i in house.store.incidents.list()):
        with pytest.raises(ApiError, match="on its way to users") as refused:
            house.api.post(f"incidents/inc-{release}/undo")
        assert "prodwise deploy" in refused.value.hint
