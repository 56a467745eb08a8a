"""Incidents, releases, rollouts and changes, as rows and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from prodwise.clock import now
from prodwise.model.change import OUTSIDE, Change, ChangeKind
from prodwise.model.errors import UsageError
from prodwise.model.evidence import Evidence
from prodwise.model.incident import SYMPTOMS_MAX, Incident, IncidentState, Symptom
from prodwise.model.outcome import Outcome
from prodwise.model.record import Entry, Rollout, RolloutState
from prodwise.model.release import Release, ReleaseState
from prodwise.store import tables
from prodwise.store.engine import Database, begun
from prodwise.store.ledger import append


class SqlIncidents:
    """Implements ports.Incidents."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def open(self, found: Incident) -> Incident:
        """Opens it, unless the service has an open one already, which is then returned with the new symptoms added.

        Trouble is told several times a second: what is known already is only read.
        """
        t = tables.incident
        query = sa.select(t).where(t.c.service == found.service, t.c.closed_at.is_(None))
        with self._db.unit() as session:
            row = session.execute(query).mappings().first()
            if row is not None and not _news(found, have := _incident(row)):
                return have
        with self._db.unit() as session:
            session.execute(tables.chain_head.update().values(seq=tables.chain_head.c.seq))  # take the write lock first
            row = session.execute(query).mappings().first()
            if row is None:
                session.execute(t.insert().values(**_incident_row(found), turn={}))
                append(session, _opened(found))
                return found
            have = _incident(row)
            new = _news(found, have)
            if not new:
                return have
            symptoms = (*have.symptoms, *new)
            session.execute(t.update().where(t.c.id == have.id).values(symptoms=[asdict(s) for s in symptoms]))
            for symptom in new:
                append(
                    session,
                    Entry(0, now(), "symptom", "prodwise", have.service, have.id, symptom.text, asdict(symptom)),
                )
            return _incident({**row, "symptoms": [asdict(s) for s in symptoms]})

    def load(self, incident_id: str) -> Incident:
        return _incident(self.row(incident_id))

    def row(self, incident_id: str) -> Mapping[str, Any]:
        """The whole row (turn, diagnosis, decision too). Raises UsageError when there is none."""
        t = tables.incident
        with self._db.unit() as session:
            row = session.execute(sa.select(t).where(t.c.id == incident_id)).mappings().first()
        if row is None:
            raise UsageError(f"there is no incident {incident_id!r}", "`prodwise incidents` lists them")
        return dict(row)

    def save(self, incident_id: str, **values: Any) -> None:
        """Sets columns (state, outcome, closed_at, turn, diagnosis, decision, users_hit, requests_failed, title).

        What is closed keeps its state: an executor that was paused may wake up and still write what it saw before.
        """
        t = tables.incident
        query = t.update().where(t.c.id == incident_id)
        if "state" in values and "closed_at" not in values:
            query = query.where(t.c.closed_at.is_(None))
        with self._db.unit() as session:
            session.execute(query.values(**values))

    def list(self, *, open_only: bool = False, limit: int = 100, begins: str = "") -> Sequence[Incident]:
        """Without what its story wrote beside it: that is large, and would be decoded for each."""
        t = tables.incident
        some = sa.select(*(t.c[name] for name in Incident.__dataclass_fields__))
        query = begun(some, t.c.id, begins, sqlite=self._db.is_sqlite) if begins else some
        if open_only:
            query = query.where(t.c.closed_at.is_(None))
        with self._db.unit() as session:
            found = session.execute(query.order_by(t.c.opened_at.desc()).limit(limit))
            return [_incident(row) for row in found.mappings()]

    def add_evidence(self, incident_id: str, facts: Sequence[Evidence]) -> None:
        t = tables.evidence
        with self._db.unit() as session:
            have = set(session.scalars(sa.select(t.c.id).where(t.c.incident == incident_id)))
            for fact in {fact.id: fact for fact in facts}.values():
                if fact.id not in have:
                    session.execute(t.insert().values(id=fact.id, incident=incident_id, **_evidence_row(fact)))

    def evidence(self, incident_id: str) -> Sequence[Evidence]:
        t = tables.evidence
        with self._db.unit() as session:
            rows = session.execute(sa.select(t).where(t.c.incident == incident_id).order_by(t.c.since)).mappings()
            return [Evidence(**{name: row[name] for name in Evidence.__dataclass_fields__}) for row in rows]


class SqlReleases:
    """Implements ports.Releases."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def create(self, commit: str, asked_by: str) -> Release:
        """A new release in the state BUILDING, with the next number."""
        t = tables.release
        with self._db.unit() as session:
            session.execute(tables.chain_head.update().values(seq=tables.chain_head.c.seq))
            number = int(session.scalar(sa.select(sa.func.coalesce(sa.func.max(t.c.number), 0))) or 0) + 1
            made = Release(f"{number}-{commit[:7]}", number, commit, "", now(), ReleaseState.BUILDING)
            session.execute(
                t.insert().values(**{**asdict(made), "state": made.state.value}, facts={"asked_by": asked_by})
            )
            append(
                session, Entry(0, made.created_at, "release", asked_by, "", made.id, f"release {made.id} asked for", {})
            )
            return made

    def adopt(self, release_id: str, commit: str, reason: str) -> None:
        """Takes a release that runs, but is not known, as verified-good."""
        t, number = tables.release, int(release_id.partition("-")[0])
        with self._db.unit() as session:
            if session.scalar(sa.select(t.c.id).where(t.c.id == release_id)) is not None:
                return
            found = Release(release_id, number, commit, "", now(), ReleaseState.VERIFIED_GOOD, reason=reason)
            session.execute(t.insert().values(**{**asdict(found), "state": found.state.value}, facts={"built": True}))
            append(
                session,
                Entry(
                    0, found.created_at, "release", "prodwise", "", release_id, f"release {release_id}: {reason}", {}
                ),
            )

    def describe(self, release_id: str, *, digest: str, title: str, author: str, facts: Mapping[str, Any]) -> None:
        t = tables.release
        values = {"digest": digest, "title": title[:200], "author": author[:100], "facts": dict(facts)}
        with self._db.unit() as session:
            session.execute(t.update().where(t.c.id == release_id).values(**values))

    def set_state(self, release_id: str, state: ReleaseState, reason: str, actor: str = "prodwise") -> None:
        t = tables.release
        with self._db.unit() as session:
            old = session.scalar(sa.select(t.c.state).where(t.c.id == release_id))
            if old is None or old == state.value:
                return
            session.execute(t.update().where(t.c.id == release_id).values(state=state.value, reason=reason))
            data = {"old": old, "new": state.value, "release": release_id}
            text = f"release {release_id}: {state.value.replace('_', '-')}" + (f" ({reason})" if reason else "")
            append(session, Entry(0, now(), state.value, actor, "", release_id, text, data))

    def list(self, limit: int = 100, begins: str = "") -> Sequence[Release]:
        t = tables.release
        query = begun(sa.select(t), t.c.id, begins, sqlite=self._db.is_sqlite) if begins else sa.select(t)
        with self._db.unit() as session:
            found = session.execute(query.order_by(t.c.number.desc()).limit(limit))
            return [_release(row) for row in found.mappings()]

    def load(self, release_id: str) -> Release:
        t = tables.release
        with self._db.unit() as session:
            row = session.execute(sa.select(t).where(t.c.id == release_id)).mappings().first()
        if row is None:
            raise UsageError(f"there is no release {release_id!r}", "`prodwise releases` lists them")
        return _release(row)

    def facts(self, release_id: str) -> Mapping[str, Any]:
        t = tables.release
        with self._db.unit() as session:
            return dict(session.scalar(sa.select(t.c.facts).where(t.c.id == release_id)) or {})


class SqlRollouts:
    """Implements ports.Rollouts."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, rollout: Rollout, text: str = "") -> None:
        """Inserts or updates; a change of state or stage is also an entry in the ledger.

        A settled one stays as it ended: an executor that was paused may wake up and still write what it saw before.
        """
        t = tables.rollout
        values = {**asdict(rollout), "state": rollout.state.value, "gates": [dict(g) for g in rollout.gates]}
        with self._db.unit() as session:
            old = session.execute(sa.select(t).where(t.c.release == rollout.release)).mappings().first()
            if old is not None and RolloutState(old["state"]).settled and not rollout.state.settled:
                return
            if old is None:
                session.execute(t.insert().values(**values))
            else:
                session.execute(t.update().where(t.c.release == rollout.release).values(**values))
            if old is None or (old["state"], old["stage"]) != (rollout.state.value, rollout.stage):
                append(session, _rollout_entry(rollout, text))

    def load(self, release_id: str) -> Rollout | None:
        with self._db.unit() as session:
            row = (
                session.execute(sa.select(tables.rollout).where(tables.rollout.c.release == release_id))
                .mappings()
                .first()
            )
        return _rollout(row) if row else None

    def list(self, limit: int = 50) -> Sequence[Rollout]:
        t = tables.rollout
        with self._db.unit() as session:
            return [
                _rollout(row)
                for row in session.execute(sa.select(t).order_by(t.c.began_at.desc()).limit(limit)).mappings()
            ]

    def current(self) -> Rollout | None:
        """The one that is under way, if any; queued ones are not."""
        active = [r for r in self.list() if not r.state.settled and r.state is not RolloutState.QUEUED]
        return active[-1] if active else None


class SqlChanges:
    """Implements ports.Changes."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def record(self, made: Change) -> None:
        """Adds it once, by its id."""
        t = tables.change
        with self._db.unit() as session:
            if session.scalar(sa.select(t.c.id).where(t.c.id == made.id)) is None:
                session.execute(t.insert().values(**{**asdict(made), "kind": made.kind.value}))
                append(session, Entry(0, made.at, "change", made.who, made.service, "", made.text, asdict(made)))

    def since(self, at: float, limit: int = 200) -> Sequence[Change]:
        return self._newest(tables.change.c.at >= at, limit)

    def own(self, at: float, limit: int = 200) -> Sequence[Change]:
        """The same without what others told of: however much that is, it hides nothing of ours."""
        t = tables.change
        return self._newest((t.c.at >= at) & t.c.id.notlike(f"{OUTSIDE}%"), limit)

    def _newest(self, which: sa.ColumnElement[bool], limit: int) -> Sequence[Change]:
        t = tables.change
        query = sa.select(t).where(which).order_by(t.c.at.desc()).limit(limit)
        with self._db.unit() as session:
            return [Change(**{**row, "kind": ChangeKind(row["kind"])}) for row in session.execute(query).mappings()]


def _opened(found: Incident) -> Entry:
    data = {"symptoms": [asdict(s) for s in found.symptoms], "onset_at": min(s.onset_at for s in found.symptoms)}
    return Entry(0, found.opened_at, "incident_opened", "prodwise", found.service, found.id, found.title, data)


def _incident_row(found: Incident) -> dict[str, Any]:
    row = asdict(found)
    row["symptoms"] = [asdict(s) for s in found.symptoms]
    return row | {"state": found.state.value, "outcome": found.outcome.value if found.outcome else None}


def _news(found: Incident, have: Incident) -> tuple[Symptom, ...]:
    """What is not known yet. What others say fills an incident up to a limit, and never keeps out what we see ourselves."""
    known, left = {one.key for one in have.symptoms}, max(0, SYMPTOMS_MAX - len(have.symptoms))
    new = [one for one in found.symptoms if one.key not in known]
    return (*(one for one in new if one.ours), *[one for one in new if not one.ours][:left])


def _incident(row: Mapping[Any, Any]) -> Incident:
    values = {name: row[name] for name in Incident.__dataclass_fields__}
    values["symptoms"] = tuple(Symptom(**s) for s in row["symptoms"])
    values["state"] = IncidentState(row["state"])
    values["outcome"] = Outcome(row["outcome"]) if row["outcome"] else None
    return Incident(**values)


def _evidence_row(fact: Evidence) -> dict[str, Any]:
    return {**asdict(fact), "data": dict(fact.data)}


def _release(row: Mapping[Any, Any]) -> Release:
    values = {name: row[name] for name in Release.__dataclass_fields__}
    return Release(**{**values, "state": ReleaseState(row["state"])})


def _rollout(row: Mapping[Any, Any]) -> Rollout:
    values = {name: row[name] for name in Rollout.__dataclass_fields__}
    return Rollout(**{**values, "state": RolloutState(row["state"]), "gates": tuple(row["gates"])})


def _rollout_entry(rollout: Rollout, text: str) -> Entry:
    data = {"state": rollout.state.value, "stage": rollout.stage, "share": rollout.share, "release": rollout.release}
    kind = "rollout_failed" if rollout.state is RolloutState.FAILED else "rollout_stage"
    text = text or f"release {rollout.release}: {rollout.state.value} {rollout.stage}".rstrip()
    return Entry(0, now(), kind, "prodwise", "", rollout.release, text, data)
