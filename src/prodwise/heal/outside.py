"""What machines outside told us, kept durably, and what of it is wrong now."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from prodwise.clock import monotonic, now
from prodwise.config import Config
from prodwise.heal.measures import Measures
from prodwise.loop.detect import heartbeat
from prodwise.model.change import Change, ChangeKind
from prodwise.model.errors import Replayed
from prodwise.model.incident import Symptom
from prodwise.model.outside import WHOLE_APP, Alarm, Genuine, Heartbeat, Pings, Told, Word
from prodwise.ports import Records, Telemetry

BEAT, LISTENING = "heartbeat:", "outside:listening"
"""Settings: a heartbeat's id and pings; since when, and until when, pings could be heard."""
DEAF_S: Final = 60.0
"""A shorter pause is no deafness: whoever pings tries again. A longer one, or a clock that jumped, begins the listening anew."""
SAVE_EVERY_S: Final = 10.0
SHOWN_MAX: Final = 50
"""So many alarms of one service stand in its incident; a storm is one trouble."""
CHANGES_BACK_S: Final = 90 * 86_400.0
ACTOR = "prodwise"


class Outside:
    """Implements ports.Outsiders. Heartbeats that are not declared any more are unknown, and what was heard of them is kept."""

    def __init__(self, records: Records, config: Config, telemetry: Telemetry | None = None) -> None:
        self._records, self._config = records, config
        self.measures = Measures(telemetry, [one.watched() for one in config.signals.watch])
        self._lock = threading.RLock()
        self._beats = {name: one.heartbeat(name) for name, one in config.heartbeats.items()}
        self._kept = {name: self._stored(name) for name in self._beats}
        self._ids = {kept["id"]: name for name, kept in self._kept.items()}
        self._alarms = self._standing()
        self._looked = (now(), monotonic())
        self._since, self._saved = self._resumed(self._looked[0]), 0.0

    def _stored(self, name: str) -> dict[str, Any]:
        """Its id is made once, and stays: it stands in other machines' crontabs."""
        kept = self._records.settings.get(f"{BEAT}{name}")
        if not kept:
            kept = {"id": str(uuid.uuid4()), "since": now(), "pings": asdict(Pings())}
            self._records.settings.put(f"{BEAT}{name}", kept, ACTOR)
        return {**kept, "pings": Pings(**kept["pings"])}

    def _standing(self) -> list[Alarm]:
        """Those of ways that are open still."""
        return [one for one in self._records.outside.alarms() if one.source in self._config.hooks]

    def _resumed(self, at: float) -> float:
        """Since when we listen: as before where the pause was short."""
        kept = self._records.settings.get(LISTENING) or {"since": at, "until": at}
        return float(kept["since"]) if 0 <= at - kept["until"] <= DEAF_S else at

    def beat(self, beat_id: str) -> str:
        return self._ids.get(beat_id, "")

    def ping(self, name: str, word: Word, exit_code: int | None = None) -> None:
        with self._lock:
            kept = {**self._kept[name], "pings": self._kept[name]["pings"].after(word, now(), exit_code)}
            self._records.settings.put(f"{BEAT}{name}", {**kept, "pings": asdict(kept["pings"])}, ACTOR)
            self._kept[name] = kept

    def beats(self) -> Sequence[Mapping[str, Any]]:
        at = now()
        return [self._shown(beat, at) for _, beat in sorted(self._beats.items())]

    def _shown(self, beat: Heartbeat, at: float) -> Mapping[str, Any]:
        kept, since = self._kept[beat.name], self._listening(beat, at)
        state = heartbeat.state(beat, kept["pings"], since, at)
        due_at = heartbeat.due(beat, kept["pings"], since, at)
        return {**asdict(beat), "id": kept["id"], "state": state.value, "due_at": due_at, **asdict(kept["pings"])}

    def hear(self, way: str, genuine: Genuine, told: Told) -> str:
        """All of a delivery or nothing of it, in one transaction with the memory that it came."""
        with self._lock:
            with self._records.unit():
                kept = self._records.outside
                if genuine.id and not kept.first(way, genuine.id, now(), genuine.kept_s):
                    raise Replayed("this delivery was taken before", "nothing is to be done")
                said = [one for alarm in told.alarms if (one := self._hear_alarm(way, alarm))]
                said += [self._hear_change(way, change) for change in told.changes]
                if told.alarms and said:
                    self._records.ledger.append("told", f"{way}: {'; '.join(said)[:500]}", actor=way)
            self._alarms = self._standing()
        repeated = len(told.alarms) - len(said) if told.alarms else 0
        again = (f"{repeated} as before",) if repeated > 0 else ()
        return "; ".join((*said, *again, *(f"left out: {one}" for one in told.skipped)))[:500] or "nothing new"

    def _hear_alarm(self, way: str, alarm: Alarm) -> str:
        """What is new about it, "" for nothing."""
        name = f"{alarm.name} ({alarm.about})" if alarm.about else alarm.name
        if not alarm.firing:
            return f"{name} is over" if self._records.outside.end_alarm(way, alarm.subject) else ""
        placed = replace(alarm, source=way, service=self._service(way, alarm.about))
        return f"{name} fires" if self._records.outside.raise_alarm(placed) else ""

    def _hear_change(self, way: str, told: Change) -> str:
        """One more row of the change ledger, unless it is a release of ours that somebody reports back to us."""
        if told.kind is ChangeKind.RELEASE and len(told.after) >= 7:
            own = [one.id for one in self._records.releases.list(200) if one.commit.startswith(told.after)]
            if own:
                return f"left out: {told.after[:12]} is our own release {own[0]}"
        made = replace(told, service=self._service(way, told.service))
        if made.kind is ChangeKind.RELEASE and made.after and not made.before:
            made = replace(made, before=self._before(made))
        self._records.changes.record(made)
        return f"recorded: {made.text}"

    def _before(self, made: Change) -> str:
        """What stood there, as far as we were told."""
        known = self._records.changes.since(made.at - CHANGES_BACK_S)
        same = (c for c in known if c.outside and (c.kind, c.service) == (made.kind, made.service) and c.at <= made.at)
        return next((one.after for one in same if one.after and one.id != made.id), "")

    def _service(self, way: str, about: str) -> str:
        """A service of the inventory, or the app as a whole: never a name from outside."""
        named = self._config.hooks[way].services.get(about, about) if way in self._config.hooks else about
        return named if named in self._config.services else WHOLE_APP

    def look(self) -> dict[str, list[Symptom]]:
        """Service id (or the app as a whole) → what outsiders say is wrong with it now."""
        with self._lock:
            at = self._listen()
            self._forget_old(at)
            found: dict[str, list[Symptom]] = {}
            for beat in self._beats.values():
                for symptom in heartbeat.symptoms(beat, self._kept[beat.name]["pings"], self._listening(beat, at), at):
                    found.setdefault(symptom.service, []).append(symptom)
            for symptom in (*map(_symptom, self._alarms), *self.measures.look()):
                found.setdefault(symptom.service, []).append(symptom)
            return {service: symptoms[:SHOWN_MAX] for service, symptoms in found.items()}

    def standing(self, service: str) -> bool:
        """Whether an outsider says that something is wrong with it now."""
        return service in self.look()

    def _listening(self, beat: Heartbeat, at: float) -> float:
        """Since when it could be heard: declared, and listened to. One declared in the future was, before the clock was set back."""
        declared = float(self._kept[beat.name]["since"])
        return max(self._since, declared) if declared <= at else self._since

    def _listen(self) -> float:
        """Our own pauses and clock jumps: what could not be heard is not late."""
        at, steady = now(), monotonic()
        wall_s, steady_s = at - self._looked[0], steady - self._looked[1]
        if steady_s > DEAF_S or abs(wall_s - steady_s) > DEAF_S:
            self._since, self._saved = at, 0.0
        self._looked = (at, steady)
        if self._beats and steady - self._saved > SAVE_EVERY_S:
            self._saved = steady
            self._records.settings.put(LISTENING, {"since": self._since, "until": at}, ACTOR)
        return at

    def _forget_old(self, at: float) -> None:
        """An alarm that nobody repeated or ended for too long says nothing any more."""
        old = [one for one in self._alarms if at - one.seen_at > one.lasts_s]
        if not old:
            return
        with self._records.unit():
            for alarm in old:
                self._records.outside.end_alarm(alarm.source, alarm.subject)
                text = f"{alarm.source}: {alarm.name} is left alone: nothing more was said of it"
                self._records.ledger.append("told", text, actor=alarm.source, service=alarm.service)
        self._alarms = [one for one in self._alarms if one not in old]


def _symptom(alarm: Alarm) -> Symptom:
    about = f" ({alarm.about})" if alarm.about and alarm.service == WHOLE_APP else ""
    named = alarm.text.lower().startswith(alarm.name.lower())  # many monitors say their alarm's name again
    said = (
        f"{alarm.text}{about}" if named else f"{alarm.name}{about}: {alarm.text}" if alarm.text else alarm.name + about
    )
    return Symptom(
        "alarm", alarm.service, said, alarm.began_at, alarm.seen_at,
        severity=0.0, source=alarm.source, subject=alarm.subject,
    )  # fmt: skip
