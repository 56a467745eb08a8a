"""Real workshops for tests, which are skipped where no sandbox is to be had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from prodwise.model.errors import Refused
from prodwise.sandbox.workshop import Workshop


@contextmanager
def workshop(folder: Path, command: Sequence[str]) -> Iterator[Workshop]:
    try:
        with Workshop(folder, [" ".join(command)]) as shop:
            yield shop
    except Refused as error:
        pytest.skip(error.message)
