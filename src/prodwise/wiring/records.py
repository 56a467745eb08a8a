"""Where one app's records stand, and how they are opened: needs no healer."""

from __future__ import annotations

import os
from pathlib import Path

from prodwise.store.sql import SqlStore
from prodwise.targets.local import local_control


def database_url(app_dir: Path) -> str:
    """PRODWISE_DATABASE_URL, else SQLite beside the app."""
    return os.environ.get("PRODWISE_DATABASE_URL") or f"sqlite:///{_file(app_dir)}"


def open_store(app_dir: Path) -> SqlStore:
    """Brings the schema up to date. Raises StoreError when the database cannot be used (of a newer version, say)."""
    return SqlStore(database_url(app_dir))


def check(app_dir: Path) -> None:
    """Raises StoreError when there are records already, and this version cannot use them."""
    if os.environ.get("PRODWISE_DATABASE_URL") or _file(app_dir).exists():
        open_store(app_dir).close()


def _file(app_dir: Path) -> Path:
    return local_control.layout_of(app_dir).state / "prodwise.db"
