"""The bench's reading of PetShop's files, on a small shop of its own in the same form."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from bench import metrics
from bench.table import Part
from tests.loop.shop import EDGES, SERVICES, Fault, Table, shop


def written(table: Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    times = sorted({at for series in table.values() for at in series})
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        for place, head in enumerate(("microservice", "metric", "statistic")):
            out.writerow([head, *(key[place] for key in table)])
        out.writerow(["unix_timestamp", *("" for _ in table)])
        out.writerows([at, *(series.get(at, "") for series in table.values())] for at in times)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    scenario = tmp_path / "petshop" / "some_traffic"
    written(shop(1, 60), scenario / "noissue" / "metrics.csv")
    for number, fault in enumerate((Fault("search", slow=0.1), Fault("db", fails=0.05))):
        issue = scenario / "train" / f"issue_{number}"
        written(shop(7, 5, {2: fault, 3: fault}, since=1000), issue / "metrics.csv")
        told = {"target": {"node": "web", "metric": "latency"}, "root_cause": {"node": fault.service}}
        (issue / "target.json").write_text(json.dumps(told))
    with (scenario / "graph.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["", *SERVICES])
        out.writerows([caller, *(float((caller, callee) in EDGES) for callee in SERVICES)] for caller in SERVICES)
    return tmp_path


def part(folder: Path | None, monkeypatch: pytest.MonkeyPatch) -> Part:
    monkeypatch.delenv(metrics.DATA, raising=False)
    if folder is not None:
        monkeypatch.setenv(metrics.DATA, str(folder))
    return metrics.run(True, lambda words: None)


def test_who_is_named_first_is_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = part(folder, monkeypatch)
    found = {one.name: one for one in done.figures}
    assert found["true cause in the first 1, target told"].value == 100.0
    assert found["true cause in the first 3, target not told"].beside == "some_traffic 100.0%"
    assert found["an answer where no fault was injected, target told"].many == 2
    assert [one["first"] for one in done.detail] == ["search", "search", "db", "db"]


def test_a_wrong_name_is_counted_as_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "petshop" / "some_traffic" / "train" / "issue_0" / "target.json"
    path.write_text(path.read_text().replace('"search"', '"bank"'))
    assert part(folder, monkeypatch).figures[0].value == 50.0


def test_without_data_it_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in (None, tmp_path):
        done = part(missing, monkeypatch)
        assert (done.figures, len(done.not_run)) == ((), 1)
