"""The search on real projects in the real sandbox: what it ends, and where it says nothing."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.repair import PROJECTS, judge, write
from bench.repairs.case import Bug, Project, broken
from prodwise.loop.verify.patch.protected import is_test
from prodwise.model.errors import OutOfTime, Refused
from prodwise.model.patch import Fault
from prodwise.repair import commands
from prodwise.repair.localise import Spectrum, suspicion
from prodwise.repair.scene import said_of
from prodwise.repair.search_repairer import SearchRepairer
from tests.repair.workshops import workshop


def named(project: str, bug: str) -> tuple[Project, Bug]:
    one = next(one for one in PROJECTS if one.name == project)
    return one, next(each for each in one.bugs if each.name == bug)


def test_the_corpus_is_whole() -> None:
    bugs = [(project, bug) for project in PROJECTS for bug in project.bugs]
    assert len(bugs) >= 60
    assert sum(not bug.fixable for _, bug in bugs) >= 20
    for project, bug in bugs:
        assert broken(project, bug) != project.files, bug.name


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("project", "bug"),
    [
        pytest.param("till", "forgotten sum", marks=pytest.mark.full),
        pytest.param("desk", "missing default", marks=pytest.mark.full),
    ],
)
def test_a_seeded_bug_is_ended_as_tests_that_it_never_saw_ask(project: str, bug: str) -> None:
    try:
        found = judge(*named(project, bug), seconds=120)
    except Refused as error:
        pytest.skip(error.message)
    assert found.verdict == "right", found


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("project", "bug"), [("routes", "refused"), pytest.param("desk", "missing package", marks=pytest.mark.full)]
)
def test_what_no_patch_should_end_gets_none(project: str, bug: str) -> None:
    try:
        assert judge(*named(project, bug), seconds=60).verdict == "none"
    except Refused as error:
        pytest.skip(error.message)


@pytest.mark.full
@pytest.mark.timeout(120)
def test_how_much_there_was_no_time_for_is_told(tmp_path: Path) -> None:
    body = "".join(
        f"    total = total * {n} + a - b // {n}\n    if total > {n * 7} and a != b:\n        total -= {n}\n"
        for n in range(2, 30)
    )
    test = "import time\n\nfrom m import far\n\ndef test_far():\n    time.sleep(0.5)\n    assert far(3, 4) == 'no edit says this'\n"
    write(
        tmp_path,
        {"m.py": f"def far(a, b):\n    total = a + b\n{body}    return total\n", "test_m.py": test},
    )
    command = (sys.executable, "-m", "pytest", "-q", "test_m.py")
    with workshop(tmp_path, command) as shop, pytest.raises(OutOfTime, match=r"[\d,]+ of [\d,]+ edits"):
        list(SearchRepairer().propose(Fault(command), shop, shop.base, 25))


@pytest.mark.timeout(120)
def test_a_check_that_passes_is_no_fault(tmp_path: Path) -> None:
    project, bug = named("till", "operator")
    write(tmp_path, project.files)
    command = (sys.executable, "-m", "pytest", bug.test)
    with workshop(tmp_path, command) as shop:
        assert list(SearchRepairer().propose(Fault(command), shop, shop.base, 60)) == []


@pytest.mark.timeout(120)
def test_an_exception_that_a_test_waits_for_is_raised(tmp_path: Path) -> None:
    """What the calls were given is noted in the tests' own process; a question that a passing test answers alike is none."""
    files = {
        "m.py": "def follow(url, base):\n    parts = (base, url or '')\n    return '/'.join(parts)\n",
        "test_m.py": "import pytest\nfrom m import follow\n\n\ndef test_none():\n    with pytest.raises(ValueError):\n"
        "        follow(None, 'a')\n\n\ndef test_parts():\n    assert follow('b', 'a') == 'a/b'\n\n\n"
        "def test_empty():\n    assert follow('', 'a') == 'a/'\n\n\ndef test_base():\n"
        "    with pytest.raises(TypeError):\n        follow('b', None)\n",
    }
    write(tmp_path, files)
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_m.py::test_none")
    with workshop(tmp_path, command) as shop:
        found = next(SearchRepairer().propose(Fault(command), shop, shop.base, 60))
    assert "+    if url is None:\n+        raise ValueError(" in found.diff


@pytest.mark.full
@pytest.mark.timeout(120)
def test_what_the_gates_refuse_is_not_the_end(tmp_path: Path) -> None:
    """Gone on with, it gives what means something else: not the same once more."""
    files = {
        "m.py": "def within(prices, most):\n    found = []\n    for price in prices:\n        if price < most:\n"
        "            found.append(price)\n    return found\n",
        "test_m.py": "from m import within\n\n\ndef test_at():\n    assert within([1, 5, 7], 5) == [1, 5]\n\n\n"
        "def test_all():\n    assert within([1, 2], 5) == [1, 2]\n\n\ndef test_none():\n    assert within([6, 9], 5) == []\n",
    }
    write(tmp_path, files)
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_m.py::test_at")
    with workshop(tmp_path, command) as shop:
        found = [one.diff for one in SearchRepairer().propose(Fault(command), shop, shop.base, 60)]
    assert "+        if price <= most:" in found[0]
    assert len(found) == len(set(found))
    assert any("(price - 1) < most" in one for one in found[1:]), found


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_a_part_of_the_corpus_is_judged_without_harm() -> None:
    found = [judge(project, bug) for project in PROJECTS for bug in project.bugs[::15]]
    assert sum(one.verdict == "wrong" for one in found) <= len(found) // 5, found


def test_commands_are_read_for_their_file() -> None:
    files = {"tests/test_a.py", "tests/a.py"}
    read = commands.read(("/bin/sh", "-c", "python -m pytest tests/test_a.py::T::test_x"), files.__contains__)
    assert read.command == ("python", "-m", "pytest", "tests/test_a.py::T::test_x")
    assert read.whole == ("python", "-m", "pytest", "tests/test_a.py")
    assert read.pytest == ("python", "-m", "pytest")
    unit = commands.read(("python", "-m", "unittest", "-q", "tests.test_a.T.test_x"), files.__contains__)
    assert unit.whole == ("python", "-m", "unittest", "-q", "tests.test_a")
    named = commands.read(
        ("/bin/sh", "-c", "python -m pytest -o addopts= 'tests/test_a.py::test_x[a b]'"), files.__contains__
    )
    assert named.whole == ("python", "-m", "pytest", "-o", "addopts=", "tests/test_a.py")
    kept = commands.read(("/bin/sh", "-c", "cd x && pytest"), files.__contains__)
    assert kept.command == ("/bin/sh", "-c", "cd x && pytest")
    given = commands.read(("/bin/sh", "-c", "PYTHONPATH=. A=b pytest tests/test_a.py"), files.__contains__)
    assert (given.env, given.command) == ({"PYTHONPATH": ".", "A": "b"}, ("pytest", "tests/test_a.py"))


def test_the_message_of_an_error_is_found_apart_from_its_frames() -> None:
    output = "E    ValueError: first\nE           TypeError: must be str, got NoneType\n\na/b.py:128: TypeError\n"
    assert said_of("builtins.TypeError", output) == "must be str, got NoneType"
    assert said_of("KeyError", output) == said_of("", output) == ""


def test_lines_that_only_the_failing_test_runs_are_suspected_most() -> None:
    spectrum = Spectrum(({"m.py": frozenset((1, 2, 3))},), ({"m.py": frozenset((1, 2))}, {"m.py": frozenset((1,))}))
    found = suspicion(spectrum, ())
    assert found["m.py", 3] > found["m.py", 2] > found["m.py", 1]
    assert suspicion(replace(spectrum, passing=()), ())["m.py", 1] == 1.0


def test_tests_are_never_edited() -> None:
    assert all(map(is_test, ("tests/test_a.py", "a/test_b.py", "conftest.py", "x/tests/util.py", "a_test.py")))
    assert all(
        map(is_test, ("yapftests/helper.py", "unit_tests/h.py", "test_project/m.py", "MyTests/a.py", "a/unittest/b.py"))
    )
    assert not any(
        map(
            is_test,
            (
                "m.py",
                "src/contest.py",
                "attestation.py",
                "contests/rank.py",
                "latest/a.py",
                "ab_tests/a.py",
                "shop/ab-test-engine/a.py",
            ),
        )
    )
