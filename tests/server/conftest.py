"""The running server as a fixture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.running_server import World, start_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = start_world(tmp_path)
    yield made
    made.close()
