"""The healer as a whole: intake, lease and stories of one app."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from prodwise.clock import monotonic, now
from prodwise.heal import memory
from prodwise.heal.aftermath import Aftermath
from prodwise.heal.by_hand import merge
from prodwise.heal.controls import HealControls
from prodwise.heal.durable import Durable
from prodwise.heal.hands import Hands
from prodwise.heal.incident import IncidentStory
from prodwise.heal.intake import Intake
from prodwise.heal.lease import Leaseholder
from prodwise.heal.outside import Outside
from prodwise.heal.parts import Parts
from prodwise.heal.resuming import Resuming, Withdrawing
from prodwise.heal.returning import Returning, SmallStories
from prodwise.heal.ship import ShipStory
from prodwise.heal.suspects import Suspects
from prodwise.loop.choose.told import news
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.ports import BreakGlass, StopSwitch

if TYPE_CHECKING:
    from prodwise.heal.fixes import Fixes, Fixing

SAME_S = 1.0


class Healer:
    """Start it once; stop it to leave. Everything it was in the middle of goes on in the next one."""

    def __init__(
        self, parts: Parts, durable: Durable, stop_switch: StopSwitch, break_glass: BreakGlass, executor: str,
        fixing: Fixing | None = None,
    ) -> None:  # fmt: skip
        """executor: this process's own name, as lease holder and as executor of stories; fixing: None where no fix is proposed."""
        self.parts = parts
        self._break_glass = break_glass
        self._durable, self._executor = durable, executor
        self._acts = threading.Event()
        self.lease = Leaseholder(parts.target, executor)
        self.outside = Outside(parts.records, parts.config, parts.telemetry)
        self.intake = Intake(parts, self.outside)
        hands = Hands(durable, parts.records.ledger, parts.target, self.lease.token)
        returning = Returning(parts, durable, hands, self.intake)
        small = SmallStories(parts, durable, returning)
        ship = ShipStory(parts, durable, hands, self.intake, returning)
        self._incident = IncidentStory(parts, durable, returning, self.intake)
        self._resuming = Resuming(parts, durable, self.begin, self._incident.ending)
        bodies = {
            "ship": ship.run,
            "withdraw": Withdrawing(parts, durable, returning, self.intake).run,
            "incident": self._incident.run,
            "return": small.go_back,
            "restart": small.restart,
            "undo": small.undo,
            "prove": small.prove,
        }
        broken = self._resuming.broken
        for name, body in bodies.items():
            durable.story(name, body, broken)
        self._suspects = Suspects(parts)
        self._fixes = _fixes(parts, fixing)
        self._aftermath = Aftermath(parts.records, parts.inventory, self.intake.vitals)
        self.controls = HealControls(parts, self.begin, self._goes_on, stop_switch)
        self.intake.on_symptoms = self.open_incident
        self._told: dict[str, tuple[frozenset[tuple[str, str]], float]] = {}  # service → trouble, and when it was told
        self._told_seen: dict[str, float] = {}  # service → when trouble that a person knows of was last seen

    def _news(self, service: str, symptoms: Sequence[Symptom], at: float) -> Sequence[Symptom]:
        """Without what a person was called for lately, and what others still say of a trouble that is over: noise."""
        told = memory.told(self.parts, service, self._told_seen.get(service, 0.0))
        if told is None:
            return memory.without_echoes(self.parts, service, symptoms, at)
        new = news(told, symptoms, at)
        if len(new) < len(symptoms):
            self._told_seen[service] = at
        return new

    def begin(self, story: str, workflow_id: str, subject: str) -> bool:
        """Its rows are committed. Before this healer may act it begins nothing: `start` begins what is on record.

        Returns whether it has begun, durably.
        """
        if self._acts.is_set():
            self._durable.begin(workflow_id, story, subject)
        return self._acts.is_set()

    def _goes_on(self, story: str) -> bool | None:
        """None before this healer may act: stories are not asked about until then."""
        return self._durable.goes_on(story) if self._acts.is_set() else None

    def start(self) -> None:
        """One look, for the pages; then the lease, which another healer may hold still; then the stories that were left unfinished.

        Without the lease nothing is begun or resumed: what another healer is at would be done a second time.
        """
        self.intake.resume()
        self.intake.tick()
        self.lease.start()
        self.lease.token()
        self.controls.adopt()
        self._take_journal()
        self.controls.catch_up()
        self.intake.chores = self._chores
        self._durable.launch()
        self._resuming.take_over(self._executor)
        self._acts.set()
        self._begin_what_was_asked()
        self.intake.start()
        self._suspects.start()
        if self._fixes is not None:
            self._fixes.start()
        self._prove_undo()
        self.parts.records.ledger.append(
            "healer_started", "the healer looks and may act as its stage allows", actor="prodwise"
        )

    def _begin_what_was_asked(self) -> None:
        """A healer that died between a row and its story: the story begins now. One that had begun is joined, not begun twice."""
        records = self.parts.records
        rollouts = [r.release for r in records.rollouts.list(limit=200) if not r.state.settled]
        for release in reversed(rollouts):
            self._resuming.begin_ship(release)
        self.controls.begin_asked()
        known = {f"inc-{r.id}" for r in records.releases.list(1000)}  # a rollout's own incident is closed by its story
        for found in records.incidents.list(open_only=True):
            if found.id not in known:
                self._resuming.begin_incident(found.id)

    def _chores(self) -> None:
        self._take_journal()
        self._aftermath.look()

    def _take_journal(self) -> None:
        """What people did past us: while we were dead, or while we did not answer."""
        self._break_glass.take(lambda done: merge(self.parts.records, done))

    def _prove_undo(self) -> None:
        """Once per target: a share goes out and comes back, and the target is seen to be as it was."""
        if not self.parts.records.settings.get("undo_proven"):
            story = f"prove-{uuid.uuid4().hex[:8]}"
            self.begin("prove", story, story)

    def stop(self) -> None:
        self._suspects.stop()
        if self._fixes is not None:
            self._fixes.stop()
        self.intake.stop()
        self.outside.measures.stop()
        self.lease.stop()
        self._durable.destroy()

    def open_incident(self, service: str, symptoms: Sequence[Symptom]) -> None:
        """One incident per service: new symptoms join the one that is open.

        Told at each look; while it is the same trouble the store is asked once a second, whether its incident has ended since.
        """
        same = frozenset((one.kind, one.route) for one in symptoms)
        if self._told.get(service, (None, 0.0))[0] == same and monotonic() - self._told[service][1] < SAME_S:
            return
        with self._incident.ending:
            self._told[service] = same, monotonic()
            at = now()
            new = self._news(service, symptoms, at)
            if new:
                self._open(service, new, at)

    def _open(self, service: str, symptoms: Sequence[Symptom], at: float) -> None:
        number = f"{at:.3f}".replace(".", "")[-9:]
        found = Incident(
            f"inc-{service}-{number}", service, tuple(symptoms), at, IncidentState.SEEN, title=symptoms[0].text[:300]
        )
        opened = self.parts.records.incidents.open(found)
        if opened.id == found.id:
            self.begin("incident", opened.id, opened.id)


def _fixes(parts: Parts, fixing: Fixing | None) -> Fixes | None:
    """What they take is imported for those who propose any."""
    if fixing is None:
        return None
    from prodwise.heal.fixes import Fixes

    return Fixes(parts, fixing)
