"""What migrations do to the data: true-to-life ones of each framework, and what must hold for any text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.choose import schema
from prodwise.model.schema import Crossing, FileChange, Finding, MigrationFile, RanLine, SchemaKind

CORPUS = Path(__file__).parent / "migrations"


def corpus() -> Iterator[tuple[str, str, list[str]]]:
    """(path, text, "line kind" of each finding) of every migration in the folder's files."""
    for file in sorted(CORPUS.glob("*.txt")):
        for case in file.read_text().split("=== ")[1:]:
            head, expected = case.split("--- expected\n")
            path, text = head.split("\n", 1)
            yield path, text, expected.splitlines()


CASES = list(corpus())


def read(path: str, text: str) -> tuple[Finding, ...]:
    return schema.read_file(MigrationFile(path, FileChange.ADDED, text))


@pytest.mark.parametrize(("path", "text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_the_corpus_is_read_as_expected(path: str, text: str, expected: list[str]) -> None:
    assert schema.is_migration(path, text)
    assert sorted(f"{one.line} {one.kind.value}" for one in read(path, text)) == sorted(expected), read(path, text)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("ALTER TABLE t ADD COLUMN x int CHECK (x > 0 AND (x IS NOT NULL))", True),
        ("ALTER TABLE t ADD COLUMN x text DEFAULT 'a' CHECK (x IN ('a', 'b'))", True),
        ("ALTER TABLE t ADD COLUMN x int DEFAULT 0 CHECK (y > 0)", False),
        ("ALTER TABLE t ADD COLUMN x int CHECK ((x > 0) OR (y > 0))", False),
        ("ALTER TABLE t ADD COLUMN y int; ALTER TABLE t ADD COLUMN x int CHECK (y > 0)", True),
        ("CREATE TABLE a (id int) INHERITS (t)", False),
        ("CREATE TABLE a (inherits_from int)", True),
    ],
)
def test_a_check_of_other_columns_and_a_table_that_inherits_ask(text: str, safe: bool) -> None:
    assert (schema.asks(read("migrations/1.sql", f"{text};")) == "") is safe


def test_of_a_file_that_both_releases_have_it_is_not_known_which_ran() -> None:
    path, text, _ = next(case for case in CASES if case[0].startswith("flyway/"))
    for change in (FileChange.CHANGED, FileChange.REMOVED):
        found = schema.read_file(MigrationFile(path, change, text))
        assert [one.kind for one in found] == [SchemaKind.UNKNOWN], change


def test_what_is_too_long_too_many_or_could_not_be_had_is_unknown() -> None:
    plain = "CREATE TABLE a (id int);"
    long = MigrationFile("migrations/1.sql", FileChange.ADDED, plain + " " * schema.TEXT_MAX)
    missing = MigrationFile("migrations/2.sql", FileChange.ADDED, problem="it is no text")
    assert "longer than 256 KiB" in schema.asks(schema.read_file(long))
    assert "it is no text" in schema.asks(schema.read_file(missing))
    many = [MigrationFile(f"migrations/{n}.sql", FileChange.ADDED, plain) for n in range(schema.FILES_MAX + 1)]
    assert "are more than 200" in schema.asks(schema.read(Crossing(tuple(many))))
    assert schema.asks(schema.read(Crossing(tuple(many[1:])))) == ""
    broad = [MigrationFile(f"migrations/{n}.sql", FileChange.ADDED, plain + " " * 250_000) for n in range(5)]
    assert "longer than 1024 KiB" in schema.asks(schema.read(Crossing(tuple(broad))))
    assert schema.asks(schema.read(Crossing(tuple(broad[1:])))) == ""
    assert "git is not installed" in schema.asks(schema.read(Crossing(problem="git is not installed")))


@pytest.mark.parametrize(
    ("path", "text", "migration"),
    [
        ("app/migrations/__init__.py", "", False),
        ("app/migrations/__init__.py", "import os", True),
        ("migrations/env.py", "from alembic import context", True),
        ("migrations/README", "Generic single-database configuration.", True),  # one more question, not one too few
        ("migrations/script.py.mako", "${x}", False),
        ("prisma/migrations/migration_lock.toml", "", False),
        ("drizzle/meta/0001_snapshot.json", "{}", False),
        ("db/schema.rb", "ActiveRecord::Schema[7.1].define {}", False),
        ("db/structure.sql", "DROP TABLE x;", False),
        ("queries/users.sql", "SELECT 1;", False),
        ("odd/place.py", 'revision = "a"\ndown_revision = None\n', True),
        ("odd/place.rb", "class A < ActiveRecord::Migration[7.1]", True),
        ("odd/place.ts", "class A implements MigrationInterface {}", True),
        ("api/versions/v2.py", "def get(): ...", False),
        ("src/web.ts", "export const up = 1", False),
        ("migrations/0001_users.down.sql", "DROP TABLE x;", False),
        ("migrations/0001_users.up.sql", "CREATE TABLE x (id int);", True),
        ("db/U2__undo.sql", "DROP TABLE x;", False),
        ("internal/migrations/0002.go", "package migrations", True),
    ],
)  # fmt: skip
def test_what_is_a_migration(path: str, text: str, migration: bool) -> None:
    assert schema.is_migration(path, text) is migration


LINES = [
    ("python manage.py migrate", True), ("python3 manage.py migrate --noinput", True), ("./manage.py migrate", True),
    ("uv run manage.py migrate && uv run manage.py collectstatic --noinput", True), ("alembic upgrade head", True),
    (".venv/bin/alembic upgrade head", True), ("python -m alembic upgrade heads", True), ("flask db upgrade", True),
    ("poetry run flask db upgrade", True), ("bin/rails db:migrate", True), ("bundle exec rake db:migrate", True),
    ("npx prisma migrate deploy", True), ("pnpm exec knex migrate:latest", True), ("dbmate up", True),
    ("npx typeorm-ts-node-commonjs migration:run -d src/data-source.ts", True),
    ("python manage.py migrate shop 0003", False), ("python manage.py migrate --fake", False), ("rails db:migrate db:seed", False),
    ("alembic upgrade head; psql -c 'drop table x'", False), ("prisma db push --accept-data-loss", False), ("./release.sh", False),
    ("alembic upgrade head & rm -rf /", False), ("alembic upgrade head | cat", False), ("$(evil) alembic upgrade head", False),
    ("alembic upgrade head\nrm x", False), ("X=1 alembic upgrade head", False), ("alembic downgrade -1", False),
    ("echo 'unclosed", False), ("tools/manage.py migrate", False), ("alembic upgrade head &&", False),
]  # fmt: skip


@pytest.mark.parametrize(("command", "known"), LINES)
def test_a_release_line_is_known_when_it_only_migrates(command: str, known: bool) -> None:
    found = schema.read(Crossing(lines=(RanLine("2-b", command, same_packages=True),)))
    assert (schema.asks(found) == "") is known
    assert known or "release line of 2-b" in schema.asks(found)


def test_the_lines_that_the_page_promises_are_known() -> None:
    page = (Path(__file__).parents[2] / "docs" / "schema.md").read_text()
    promised = page.partition("```sh\n")[2].partition("```")[0].splitlines()
    assert len(promised) > 5
    for line in (*promised, " && ".join(promised)):
        assert schema.read(Crossing(lines=(RanLine("2-b", line, same_packages=True),))) == (), line


def test_a_line_that_is_forgotten_or_runs_packages_migrations_is_unknown() -> None:
    django = "python manage.py migrate"
    for line, says in (
        (RanLine("2-b", None), "no longer on this machine"),
        (RanLine("2-b", django, same_packages=False), "packages differ"),
        (RanLine("2-b", django, same_packages=None), "packages differ"),
        (RanLine("2-b", "alembic upgrade head", same_packages=False), ""),
        (RanLine("2-b", ""), ""),
    ):
        assert says in schema.asks(schema.read(Crossing(lines=(line,)))), line
        assert bool(says) is bool(schema.asks(schema.read(Crossing(lines=(line,))))), line


def test_the_question_names_the_worst_first_with_file_and_line() -> None:
    bad = [
        Finding("m/2.sql", 7, "drops x", SchemaKind.CONTRACT, "used"),
        Finding("m/1.sql", 0, "odd", SchemaKind.UNKNOWN, "unread"),
    ]
    rows = [Finding(f"m/{n}.sql", 1, "UPDATE", SchemaKind.DATA, "rows") for n in (3, 4)]
    told = schema.asks([*bad, *rows, Finding("m/5.sql", 1, "adds", SchemaKind.EXPAND, "fine")])
    assert told.index("m/2.sql:7 drops x (used)") < told.index("m/3.sql:1") < told.index("m/4.sql:1")
    assert told.endswith("and 1 more")
    assert schema.asks(()) == ""
    assert schema.asks(None) == "what migrations did since is not known"


def test_names_from_outside_are_made_harmless_and_short() -> None:
    found = read("migrations/\x1b[31m\u202e.sql", f'ALTER TABLE "a\x1b[2J\u202e{"x" * 500}" DROP COLUMN b;')
    assert found[0].kind is SchemaKind.CONTRACT
    assert all(one.file.isprintable() and one.what.isprintable() and len(one.what) < 200 for one in found)


# What must hold for any text.

PATHS = (
    "migrations/1.sql",
    "shop/migrations/1.py",
    "alembic/versions/1.py",
    "db/migrate/1.rb",
    "migrations/1.js",
    "migration/1.ts",
)
HEADS = {
    ".py": [
        "down_revision = 'a'\nfrom alembic import op\n",
        "from django.db import migrations\nclass M(migrations.Migration): pass\n",
    ],
    ".rb": ["class A < ActiveRecord::Migration[7.1]\n"],
    ".js": ["exports.up = function(knex) { return knex.schema"],
    ".ts": ["class A implements MigrationInterface { async up(q: QueryRunner) {"],
    ".sql": [""],
}
SAFE = [
    (path, text) for path, text, expected in CASES if expected and all(line.endswith(" expand") for line in expected)
]
PARTS = (
    "drop table column alter add create ( ) { } [ ] ; , . ' \" ` : => -> do end def up if | = knex schema op migrations $$ -- /* */ "
    "# \\ \n not null default users t.string exports function async await return class <<~SQL SQL #{ ${ %w["
)
WORDS = st.sampled_from(PARTS.split(" "))
texts = st.lists(WORDS | st.text(max_size=4), max_size=40).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PATHS), st.integers(0, 1), texts)
def test_garbage_is_unknown_and_breaks_nothing(path: str, which: int, text: str) -> None:
    heads = HEADS["." + path.rpartition(".")[2]]
    found = read(path, heads[which % len(heads)] + text)
    assert not any(one.reason.startswith("its reader failed") for one in found), found
    if path.endswith((".rb", ".js", ".ts")):  # what begins there is not ended by garbage, or does more than is known
        assert found == () or not all(one.safe for one in found)
    if re.search(r"\bdrop\b", text, re.I) and path.endswith(".sql"):
        assert not all(one.safe for one in found), found


@settings(max_examples=25, deadline=None)
@given(st.permutations(CASES))
def test_the_order_of_files_changes_nothing(cases: list[tuple[str, str, list[str]]]) -> None:
    def crossing(ordered: list[tuple[str, str, list[str]]]) -> Crossing:
        return Crossing(tuple(MigrationFile(path, FileChange.ADDED, text) for path, text, _ in ordered))

    assert schema.read(crossing(cases)) == schema.read(crossing(CASES))
    assert schema.asks(schema.read(crossing(cases))) == schema.asks(schema.read(crossing(CASES)))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([text for path, text in SAFE if path.endswith(".sql")]), st.data())
def test_sql_that_holds_a_drop_anywhere_is_never_safe(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text.partition("-- +goose Down")[0])))
    word = "".join(data.draw(st.sampled_from([char, char.upper()])) for char in "drop")
    left, right = data.draw(
        st.sampled_from(
            [(" ", " "), (";", " "), ("/**/", "/**/"), ("\n", "\t"), (" '", "' "), ('"', '"'), ("--", "\n")]
        )
    )
    found = read("migrations/1.sql", f"{text[:at]}{left}{word}{right}table users;{text[at:]}")
    assert not all(one.safe for one in found), found


QUOTES = ['"{}"', "'{}'", '"""{}"""', "'{}' ''", "f'{}'", "''.join(['{}'])", "'{}'.lower()", "sa.text('{}')", "DROPS"]


@pytest.mark.parametrize("quoted", QUOTES)
@pytest.mark.parametrize("verb", ["drop", "DROP", "dRoP", "DROP\\n", "/**/drop/**/"])
def test_a_drop_in_python_is_never_safe_however_it_is_written(quoted: str, verb: str) -> None:
    path, text = next(case for case in SAFE if "autogenerate" in case[1] or "alembic" in case[1])
    call = f"    op.execute({quoted.format(verb + ' TABLE users')})\n"
    found = read(path, text.replace("    # ### end Alembic", call + "    # ### end Alembic", 1))
    assert not all(one.safe for one in found), found


@pytest.mark.parametrize(
    "line",
    [
        "op.drop_column('users', 'mail')", "op.drop_table('users')", "getattr(op, 'drop_table')('users')", "op . drop_index ('x')",
        "(op.drop_table)('users')", "x = op.drop_table('users')", "[op.drop_table(t) for t in ts]", "op.f(op.drop_table('x'))",
        "op.create_table('y', sa.Column('a', drop()))", "exec('op.drop' '_table(1)')", "op.get_bind().exec_driver_sql('x')",
        "with op.batch_alter_table('users') as b: b.drop_column('mail')", "if True: op.drop_table('x')", "op.invoke(thing)",
        "import evil", "op = other", "sa.inspect(op.get_bind())", "op.execute(SQL)",
        "op.add_column('u', sa.Column('a', sa.Integer, **k))",
    ],
)  # fmt: skip
def test_python_that_may_drop_is_never_safe(line: str) -> None:
    path, text = next(case for case in SAFE if "alembic" in case[1])
    found = read(path, text.replace("    # ### end Alembic", f"    {line}\n    # ### end Alembic", 1))
    assert not all(one.safe for one in found), found


@pytest.mark.parametrize(
    "line",
    [
        "remove_column :a, :b", "drop_table(:a)", "execute 'drop table a'", 'execute "DROP " + "TABLE a"', "send(:drop_table, :a)",
        'execute "#{x}"', "execute <<-SQL\n DrOp TABLE a\nSQL\n", "create_table(:b) { |t| drop_table :a }", "Shop.delete_all",
        "add_column :a, :b, :string, default: drop_table(:c)", "%w[a b].each { |t| drop_table t }", "eval 'drop_table :a'",
        "create_table :b, force: :cascade do |t|\nend", "reversible do |dir|\ndir.up do\ndrop_table :a\nend\nend",
        "drop_table :a if x",
    ],
)  # fmt: skip
def test_ruby_that_may_drop_is_never_safe(line: str) -> None:
    path, text = next(case for case in SAFE if case[0].endswith(".rb"))
    found = read(path, text.replace("    add_index :shops, :city", f"    add_index :shops, :city\n    {line}"))
    assert not all(one.safe for one in found), found


@pytest.mark.parametrize(
    "line",
    [
        'await q.query("DROP TABLE a")', "await q.query('dRoP TABLE a')", "await q.query(`drop table a`)",
        "await q.query('DR' + 'OP')",
        "await q.query(`${x}`)", "await q.query(sql)", "await q['drop' + 'Table']('a')", "await q.dropTable('a')", "await x(q)",
        "const t = q", "for (const t of ts) { await q.dropTable(t) }", "await q.createTable(new Table(await q.dropTable('a')))",
        "await q.query('\\x44ROP TABLE a')", "await q.connection.query('DROP TABLE a')", "q.query('DROP TABLE a').then(() => 1)",
        "await Promise.all([q.query('DROP TABLE a')])", "eval('q')", "if (x) await q.dropTable('a')", "await (q).dropTable('a')",
    ],
)  # fmt: skip
def test_typescript_that_may_drop_is_never_safe(line: str) -> None:
    safe = "await q.query(`ALTER TABLE a ADD b int`);"
    head = "class A implements MigrationInterface {\n async up(q: QueryRunner): Promise<void> {"
    text = f"{head}\n  {safe}\n  LINE\n  {safe}\n }}\n}}"
    assert all(one.safe for one in read("migration/1.ts", text.replace("LINE", ""))), read("migration/1.ts", text)
    assert not all(one.safe for one in read("migration/1.ts", text.replace("LINE", line))), line
