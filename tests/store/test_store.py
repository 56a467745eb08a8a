"""The store's promises, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from prodwise.clock import now
from prodwise.model.change import Change, ChangeKind
from prodwise.model.errors import Refused, StoreError, UsageError
from prodwise.model.evidence import Evidence
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.record import Effect, EffectState, Rollout, RolloutState
from prodwise.model.release import ReleaseState
from prodwise.store import tables
from prodwise.store.engine import begun
from prodwise.store.sql import SqlStore
from prodwise.store.told import setting_text


def _effect(key: str = "inc-1/restart/0") -> Effect:
    return Effect(
        key, "inc-1", "web", "restart", {"op": "restart", "service": "web", "slot": "a", "pid": 7}, None, 3, now()
    )


def _incident(number: str, symptom: str = "hang") -> Incident:
    seen = Symptom(symptom, "web", f"web: {symptom}", 10.0, 11.0)
    return Incident(f"inc-{number}", "web", (seen,), now(), IncidentState.SEEN, title=seen.text)


def test_the_chain_holds_under_concurrent_appends(store: SqlStore) -> None:
    threads = [
        threading.Thread(target=lambda i=i: [store.ledger.append("t", f"{i}", actor="a") for _ in range(10)])
        for i in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.ledger.verify() == (50, "")
    assert [entry.seq for entry in store.ledger.entries()] == list(range(1, 51))


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (tables.ledger.update().where(tables.ledger.c.seq == 2).values(text="nothing happened"), "entry 2 was changed"),
        (tables.ledger.delete().where(tables.ledger.c.seq == 2), "entry 2 is missing"),
        (tables.ledger.delete().where(tables.ledger.c.seq == 3), "entries after 2 were removed"),
    ],
)
def test_a_changed_removed_or_cut_ledger_is_detected(store: SqlStore, tamper: sa.Executable, said: str) -> None:
    for number in range(3):
        store.ledger.append("t", f"{number}", actor="a", data={"n": number, "x": 0.1})
    with store.database.unit() as session:
        session.execute(tamper)
    assert said in store.ledger.verify()[1]


def test_an_intent_is_one_row_however_often_it_is_made(store: SqlStore) -> None:
    store.ledger.intend(_effect())
    store.ledger.settle("inc-1/restart/0", EffectState.DONE, "")
    again = store.ledger.intend(_effect())
    assert again.state is EffectState.DONE
    assert [e.data["state"] for e in store.ledger.entries() if e.kind == "effect"] == ["intent", "done"]


def test_a_unit_that_fails_leaves_nothing(store: SqlStore) -> None:
    def half_done() -> None:
        with store.database.unit():
            store.ledger.intend(_effect())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()
    assert store.ledger.effects() == []
    assert store.ledger.verify() == (0, "")


def test_symptoms_join_the_open_incident_of_their_service(store: SqlStore) -> None:
    first = store.incidents.open(_incident("1"))
    second = store.incidents.open(_incident("2", "errors"))
    assert second.id == first.id
    assert [s.kind for s in second.symptoms] == ["hang", "errors"]
    store.incidents.save(first.id, closed_at=now(), outcome="healed")
    assert store.incidents.open(_incident("3")).id == "inc-3"
    assert [i.id for i in store.incidents.list(open_only=True)] == ["inc-3"]


def test_evidence_is_stored_once_and_comes_back_with_the_same_id(store: SqlStore) -> None:
    store.incidents.open(_incident("1"))
    fact = Evidence("requests", "proxy", 1.0, 2.0, "9 of 30 requests failed", {"n": 30, "failed": 9})
    store.incidents.add_evidence("inc-1", [fact, fact])
    store.incidents.add_evidence("inc-1", [fact])
    assert [e.id for e in store.incidents.evidence("inc-1")] == [fact.id]


def test_releases_are_numbered_without_gaps_and_change_state_on_record(store: SqlStore) -> None:
    store.releases.adopt("1-aaaaaaa", "a" * 40, "found running")
    made = store.releases.create("b" * 40, "ada")
    assert (made.id, made.number) == ("2-bbbbbbb", 2)
    store.releases.set_state(made.id, ReleaseState.FAILED, "7 of 20 requests failed")
    store.releases.set_state(made.id, ReleaseState.FAILED, "again")
    assert store.releases.load(made.id).reason == "7 of 20 requests failed"
    assert [e.kind for e in store.ledger.entries()] == ["release", "release", "failed"]
    with pytest.raises(UsageError, match="no release"):
        store.releases.load("9-zzz")


def test_the_rollout_under_way_is_the_oldest_unqueued_one(store: SqlStore) -> None:
    store.rollouts.put(Rollout("2-b", "1-a", RolloutState.RAMPING, "5 %", 0.05, 1.0))
    store.rollouts.put(Rollout("3-c", "1-a", RolloutState.QUEUED, "", 0.0, 2.0))
    assert store.rollouts.current() is not None
    assert store.rollouts.current().release == "2-b"  # type: ignore[union-attr]
    store.rollouts.put(Rollout("2-b", "1-a", RolloutState.FAILED, "5 %", 0.0, 1.0, 3.0), "worse")
    assert store.rollouts.current() is None
    assert store.ledger.recent(1)[0].kind == "rollout_failed"


def test_a_change_is_recorded_once(store: SqlStore) -> None:
    made = Change("release-2", now(), ChangeKind.RELEASE, "", "1-a", "2-b", "ada", "roll back to 1-a")
    store.changes.record(made)
    store.changes.record(made)
    assert store.changes.since(0) == [made]


def test_an_approval_is_bound_to_its_plan_single_use_and_expires(store: SqlStore) -> None:
    asked = store.approvals.ask("inc-1", "hash-1", {"kind": "rollback"}, 60)
    assert store.approvals.ask("inc-1", "hash-1", {"kind": "rollback"}, 60).id == asked.id
    with pytest.raises(Refused, match="plan changed"):
        store.approvals.decide(asked.id, "hash-2", yes=True, who="ada")
    store.approvals.decide(asked.id, "hash-1", yes=True, who="ada")
    with pytest.raises(Refused):
        store.approvals.decide(asked.id, "hash-1", yes=False, who="bob")
    assert [store.approvals.use(asked.id), store.approvals.use(asked.id)] == [True, False]
    late = store.approvals.ask("inc-2", "hash-3", {}, -1)
    with pytest.raises(Refused, match="expired"):
        store.approvals.decide(late.id, "hash-3", yes=True, who="ada")


def test_a_login_link_works_once(store: SqlStore) -> None:
    secret = store.logins.link()
    entered = store.logins.enter(secret)
    assert entered is not None
    assert store.logins.enter(secret) is None
    assert store.logins.csrf(entered[0]) == entered[1]
    store.logins.leave(entered[0])
    assert store.logins.csrf(entered[0]) is None


def test_a_database_of_a_newer_version_is_refused_untouched(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'prodwise.db'}"
    store = SqlStore(url)
    store.ledger.append("t", "kept", actor="a")
    with store.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE prodwise_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreError, match="newer Prodwise"):
        SqlStore(url)


def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "prodwise.db").write_bytes(b"this is no database, it is a text" * 100)
    with pytest.raises(StoreError, match="cannot be opened"):
        SqlStore(f"sqlite:///{tmp_path / 'prodwise.db'}")


def test_people_that_were_never_counted_become_unknown(tmp_path: Path) -> None:
    """A database of the first schema: its zeros were no counts."""
    url = f"sqlite:///{tmp_path / 'prodwise.db'}"
    store = SqlStore(url)
    store.incidents.open(
        Incident("inc-1", "web", (Symptom("hang", "web", "hangs", 1.0, 1.0),), 1.0, IncidentState.SEEN)
    )
    with store.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE incident SET users_hit = 0"))
        connection.execute(sa.text("UPDATE prodwise_version SET version_num = '0001'"))
        for later in ("delivery", "alarm"):
            connection.execute(sa.text(f"DROP TABLE {later}"))
        for later in ("ix_ledger_kind", "ix_incident_begins", "ix_release_begins"):
            connection.execute(sa.text(f"DROP INDEX {later}"))
    store.close()
    again = SqlStore(url)
    assert again.incidents.load("inc-1").users_hit is None
    again.incidents.save("inc-1", users_hit=38)
    assert again.incidents.load("inc-1").users_hit == 38
    again.close()


def test_the_schema_is_what_the_migrations_make(store: SqlStore) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "prodwise_version"})
        differences = [d for d in compare_metadata(context, tables.metadata) if "comment" not in str(d[0])]
    assert differences == []


def test_an_id_is_found_by_its_beginning_however_old(store: SqlStore) -> None:
    for at, name in enumerate(
        ("inc-web-20", "inc-web-204", "inc-web-203", "inc-Web-20", "inc-web_20", "inc-w%b-1", "inc-worker-é")
    ):
        seen = Symptom("hang", name, "hang", 1.0, 1.0)
        store.incidents.open(Incident(name, name, (seen,), float(at), IncidentState.SEEN))
    made = [store.releases.create(f"{number:07d}", "ana").id for number in range(12)]

    def begun(start: str, limit: int = 10) -> list[str]:
        return [one.id for one in store.incidents.list(begins=start, limit=limit)]

    assert begun("inc-web-20") == ["inc-web-20", "inc-web-203", "inc-web-204"], "itself first, then the newest"
    assert begun("inc-web-20", limit=1) == ["inc-web-20"]
    assert begun("inc-worker-") == ["inc-worker-é"]
    assert (begun("inc-w%"), begun("inc-web_")) == (["inc-w%b-1"], ["inc-web_20"]), "no pattern"
    for nothing in ("INC", "inc-x", "inc\0", "inc-\udcff", "inc-web-204 "):
        assert begun(nothing) == []
    assert [one.id for one in store.releases.list(begins="1")] == [*made[:8:-1], made[0]]
    assert [one.id for one in store.releases.list(begins=made[3])] == [made[3]]


@pytest.mark.parametrize("table", [tables.incident, tables.release])
def test_a_beginning_is_looked_up_in_the_index(store: SqlStore, table: sa.Table) -> None:
    query = begun(sa.select(table), table.c.id, "inc-web-2", sqlite=store.database.is_sqlite)
    asked = str(query.compile(store.database.engine, compile_kwargs={"literal_binds": True})).replace("%%", "%")
    with store.database.engine.begin() as connection:
        if store.database.is_sqlite:
            plan = "\n".join(str(row) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}"))
            assert f"SEARCH {table.name} USING INDEX" in plan
        else:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            plan = "\n".join(str(row) for row in connection.exec_driver_sql("EXPLAIN " + asked.replace("%", "%%")))
            assert f"ix_{table.name}_begins" in plan
            assert "Index Cond" in plan, plan


def test_what_has_ended_stays_ended_whatever_a_late_writer_says(store: SqlStore) -> None:
    done = Rollout("1-a", "", RolloutState.VERIFIED_GOOD, "100 %", 1.0, now())
    store.rollouts.put(done)
    store.rollouts.put(replace(done, state=RolloutState.RAMPING))
    assert store.rollouts.load("1-a") == done


def test_a_changed_setting_is_told_as_a_sentence() -> None:
    told = {
        ("autonomy", "auto"): "the stage is auto",
        ("freeze", None): "not frozen any more",
        ("undo_proven", "{}"): "it was proven on this machine that a release can be taken back",
    }
    for (name, value), text in told.items():
        assert setting_text(name, value) == text
    assert setting_text("freeze", {"until": 0, "reason": "launch"}) == "frozen until a person ends it: launch"
    assert setting_text("freeze", {"until": 1_800_000_000}) == "frozen until 2027-01-15 08:00 UTC"
    assert setting_text("self_test", {"ok": True, "at": 1.0}) == "self-test passed"
    assert (
        setting_text("cancel:2-b", {"who": "ana", "reason": "ana asked"})
        == "release 2-b is to be taken back: ana asked"
    )
    assert setting_text("restart:restart-web-1", {"service": "web"}) == "a restart of web was asked for"
    assert setting_text("something", {"a": 1}) == "something was set"
