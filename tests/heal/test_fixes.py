"""A lasting fix of an incident: from an error that a real SDK reported to a branch on a real remote, and a release that holds."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from prodwise.clock import monotonic, now
from prodwise.heal.fixes import PROPOSED_MAX, Fixes, Fixing
from prodwise.heal.parts import Parts, ReportsIn
from prodwise.heal.pulls import Kept, Pulls, Stage
from prodwise.heal.sought import ASKED, DAY_S, TRIED
from prodwise.loop.group import RESOLVED
from prodwise.model.errors import ForgeError, Later
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.outcome import Outcome
from prodwise.model.pull import HealingPull, Published
from prodwise.model.release import ReleaseState
from prodwise.notify.command import CommandNotifier
from prodwise.ports import Forge
from prodwise.signals.access_log import AccessLog
from prodwise.signals.replay import Replay
from prodwise.store.sql import SqlStore
from prodwise.targets.local import local_control
from prodwise.targets.local.history import GitHistory
from prodwise.testing.fake_target import FakeTarget
from prodwise.testing.receivers import Receivers, receivers
from prodwise.wiring import mending, reports
from prodwise.wiring.records import open_store
from tests.heal.test_suspects import _Nobody

GOOD = """RATES = {"eur": 1.0, "usd": 1.1}


def price(amount, currency):
    return round(amount * RATES[currency], 2)
"""
BAD = GOOD.replace("RATES[currency]", "RATES[curency]")
TEST = """import pytest

from prices import price


@pytest.mark.parametrize(("amount", "currency", "want"), [(2, "eur", 2.0), (10, "usd", 11.0), (0, "usd", 0.0)])
def test_price(amount, currency, want):
    assert price(amount, currency) == want
"""


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=ana", "-c", "user.email=ana@example.invalid")
    done = subprocess.run(
        ["git", *who, "-C", str(folder), *words], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.strip()


def commit(folder: Path, text: str, title: str) -> str:
    (folder / "prices.py").write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", title)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Receivers]:
    folder, remote = tmp_path / "app", tmp_path / "remote.git"
    with receivers(folder, 1, '\n[forge]\nkind = "git"\n') as running:
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True, timeout=30)
        git(folder, "init", "-q", "-b", "main")
        (folder / ".gitignore").write_text(".prodwise/\n")
        (folder / "test_prices.py").write_text(TEST)
        commit(folder, GOOD, "prices: by currency")
        commit(folder, BAD, "prices: round late")
        git(folder, "remote", "add", "origin", str(remote))
        git(folder, "push", "-q", "origin", "main")
        yield running


@pytest.fixture
def store(app: Receivers) -> Iterator[SqlStore]:
    made = open_store(app.folder)
    yield made
    made.close()


class Recorded:
    """Implements ports.repair.Mends: says what a search said, for what is tested besides the search."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.asked: list[str] = []
        self.with_model: list[bool] = []
        self.a_day = 0
        self._told, self._due = told, False

    def models_a_day(self) -> int:
        return self.a_day

    def begin(self, incident: str, model: bool) -> None:
        self.asked.append(incident)
        self.with_model.append(model)
        self._due = True

    def answer(self) -> Mapping[str, Any] | None:
        due, self._due = self._due, False
        return self._told if due else None

    def end(self) -> None: ...


DIFF = """diff --git a/prices.py b/prices.py
--- a/prices.py
+++ b/prices.py
@@ -2,4 +2,4 @@


 def price(amount, currency):
-    return round(amount * RATES[curency], 2)
+    return round(amount * RATES[currency], 2)
"""
DIFF = DIFF.replace("@@\n\n\n def", "@@\n \n \n def")
FOUND = {
    "status": "fixed", "diff": DIFF, "repairer": "search", "kind": "patch", "reason": "`curency` is `currency`", "not_checked": [],
    "gates": [{"name": "reproducer", "verdict": "pass", "reason": "passes 5 of 5"}],
}  # fmt: skip


def an_incident(store: SqlStore, app: Receivers, outcome: Outcome = Outcome.HEALED) -> str:
    """The older release serves again after the newer one raised errors."""
    good, bad = (store.releases.create(git(app.folder, "rev-parse", ref), "ana").id for ref in ("HEAD~1", "HEAD"))
    store.releases.set_state(good, ReleaseState.VERIFIED_GOOD, "")
    store.releases.set_state(bad, ReleaseState.FAILED, "")
    at = now()
    symptom = Symptom("errors", "web", "web: /price fails", at - 5, at, release=bad)
    store.incidents.open(Incident("inc-1", "web", (symptom,), at, IncidentState.SEEN, title="web: /price fails"))
    leading = {"cause": "release", "text": "x", "weight": 3.0, "supports": [], "subject": bad}
    store.incidents.save(
        "inc-1", diagnosis={"hypotheses": [leading], "unknown": []}, state="closed", outcome=outcome.value, closed_at=at
    )
    return bad


def raised(app: Receivers, release: str, call: str = "price(10, 'usd')") -> None:
    """The program itself, with the code of that release and a real SDK."""
    code = (
        "import sentry_sdk, sys\n"
        f"sentry_sdk.init(dsn={app.dsn!r}, release={release!r})\n"
        f"sys.path.insert(0, {str(app.folder)!r})\n"
        "from prices import price\n"
        f"try:\n    {call}\n"
        "except Exception:\n    sentry_sdk.capture_exception()\n"
        "sentry_sdk.flush(10)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=app.folder, check=True, timeout=60)
    deadline = monotonic() + 20
    while not app.archive.groups(app.project.id)[0]:
        assert monotonic() < deadline, "the error was not stored"
        time.sleep(0.05)


def following(app: Receivers, store: SqlStore, fixing: Fixing) -> Fixes:
    came = ReportsIn(
        partial(reports.feed, app.folder, app.config), app.archive, partial(reports.projects, app.folder, app.config)
    )
    parts = Parts(
        app.config, app.folder, "", store, FakeTarget(app.config.inventory(), now), AccessLog(app.folder / "access.log"), _Nobody(),
        Replay(), CommandNotifier(""), reporting=came, history=GitHistory(app.folder),
    )  # fmt: skip
    return Fixes(parts, fixing)


def told(store: SqlStore) -> list[str]:
    return [one.text for one in store.ledger.entries(incident="inc-1") if one.kind == "pull"]


def only(store: SqlStore) -> Kept:
    (kept,) = Pulls(store).all()
    return kept


def ask_again(fixes: Fixes) -> None:
    fixes._asked = -1e9
    fixes.turn()


def proposed(app: Receivers, store: SqlStore, mends: Any) -> Fixes:
    fixing = mending.fixing(app.folder, app.config)
    fixes = following(app, store, Fixing(mends or fixing.mends, fixing.forge))
    store.settings.put("autonomy", "suggest", "ana")
    raised(app, an_incident(store, app))
    fixes.turn()
    return fixes


def test_a_fix_is_proposed_once_merged_by_a_person_and_followed_until_it_holds(app: Receivers, store: SqlStore) -> None:
    mends = Recorded(FOUND)
    fixes = proposed(app, store, mends)
    assert mends.asked == ["inc-1"]
    fixes.turn()
    kept = only(store)
    assert kept.stage is Stage.OPEN
    branch = kept.published.branch
    assert git(app.folder, "ls-remote", "origin", branch)
    remote = git(app.folder, "remote", "get-url", "origin")
    body = git(Path(remote), "log", "-1", "--format=%B", branch)
    assert "web: ／price fails" in body or "price fails" in body
    assert "passes 5 of 5" in body
    fixes.turn()
    assert mends.asked == ["inc-1"], "it is looked for once"

    git(app.folder, "pull", "-q", "--no-edit", "--no-rebase", "origin", branch)
    git(app.folder, "push", "-q", "origin", "main")
    ask_again(fixes)
    assert only(store).stage is Stage.MERGED
    release = store.releases.create(git(app.folder, "rev-parse", "HEAD"), "ana").id
    fixes.turn()
    assert only(store).stage is Stage.MERGED, "it has not shipped yet"
    store.releases.set_state(release, ReleaseState.VERIFIED_GOOD, "")
    fixes.turn()
    assert (only(store).stage, only(store).shipped) == (Stage.HELD, release)
    assert store.settings.get(RESOLVED + kept.published.key)
    words = " | ".join(told(store))
    for part in (
        "looking for a lasting fix",
        "about to propose",
        "a fix is proposed",
        "is merged",
        "the fault counts as over",
    ):
        assert part in words

    (app.folder / "prices.py").write_text(BAD)  # as if a later change had brought it back
    raised(app, release)
    deadline = monotonic() + 20
    while only(store).stage is Stage.HELD:
        assert monotonic() < deadline, "nobody saw that it came back"
        time.sleep(0.2)
        fixes.turn()
    assert only(store).stage is Stage.CAME_BACK
    assert "does not hold" in told(store)[-1]


def test_nothing_is_sought_while_people_only_look_on_or_users_are_not_served_again(
    app: Receivers, store: SqlStore
) -> None:
    mends = Recorded(FOUND)
    fixing = mending.fixing(app.folder, app.config)
    fixes = following(app, store, Fixing(mends, fixing.forge))
    raised(app, an_incident(store, app, Outcome.ESCALATED))
    fixes.turn()
    store.settings.put("autonomy", "suggest", "ana")
    fixes.turn()
    assert mends.asked == []
    store.incidents.save("inc-1", outcome=Outcome.HEALED.value)
    store.settings.put("autonomy", "observe", "ana")
    fixes.turn()
    assert mends.asked == []
    store.settings.put("autonomy", "suggest", "ana")
    fixes.turn()
    assert mends.asked == ["inc-1"]


@pytest.mark.parametrize(
    "answer",
    [{**FOUND, "status": "no_fix", "reason": "none passed"}, {**FOUND, "status": "refused", "reason": "no check"}],
)
def test_where_there_is_no_fix_nothing_leaves_and_the_reason_stays(
    app: Receivers, store: SqlStore, answer: dict[str, Any]
) -> None:
    fixes = proposed(app, store, Recorded(answer))
    fixes.turn()
    assert Pulls(store).all() == ()
    assert not git(app.folder, "ls-remote", "origin", "prodwise/*")
    assert told(store)[-1].startswith("no fix is proposed: ")


def test_without_a_word_on_where_fixes_go_none_is_looked_for(tmp_path: Path) -> None:
    with receivers(tmp_path / "app", 0) as running:
        assert not running.config.proposes


@pytest.mark.full
def test_the_search_itself_is_asked_in_a_process_of_its_own(app: Receivers, store: SqlStore) -> None:
    fixes = proposed(app, store, None)
    deadline = monotonic() + 110
    while not (kept := Pulls(store).all()) and monotonic() < deadline:
        assert not any(text.startswith("no fix") for text in told(store)), told(store)
        time.sleep(0.5)
        fixes.turn()
    assert kept, (local_control.layout_of(app.folder).log / "fix.log").read_text()
    assert "RATES[currency]" in git(
        app.folder, "fetch", "-q", "origin", kept[0].published.branch
    ) or "RATES[currency]" in git(app.folder, "show", "FETCH_HEAD:prices.py")


def test_all_of_it_is_done_when_something_was_written_down(
    app: Receivers, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []
    monkeypatch.setattr(Fixes, "turn", lambda self: turns.append(1))
    fixes = following(app, store, Fixing(Recorded(FOUND), mending.fixing(app.folder, app.config).forge))
    fixes.look()
    fixes.look()
    assert len(turns) == 1
    store.ledger.append("incident_closed", "healed", actor="test", incident="inc-1")
    fixes.look()
    assert len(turns) == 2


def test_the_code_host_is_asked_when_a_release_is_made(app: Receivers, store: SqlStore) -> None:
    fixes = proposed(app, store, Recorded(FOUND))
    fixes.turn()
    kept = only(store)
    git(app.folder, "pull", "-q", "--no-edit", "--no-rebase", "origin", kept.published.branch)
    git(app.folder, "push", "-q", "origin", "main")
    fixes.turn()
    assert only(store).stage is Stage.OPEN, "it was asked a moment ago"
    store.releases.create(git(app.folder, "rev-parse", "HEAD"), "ana")
    fixes.turn()
    assert only(store).stage is Stage.MERGED


def test_a_fix_waits_for_the_code_host_and_for_whoever_holds_it_back(
    app: Receivers, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def later() -> Forge:
        tried.append(1)
        raise Later("the host says: not now", "", seconds=60)

    fixing = mending.fixing(app.folder, app.config)
    fixes = following(app, store, Fixing(Recorded(FOUND), later))
    store.settings.put("autonomy", "suggest", "ana")
    raised(app, an_incident(store, app))
    fixes.turn()
    store.settings.put("autonomy", "observe", "ana")
    fixes.turn()
    assert tried == [], "a person wants to look on only"
    store.settings.put("autonomy", "suggest", "ana")
    fixes.turn()
    fixes.turn()
    assert len(tried) == 1, "it waits as long as the host says"
    monkeypatch.setattr(fixes, "_not_before", -1e9)
    monkeypatch.setattr(fixes, "_fixing", Fixing(Recorded({}), fixing.forge))
    fixes.turn()
    assert only(store).stage is Stage.OPEN, "what was found is not lost"


class Lost:
    """A forge that takes what it is given, and whose answer is lost. Implements what is used of ports.Forge."""

    def __init__(self, forge: Forge) -> None:
        self._forge = forge

    def publish(self, pull: HealingPull, history: Sequence[Published]) -> Published:
        self._forge.publish(pull, history)
        raise ForgeError("502; whether it was done is not known")


def test_what_may_have_been_proposed_is_looked_for_and_not_given_up_at_once(app: Receivers, store: SqlStore) -> None:
    forge = mending.fixing(app.folder, app.config).forge
    forges = [cast(Forge, Lost(forge())), forge()]
    fixes = following(app, store, Fixing(Recorded(FOUND), lambda: forges.pop(0)))
    store.settings.put("autonomy", "suggest", "ana")
    raised(app, an_incident(store, app))
    fixes.turn()
    fixes.turn()
    assert Pulls(store).all() == ()
    fixes._not_before = -1e9
    fixes.turn()
    assert only(store).stage is Stage.OPEN
    assert git(app.folder, "ls-remote", "origin", "prodwise/*").count("\n") == 0, "one branch"


def test_a_host_that_never_takes_it_is_given_up(app: Receivers, store: SqlStore) -> None:
    forge = mending.fixing(app.folder, app.config).forge
    fixes = proposed(app, store, Recorded(FOUND))
    assert fixes._fixing is not None
    fixes._fixing = replace(fixes._fixing, forge=lambda: cast(Forge, Lost(forge())))
    for _ in range(PROPOSED_MAX):
        fixes._not_before = -1e9
        fixes.turn()
    assert told(store)[-1].startswith("a fix was found and could not be proposed: 502")


def another(fixes: Fixes) -> Fixes:
    """The next healer's."""
    return Fixes(fixes._parts, fixes._fixing)


def test_a_search_that_ended_with_its_healer_is_taken_up_by_the_next_one(app: Receivers, store: SqlStore) -> None:
    mends = Recorded(FOUND)
    fixes = proposed(app, store, mends)
    fixes = another(fixes)
    fixes.turn()
    assert mends.asked == ["inc-1", "inc-1"]
    fixes.turn()
    assert only(store).stage is Stage.OPEN
    fixes = another(fixes)
    fixes.turn()
    fixes.turn()
    assert mends.asked == ["inc-1", "inc-1"], "it has come to its end"


@pytest.mark.parametrize("answer", [{}, {"status": "fixed", "gates": 3}])
def test_a_search_that_is_cut_off_again_and_again_is_told_and_left(
    app: Receivers, store: SqlStore, answer: dict[str, Any]
) -> None:
    mends = Recorded(answer)
    fixes = proposed(app, store, mends)
    for _ in range(6):
        fixes.turn()
    assert mends.asked == ["inc-1"] * 3
    assert told(store)[-1] == "no fix is proposed: the search was cut off 3 times"
    assert Pulls(store).all() == ()


def test_what_was_found_and_waits_for_a_person_is_looked_for_again_by_each_healer(
    app: Receivers, store: SqlStore
) -> None:
    mends = Recorded(FOUND)
    fixes = proposed(app, store, mends)
    for life in range(5):
        store.settings.put("autonomy", "observe", "ana")
        fixes.turn()
        assert Pulls(store).all() == ()
        fixes = another(fixes)
        store.settings.put("autonomy", "suggest", "ana")
        fixes.turn()
        assert len(mends.asked) == life + 2
    fixes.turn()
    assert only(store).stage is Stage.OPEN


def test_a_model_is_asked_by_itself_only_as_often_as_a_person_allows(app: Receivers, store: SqlStore) -> None:
    mends = Recorded({})
    mends.a_day = 2
    fixes = proposed(app, store, mends)
    for _ in range(4):
        fixes.turn()
    assert mends.with_model == [True, True, False], "a search that was cut off may have cost as much as another"
    store.settings.put(TRIED, [], "ana")
    store.settings.put(ASKED, [now() - DAY_S - 1], "ana")
    fixes.turn()
    assert mends.with_model == [True, True, False, True], "on another day"


def test_without_a_persons_word_no_model_is_asked(app: Receivers, store: SqlStore) -> None:
    mends = Recorded(FOUND)
    proposed(app, store, mends)
    assert mends.with_model == [False]
