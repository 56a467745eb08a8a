from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from prodwise.config import load
from prodwise.targets.local import local_control
from prodwise.testing import apps
from tests.conftest import emptied
from tests.heal.running_healer import LEASE_S, SETTINGS, House

Open = Callable[..., House]


@pytest.fixture
def open_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Brings an app up without a healer; ends it and all its healers after the test."""
    opened: list[House] = []
    monkeypatch.setenv("PRODWISE_LEASE_SECONDS", str(LEASE_S))

    def make(url: str = "", settings: str = SETTINGS) -> House:
        app = apps.make_app(tmp_path, settings=settings)
        up = local_control.up(app, load(app), with_healer=False)
        house = House(app, up.address, url or f"sqlite:///{app / '.prodwise' / 'prodwise.db'}")
        opened.append(house)
        return house

    yield make
    for house in opened:
        house.close()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """Where a house keeps its records: SQLite, or what ON_BOTH asks for."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def house(request: pytest.FixtureRequest, open_house: Open, database: str) -> House:
    """With a healer that has begun and has proven that it can undo."""
    return proven(open_house, "" if database == "sqlite" else emptied(request.getfixturevalue("postgres_url")))


def proven(open_house: Open, url: str) -> House:
    """url: of its database; "" = a file of its own."""
    made = open_house(url)
    made.prove()
    return made
