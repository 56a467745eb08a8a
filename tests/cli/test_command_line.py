"""The command line itself: help, errors, exit codes, streams."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from prodwise.cli.app import app
from prodwise.cli.command import HELP_WIDTH_MAX
from prodwise.cli.reference import page
from tests.cli.conftest import Quick, Terminal

EVERY = """
    demo up down init status incidents show changes signals why deploy releases rollback restart pin setting revert undo stop start
    freeze unfreeze approve deny report takeover stage drill judge diagnose fix audit config version login hooks
""".split()  # noqa: SIM905
HEAVY = set("sqlalchemy dbos fastapi pydantic starlette uvicorn jinja2 alembic psutil rich httpx2".split())  # noqa: SIM905


def imported(*arguments: str) -> set[str]:
    """Top-level modules in the process after a command line ran."""
    code = (
        "import sys\nfrom prodwise.cli.main import run\n"
        f"code = run({list(arguments)!r})\nprint(*sorted(sys.modules), file=sys.stderr)\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input="", capture_output=True, text=True, timeout=60, check=False
    )
    return {name.partition(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (("--help",), HEAVY),
        (("deploy", "--help"), HEAVY - {"pydantic"}),  # Typer itself reads options with it
        (("judge",), HEAVY - {"pydantic"}),
        (("version",), HEAVY - {"pydantic"}),
    ],
)
def test_what_should_be_instant_imports_nothing_heavy(arguments: tuple[str, ...], heavy: set[str]) -> None:
    found = imported(*arguments)
    assert "typer" in found
    assert not found & heavy


def test_looking_and_stopping_do_not_import_the_healer(terminal: Terminal) -> None:
    for arguments in (("status", "--dir", str(terminal.folder)), ("stop", "--dir", str(terminal.folder))):
        assert not imported(*arguments) & {"sqlalchemy", "dbos", "fastapi", "alembic"}


def test_help_lists_every_command_once_in_groups(terminal: Terminal) -> None:
    said = terminal.run("--help")
    listed = re.findall(r"^  ([a-z]+)  +[A-Z]", said.out, re.MULTILINE)
    assert sorted(listed) == sorted(EVERY)
    assert said.out.index("Get started:") < said.out.index("Every day:") < said.out.index("Set up:")
    assert (said.code, said.err) == (0, "")
    assert terminal.run().out == said.out


def test_every_command_shows_examples_before_its_options() -> None:
    sections = page().split("\n### ")[1:]
    assert len(sections) >= len(EVERY)
    for section in sections:
        name = section.partition("`\n")[0].strip("`")
        assert re.search(rf"\n  {name}\b", section.partition("Usage:")[0]), name


def test_help_explains_each_word_in_the_readers_terms() -> None:
    """No name of a type, nothing without a word of explanation, and paragraphs that flow."""
    for section in page().split("\n### ")[1:]:
        usage, _, rest = section.partition("Usage:")
        assert not re.search(r"<(str|int|float|list)", rest), usage
        rows = re.findall(
            r"^  (\S.*?)(?:  +(.*))?$", re.split(r"\n(?:Arguments|Options):\n", rest, maxsplit=1)[1], re.MULTILINE
        )
        assert [name for name, said in rows if not said.partition("[")[0].strip()] == [], usage
        assert all(len(line) <= HELP_WIDTH_MAX for line in rest.splitlines())


NO_JSON = {"prodwise judge", "prodwise serve"}
"""judge speaks NDJSON anyway; serve is the healer's own process."""


def test_every_command_can_answer_in_json() -> None:
    without = set()
    for section in page().split("\n### ")[1:]:
        if "--json" not in section.partition("Options:")[2]:
            without.add(section.partition("`\n")[0].strip("`"))
    assert without == NO_JSON - {"prodwise serve"}


def test_the_reference_is_what_the_commands_say() -> None:
    written = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    assert written == page(), "run `python -m prodwise.cli.reference > docs/commands.md`"


def test_a_typing_error_names_near_commands(terminal: Terminal) -> None:
    said = terminal.run("stauts")
    assert (said.code, said.out) == (2, "")
    assert "No such command 'stauts'" in said.err
    assert "did you mean `status`" in said.err


def test_an_unknown_option_names_the_near_one(terminal: Terminal) -> None:
    said = terminal.run("deploy", "--detatch")
    assert said.code == 2
    assert "--detach" in said.err
    assert "Traceback" not in said.err


def test_errors_are_json_on_stderr_when_asked(terminal: Terminal) -> None:
    for arguments, code in ((("status", "--json"), "not_running"), (("stauts", "--json"), "usage")):
        said = terminal.run(*arguments)
        assert said.out == ""
        told = json.loads(said.err)
        assert set(told) == {"error", "code", "hint"}
        assert told["code"] == code
        assert told["hint"]


def test_nothing_runs_here_says_what_to_do(terminal: Terminal) -> None:
    said = terminal.run("status")
    assert said.code == 1
    assert "nothing of Prodwise runs here" in said.err
    assert "prodwise up" in said.err


def test_colours_only_where_they_are_wanted(terminal: Terminal) -> None:
    assert "\x1b" not in terminal.run("status").err
    terminal.env = {"FORCE_COLOR": "1", "TERM": "xterm"}
    assert "\x1b[" in terminal.run("status").err
    terminal.env = {"FORCE_COLOR": "1", "NO_COLOR": "1"}
    assert "\x1b" not in terminal.run("status").err


def test_an_unforeseen_error_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from prodwise.cli import main

    def broken(*_: object, **__: object) -> int:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("prodwise.cli.app.app", broken)
    assert main.run(["status"]) == 1
    told = capsys.readouterr().err
    assert "ZeroDivisionError: boom" in told
    assert "Traceback" not in told
    with pytest.raises(ZeroDivisionError):
        main.run(["status", "-v"])


def test_arguments_that_are_no_text_or_very_long_are_answered_plainly(tmp_path: Path) -> None:
    terminal = Quick(tmp_path)
    (tmp_path / "prodwise.toml").write_text('version = 1\n[services.web]\ncommand = "x"\n')
    for argument in (os.fsdecode(b"caf\xe9"), "x" * 1_000_000, "\x1b]0;owned\x07", "a\u202eb"):
        for line in (["deploy", "--dry-run"], ["drill", "run"], ["audit"], ["stage"], ["no-such"], []):
            said = terminal.run(*line, argument)
            assert said.code in (1, 2), (line, said)
            assert "this is a bug" not in said.err
            assert len(said.err) < 2_000, line
            assert not set("\x1b\x07\u202e\udce9") & set(said.err)
    reason = os.fsdecode(b"caf\xe9") + "y" * 1_000_000
    assert terminal.run("stop", "--reason", reason).code == 0
    assert len(json.loads((tmp_path / ".prodwise" / "run" / "stop").read_text())["reason"]) == 500


def test_bytes_that_are_no_text_are_understood_from_a_real_terminal(terminal: Terminal) -> None:
    line = [*terminal.command("drill", "run"), b"caf\xe9"]
    done = subprocess.run(
        line, cwd=terminal.folder, env=terminal.environment(), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "caf\ufffd" in done.stderr.decode()


def test_version_as_text_and_as_data(terminal: Terminal) -> None:
    assert terminal.run("version").out.startswith("prodwise 0.")
    assert set(json.loads(terminal.run("version", "--json").out)) == {"schema_version", "prodwise", "python", "sqlite"}


def test_the_app_is_a_callable_typer() -> None:
    assert app.info.help


def outcomes(failing: int, of: int = 400) -> str:
    lines = [{"arm": "canary", "ok": number % of >= failing, "ms": 5.0} for number in range(of * 5)]
    return "\n".join(json.dumps(line) for line in lines)


def test_judge_answers_with_verdict_and_exit_code(terminal: Terminal) -> None:
    bad = terminal.run("judge", "--baseline", "0.01", stdin=outcomes(120))
    assert bad.code == 7
    assert json.loads(bad.out)["verdict"] == "fail"
    good = terminal.run("judge", "--baseline", "0.01", stdin=outcomes(0))
    assert good.code == 0
    assert json.loads(good.out)["verdict"] == "pass"
    few = terminal.run("judge", "--baseline", "0.01", stdin='{"arm": "canary", "ok": true}\n')
    assert few.code == 5
    assert json.loads(few.out)["verdict"] == "hold"


def test_judge_names_the_line_that_it_cannot_read(terminal: Terminal) -> None:
    said = terminal.run("judge", stdin='{"arm": "canary", "ok": true}\nnonsense\n')
    assert said.code == 2
    assert "line 2" in said.err
    assert "Traceback" not in said.err


def test_drill_names_near_scenarios_and_lists_them(terminal: Terminal) -> None:
    listed = json.loads(terminal.run("drill", "list", "--json").out)["scenarios"]
    assert {"crash", "bad-release", "quiet"} <= {one["name"] for one in listed}
    said = terminal.run("drill", "run", "crahs")
    assert said.code == 2
    assert "crash" in said.err
    assert terminal.run("drill", "run", "crash", "--healer", "magic").code == 2
