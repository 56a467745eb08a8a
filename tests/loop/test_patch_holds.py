"""A pin may write down its own hold, and nothing else into that file; what it brings must have stood there before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from prodwise.loop.choose.pins import holds_in, planned
from prodwise.loop.choose.pins.holds import held
from prodwise.loop.verify.dependencies import moved, strange
from prodwise.loop.verify.patch import read
from prodwise.model.action import ActionKind
from prodwise.model.breakage import Ecosystem
from prodwise.model.pin import HOLDS_FILE, Hold
from tests.loop.patches import broken, diff, gone, new_file
from tests.repair.repos import digest, pyproject, uv_lock

TODAY, LATER = date(2031, 1, 1), date(2031, 1, 31)


def hold(package: str = "six", version: str = "1.16.0", ecosystem: Ecosystem = Ecosystem.PYTHON) -> Hold:
    return Hold(package, ecosystem, version, "it broke", TODAY, LATER)


def hashed(version: str) -> str:
    return f"six=={version} --hash=sha256:{digest('six', version)}\n"


def npm(version: str) -> Mapping[str, str]:
    entry = {
        "version": version,
        "resolved": f"https://registry.npmjs.org/debug/-/debug-{version}.tgz",
        "integrity": f"sha512-{'a' * 40}{version.replace('.', '')}==",
    }
    root = {"name": "app", "dependencies": {"debug": "^4.3.0"}}
    lock = {"name": "app", "lockfileVersion": 3, "packages": {"": root, "node_modules/debug": entry}}
    return {"package.json": json.dumps(root, indent=2) + "\n", "package-lock.json": json.dumps(lock, indent=2) + "\n"}


def uv(version: str) -> Mapping[str, str]:
    now = {"idna": "3.4", "six": version}
    return {"pyproject.toml": pyproject(now), "uv.lock": uv_lock(now)}


def requirements(version: str) -> Mapping[str, str]:
    return {"requirements.txt": hashed(version), "requirements.in": "six>=1.15\n"}


KINDS = {
    "uv": (uv("1.17.0"), uv("1.16.0"), hold()),
    "requirements": (requirements("1.17.0"), requirements("1.16.0"), hold()),
    "npm": (npm("4.3.5"), npm("4.3.4"), hold("debug", "4.3.4", Ecosystem.NODE)),
}


def proposed(now: Mapping[str, str], edits: Mapping[str, str]) -> str:
    parts = (diff(path, now[path], text) if path in now else new_file(path, text) for path, text in edits.items())
    return "".join(parts)


def edited(kind: str) -> tuple[Mapping[str, str], dict[str, str]]:
    now, then, wanted = KINDS[kind]
    return now, dict(planned(now, then, wanted).edits)


def rules(now: Mapping[str, str], edits: Mapping[str, str], kind: ActionKind = ActionKind.PIN) -> tuple[str, ...]:
    return broken(proposed(now, edits), now, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pin_and_its_hold_are_allowed_together(kind: str) -> None:
    now, edits = edited(kind)
    assert HOLDS_FILE in edits
    assert rules(now, edits) == ()
    assert "protected path" in rules(now, edits, ActionKind.PATCH)


def test_a_hold_that_stands_is_replaced_and_others_stay() -> None:
    now, then, wanted = KINDS["uv"]
    other = held(held("", hold("idna", "3.4")), replace(wanted, version="1.14.0", since=date(2030, 1, 1)))
    now = {**now, HOLDS_FILE: other}
    edits = dict(planned(now, then, wanted, renew=True).edits)
    assert {one.package: one.version for one in holds_in(edits[HOLDS_FILE])} == {"idna": "3.4", "six": "1.16.0"}
    assert rules(now, edits) == ()


def changed(**facts: object) -> str:
    return held("", replace(hold(), **facts))  # type: ignore[arg-type]


HONEST = changed(was={"requirements.txt": "==1.16.0", "requirements.in": ">=1.15"})
TAMPERED = {
    "a second hold": held(HONEST, hold("idna", "3.4")),
    "another package": changed(package="idna", version="3.4"),
    "another version": changed(version="1.15.0"),
    "another ecosystem": changed(ecosystem=Ecosystem.NODE),
    "for ever": changed(expires=date(2099, 1, 1)),
    "ended before it began": changed(expires=date(2030, 1, 1)),
    "a long reason": changed(reason="x" * 5_000),
    "a reason that hides text": changed(reason="ok\u202e evil"),
    "gives back what was never asked for": changed(was={"requirements.in": " @ https://evil.example/x.whl"}),
    "gives back to another file": changed(was={"setup.py": "import os"}),
    "a range": changed(version=">=1.16.0"),
    "a name that says more": changed(package="six --index-url https://evil.example"),
    "a table of its own": HONEST + '\n[forge]\nkind = "github"\n',
    "a comment": HONEST.replace("[[hold]]", "# approved by a person\n[[hold]]"),
    "a key more": HONEST + 'approved = "yes"\n',
    "no TOML": HONEST + "][\n",
    "nothing": "",
}


@pytest.mark.parametrize("what", TAMPERED)
def test_nothing_else_is_written_into_the_holds(what: str) -> None:
    now, edits = edited("requirements")
    assert edits[HOLDS_FILE] == HONEST
    text = TAMPERED[what]
    assert rules(now, edits | {HOLDS_FILE: text} if text else {**edits, HOLDS_FILE: "\n"})


def test_holds_of_others_are_neither_changed_nor_ended() -> None:
    now, edits = edited("requirements")
    standing = held("", hold("idna", "3.4"))
    now = {**now, HOLDS_FILE: standing}
    honest = held(standing, next(iter(holds_in(edits[HOLDS_FILE]))))
    assert rules(now, {**edits, HOLDS_FILE: honest}) == ()
    assert rules(now, {**edits, HOLDS_FILE: honest.replace("3.4", "3.5")})
    assert rules(now, edits), "the other's hold is gone"
    without = proposed(now, {path: text for path, text in edits.items() if path != HOLDS_FILE})
    assert broken(without + gone(HOLDS_FILE, standing), now, ActionKind.PIN)


def test_a_hold_alone_pins_nothing() -> None:
    now, edits = edited("requirements")
    assert rules(now, {HOLDS_FILE: edits[HOLDS_FILE]})


@pytest.mark.parametrize("name", ["sub/.prodwise-holds.toml", ".Prodwise-Holds.toml", ".prodwise-holds.toml.txt"])
def test_only_that_file_is_meant(name: str) -> None:
    now, edits = edited("requirements")
    text = edits.pop(HOLDS_FILE)
    assert "protected path" in rules(now, {**edits, name: text})


def test_a_hold_is_no_link_and_no_program() -> None:
    now, edits = edited("requirements")
    whole = proposed(now, edits)
    assert rules(now, edits) == ()
    for mode in ("120000", "100755"):
        assert broken(whole.replace("new file mode 100644", f"new file mode {mode}"), now, ActionKind.PIN)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_planner_takes_from_history_is_known(kind: str) -> None:
    now, edits = edited(kind)
    then = KINDS[kind][1]
    before = "\n".join([*now.values(), *then.values()])
    for file in read(proposed(now, edits)):
        if file.path == HOLDS_FILE:
            continue
        assert list(strange(file.path, file.added, before)) == []
        assert list(strange(file.path, file.added, now[file.path])), "and was not there already"
    lock = next(path for path in edits if path.endswith(("lock", "lock.json", ".txt")))
    assert [one.known for one in moved(lock, now[lock], edits[lock], [then[lock]])] == [True]
    assert [one.known for one in moved(lock, now[lock], edits[lock], [now[lock]])] == [False]


def test_a_version_of_another_package_is_not_known() -> None:
    before, after = "a==1.0\nb==2.0\n", "a==2.0\nb==2.0\n"
    (one,) = moved("requirements.txt", before, after, [before])
    assert (one.name, one.versions, one.known) == ("a", ("2.0",), False)
