"""The audit ledger and the effects: append-only, hash-chained, intent before effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from prodwise.clock import now
from prodwise.model.evidence import digest
from prodwise.model.record import Effect, EffectState, Entry
from prodwise.store.engine import Database
from prodwise.store.tables import chain_head, effect, ledger

GENESIS = "0" * 64


class SqlLedger:
    """Implements ports.Ledger and ports.Effects."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def append(
        self,
        kind: str,
        text: str,
        *,
        actor: str,
        service: str = "",
        incident: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> int:
        with self._db.unit() as session:
            return append(session, Entry(0, now(), kind, actor, service, incident, text, dict(data or {})))

    def entries(self, after: int = 0, limit: int = 500, incident: str = "") -> Sequence[Entry]:
        query = sa.select(ledger).where(ledger.c.seq > after).order_by(ledger.c.seq).limit(limit)
        if incident:
            query = query.where(ledger.c.incident == incident)
        with self._db.unit() as session:
            return [_entry(row) for row in session.execute(query).mappings()]

    def recent(self, limit: int = 100, kinds: Sequence[str] = (), incident: str = "") -> Sequence[Entry]:
        query = sa.select(ledger).order_by(ledger.c.seq.desc()).limit(limit)
        if kinds:
            query = query.where(ledger.c.kind.in_(kinds))
        if incident:
            query = query.where(ledger.c.incident == incident)
        with self._db.unit() as session:
            return [_entry(row) for row in session.execute(query).mappings()]

    def verify(self) -> tuple[int, str]:
        """Walks the whole chain. Returns (entries checked, "" or what is wrong with which entry)."""
        previous, expected = GENESIS, 1
        with self._db.unit() as session:
            for row in session.execute(sa.select(ledger).order_by(ledger.c.seq)).mappings():
                if row["seq"] != expected:
                    return expected - 1, f"entry {expected} is missing (the next one is {row['seq']})"
                if row["previous"] != previous or row["hash"] != _hash(_entry(row), previous):
                    return expected - 1, f"entry {expected} was changed or reordered"
                previous, expected = row["hash"], expected + 1
            head = session.execute(sa.select(chain_head)).mappings().first()
        if head is not None and (head["seq"], head["hash"]) != (expected - 1, previous):
            return expected - 1, f"entries after {expected - 1} were removed (the chain's head is {head['seq']})"
        return expected - 1, ""

    def intend(self, planned: Effect) -> Effect:
        """Commits the intent. An effect whose key is already there is returned as it stands."""
        with self._db.unit() as session:
            found = session.execute(sa.select(effect).where(effect.c.key == planned.key)).mappings().first()
            if found is not None:
                return _effect(found)
            session.execute(effect.insert().values(**_effect_row(planned)))
            append(session, _effect_entry(planned, "intent"))
            return planned

    def settle(self, key: str, state: EffectState, result: str) -> Effect:
        """Records what was observed of an effect. Settling again with the same state changes nothing."""
        with self._db.unit() as session:
            found = session.execute(sa.select(effect).where(effect.c.key == key)).mappings().one()
            if found["state"] == state.value:
                return _effect(found)
            values = {"state": state.value, "result": result, "settled_at": now()}
            session.execute(effect.update().where(effect.c.key == key).values(**values))
            settled = _effect({**found, **values})
            append(session, _effect_entry(settled, state.value))
            return settled

    def effects(self, story: str = "", service: str = "", since: float = 0.0) -> Sequence[Effect]:
        query = sa.select(effect).where(effect.c.intended_at >= since).order_by(effect.c.intended_at)
        if story:
            query = query.where(effect.c.story == story)
        if service:
            query = query.where(effect.c.service == service)
        with self._db.unit() as session:
            return [_effect(row) for row in session.execute(query).mappings()]


def append(session: Session, entry: Entry) -> int:
    """Chains one entry. Updating the head first takes the write lock, so that two appends never share a predecessor."""
    session.execute(chain_head.update().values(seq=chain_head.c.seq + 1))
    seq, previous = session.execute(sa.select(chain_head.c.seq, chain_head.c.hash)).one()
    numbered = Entry(seq, entry.at, entry.kind, entry.actor, entry.service, entry.incident, entry.text, entry.data)
    mark = _hash(numbered, previous)
    session.execute(ledger.insert().values(**asdict(numbered), previous=previous, hash=mark))
    session.execute(chain_head.update().values(hash=mark))
    return int(seq)


def _hash(entry: Entry, previous: str) -> str:
    return digest([previous, asdict(entry)])


def _entry(row: Mapping[Any, Any]) -> Entry:
    names = ("seq", "at", "kind", "actor", "service", "incident", "text", "data")
    return Entry(**{name: row[name] for name in names})


def _effect(row: Mapping[Any, Any]) -> Effect:
    values = {name: row[name] for name in Effect.__dataclass_fields__}
    return Effect(**{**values, "state": EffectState(row["state"])})


def _effect_row(planned: Effect) -> dict[str, Any]:
    return {**asdict(planned), "state": planned.state.value}


def _effect_entry(made: Effect, state: str) -> Entry:
    data = {
        "key": made.key,
        "kind": made.kind,
        "state": state,
        "target": made.target,
        "token": made.token,
        "command": dict(made.command),
        "result": made.result,
    }
    text = f"{made.kind} {made.target}: {state}" + (f" ({made.result})" if made.result else "")
    return Entry(0, now(), "effect", made.actor, made.service, made.story, text, data)
