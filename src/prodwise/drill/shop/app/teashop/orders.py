"""Orders: placed by the web process, packed by the worker."""

import json
import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    """lines: how many tins of which tea; cents: what was paid, shipping included."""

    number: int
    name: str
    address: str
    cents: int
    lines: dict[str, int]
    state: str


def place(
    connection: sqlite3.Connection, name: str, address: str, cents: int, payment: str, lines: dict[str, int]
) -> int:
    """Write down a paid order; returns its number."""
    cursor = connection.execute(
        "INSERT INTO orders (name, address, cents, payment, lines) VALUES (?,?,?,?,?)",
        (name, address, cents, payment, json.dumps(lines)),
    )
    return int(cursor.lastrowid or 0)


def find(connection: sqlite3.Connection, number: int) -> Order | None:
    row = connection.execute(
        "SELECT number, name, address, cents, lines, state FROM orders WHERE number = ?", (number,)
    ).fetchone()
    return Order(row[0], row[1], row[2], row[3], json.loads(row[4]), row[5]) if row else None


def pack_next(connection: sqlite3.Connection) -> Order | None:
    """Pack the oldest paid order, if there is one."""
    row = connection.execute("SELECT number FROM orders WHERE state = 'paid' ORDER BY number LIMIT 1").fetchone()
    if row is None:
        return None
    order = find(connection, row[0])
    connection.execute("UPDATE orders SET state = 'packed' WHERE number = ?", (row[0],))
    return order


def beat(connection: sqlite3.Connection, service: str, release: str) -> None:
    """Leave a sign of life."""
    connection.execute(
        "INSERT INTO heartbeat (service, release, beat) VALUES (?, ?, CURRENT_TIMESTAMP) "
        "ON CONFLICT (service) DO UPDATE SET release = excluded.release, beat = excluded.beat",
        (service, release),
    )
