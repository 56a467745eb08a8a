"""Certificates and tokens, looked at now and then by a thread of its own, one at a time; a person is told once a level."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from prodwise.clock import monotonic, now
from prodwise.heal.closing import tell
from prodwise.heal.hands import AUTOMATION
from prodwise.heal.parts import Parts
from prodwise.heal.rounds import Rounds
from prodwise.loop.detect import certificate as judge
from prodwise.model.certificate import Credential, Endpoint, Kind
from prodwise.model.outside import WHOLE_APP
from prodwise.model.service import needed
from prodwise.ports import Records

ENTRY, KEPT = "certificate", "certificates"
"""Kind of ledger entries; setting: {seen: as last looked at, told: what a person was told, by id}."""
PACE_S: Final = 2.0
LOOK_S: Final = 3 * 3600.0
AGAIN_S: Final = 600.0
"""One that is refused, or could not be looked at, is looked at again sooner: it may have been renewed."""
ASK_S: Final = 60.0
"""No address is asked more often than this, whatever goes on."""
TOKENS_S: Final = 60.0


def kept(records: Records) -> tuple[Credential, ...]:
    """As last looked at."""
    stored = records.settings.get(KEPT) or {}
    return tuple(Credential.from_json(one) for one in stored.get("seen", {}).values())


class Certificates:
    """Looking slows nothing and asks only addresses that prodwise.toml names."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._endpoints: Mapping[str, Endpoint] = {f"certificate {one.id}": one for one in parts.config.endpoints}
        stored = parts.records.settings.get(KEPT) or {}
        self._seen = {one.id: one for one in kept(parts.records)}
        self._told: dict[str, list[str]] = dict(stored.get("told", {}))
        self._wanted: dict[str, float] = {}  # service → since when it is not well
        self._lock = threading.Lock()
        self._tokens_at = -1e9
        self._rounds = Rounds("certificates", lambda: self.turn(now()), lambda: PACE_S)

    def start(self) -> None:
        if (self._endpoints and self._parts.handshakes is not None) or self._parts.tokens is not None:
            self._rounds.start()

    def stop(self) -> None:
        self._rounds.stop(within_s=1.0)

    def facts(self, service: str, since: float) -> tuple[Credential, ...]:
        """What is known by now. What that service rests on is looked at as soon as may be, where it was not since then."""
        names = (service, *needed(self._parts.inventory, service)) if service != WHOLE_APP else tuple(self._services())
        with self._lock:
            self._wanted.update({name: max(since, self._wanted.get(name, 0.0)) for name in names})
            return tuple(one for _, one in sorted(self._seen.items()))

    def _services(self) -> set[str]:
        return {name for one in self._endpoints.values() for name in one.services}

    def turn(self, at: float) -> None:
        """Tokens, and the one address that has waited longest among those that are due."""
        if self._parts.tokens is not None and monotonic() - self._tokens_at >= TOKENS_S:
            self._tokens_at = monotonic()
            self._take({one.id: one for one in self._parts.tokens.look()}, "token ", at)
        due = [name for name in self._endpoints if self._due(name, at)]
        if self._parts.handshakes is not None and due:
            name = min(due, key=lambda one: self._seen[one].at if one in self._seen else 0.0)
            looked = self._parts.handshakes.look(self._endpoints[name])
            others = {key: one for key, one in self._seen.items() if key in self._endpoints}
            self._take({**others, name: looked}, "certificate ", now())

    def _due(self, name: str, at: float) -> bool:
        seen = self._seen.get(name)
        if seen is None or at < seen.at:
            return True
        if at - seen.at < ASK_S:
            return False
        found = judge.standing(seen, at)
        wanted = any(self._wanted.get(service, 0.0) > seen.at for service in self._endpoints[name].services)
        ran_out = seen.not_after is not None and seen.at < seen.not_after <= at
        return wanted or ran_out or at - seen.at >= (LOOK_S if found.valid else AGAIN_S)

    def _take(self, looked: Mapping[str, Credential], begins: str, at: float) -> None:
        """In the place of all whose ids begin so. What is new about them is told, and then kept as told: rather twice than never."""
        before = {name: one for name, one in self._seen.items() if name.startswith(begins)}
        after = {name: judge.after(before.get(name), one) for name, one in looked.items()}
        with self._lock:
            self._seen = {**{name: one for name, one in self._seen.items() if name not in before}, **after}
        news = [one for name, one in after.items() if self._is_news(name, one, at)]
        over = [one for name, one in after.items() if name in before and _mended(before[name], one, at)]
        for one in news:
            said = judge.told(one, at)
            tell(self._parts, f"{said[:1].upper()}{said[1:]}", judge.advice(one, at), "")
        if news or over or _differ(before, after):
            self._keep(news, over, at)

    def _is_news(self, name: str, seen: Credential, at: float) -> bool:
        found, said = judge.news_of(seen, at), self._told.setdefault(name, [])
        if not found or found in said:
            return False
        self._told[name] = [*said, found][-judge.NEWS_MAX :]
        return True

    def _keep(self, news: list[Credential], over: list[Credential], at: float) -> None:
        records = self._parts.records
        seen = {name: asdict(one) for name, one in self._seen.items()}
        told = {name: said for name, said in self._told.items() if said and name in seen}
        with records.unit():
            records.settings.put(KEPT, {"seen": seen, "told": told}, AUTOMATION)
            for one in (*news, *over):
                data: dict[str, Any] = {
                    "subject": one.subject,
                    "standing": judge.standing(one, at).value,
                    "until": one.not_after,
                }
                service = one.services[0] if len(one.services) == 1 else ""
                records.ledger.append(ENTRY, judge.told(one, at), actor=AUTOMATION, service=service, data=data)


def _mended(before: Credential, after: Credential, at: float) -> bool:
    return judge.standing(before, at).refused and judge.standing(after, at).valid


def _differ(before: Mapping[str, Credential], after: Mapping[str, Credential]) -> bool:
    """Certificates are kept with each look, so that a new healer need not ask; tokens, which are read each minute, as they change."""
    return before.keys() != after.keys() or any(
        one.kind is Kind.CERTIFICATE or (one.not_after, one.bad_at) != (before[name].not_after, before[name].bad_at)
        for name, one in after.items()
    )
