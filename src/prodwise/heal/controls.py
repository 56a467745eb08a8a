"""What people ask for: each becomes a story or a setting, with their name in the ledger."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from prodwise.clock import now
from prodwise.heal.by_hand import start_text, stop_text
from prodwise.heal.hands import AUTOMATION
from prodwise.heal.memory import PUT_BACK
from prodwise.heal.parts import Parts
from prodwise.heal.releases import known_releases
from prodwise.heal.returning import ASKED, AT_WORK, BACK, RESTART_WAIT_S, GoesOn, under_way, went_back
from prodwise.loop import moves
from prodwise.loop.goal import return_target
from prodwise.model.change import Change, ChangeKind
from prodwise.model.errors import Refused, UsageError
from prodwise.model.outside import WHOLE_APP
from prodwise.model.record import Rollout, RolloutState
from prodwise.model.release import Release, ReleaseState
from prodwise.ports import StopSwitch

DAY_S = 86_400.0
NOTHING: Mapping[str, Any] = {}


class HealControls:
    """Implements ports.Controls and ports.Brakes. begin(story, id, subject) starts a durable story; False: it cannot yet."""

    def __init__(
        self, parts: Parts, begin: Callable[[str, str, str], bool], goes_on: GoesOn,
        stop_switch: StopSwitch,
    ) -> None:  # fmt: skip
        self._parts, self._begin, self._goes_on, self._stop_switch = parts, begin, goes_on, stop_switch
        self._one_at_a_time = threading.Lock()

    def deploy(self, ref: str, who: str) -> str:
        records = self._parts.records
        self._not_frozen()
        commit = self._parts.target.resolve(ref)
        with self._one_at_a_time, records.unit():  # both rows or none: a release without a rollout would never begin
            previous = self._parts.serving()
            release = records.releases.create(commit, who)
            row = Rollout(release.id, previous, RolloutState.QUEUED, "", 0.0, now(), asked_by=who)
            records.rollouts.put(row, f"{who} asked to deploy {ref} as {release.id}")
        self._begin("ship", f"ship-{release.id}", release.id)
        return release.id

    def rollback(self, who: str, release: str = "") -> str:
        """A rollout under way is cancelled (its users go back at once); else the earlier good release returns."""
        records = self._parts.records
        current, reason = records.rollouts.current(), f"{who} asked to go back"
        wanted = self._return_target(release) if current is None or release not in ("", current.previous) else None
        cancel = {f"cancel:{current.release}": {"who": who, "reason": reason}} if current is not None else {}
        if wanted is not None:
            story = f"return-{wanted.id}-{uuid.uuid4().hex[:8]}"
            rollout = current.release if current is not None else ""
            asked = {"release": wanted.id, "who": who, "reason": reason, "rollout": rollout}
            self._ask("return", story, asked, beside=cancel)
            return wanted.id
        for name, word in cancel.items():
            records.settings.put(name, word, who)
        return current.previous if current is not None else ""

    def restart(self, service: str, who: str) -> None:
        if service not in {s.id for s in self._parts.inventory}:
            raise UsageError(
                f"there is no service {service!r}", "known: " + ", ".join(s.id for s in self._parts.inventory)
            )
        story = f"restart-{service}-{uuid.uuid4().hex[:8]}"
        self._ask("restart", story, {"service": service, "who": who}, service)

    def undo(self, incident_id: str, who: str) -> str:
        """Takes the incident's rollback back, once. An undo is not undone; a restart changes no state, so it has no undo."""
        records, story = self._parts.records, f"undo-{incident_id}"
        row, known = records.incidents.row(incident_id), records.settings.get(f"undo:{story}")
        if known and known.get("not_begun"):
            raise Refused(f"{known['who']} asked for that already, and it was not begun: {known['not_begun']}",
                          "`prodwise releases` shows what runs")  # fmt: skip
        if known:
            return f"{known['who']} took it back already: {known['left']} was put back"
        self._can_undo(incident_id)
        made = next((c for c in records.changes.own(row["opened_at"], 1000) if c.id == incident_id), None)
        if made is None:
            raise Refused(
                f"nothing was done in {incident_id} that can be undone",
                "a restart changes no state: there is nothing to put back",
            )
        if self._parts.serving() != made.after:
            raise Refused(
                f"{self._parts.serving()} serves by now, not {made.after}: there is nothing left to take back",
                "`prodwise releases` shows what runs; `prodwise rollback RELEASE` goes to another",
            )
        asked = {"incident": incident_id, "who": who, "went_to": made.after, "left": made.before}
        self._ask("undo", story, asked)
        return f"taking it back: {made.before} is started, and gets all users once it is well"

    def _ask(self, kind: str, story: str, asked: Mapping[str, Any], service: str = WHOLE_APP,
             beside: Mapping[str, Any] = NOTHING) -> None:  # fmt: skip
        """On record before it begins: a healer that dies in between begins it when it comes back. One at a time for each service,
        but that who wants to go back is not held up by a restart. beside: settings that go on record with it, or not at all.
        Raises Refused, naming the one that goes on."""
        settings, who = self._parts.records.settings, str(asked["who"])
        with self._one_at_a_time, self._parts.records.unit():
            others = under_way(settings, self._goes_on)
            restarts = {
                one: about for one, (about, _) in others.items() if kind in BACK and settings.get(f"restart:{one}")
            }
            for other, (about, since) in others.items():
                if other not in restarts and (WHOLE_APP in (about, service) or about == service):
                    ago = f"asked for {max(0.0, now() - since):.0f} s ago"
                    raise Refused(f"already going on: {other}, {ago}", "`prodwise status` shows what is done now")
            settings.put(f"{kind}:{story}", {**asked, "after": list(restarts)}, who)
            if restarts:
                which = ", ".join(restarts.values())
                text = f"going back as soon as the restart of {which} is over, after {RESTART_WAIT_S:.0f} s at most"
                self._parts.records.ledger.append("waits", text, actor=who, incident=story)
            for name, word in beside.items():
                settings.put(name, word, who)
            settings.put(ASKED, {**settings.get(ASKED, {}), story: kind}, who)
            settings.put(AT_WORK, {**others, story: (service, now())}, who)
        self._begin_asked(kind, story)

    def begin_asked(self) -> None:
        """What was asked for and never begun, by a healer that died or could not act yet."""
        for story, kind in self._parts.records.settings.get(ASKED, {}).items():
            self._begin_asked(kind, story)

    def _begin_asked(self, kind: str, story: str) -> None:
        if self._begin(kind, story, story):
            settings = self._parts.records.settings
            with self._one_at_a_time, self._parts.records.unit():
                left = {other: what for other, what in settings.get(ASKED, {}).items() if other != story}
                settings.put(ASKED, left, AUTOMATION)

    def _can_undo(self, incident_id: str) -> None:
        """A release that went back during its rollout is not put back: nobody would watch it. Raises Refused."""
        release = next((r for r in self._parts.records.releases.list(1000) if f"inc-{r.id}" == incident_id), None)
        if release is not None:
            raise Refused(
                f"release {release.id} was taken back on its way to users, before it had passed its watch",
                f"ship it again, with a ramp: `prodwise deploy {release.short}`",
            )

    def stop(self, who: str, reason: str) -> None:
        self._stop_switch.stop(who, reason)
        self._parts.records.ledger.append("stop", stop_text(who, reason), actor=who)

    def start(self, who: str) -> None:
        self._stop_switch.start(who)
        self._parts.records.ledger.append("start", start_text(who), actor=who)

    def freeze(self, who: str, until: float | None, reason: str) -> None:
        self._parts.records.settings.put("freeze", {"until": until, "reason": reason, "who": who}, who)

    def unfreeze(self, who: str) -> None:
        self._parts.records.settings.put("freeze", None, who)

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

    def catch_up(self) -> None:
        """A release that serves all by itself, though another replaced it: somebody went back past us, and left no word."""
        records, seen = self._parts.records, self._parts.target.observe()
        serving = self._parts.serving()
        known = {r.id: r for r in records.releases.list(1000)}
        found = known.get(serving)
        if found is None or found.state is not ReleaseState.RETIRED or records.rollouts.current() is not None:
            return
        if not moves.returned(self._parts.shipped, seen, serving) or self._returning():
            return
        newer = [r.id for r in known.values() if r.state is ReleaseState.VERIFIED_GOOD and r.number > found.number]
        left = newer[0] if newer else ""
        story, reason = f"found-{serving}-{now():.0f}", "it was found serving"
        went_back(records, story, serving, left, "unknown", reason, ReleaseState.FAILED)

    def _returning(self) -> bool:
        """Whether a story of ours has moved users and will still say so."""
        records = self._parts.records
        told = {change.id.removeprefix(PUT_BACK) for change in records.changes.own(0.0, 1000)}
        rollouts = {f"inc-{release.id}" for release in records.releases.list(1000)}
        moved = [e.story for e in records.ledger.effects(since=now() - DAY_S) if e.kind == moves.ROLLBACK]
        return any(story not in told | rollouts for story in moved if not story.startswith("ship-"))

    def _return_target(self, release: str) -> Release:
        """What has a share beside the release that serves is left first, unless it is on its way."""
        seen, shipped, records = self._parts.target.observe(), self._parts.shipped, self._parts.records
        serving = moves.serving(shipped, seen)
        beside = "" if records.rollouts.current() is not None else moves.sharing(shipped, seen, serving)
        return return_target(known_releases(records, release), serving, release, beside)

    def _not_frozen(self) -> None:
        frozen = self._parts.records.settings.get("freeze")
        if frozen and (frozen["until"] is None or frozen["until"] > now()):
            raise Refused(f"frozen by {frozen['who']}: {frozen['reason']}", "`prodwise unfreeze` ends it")
        if self._parts.target.observe().stopped:
            raise Refused("stopped by a person", "`prodwise start` lets Prodwise act again")
