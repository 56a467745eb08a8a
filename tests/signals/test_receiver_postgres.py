"""Receivers that share one PostgreSQL: nothing is lost, and nobody waits for another's rows."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa

from prodwise.testing.receivers import receivers
from tests.signals.test_receiver import error, post


@pytest.mark.postgres
def test_two_receivers_share_one_postgresql(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    engine.dispose()
    monkeypatch.setenv("PRODWISE_DATABASE_URL", postgres_url)
    acknowledged: list[str] = []
    with receivers(tmp_path, 2) as running:

        def send() -> None:
            for _ in range(20):
                name = uuid.uuid4().hex
                if post(running, error(name))[0] == 200:
                    acknowledged.append(name)

        senders = [threading.Thread(target=send) for _ in range(6)]
        for one in senders:
            one.start()
        for one in senders:
            one.join(60)
        heard = [getattr(one.item, "id", "") for one in running.heard()]
        (group,), _ = running.archive.groups(1)
        assert sorted(heard) == sorted(acknowledged)
        assert (len(acknowledged), group.count, running.archive.received(1).events) == (120, 120, 120)
    assert not list((tmp_path / ".prodwise").glob("reports-*.db"))
