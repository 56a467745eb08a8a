"""What people ask for: each becomes a story or a setting, with their name in the ledger."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

from prodwise.clock import now
from prodwise.heal.parts import Parts
from prodwise.model.change import Change, ChangeKind
from prodwise.model.errors import Refused, UsageError
from prodwise.model.record import Rollout, RolloutState
from prodwise.model.release import Release, ReleaseState
from prodwise.ports import StopSwitch

ON_ITS_WAY = "release"
"""The symptom's kind in an incident of a release that never passed its watch."""
GOOD = (ReleaseState.VERIFIED_GOOD, ReleaseState.RETIRED)


class HealControls:
    """Implements ports.Controls and ports.Brakes. begin(story, id, subject) starts a durable story."""

    def __init__(self, parts: Parts, begin: Callable[[str, str, str], None], stop_switch: StopSwitch) -> None:
        self._parts, self._begin, self._stop_switch = parts, begin, stop_switch
        self._one_at_a_time = threading.Lock()

    def deploy(self, ref: str, who: str) -> str:
        records = self._parts.records
        self._not_frozen()
        commit = self._parts.target.resolve(ref)
        with self._one_at_a_time:
            previous = self.serving()
            release = records.releases.create(commit, who)
            row = Rollout(release.id, previous, RolloutState.QUEUED, "", 0.0, now(), asked_by=who)
            records.rollouts.put(row, f"{who} asked to deploy {ref} as {release.id}")
        self._begin("ship", f"ship-{release.id}", release.id)
        return release.id

    def rollback(self, who: str, release: str = "") -> str:
        """A rollout under way is cancelled (its users go back at once); else the earlier good release returns."""
        records = self._parts.records
        current = records.rollouts.current()
        if current is not None and release in ("", current.previous):
            records.settings.put(f"cancel:{current.release}", f"{who} asked to go back", who)
            return current.previous
        wanted = self._return_target(release)
        story = f"return-{wanted.id}-{uuid.uuid4().hex[:8]}"
        records.settings.put(
            f"return:{story}", {"release": wanted.id, "who": who, "reason": f"{who} asked to go back"}, who
        )
        self._begin("return", story, story)
        return wanted.id

    def restart(self, service: str, who: str) -> None:
        if service not in {s.id for s in self._parts.inventory}:
            raise UsageError(
                f"there is no service {service!r}", "known: " + ", ".join(s.id for s in self._parts.inventory)
            )
        story = f"restart-{service}-{uuid.uuid4().hex[:8]}"
        self._parts.records.settings.put(f"restart:{story}", {"service": service, "who": who}, who)
        self._begin("restart", story, story)

    def undo(self, incident_id: str, who: str) -> str:
        """Undoes the incident's last effect that has an undo. An undo is not undone."""
        row = self._parts.records.incidents.row(incident_id)
        release = next((s["release"] for s in row["symptoms"] if s["kind"] == ON_ITS_WAY), "")
        if release:
            raise Refused(
                f"release {release} was taken back on its way to users, before it had passed its watch",
                f"ship it again, with a ramp: `prodwise deploy {release.partition('-')[2]}`",
            )
        done = [e for e in self._parts.records.ledger.effects(story=incident_id) if e.undo and e.state == "done"]
        if row["closed_at"] is None:
            self._parts.records.settings.put(f"takeover:{incident_id}", who, who)
        if not done:
            raise Refused(
                f"incident {incident_id} has no action that can be undone",
                "a restart changes no state: there is nothing to undo",
            )
        story = f"undo-{incident_id}"
        self._parts.records.settings.put(f"undo:{story}", {"incident": incident_id, "who": who}, who)
        self._begin("undo", story, story)
        return f"undoing {len(done)} effect(s) of {incident_id}"

    def stop(self, who: str, reason: str) -> None:
        self._stop_switch.stop(who, reason)
        self._parts.records.ledger.append("stop", f"{who} stopped the automation: {reason}", actor=who)

    def start(self, who: str) -> None:
        self._stop_switch.start(who)
        self._parts.records.ledger.append("start", f"{who} let the automation act again", actor=who)

    def freeze(self, who: str, until: float | None, reason: str) -> None:
        self._parts.records.settings.put("freeze", {"until": until, "reason": reason, "who": who}, who)

    def unfreeze(self, who: str) -> None:
        self._parts.records.settings.put("freeze", None, who)

    def serving(self) -> str:
        """The release that stable users reach now."""
        seen = self._parts.target.observe()
        for service in self._parts.shipped:
            at = seen.service(service.id)
            if service.ramps and at is not None and at.switch is not None:
                process = at.slot(at.switch.stable)
                if process is not None and process.release:
                    return process.release
        return next((p.release for at in seen.services for p in at.slots if p.release), "")

    def adopt(self) -> None:
        """Releases that run but are not known (the first one, or a lost database) are taken as they were found."""
        records, known = self._parts.records, {r.id for r in self._parts.records.releases.list(1000)}
        for release in sorted(
            {p.release for at in self._parts.target.observe().services for p in at.slots if p.release} - known
        ):
            target = self._parts.target
            built = target.build(release, target.resolve(release.partition("-")[2]))
            records.releases.adopt(release, built.commit, "taken as it was found running")
            facts = {"built": True, "log": built.log, "env_digest": built.env_digest}
            records.releases.describe(release, digest=built.digest, title=built.title, author=built.author, facts=facts)
            records.changes.record(
                Change(f"release-{release}", now(), ChangeKind.RELEASE, "", "", release, "prodwise up",
                       "none: it is the first release", f"release {release} was the first to run")
            )  # fmt: skip

    def _return_target(self, release: str) -> Release:
        serving = self.serving()
        good = [r for r in self._parts.records.releases.list(1000) if r.state in GOOD and r.id != serving]
        if release:
            found = next(
                (r for r in self._parts.records.releases.list(1000) if release in (r.id, r.commit, r.short)), None
            )
            if found is None:
                raise UsageError(f"there is no release {release!r}", "`prodwise releases` lists them")
            if found.id == serving:
                raise Refused(f"release {found.id} is the one that serves")
            if found.state not in GOOD:
                raise Refused(
                    f"release {found.id} is {found.state.value}: it never passed its watch",
                    "deploy it instead: `prodwise deploy`",
                )
            return found
        if not good:
            raise Refused(
                "there is no earlier verified-good release to go back to", "deploy a good one: `prodwise deploy REF`"
            )
        return good[0]

    def _not_frozen(self) -> None:
        frozen = self._parts.records.settings.get("freeze")
        if frozen and (frozen["until"] is None or frozen["until"] > now()):
            raise Refused(f"frozen by {frozen['who']}: {frozen['reason']}", "`prodwise unfreeze` ends it")
        if self._parts.target.observe().stopped:
            raise Refused("stopped by a person", "`prodwise start` lets Prodwise act again")
