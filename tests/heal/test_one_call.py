"""Several services fail for want of one: a person is called once, and told which."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

from prodwise.clock import now
from prodwise.heal.memory import told_elsewhere
from prodwise.heal.parts import Parts
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.store.sql import SqlStore


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
