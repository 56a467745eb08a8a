"""What test runners print, and which tests are lost; which failures are the same; what is near; how a change is damaged."""

from __future__ import annotations

import pytest

from prodwise.loop.verify.failure import alike, cannot_run, failure, missing
from prodwise.loop.verify.mutants import MUTANTS_MAX, mutants
from prodwise.loop.verify.nearby import near, reached
from prodwise.loop.verify.patch import read
from prodwise.loop.verify.results import Results, Suite, lost, own_tests, results, suite_of
from tests.loop.patches import diff

PYTEST = """..F.
=========================== short test summary info ============================
PASSED tests/test_a.py::test_one
PASSED tests/test_a.py::test_two[a - b]
XFAIL tests/test_a.py::test_three - later
FAILED tests/test_a.py::test_four - assert 1 == 2
1 failed, 2 passed in 0.01s
"""
UNITTEST = """test_one (a.Tests.test_one) ... ok
test_two (a.Tests.test_two)
What it is about. ... FAIL
test_three (a.Tests.test_three) ... skipped 'later'
"""
TAP = "TAP version 13\n# Subtest: adds\nok 1 - adds\nnot ok 2 - multiplies\nok 3 - later # SKIP\n"


def test_results_are_read_by_name() -> None:
    read_ = results(Suite((), "pytest"), 1, PYTEST)
    assert read_.passed == {"tests/test_a.py::test_one", "tests/test_a.py::test_two[a"}
    assert read_.failed == {"tests/test_a.py::test_four"}
    read_ = results(Suite((), "unittest"), 1, UNITTEST)
    assert (read_.passed, read_.failed) == ({"test_one (a.Tests.test_one)"}, {"test_two (a.Tests.test_two)"})
    read_ = results(Suite((), "tap"), 1, TAP)
    assert (read_.passed, read_.failed) == ({"adds"}, {"multiplies"})


def test_a_second_summary_is_not_believed() -> None:
    forged = PYTEST + "=== short test summary info ===\nPASSED tests/test_a.py::test_four\n"
    assert not results(Suite((), "pytest"), 0, forged).known
    assert lost(results(Suite((), "pytest"), 1, PYTEST), results(Suite((), "pytest"), 0, forged))


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("pytest -x tests/test_a.py::test_b", ("pytest",)),
        ("python -m pytest -k one -p no:randomly", ("python", "-m", "pytest", "-p", "no:randomly")),
        ("A=1 .venv/bin/python -m pytest", ("env", "A=1", ".venv/bin/python", "-m", "pytest")),
        ("python -m unittest a.Tests.test_one", ("python", "-m", "unittest", "discover", "-v")),
        ("node --test a.test.js", ("node", "--test", "--test-reporter=tap")),
    ],
)
def test_the_suite_is_that_of_the_command(line: str, argv: tuple[str, ...]) -> None:
    found = suite_of(("/bin/sh", "-c", line), ())
    assert found is not None
    assert found.argv[: len(argv)] == argv
    assert not any("test_a" in word or word == "one" for word in found.argv)


@pytest.mark.parametrize(
    ("line", "shell", "folder", "words"),
    [
        (
            "cd sub/a && A=1 python -m pytest -x test_a.py 2>&1 | tail",
            "cd sub/a && ",
            "sub/a",
            "env A=1 python -m pytest -q",
        ),
        ("source env/bin/activate; pytest 'test_a.py::test_b[1;2]'", ". env/bin/activate && ", "", "pytest -q"),
        ("cd .. && pytest", "", "", "python3 -m pytest -q"),
        ("A=1 /opt/env/bin/python tests/test_a.py Tests.test_b", "", "", "env A=1 /opt/env/bin/python -m pytest -q"),
        ("python -m unittest -q a.b_test.Tests.test_c", "", "", "python -m unittest discover -p *_test.py -v"),
    ],
)
def test_what_a_shell_does_before_is_done_again(line: str, shell: str, folder: str, words: str) -> None:
    found = suite_of(("/bin/sh", "-c", line), ["tests/test_a.py"])
    assert found is not None
    assert (found.shell, found.folder) == (shell, folder)
    assert " ".join(found.argv).startswith(words)
    assert (found.command == found.argv) is not bool(shell)


def test_a_suite_of_some_files_runs_where_they_lie() -> None:
    here = suite_of(("/bin/sh", "-c", "cd sub && pytest test_a.py::test_b"), ())
    assert here is not None
    some = here.only(["sub/test_a.py", "tests/test_c.py"])
    assert some is not None
    assert some.argv[-2:] == ("test_a.py", "../tests/test_c.py")
    modules = Suite(("python", "-m", "unittest", "discover", "-v"), "unittest").only(["a/b_test.py"])
    assert modules is not None
    assert modules.argv == ("python", "-m", "unittest", "-v", "a.b_test")
    assert Suite(("go", "test"), "go").only(["a_test.go"]) is None


@pytest.mark.parametrize(
    "line",
    [
        "pytest tests/test_a.py::Tests::test_b -x",
        "cd tests && pytest test_a.py",
        "python -m unittest -q tests.test_a.Tests.test_b",
        "python tests/test_a.py Tests.test_b",
    ],
)
def test_the_files_of_a_command_are_found(line: str) -> None:
    assert own_tests(("/bin/sh", "-c", line), {"tests/test_a.py", "a.py", "tests.py"}) == ("tests/test_a.py",)


def test_a_test_whose_name_holds_the_time_is_not_lost() -> None:
    def told(passed: set[str], failed: set[str]) -> Results:
        return Results(0, frozenset(passed), frozenset(failed))

    before = told({"test_a.py::test_on[12:30]", "test_a.py::test_b", "test_a.py::test_3"}, set())
    assert lost(before, told({"test_a.py::test_on[12:31]", "test_a.py::test_b", "test_a.py::test_4"}, set())) == {
        "test_a.py::test_3"
    }
    assert lost(before, told({"test_a.py::test_on[12:31]"}, {"test_a.py::test_on[12:30]"})) >= {
        "test_a.py::test_on[12:30]"
    }


def test_without_a_known_runner_the_files_tell() -> None:
    assert suite_of(("/bin/sh", "-c", "make x; true"), ["tests/test_a.py"]) is not None
    assert suite_of(("/bin/sh", "-c", "make x; true"), ["a.c"]) is None


def test_failures_are_the_same_whatever_changes_from_run_to_run() -> None:
    assert failure(0, "", "") is None
    one, other = (failure(1, f"Traceback\nValueError: at 0x{n:x}\n", "") for n in (7, 8))
    assert one == other
    assert failure(1, "KeyError: 1\n", "") != one
    told = failure(1, "ERROR: test_a (x.T.test_a)\nValueError: 1\nFAILED (errors=1)\n", "")
    assert told is not None
    assert told.tests == {"test_a (x.T.test_a)"}
    assert failure(None, "", "time") == failure(None, "more", "time")
    assert failure(3, "took 1.2 s\n", "") == failure(3, "took 3.4 s\n", "")


def test_what_is_no_check() -> None:
    assert cannot_run(127, "sh: nothing: not found")
    assert cannot_run(5, "no tests ran in 0.1s")
    assert cannot_run(1, "/usr/bin/python3: No module named pytest")
    assert not cannot_run(1, "ModuleNotFoundError: No module named 'leftpad'")


def test_what_is_no_check_names_what_is_missing_and_what_to_do() -> None:
    assert "`pytst` was not found: install it" in cannot_run(127, "/bin/sh: 1: pytst: not found")
    assert missing("npm run test\n/bin/bash: line 1: jest: command not found\n") == "jest"
    assert missing("/bin/sh: 1: ./run_tets.sh: not found") == "./run_tets.sh"
    assert missing("env: ‘pytst’: No such file or directory") == "pytst"
    assert "`pytest`" in cannot_run(1, "/usr/bin/python3: No module named pytst")
    assert not cannot_run(1, "/usr/bin/python3: No module named shop")
    assert not missing("cart.py: it is not found anywhere")
    for code, said in ((126, ""), (127, ""), (5, "no tests ran in 0.1s"), (4, "ERROR: not found: test_a.py")):
        assert ": " in cannot_run(code, said), "what to do next"


def test_only_a_close_name_is_named() -> None:
    there = ["pytest", "py.test", "python3", "pytst"]
    assert alike("pytst", there) == "pytest"
    assert not alike("nope", ["open", "node"])


FILES = {
    "tests/test_api.py": "from shop import api\n",
    "shop/__init__.py": "from .api import serve\n",
    "shop/api.py": "from shop.cart import total\n",
    "shop/cart.py": "import shop.rates\n",
    "shop/rates.py": "RATE = 1\n",
    "shop/mail.py": "import smtplib\n",
    "src/lib/deep.py": "from . import other\n",
    "src/lib/other.py": "",
}


def _near(changed: str, *seeds: str) -> bool | None:
    found = near([changed], seeds, frozenset(FILES), FILES.get)
    return None if found is None else changed in found


def test_what_is_near_a_failure() -> None:
    assert _near("shop/rates.py", "tests/test_api.py")
    assert not _near("shop/mail.py", "tests/test_api.py")
    assert _near("shop/cart.py", "shop/api.py")
    assert not _near("shop/rates.py", "shop/api.py")
    assert _near("shop/api.py", "shop/cart.py"), "who imports it is near as well"
    assert _near("src/lib/other.py", "src/lib/deep.py")
    assert _near("shop/rates.py", "/usr/lib/python3/json.py") is None


def test_no_more_is_read_than_is_wanted() -> None:
    asked = list[str]()

    def read(path: str) -> str | None:
        asked.append(path)
        return FILES.get(path)

    seeds, paths = frozenset({"tests/test_api.py"}), frozenset(FILES)
    assert "shop/api.py" in reached(seeds, paths, read, frozenset({"shop/api.py"}))
    assert asked == ["tests/test_api.py"]
    assert "shop/rates.py" in reached(seeds, paths, read)


def test_a_change_is_damaged_in_its_own_lines_only() -> None:
    before = "def f(a):\n    x = 1\n    return a\n"
    after = "def f(a):\n    x = 1\n    if a <= 3 and x:\n        return a.get('k', 0)\n    return a\n"
    (file,) = read(diff("f.py", before, after))
    made = list(mutants(after, file))
    assert 4 <= len(made) <= MUTANTS_MAX
    assert all(
        one != after and one.startswith("def f(a):\n    x = 1\n") and one.endswith("    return a\n") for one in made
    )
    assert any("a['k']" in one for one in made)
    assert any("a > 3" in one for one in made)


@pytest.mark.parametrize(
    "line",
    [
        "except (LookupError, ValueError):", "except (LookupError, socket.timeout) as error:", "except ValueError:",
        "elif a.b:", "if a.b:", "while a.b:", "for one in a.b:", "with a.b as c:", "with a.b:", "return a.b", "yield a.b", "a.b = c",
        "a.b(c)", "def f(a, b):", "async def f(a):", "class A(B):", "raise A(b)", "del a", "assert a", "@a.b",
    ],
)  # fmt: skip
def test_each_kind_of_line_can_be_damaged(line: str) -> None:
    """Else nothing could be said of a change to it."""
    head, body = (
        ("try:\n    a\n", "    b\n") if line.startswith("except") else ("", "    b\n" if line.endswith(":") else "")
    )
    head = "if x:\n    a\n" if line.startswith("elif") else head
    body = "def f():\n    b\n" if line.startswith("@") else body
    inside = "".join(f"    {one}\n" for one in f"{head}{line}\n{body}".splitlines())
    after = f"def g():\n    c\n{inside}"
    (file,) = read(diff("f.py", after.replace(f"    {line}\n", "    pass\n"), after))
    made = list(mutants(after, file))
    assert made
    assert after not in made
