"""What people decide: settings, approvals, logins."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from prodwise.clock import now
from prodwise.model.errors import Refused, UsageError
from prodwise.model.record import Approval, ApprovalState, Entry
from prodwise.store import tables
from prodwise.store.engine import Database
from prodwise.store.ledger import append
from prodwise.store.told import incident_of, setting_text

QUIET_SETTINGS = ("position", "baseline", "heartbeat", "outside", "asked", "minutes", "resumed", "certificates")
"""Settings that the healer keeps for itself: changing them is no news for the ledger."""


class SqlSettings:
    """Implements ports.Settings."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def get(self, name: str, default: Any = None) -> Any:
        t = tables.setting
        with self._db.unit() as session:
            row = session.execute(sa.select(t.c.value).where(t.c.name == name)).first()
        return default if row is None else row[0]

    def put(self, name: str, value: Any, who: str) -> None:
        t = tables.setting
        row = {"value": value, "at": now(), "who": who}
        with self._db.unit() as session:
            if session.execute(t.update().where(t.c.name == name).values(**row)).rowcount == 0:  # type: ignore[attr-defined]
                session.execute(t.insert().values(name=name, **row))
            if not name.startswith(QUIET_SETTINGS):
                data = {"name": name, "value": value}
                text, incident = setting_text(name, value), incident_of(name)
                append(session, Entry(0, row["at"], "setting", who, "", incident, text, data))


class SqlApprovals:
    """Implements ports.Approvals."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def ask(self, incident: str, plan_hash: str, plan: Mapping[str, Any], wait_s: float) -> Approval:
        """Asks once per incident and plan."""
        t = tables.approval
        with self._db.unit() as session:
            query = sa.select(t).where(t.c.incident == incident, t.c.plan_hash == plan_hash)
            row = session.execute(query).mappings().first()
            if row is not None:
                return _approval(row)
            asked = Approval(secrets.token_hex(8), incident, plan_hash, plan, now(), now() + wait_s, ApprovalState.OPEN)
            session.execute(t.insert().values(**{**asdict(asked), "plan": dict(plan), "state": asked.state.value}))
            append(
                session,
                Entry(
                    0, asked.asked_at, "approval_asked", "prodwise", "", incident, "a person is asked", {"id": asked.id}
                ),
            )
            return asked

    def decide(self, approval_id: str, plan_hash: str, *, yes: bool, who: str) -> Approval:
        """Compare-and-set from OPEN. Raises Refused when it expired, was decided before, or the plan changed."""
        t = tables.approval
        asked = self.load(approval_id)
        if asked.plan_hash != plan_hash:
            raise Refused("the plan changed since you were asked", "look at the new one first")
        state = ApprovalState.APPROVED if yes else ApprovalState.DENIED
        with self._db.unit() as session:
            done = session.execute(
                t.update()
                .where(t.c.id == approval_id, t.c.state == ApprovalState.OPEN.value, t.c.expires_at > now())
                .values(state=state.value, decided_at=now(), decided_by=who)
            )
            if done.rowcount == 0:  # type: ignore[attr-defined]
                raise Refused(f"this question is closed ({self.load(approval_id).state.value} or expired)")
            append(
                session,
                Entry(
                    0,
                    now(),
                    f"approval_{state.value}",
                    who,
                    "",
                    asked.incident,
                    f"{who}: {state.value}",
                    {"id": approval_id},
                ),
            )
        return self.load(approval_id)

    def use(self, approval_id: str) -> bool:
        """APPROVED → USED, once, unless expired. True for the one who may act."""
        t = tables.approval
        with self._db.unit() as session:
            done = session.execute(
                t.update()
                .where(t.c.id == approval_id, t.c.state == ApprovalState.APPROVED.value, t.c.expires_at > now())
                .values(state=ApprovalState.USED.value)
            )
            return bool(done.rowcount)  # type: ignore[attr-defined]

    def load(self, approval_id: str) -> Approval:
        with self._db.unit() as session:
            row = (
                session.execute(sa.select(tables.approval).where(tables.approval.c.id == approval_id))
                .mappings()
                .first()
            )
        if row is None:
            raise UsageError(f"there is no question {approval_id!r}")
        return _approval(row)

    def open(self) -> Sequence[Approval]:
        t = tables.approval
        query = sa.select(t).where(t.c.state == ApprovalState.OPEN.value, t.c.expires_at > now()).order_by(t.c.asked_at)
        with self._db.unit() as session:
            return [_approval(row) for row in session.execute(query).mappings()]


class SqlLogins:
    """Implements ports.Logins: one-time links become sessions; only hashes are stored."""

    LINK_S, SESSION_S = 15 * 60, 14 * 24 * 3600

    def __init__(self, database: Database) -> None:
        self._db = database

    def link(self) -> str:
        """A secret for one login within 15 minutes."""
        return self._new("link", self.LINK_S, "")

    def enter(self, secret: str) -> tuple[str, str] | None:
        """Uses a link up. Returns (session secret, CSRF token), or None when it is unknown, used or expired."""
        t = tables.login
        with self._db.unit() as session:
            used = session.execute(
                t.update()
                .where(t.c.hash == _sha(secret), t.c.kind == "link", t.c.used_at.is_(None), t.c.expires_at > now())
                .values(used_at=now())
            )
            if used.rowcount == 0:  # type: ignore[attr-defined]
                return None
            csrf = secrets.token_urlsafe(24)
            return self._new("session", self.SESSION_S, csrf), csrf

    def csrf(self, session_secret: str) -> str | None:
        """The session's CSRF token; None when there is no such session or it expired."""
        t = tables.login
        query = sa.select(t.c.csrf).where(
            t.c.hash == _sha(session_secret), t.c.kind == "session", t.c.expires_at > now()
        )
        with self._db.unit() as session:
            return session.scalar(query)

    def leave(self, session_secret: str) -> None:
        with self._db.unit() as session:
            session.execute(tables.login.delete().where(tables.login.c.hash == _sha(session_secret)))

    def _new(self, kind: str, seconds: float, csrf: str) -> str:
        secret = secrets.token_urlsafe(32)
        with self._db.unit() as session:
            session.execute(tables.login.delete().where(tables.login.c.expires_at < now()))
            session.execute(
                tables.login.insert().values(hash=_sha(secret), kind=kind, expires_at=now() + seconds, csrf=csrf)
            )
        return secret


def _sha(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _approval(row: Mapping[Any, Any]) -> Approval:
    values = {name: row[name] for name in Approval.__dataclass_fields__}
    return Approval(**{**values, "state": ApprovalState(row["state"])})
