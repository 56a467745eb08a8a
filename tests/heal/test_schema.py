"""Going back over migrations that really ran, with a real app, proxy, database file and healer."""

from __future__ import annotations

import sqlite3

import pytest

from prodwise.testing import apps
from tests.cli.conftest import Terminal
from tests.heal.running_healer import SETTINGS, House
from tests.heal.test_overrides import LATE, verified

pytestmark = [pytest.mark.timeout(240), pytest.mark.full]

ALEMBIC = """\
import sqlite3
with sqlite3.connect("app.db") as database:
    database.executescript(open("change.sql").read())
"""
MIGRATION = """\
from alembic import op
import sqlalchemy as sa

revision = 'b'
down_revision = 'a'


def upgrade():
    {call}
"""
MIGRATES = SETTINGS.replace(
    'shared = ["beats"]', 'shared = ["beats", "app.db"]\nrelease = "python3 bin/alembic upgrade head"'
)
DROP = MIGRATION.format(call="op.drop_column('users', 'mail')"), "ALTER TABLE users DROP COLUMN mail;"
ADD = (
    MIGRATION.format(call="op.add_column('users', sa.Column('nick', sa.String(), nullable=True))"),
    "ALTER TABLE users ADD COLUMN nick text;",
)


def migrating(change: tuple[str, str]) -> dict[str, str]:
    """The files of a release whose `release:` line makes this change: as Alembic's users write it, and as SQL."""
    migration, sql = change
    files = {"prodwise.toml": MIGRATES, "bin/alembic": ALEMBIC, "web.py": LATE, "change.sql": sql}
    return {**files, "migrations/versions/b.py": migration}


def columns(house: House) -> list[str]:
    with sqlite3.connect(house.dir / "app.db") as database:
        return [row[1] for row in database.execute("PRAGMA table_info(users)")]


def with_users(house: House) -> None:
    with sqlite3.connect(house.dir / "app.db") as database:
        database.execute("CREATE TABLE users (id integer primary key, mail text)")


def ship(house: House, change: tuple[str, str]) -> str:
    """A release that migrates, and is verified good. Its pages all fail once `beats` is there."""
    with_users(house)
    apps.commit(house.dir, apps.GOOD, migrating(change))
    release = str(house.api.post("deploy", ref="HEAD")["release"])
    verified(house, release)
    return release


def test_over_a_migration_that_drops_a_person_is_asked_and_can_go_back(house: House) -> None:
    first = house.serving().release
    second = ship(house, DROP)
    assert columns(house) == ["id"], "the migration really ran"
    where = "migrations/versions/b.py:9 drop_column users.mail"
    with apps.load(house.address, clients=1) as seen:
        (house.dir / "beats").touch()
        apps.until(lambda: house.store.approvals.open(), 60, "the question")
        failed = seen.failed
        apps.until(lambda: seen.failed > failed + 100, 30, "users who go on failing")
        assert house.serves(second), "it does not go back by itself"
        apps.until(lambda: where in house.told(), 10, "the message")
        row = house.incident()
        assert row is not None
        assert where in row["decision"]["why"]
        facts = [one for one in house.store.incidents.evidence(row["id"]) if one.kind == "schema"]
        assert [(one["file"], one["line"], one["kind"]) for one in facts[0].data["findings"]] == [
            ("migrations/versions/b.py", 9, "contract")
        ]
        terminal = Terminal(house.dir)
        assert "migrations/versions/b.py:9" in " ".join(terminal.run("why", str(row["id"])).out.split())
        assert "migrations/versions/b.py:9" in " ".join(terminal.run("rollback", "--dry-run").out.split())
        assert house.serves(second)
        said = terminal.run("rollback", "-y")
        assert said.code == 0, said
        assert "migrations/versions/b.py:9" in said.err
        apps.until(lambda: house.serves(first), 30, "the return")
        apps.until(house.outcome, 60, "the incident's end")
    assert house.outcome() == "healed", house.incident()
    assert columns(house) == ["id"], "a rollback changes nothing in the database"
    house.whole()


def test_over_a_migration_that_only_adds_it_goes_back_by_itself(house: House) -> None:
    first = house.serving().release
    ship(house, ADD)
    assert columns(house) == ["id", "mail", "nick"]
    with apps.load(house.address, clients=1):
        (house.dir / "beats").touch()
        apps.until(lambda: house.serves(first), 60, "the rollback")
        apps.until(lambda: house.outcome() == "healed", 60, "the incident's end")
    assert house.store.approvals.open() == []
    row = house.incident()
    assert row is not None
    facts = [one for one in house.store.incidents.evidence(row["id"]) if one.kind == "schema"]
    assert [one["kind"] for one in facts[0].data["findings"]] == ["expand"]
    house.whole()


def test_a_release_on_its_way_is_withdrawn_at_once_whatever_it_migrated(house: House) -> None:
    """The older one served on the migrated data all along; what is not known of that is told."""
    first = house.serving().release
    with_users(house)
    apps.commit(house.dir, apps.GOOD, migrating(DROP))
    release = str(house.api.post("deploy", ref="HEAD")["release"])
    apps.until(lambda: house.switch.share > 0, 30, "the ramp")
    (house.dir / "beats").touch()
    with apps.load(house.address, clients=1):
        apps.until(lambda: house.state_of(release) == "failed", 60, "the withdrawal")
        apps.until(lambda: house.serves(first), 20, "the return")
    assert columns(house) == ["id"]
    assert house.store.approvals.open() == []
    told = [entry for entry in house.store.ledger.recent(200, ["schema"]) if entry.incident == release]
    assert "migrations/versions/b.py:9" in told[0].text, "said before its line ran"
    row = house.store.incidents.row(f"inc-{release}")
    assert row["outcome"] == "healed"
    assert any("on which it served throughout" in text for text in row["diagnosis"]["unknown"])
    assert "schema" in {one.kind for one in house.store.incidents.evidence(row["id"])}
    house.whole()
