"""A merged fix that does not hold: a draft that takes it back, on a real remote and on a code host that speaks like the true one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from prodwise.clock import now
from prodwise.config import load
from prodwise.heal.fixes import Fixes, Fixing
from prodwise.heal.parts import Parts
from prodwise.heal.pulls import Kept, Pulls, Stage, Undone
from prodwise.loop.publish.decide import OPEN_MAX
from prodwise.model.errors import ForgeError
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.pull import PullState
from prodwise.model.release import ReleaseState
from prodwise.repair.undo import MergedFixes
from prodwise.signals.access_log import AccessLog
from prodwise.signals.replay import Replay
from prodwise.store.sql import SqlStore
from prodwise.targets.local.history import GitHistory
from prodwise.testing.fake_forge import Fault
from prodwise.testing.fake_target import FakeTarget
from prodwise.testing.forge_kit import WRITER, pull_for
from prodwise.wiring.records import open_store
from tests.forge.rigs import SHOP, BareRig, HostRig, bare_rig, git, host_rig
from tests.heal.test_fixes import Recorded
from tests.heal.test_suspects import _Nobody

CONFIG = 'version = 1\n[services.web]\ncommand = "true"\n'
FIXED = SHOP.replace('cart["price"]', 'cart.get("price", 0)')


class Told:
    """Implements ports.Notifier."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.texts: list[str] = []

    def tell(self, title: str, text: str) -> None:
        self.titles.append(title)
        self.texts.append(text)


class Serves(Parts):
    def serving(self) -> str:
        return "1-good"


@dataclass
class World:
    """One app whose fix was proposed; `rig` is where its code is hosted."""

    rig: BareRig | HostRig
    store: SqlStore
    target: FakeTarget
    told: Told
    fixes: Fixes

    def all(self) -> tuple[Kept, ...]:
        return Pulls(self.store).all()

    @property
    def first(self) -> Kept:
        return next(one for one in self.all() if not one.undoes)

    @property
    def undo(self) -> Kept | None:
        return next((one for one in self.all() if one.undoes), None)

    def turn(self) -> None:
        self.fixes._asked = -1e9
        self.fixes.turn()

    def merged(self, squash: bool = False) -> str:
        """By a person, here and on the remote. Returns the commit."""
        local, bare = self.rig.local, self.rig.bare if isinstance(self.rig, BareRig) else self.rig.fake.bare
        kept = self.first
        git(local, "fetch", "-q", str(bare), kept.published.branch)
        if squash:
            message = git(local, "log", "-1", "--format=%B", "FETCH_HEAD")
            git(local, "merge", "-q", "--squash", "FETCH_HEAD")
            git(local, "commit", "-q", "-m", message)
        else:
            git(local, "merge", "-q", "--no-ff", "-m", "take it", "FETCH_HEAD")
        git(local, "push", "-q", str(bare), "HEAD:main")
        if isinstance(self.rig, HostRig):
            pull = self.rig.fake.number(kept.published.number)
            assert pull is not None
            pull.state, pull.by = "merged", WRITER
        else:
            git(bare, "update-ref", "-d", f"refs/heads/{kept.published.branch}")
        return git(local, "rev-parse", "HEAD")

    def release(self, commit: str, state: ReleaseState, reason: str = "") -> str:
        made = self.store.releases.create(commit, "ana").id
        self.store.ledger.append("rollout_stage", "5 %", actor="test", incident=made, data={"share": 0.05})
        self.store.releases.set_state(made, state, reason)
        return made

    def withdrawn(self, squash: bool = False) -> str:
        """Merged, and its release went back in the ramp."""
        commit = self.merged(squash)
        self.turn()
        assert self.first.stage is Stage.MERGED
        release = self.release(commit, ReleaseState.FAILED, "5 % stage: errors")
        self.turn()
        return release

    def records(self) -> list[str]:
        return [one.text for one in self.store.ledger.recent(200) if one.kind == "pull"]


BOTH = pytest.mark.parametrize("world", ["bare", "github"], indirect=True)


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    kind = getattr(request, "param", "bare")
    with bare_rig(tmp_path) if kind == "bare" else host_rig(kind, tmp_path) as rig:
        (rig.local / "prodwise.toml").write_text(CONFIG)
        (rig.local / ".prodwise").mkdir()
        config = load(rig.local)
        store, target, told = open_store(rig.local), FakeTarget(config.inventory(), now), Told()
        parts = Serves(
            config, rig.local, "", store, target, AccessLog(rig.local / "access.log"), _Nobody(), Replay(), told,
            history=GitHistory(rig.local),
        )  # fmt: skip
        fixes = Fixes(parts, Fixing(Recorded({}), rig.forge, MergedFixes(rig.local)))
        made = World(rig, store, target, told, fixes)
        store.settings.put("autonomy", "suggest", "ana")
        made.release(rig.base, ReleaseState.VERIFIED_GOOD)
        faulty = made.release(rig.base, ReleaseState.FAILED)
        Pulls(store).put(Kept(rig.forge().publish(pull_for(rig, "k1"), []), "inc-1", "web", faulty))
        yield made
        store.close()


def shop_at(world: World, ref: str) -> str:
    bare = world.rig.bare if isinstance(world.rig, BareRig) else world.rig.fake.bare
    return git(bare, "show", f"{ref}:shop.py")


@BOTH
@pytest.mark.parametrize("squash", [False, pytest.param(True, marks=pytest.mark.full)])
def test_a_fix_whose_release_went_back_is_taken_back_by_a_draft(world: World, squash: bool) -> None:
    release = world.withdrawn(squash)
    assert world.first.stage is Stage.WITHDRAWN
    assert world.undo is None, "it is told first"
    world.turn()
    undo = world.undo
    assert undo is not None
    assert (undo.stage, undo.undoes, world.first.undone) == (Stage.OPEN, "k1", Undone.PROPOSED)
    assert shop_at(world, "main") == FIXED.strip()
    assert shop_at(world, undo.published.branch) == SHOP.strip()
    assert release in world.told.texts[-1]
    assert undo.published.branch in world.told.texts[-1] or undo.published.url in world.told.texts[-1]
    world.turn()
    assert len(world.all()) == 2, "once"
    records = list(reversed(world.records()))
    about, done = (
        next(at for at, text in enumerate(records) if text.startswith(part)) for part in ("about to", "taking")
    )
    assert about < done
    if isinstance(world.rig, HostRig):
        pull = world.rig.fake.number(undo.published.number)
        first = world.rig.fake.number(world.first.published.number)
        assert pull is not None
        assert first is not None
        assert pull.draft
        assert "nothing was run for it" in pull.body
        assert "does not hold" in first.comments[-1].body
    else:
        assert "does not hold" in Path(world.first.published.url).read_text()


def test_a_draft_that_takes_back_is_followed_and_not_taken_back_itself(world: World) -> None:
    world.withdrawn()
    world.turn()
    undo = world.undo
    assert undo is not None
    local, bare = world.rig.local, world.rig.bare if isinstance(world.rig, BareRig) else world.rig.fake.bare
    git(local, "pull", "-q", "--no-edit", "--no-rebase", str(bare), undo.published.branch)
    Pulls(world.store).put(replace(undo, stage=Stage.MERGED, published=replace(undo.published, state=PullState.MERGED)))
    failed = world.release(git(local, "rev-parse", "HEAD"), ReleaseState.FAILED)
    world.turn()
    undo = world.undo
    assert undo is not None
    assert undo.stage is Stage.MERGED
    world.store.releases.set_state(failed, ReleaseState.VERIFIED_GOOD, "")
    world.turn()
    undo = world.undo
    assert undo is not None
    assert (undo.stage, undo.shipped, len(world.all())) == (Stage.HELD, failed, 2)


@pytest.mark.parametrize("by", ["stop", "freeze", "stage", "open incident"])
def test_what_holds_automation_holds_it(world: World, by: str) -> None:
    at = now()
    if by == "stop":
        world.target.stopped = True
    elif by == "freeze":
        world.store.settings.put("freeze", {"who": "ana", "reason": "sale", "until": None}, "ana")
    elif by == "stage":
        world.store.settings.put("autonomy", "observe", "ana")
    else:
        symptom = Symptom("errors", "web", "fails", at - 5, at)
        world.store.incidents.open(Incident("inc-2", "web", (symptom,), at, IncidentState.SEEN))
    world.withdrawn()
    world.turn()
    assert world.first.stage is Stage.WITHDRAWN, "a person is told all the same"
    assert world.told.titles
    assert world.undo is None
    assert not any(text.startswith("about to") for text in world.records())
    world.target.stopped = False
    world.store.settings.put("freeze", None, "ana")
    world.store.settings.put("autonomy", "suggest", "ana")
    if by == "open incident":
        world.store.incidents.save("inc-2", state="closed", closed_at=at)
    world.turn()
    assert world.undo is not None


def test_calm_is_not_waited_for_without_end(world: World) -> None:
    at = now()
    world.withdrawn()
    symptom = Symptom("errors", "web", "fails", at - 5, at)
    world.store.incidents.open(Incident("inc-2", "web", (symptom,), at, IncidentState.SEEN))
    Pulls(world.store).put(replace(world.first, turned_at=at - 2 * 24 * 3600))
    world.turn()
    assert (world.undo, world.first.undone) == (None, Undone.LEFT)
    assert "not calm within a day" in world.told.texts[-1]


def test_it_counts_against_the_drafts_that_may_be_open(world: World) -> None:
    world.withdrawn()
    for number in range(OPEN_MAX):
        world.rig.forge().publish(pull_for(world.rig, f"other-{number}", price=f"cart[{number}]"), [])
    world.turn()
    assert (world.undo, world.first.undone) == (None, Undone.LEFT)
    assert f"{OPEN_MAX} healing pull requests are open" in world.told.texts[-1]


def test_what_later_commits_changed_is_left_to_a_person(world: World) -> None:
    commit = world.merged()
    (world.rig.local / "shop.py").write_text(FIXED.replace("0)", "1)"))
    git(world.rig.local, "commit", "-q", "-am", "fix(shop): one")
    world.turn()
    assert world.first.stage is Stage.MERGED
    assert git(world.rig.local, "rev-parse", "HEAD") != commit
    world.release(git(world.rig.local, "rev-parse", "HEAD"), ReleaseState.FAILED, "slow")
    world.turn()
    world.turn()
    assert (world.undo, world.first.undone) == (None, Undone.LEFT)
    assert "cannot go back whole" in world.told.texts[-1]


def test_a_release_that_holds_after_all_ends_it(world: World) -> None:
    world.withdrawn()
    good = world.release(git(world.rig.local, "rev-parse", "HEAD"), ReleaseState.VERIFIED_GOOD)
    world.fixes.turn()
    assert (world.first.stage, world.first.shipped) == (Stage.HELD, good)
    world.turn()
    assert world.undo is None


@pytest.mark.parametrize("world", ["github"], indirect=True)
def test_what_broke_off_goes_on_without_a_second_draft(world: World) -> None:
    """The host takes the draft, and its answer is lost; then the comment fails."""
    assert isinstance(world.rig, HostRig)
    world.withdrawn()
    for part in ("pulls", "/comments"):
        world.rig.fake.faults.append(Fault(500, part=part, method="POST", after=True))
        with pytest.raises(ForgeError):
            world.turn()
    assert world.first.undone is Undone.ASKED
    world.turn()
    assert world.first.undone is Undone.PROPOSED
    undo = world.undo
    assert undo is not None
    assert len(world.rig.fake.pulls) == 2
    intents = [text for text in world.records() if text.startswith("about to propose: the fix")]
    assert len(intents) == 1


@BOTH
def test_a_no_stands_and_retry_asks_again(world: World) -> None:
    world.withdrawn()
    world.turn()
    undo = world.undo
    assert undo is not None
    world.rig.person("close", undo.published)
    world.turn()
    assert [one.stage for one in world.all() if one.undoes] == [Stage.CLOSED]
    world.turn()
    assert len(world.all()) == 2
    if isinstance(world.rig, HostRig):
        world.rig.say(undo.published, WRITER, "/prodwise retry")
        world.turn()
        world.turn()
        assert sorted(one.stage for one in world.all() if one.undoes) == [Stage.CLOSED, Stage.OPEN]


def test_a_release_that_met_no_user_or_that_a_person_called_back_says_nothing_of_its_fix(world: World) -> None:
    commit = world.merged(False)
    world.turn()
    unbuilt = world.store.releases.create(commit, "ana").id
    world.store.releases.set_state(unbuilt, ReleaseState.FAILED, "the package index does not answer")
    world.turn()
    assert world.first.stage is Stage.MERGED
    called_back = world.release(commit, ReleaseState.FAILED, "cancelled")
    world.store.settings.put(f"cancel:{called_back}", {"who": "ana", "reason": "not now"}, "ana")
    world.turn()
    assert world.first.stage is Stage.MERGED
