"""What is not imported before it is needed: each of these was seen in how soon there are pages."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("prodwise.wiring.healer", ["dbos", "psycopg", "alembic", "prodwise.heal.fixes", "prodwise.loop.verify.patch"]),
        ("prodwise.wiring", ["sqlalchemy", "prodwise.loop.diagnose", "prodwise.server"]),
    ],
)
def test_pages_and_commands_wait_for_nothing_that_they_do_not_show(module: str, without: list[str]) -> None:
    asked = f"import sys, {module}; print(*(one for one in {without!r} if one in sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
