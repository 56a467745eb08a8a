"""The shop's SQLite database: one file, shared by web and worker and kept across releases."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

PATH = os.environ.get("SHOP_DB", "shop.db")

STEPS = (
    """
    CREATE TABLE product (slug TEXT PRIMARY KEY, name TEXT NOT NULL, origin TEXT NOT NULL, blurb TEXT NOT NULL,
                          cents INTEGER NOT NULL, grams INTEGER NOT NULL, hue INTEGER NOT NULL, kind TEXT NOT NULL);
    CREATE TABLE review (slug TEXT NOT NULL REFERENCES product, stars INTEGER NOT NULL, said TEXT NOT NULL, who TEXT NOT NULL);
    CREATE TABLE orders (number INTEGER PRIMARY KEY, name TEXT NOT NULL, address TEXT NOT NULL, cents INTEGER NOT NULL,
                         payment TEXT NOT NULL, lines TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'paid',
                         placed TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
    CREATE INDEX orders_state ON orders (state);
    CREATE TABLE heartbeat (service TEXT PRIMARY KEY, release TEXT NOT NULL, beat TEXT NOT NULL);
    """,
)
SCHEMA = len(STEPS)


@contextmanager
def connect() -> Iterator[sqlite3.Connection]:
    """One connection, committed at the end and closed whatever happens."""
    connection = sqlite3.connect(PATH, timeout=5.0)
    connection.row_factory = sqlite3.Row
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the steps that the file does not have yet; `user_version` counts them."""
    connection.execute("PRAGMA journal_mode=WAL")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, step in enumerate(STEPS[version:], start=version + 1):
        connection.executescript(f"BEGIN; {step}; PRAGMA user_version = {number}; COMMIT;")
