"""Until when tokens in the app's env_file are valid, by their own claims. Values are read, and go no further."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from prodwise.clock import now
from prodwise.config.environment import read_env_file
from prodwise.loop.detect.certificate import token_times
from prodwise.model.certificate import Credential, Kind
from prodwise.model.errors import ConfigError

BYTES_MAX: Final = 256 * 1024
TOKENS_MAX: Final = 50


class LocalTokens:
    """Implements ports.Tokens. A file that cannot be read tells of none: the app's own start says why."""

    def __init__(self, env_file: Path) -> None:
        self._file = env_file

    def look(self) -> Sequence[Credential]:
        try:
            values = read_env_file(self._file) if self._file.stat().st_size <= BYTES_MAX else {}
        except (OSError, ValueError, ConfigError):
            return ()
        at, found = now(), []
        for name, value in sorted(values.items()):
            if (times := token_times(value)) is not None:
                found.append(Credential(Kind.TOKEN, name[:100], (), at, *times))
        return tuple(found[:TOKENS_MAX])
