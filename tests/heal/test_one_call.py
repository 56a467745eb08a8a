"""Several services fail for want of one: a person is called once, and told which."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

from prodwise.clock import now
from prodwise.heal.memory import told, told_elsewhere
from prodwise.heal.parts import Parts
from prodwise.loop.choose.told import news
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.store.sql import SqlStore


def test_what_two_calls_in_a_row_were_about_is_no_news_by_turns(tmp_path: Path) -> None:
    """An alarm stands that others raised, then the service hangs: each call must not make the other trouble news again."""
    store = SqlStore(f"sqlite:///{tmp_path / 'own.db'}")
    at, parts = now(), cast(Parts, SimpleNamespace(records=store))
    alarm = Symptom("alarm", "web", "Slow", at, at, source="alertmanager", subject="f1")
    hang = Symptom("hang", "web", "runs but does not answer", at + 60, at + 60, severity=1.0)
    for name, one, begun in (("first", alarm, at), ("second", hang, at + 60)):
        store.incidents.open(Incident(name, "web", (one,), begun, IncidentState.SEEN))
        store.incidents.save(name, state="closed", outcome="escalated", closed_at=begun + 1)
    known = told(parts, "web", 0.0)
    assert known is not None
    assert news(known, (hang, alarm), at + 62) == ()
    died = Symptom("crash", "web", "the process ended by signal 9", at + 62, at + 62)
    assert news(known, (hang, alarm, died), at + 62) == (died,)
    store.incidents.open(Incident("well", "web", (hang,), at + 100, IncidentState.SEEN))
    store.incidents.save("well", state="closed", outcome="healed", closed_at=at + 110)
    assert told(parts, "web", 0.0) is None, "it was well since"
    store.incidents.open(Incident("anew", "web", (hang,), at + 200, IncidentState.SEEN))
    store.incidents.save("anew", state="closed", outcome="escalated", closed_at=at + 201)
    again = told(parts, "web", 0.0)
    assert again is not None
    assert news(again, (alarm,), at + 202) == (alarm,)
    store.close()


def test_one_needed_service_is_told_of_once(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'own.db'}")
    at, parts = now(), cast(Parts, SimpleNamespace(records=store))
    for name, cause, subject in (("web", "upstream", "db"), ("mail", "upstream", "db"), ("shop", "upstream", "pay"),
                                 ("lab", "overload", "db")):  # fmt: skip
        seen = Symptom("errors", name, "fails", at, at)
        store.incidents.open(Incident(name, name, (seen,), at, IncidentState.SEEN))
        hypothesis = {"cause": cause, "text": f"{subject}, which {name} needs, is not well", "subject": subject}
        store.incidents.save(name, diagnosis={"hypotheses": [hypothesis], "unknown": []})
    assert told_elsewhere(parts, "mail", at) == "", "nobody was called yet"
    store.incidents.save("web", state="closed", outcome="escalated", closed_at=at)
    assert told_elsewhere(parts, "mail", at + 1) == "a person was called about db already, for web"
    assert told_elsewhere(parts, "shop", at + 1) == ""
    assert told_elsewhere(parts, "lab", at + 1) == ""
    assert told_elsewhere(parts, "mail", at + 3600) == "", "an hour later it is news again"
    store.close()
