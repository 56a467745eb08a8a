"""A configuration that was taken up is compared with the one before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prodwise.config import Config, validate
from prodwise.store.sql import SqlStore
from prodwise.wiring.config import last_kept, note_difference


def config(**more: Any) -> Config:
    return validate({"version": 1, "services": {"web": {"command": "x"}}, **more}, "test")


def test_what_is_set_otherwise_stands_in_the_ledger_without_secrets(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/prodwise.db")
    note_difference(store.ledger, None, config())
    note_difference(store.ledger, config(), config())
    assert store.ledger.recent(10) == []
    note_difference(store.ledger, config(), config(notify_command="curl https://hook/T0P", ramp={"watch_seconds": 60}))
    (entry,) = store.ledger.recent(10)
    assert entry.text == "settings in prodwise.toml changed: notify_command changed; ramp.watch_seconds 600 → 60"
    assert "T0P" not in str(entry)
    store.close()


def test_a_kept_configuration_is_read_as_it_was(tmp_path: Path) -> None:
    watching = config(signals={"watch": [{"metric": "queue", "above": 5, "for": "5 min"}]})
    kept = tmp_path / "config.json"
    assert last_kept(kept) is None
    kept.write_text(watching.model_dump_json())
    assert last_kept(kept) == watching
    kept.write_text("{")
    assert last_kept(kept) is None
