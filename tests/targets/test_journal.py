"""What a person did by hand is taken into the ledger once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from prodwise.targets.local import local_control
from prodwise.targets.local.journal import Journal


def test_entries_are_handed_over_once_in_order(tmp_path: Path) -> None:
    local_control.stop_all(tmp_path, "ada", "too much at once")
    local_control.start_again(tmp_path, "ada")
    layout, seen = local_control.layout_of(tmp_path), list[Mapping[str, Any]]()
    with layout.journal.open("a") as file:
        file.write("{half a line\n")
    assert Journal(layout).take(seen.append) == 3
    assert [entry["action"] for entry in seen] == ["stop", "start", "unreadable"]
    assert seen[0]["reason"] == "too much at once"
    assert Journal(layout).take(seen.append) == 0


def test_what_could_not_be_kept_is_handed_over_again(tmp_path: Path) -> None:
    local_control.stop_all(tmp_path, "ada", "")

    def refuse(entry: Mapping[str, Any]) -> None:
        raise OSError(entry)

    layout, seen = local_control.layout_of(tmp_path), list[Mapping[str, Any]]()
    with pytest.raises(OSError, match="ada"):
        Journal(layout).take(refuse)
    assert Journal(layout).take(seen.append) == 1
