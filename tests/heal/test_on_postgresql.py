"""The same stories with their records on PostgreSQL: one here; the long tests play kills, pauses and lapsed leases there too."""

from __future__ import annotations

import pytest

from tests.conftest import emptied
from tests.heal.conftest import Open, proven
from tests.heal.test_crashes import deploy

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]


@pytest.mark.full
def test_a_release_ships(open_house: Open, postgres_url: str) -> None:
    house = proven(open_house, emptied(postgres_url))
    assert not deploy(house, 0, "after"), "no healer had to die"
