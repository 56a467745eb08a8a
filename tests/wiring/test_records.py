"""Records that this version cannot use are named before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from prodwise import wiring
from prodwise.model.errors import StoreError
from prodwise.testing import apps
from prodwise.wiring.records import check, database_url, open_store


@pytest.fixture(autouse=True)
def _own_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRODWISE_DATABASE_URL", raising=False)


def test_up_with_records_of_a_newer_version_starts_nothing(tmp_path: Path) -> None:
    app = apps.make_app(tmp_path / "app")
    (app / ".prodwise").mkdir()
    store = open_store(app)
    with store.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE prodwise_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreError, match="newer Prodwise"):
        wiring.bring_up(app)
    assert wiring.status_offline(app).supervisor == 0


def test_an_app_without_records_is_left_without(tmp_path: Path) -> None:
    check(tmp_path)
    assert not list(tmp_path.iterdir())
    assert database_url(tmp_path).endswith(".prodwise/prodwise.db")
