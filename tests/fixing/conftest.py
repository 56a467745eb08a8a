"""All of this runs in the real sandbox; where none can be had, it is not run."""

from __future__ import annotations

import pytest

from prodwise.model.errors import Refused
from prodwise.sandbox import jail


@pytest.fixture(scope="module", autouse=True)
def _needs_a_sandbox() -> None:
    try:
        jail.require()
    except Refused as error:
        pytest.skip(f"not run: {error.message}")
