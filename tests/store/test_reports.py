"""What receivers store, on SQLite (a file each) and on PostgreSQL (one database): nothing is lost, and it adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa
import zstandard

from prodwise.model.digest import Delivery, Digested
from prodwise.model.errors import StoreError
from prodwise.model.event import ErrorSeen, Grouped
from prodwise.model.project import Project
from prodwise.model.report import CheckIn, Reason, Timed
from prodwise.store.engine import Database
from prodwise.store.migrate import OURS, REPORTS, Schema, migrate, scripts
from prodwise.store.reports import tables
from prodwise.store.reports.archive import SqlReportArchive
from prodwise.store.reports.feed import SqlReportFeed
from prodwise.store.reports.shelves import Shelves
from prodwise.store.reports.tidy import Limits
from prodwise.store.reports.writer import ReportWriter

NOW = 1_795_479_840.0
PROJECTS = (Project(1, "shop", "ab" * 16, "web"), Project(2, "jobs", "cd" * 16, "worker"))


def event(number: int = 1, group: str = "g", *, at: float = NOW, detail: object = None, **more: object) -> Digested:
    key = group.encode().hex().zfill(32)
    seen = ErrorSeen(
        at, "web", "r1", "GET /", key, f"Fault {group}", f"{number:016x}", "error", False, "sentry", f"{number:032x}"
    )
    packed = None if detail is None else zstandard.compress(orjson.dumps(detail))
    return Digested(replace(seen, **more), Grouped(key, f"Fault {group}", "shop.py:pay", "frames"), packed)  # type: ignore[arg-type]


def delivery(*events: Digested, project: int = 1, at: float = NOW, **more: object) -> Delivery:
    return Delivery(project, at, events, **more)  # type: ignore[arg-type]


@dataclass
class Place:
    """Where receivers write, and how it is read."""

    url: Callable[[int], str]
    shelves: Shelves

    def writer(self, number: int = 0, limits: Limits | None = None) -> ReportWriter:
        return ReportWriter(self.url(number), number, limits)

    @property
    def archive(self) -> SqlReportArchive:
        return SqlReportArchive(self.shelves)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        made = Place(lambda number: f"sqlite:///{tmp_path}/reports-{number}.db", Shelves(tmp_path))
    else:
        url = request.getfixturevalue("postgres_url")
        _empty(url)
        made = Place(lambda _: url, Shelves(None, url))
    yield made
    made.shelves.close()


def _empty(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    engine.dispose()


def test_the_newest_event_that_is_kept_whole_is_the_example(place: Place) -> None:
    for number, receiver in ((1, 0), (2, 1)):
        whole = event(number, at=NOW + number, detail={"number": number})
        counted = event(number + 10, at=NOW + 9)
        place.writer(receiver).write([delivery(whole, counted, at=NOW + number)])
    found = place.archive.example(b"g".hex().zfill(32))
    assert found is not None
    assert found.detail == {"number": 2}
    assert place.archive.example("0" * 32) is None


def test_the_tables_are_those_of_the_migrations(place: Place) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database = Database(place.url(0))
    migrate(database, REPORTS)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": REPORTS.version_table})
        differences = [one for one in compare_metadata(context, tables.metadata) if "comment" not in str(one[0])]
    database.close()
    assert differences == []


@pytest.mark.parametrize("schema", [OURS, REPORTS])
def test_the_newest_revision_is_the_one_that_the_names_tell(schema: Schema) -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory.from_config(scripts(schema)).get_current_head() == schema.head


@pytest.mark.parametrize("schema", [OURS, REPORTS])
def test_tables_that_were_only_half_made_are_made_again(
    place: Place, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic.operations import BatchOperations, Operations

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    database = Database(place.url(0))
    with monkeypatch.context() as patch:
        for kind in (Operations, BatchOperations):
            patch.setattr(kind, "create_index", dies)
        with pytest.raises(KeyboardInterrupt):
            migrate(database, schema)
    with database.engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    migrate(database, schema)
    migrate(database, schema)
    database.close()


def test_a_newer_schema_is_refused_and_not_read(place: Place) -> None:
    place.writer().close()
    database = Database(place.url(0))
    with database.engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {REPORTS.version_table} SET version_num = 'r9999'"))
    database.close()
    with pytest.raises(StoreError, match="newer Prodwise"):
        place.writer()
    assert place.archive.groups() == ([], "")


def test_two_receivers_add_up_to_one_group(place: Place) -> None:
    first, second = place.writer(0), place.writer(1)
    first.write([delivery(event(1), event(2)), delivery(event(3, user=f"{1:016x}"))])
    second.write([delivery(event(4, at=NOW + 60, release="r2", route="POST /pay"))])
    first.write([delivery(event(5, "other"))])
    groups, more = place.archive.groups(1)
    assert (more, [one.title for one in groups]) == ("", ["Fault g", "Fault other"])
    assert (groups[0].count, groups[0].users, groups[0].first_seen, groups[0].last_seen) == (4, 3, NOW, NOW + 60)
    assert groups[0].releases == {"r1": 3, "r2": 1}
    tallies = place.archive.tallies(groups[0].key, NOW - 60)
    assert [(one.minute, one.release, one.route, one.count, one.users) for one in tallies] == [
        (NOW - NOW % 60, "r1", "GET /", 3, 2), (NOW - NOW % 60 + 60, "r2", "POST /pay", 1, 1)]  # fmt: skip


def test_a_restarted_receiver_goes_on_counting(place: Place) -> None:
    for number in range(3):
        writer = place.writer()
        writer.write([delivery(event(number), at=NOW + number)])
        writer.close()
    (group,), _ = place.archive.groups()
    assert (group.count, group.users) == (3, 3)
    assert [one.count for one in place.archive.tallies(group.key, 0)] == [3]
    assert place.archive.received(1).deliveries == 3


def test_the_feed_gives_each_item_once_and_goes_on_where_it_was(place: Place) -> None:
    writer, other = place.writer(0), place.writer(1)
    feed = SqlReportFeed(place.shelves, lambda: PROJECTS, {})
    timed, ping = Timed(NOW, "GET /", "r1", 12.5, True), CheckIn(NOW, "nightly", "ok", 3.0)
    writer.write([delivery(event(1), at=NOW, items=(timed,))])
    other.write([delivery(at=NOW + 1, project=2, items=(ping,))])
    heard = feed.read()
    assert [(one.project, one.service, one.item) for one in heard] == [
        (1, "web", event(1).seen), (1, "web", timed), (2, "worker", ping)]  # fmt: skip
    assert feed.read() == []
    position = orjson.loads(orjson.dumps(feed.position()))
    writer.write([delivery(event(2))])
    assert [one.item for one in SqlReportFeed(place.shelves, lambda: PROJECTS, position).read()] == [event(2).seen]
    assert SqlReportFeed(place.shelves, lambda: PROJECTS, None).read() == []


def test_the_feed_is_read_in_bounded_pieces(place: Place) -> None:
    writer = place.writer()
    for start in range(0, 24_000, 4_000):
        writer.write([delivery(*(event(start + i) for i in range(4_000)))])
    feed = SqlReportFeed(place.shelves, lambda: PROJECTS, {})
    sizes = []
    while heard := feed.read():
        sizes.append(len(heard))
    assert (sum(sizes), max(sizes) <= 14_000) == (24_000, True)


def test_what_is_kept_of_an_event_can_be_seen(place: Place) -> None:
    writer = place.writer()
    writer.write([delivery(event(1, detail={"message": "no"}), event(2))])
    kept, counted = place.archive.event(f"{1:032x}"), place.archive.event(f"{2:032x}")
    assert kept is not None
    assert counted is not None
    assert (kept.detail, kept.group, kept.user, counted.detail) == (
        {"message": "no"},
        event().seen.group,
        f"{1:016x}",
        None,
    )
    assert place.archive.event("0" * 32) is None
    assert {one.id for one in place.archive.events(kept.group)} == {kept.id, counted.id}


def test_refusals_are_counted_and_are_no_deliveries(place: Place) -> None:
    writer = place.writer()
    writer.write([delivery(event(1), counts={Reason.CLOCK: 2}), delivery(counts={Reason.BUSY: 1}, refused=True)])
    writer.write([delivery(counts={Reason.BUSY: 4}, refused=True)])
    intake = place.archive.received(1)
    assert (intake.deliveries, intake.events, intake.counts) == (1, 1, {Reason.CLOCK: 2, Reason.BUSY: 5})
    assert place.archive.received(2).last is None


def test_groups_come_in_pages_without_repetition(place: Place) -> None:
    first, second = place.writer(0), place.writer(1)
    for number in range(7):
        (first if number % 2 else second).write([delivery(event(number, f"g{number % 5}", at=NOW + number))])
    seen, after = [], ""
    while True:
        page, after = place.archive.groups(after=after, limit=2)
        seen += [one.title for one in page]
        if not after:
            break
    assert seen == ["Fault g1", "Fault g0", "Fault g4", "Fault g3", "Fault g2"]


def test_a_failed_commit_leaves_nothing_and_the_next_one_counts_right(place: Place) -> None:
    writer = place.writer()
    writer.write([delivery(event(1))])
    broken = event(2, level=None)
    with pytest.raises(StoreError):
        writer.write([delivery(event(3), broken)])
    writer.write([delivery(event(4))])
    (group,), _ = place.archive.groups()
    assert (group.count, len(place.archive.events(group.key))) == (2, 2)
    assert len(SqlReportFeed(place.shelves, lambda: PROJECTS, {}).read()) == 2


def test_too_many_groups_become_one_and_are_counted(place: Place) -> None:
    writer = place.writer(limits=Limits(groups=3))
    writer.write([delivery(*(event(i, f"g{i}") for i in range(6)))])
    writer.write([delivery(event(9, "g9"), event(10, "g0"))])
    groups, _ = place.archive.groups()
    assert sorted((one.title, one.count) for one in groups) == [
        ("Fault g0", 2), ("Fault g1", 1), ("Fault g2", 1), ("errors of more faults than are told apart", 4)]  # fmt: skip
    assert place.archive.received(1).counts == {Reason.GROUPS: 4}


def test_routes_and_releases_without_end_are_one(place: Place) -> None:
    writer = place.writer()
    writer.write([delivery(*(event(i, route=f"GET /{i}", release=f"r{i}") for i in range(300)))])
    (group,), _ = place.archive.groups()
    assert group.count == 300
    assert sum(one.count for one in place.archive.tallies(group.key, 0)) == 300
    assert len(place.archive.tallies(group.key, 0)) <= 52


def test_what_is_old_or_too_much_goes_and_the_rare_goes_last(place: Place) -> None:
    writer = place.writer(limits=Limits(feed_s=60, event_s=1000, tally_s=1000, detail_bytes=200))
    detail = {"text": "x" * 10}
    rare = replace(event(1, detail=detail), rare=True)
    writer.write([delivery(rare, *(event(i, detail=detail) for i in range(2, 20)))])
    writer.tidy(NOW + 1)
    assert place.archive.received(1).bytes_kept <= 200
    first = place.archive.event(f"{1:032x}")
    assert first is not None
    assert first.detail is not None
    writer.tidy(NOW + 61)
    assert SqlReportFeed(place.shelves, lambda: PROJECTS, {}).read() == []
    while writer.tidy(NOW + 2000):
        pass
    assert place.archive.groups() == ([], "")
    assert place.archive.event(f"{1:032x}") is None
    writer.write([delivery(event(30), at=NOW + 2000)])
    assert [one.count for one in place.archive.groups()[0]] == [1]
    assert len(SqlReportFeed(place.shelves, lambda: PROJECTS, {}).read()) == 1
