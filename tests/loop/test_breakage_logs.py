"""Logs in, the guilty dependency out: logs as text with what should come of them, and anything at all as a log."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodwise.loop.diagnose.logs import Sieve, clean, diagnose_log
from prodwise.loop.diagnose.logs.manifests import moved
from prodwise.loop.diagnose.logs.pins import pin
from prodwise.loop.diagnose.logs.sieve import HEAD_BYTES, KEPT_BYTES, TAIL_BYTES
from prodwise.loop.diagnose.logs.text import HITS_MAX, LINE_CHARS_MAX, QUOTE_CHARS_MAX
from prodwise.loop.diagnose.logs.versions import beyond, newer
from prodwise.model.breakage import Breakage, Ecosystem, Moved

FOLDER = Path(__file__).parent / "breakages"
HEADING = re.compile(r"^=== ([^|\n]+) \| ([^|\n]*) \| (\S+)\n", re.MULTILINE)


def logs() -> list[tuple[str, str, str, str]]:
    """(title, packages that may be named, kind, log) of every log in the folder."""
    found = []
    for file in sorted(FOLDER.glob("*.txt")):
        _, *parts = HEADING.split(file.read_text())
        for title, what, kind, log in zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=True):
            found.append((f"{file.stem}: {title}", what.strip(), kind, log))
    return found


def diagnose(text: str, changed: list[Moved] | None = None) -> Breakage:
    return diagnose_log(clean(text.encode()), changed)


@pytest.mark.parametrize(("what", "kind", "log"), [one[1:] for one in logs()], ids=[one[0] for one in logs()])
def test_the_guilty_package_leads(what: str, kind: str, log: str) -> None:
    found = diagnose(log)
    if not what:
        assert found.causes == ()
        assert found.unknown, "nothing found says what is not known"
        return
    first = found.causes[0]
    assert first.what in what.split(" / ")
    assert first.kind.value == kind
    assert 0 < first.confidence < 1
    assert first.evidence
    assert all(quote.text.rstrip("…") in " ".join(log.split()) for quote in first.evidence if quote.number)
    assert sum(one.confidence for one in found.causes) <= 1.01


def test_versions_come_from_the_log() -> None:
    by_title = {title: log for title, _, _, log in logs()}
    cases = {
        "java: a sibling that stands out": ("2.1", "2.9"),
        "java: a lock that names another version": ("1.4", "1.9"),
        "ruby: an error in the gem that was just updated": ("6.5.8", "7.0.0"),
        "php: a method that a major version dropped": ("2.9.1", "3.0.0"),
        "python: an error in the package that was just replaced": ("3.20.1", "4.21.0"),
    }
    for title, versions in cases.items():
        first = diagnose(by_title[title]).causes[0]
        assert (first.version_from, first.version_to) == versions, title
        assert versions[0] in first.pin


def test_what_changed_in_the_repository_counts() -> None:
    log = 'Traceback (most recent call last):\n  File "/v/site-packages/alpha/x.py", line 3, in f\n    b.go()\n' + (
        '  File "/v/site-packages/beta/y.py", line 9, in go\n    raise KeyError(1)\nKeyError: 1\n'
    )
    alone = diagnose(log)
    assert alone.causes[0].what == "beta"
    assert any("--repo" in line for line in alone.unknown)
    told = diagnose(log, [Moved(Ecosystem.PYTHON, "alpha", "1.0", "2.0", "uv.lock in 0123abcd")])
    assert told.causes[0].what == "alpha"
    assert (told.causes[0].version_from, told.causes[0].version_to) == ("1.0", "2.0")
    assert told.causes[0].evidence[-1].text == "uv.lock in 0123abcd: alpha 1.0 → 2.0"


def test_a_change_alone_is_no_cause_of_a_log_that_tells_of_no_failure() -> None:
    changed = [Moved(Ecosystem.NODE, "left-pad", "1.0.0", "2.0.0", "package.json in 0123abcd")]
    assert diagnose("all is well\n", changed).causes == ()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=3_000))
def test_anything_is_a_log(data: bytes) -> None:
    found = diagnose_log(clean(data))
    assert found.causes or found.unknown


PIECES = (
    "Traceback (most recent call last):",
    '  File "/v/site-packages/a/b.py", line 1, in f',
    "ImportError: cannot import name 'x' from 'a.b'",
    'npm ERR! peer a@"^1" from b@2.0.0',
    "npm ERR! Found: a@2.0.0",
    "    at f (/app/node_modules/a/b.js:1:2)",
    "TypeError: a.b is not a function",
    "[ERROR] Failed to execute goal a:b-compiler-plugin:1:compile (x) on project y: Compilation failure",
    "java.lang.NoSuchMethodError: 'a.b.C.d()'",
    "\tat a.b.C.d(C.java:1)",
    "[ERROR] /x/src/main/java/a/b/C.java:[1,2] cannot find symbol",
    "  symbol:   class X",
    "  location: package a.b.c",
    "Dependency convergence error for a.b:c:1 paths to dependency are:",
    "+-a:b:1",
    "  +-c:d:2",
    "and",
    "a.go:1:2: undefined: b.C",
    "\x1b[31merror[E0432]: unresolved import `a::b`",
    "/gems/a-1.0/lib/a.rb:1:in `x': undefined method `y' for nil (NoMethodError)",
    "  - a/b 1.0 requires c/d ^2 -> found c/d[3.0]",
    "error: failed to select a version for `a`.",
    "Because a depends on b>=1 and b<1, version solving failed.",
    "Expected a.b:c:jar:1:compile:jar but found a.b:c:jar:2:compile:jar",
    "{",
    "((((",
    "\\",
    "",
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=40), max_size=40))
def test_any_mixture_of_true_lines_is_survived_and_shown_clean(lines: list[str]) -> None:
    found = diagnose("\n".join(lines))
    for cause in found.causes:
        assert 0 < cause.confidence < 1
        for text in (cause.what, cause.version_to, cause.pin, *(quote.text for quote in cause.evidence)):
            assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", text)
            assert len(text) <= QUOTE_CHARS_MAX + 200


@pytest.mark.parametrize(
    "filler", ["a", "a.", "a-", "1.", "a ", "A::", "a/", "'a", "node_modules/", "a 1 depends on b "]
)
def test_long_lines_of_repeated_text_are_read_in_bounded_time(filler: str) -> None:
    """Each true line with what makes patterns go back and forth; the deadline is the test's own, and generous."""
    long = filler * (4 * LINE_CHARS_MAX // len(filler))
    lines = [f"{line} {long}" for line in PIECES] + [f"{long}{line}" for line in PIECES]
    found = diagnose("\n".join(lines * 10))
    assert len(found.causes) <= 8


def test_what_is_searched_is_counted() -> None:
    log = clean(b"npm ERR! x\n" * 10_000)
    assert sum(1 for _ in log.hits("npm ERR!")) == HITS_MAX
    assert max(len(line) for line in clean(b"x" * 100_000).text.split("\n")) == LINE_CHARS_MAX


def test_a_huge_log_is_kept_by_its_ends_and_telling_lines() -> None:
    sieve = Sieve()
    piece = b"INFO all is well so far\n" * 40_000
    sieve.take(b"the beginning\n")
    for _ in range(12):
        sieve.take(piece)
    sieve.take(b"ImportError: in the middle\n" + piece)
    for _ in range(12):
        sieve.take(piece)
    sieve.take(b"the end\n")
    kept = sieve.kept
    assert sieve.cut
    assert kept.startswith(b"the beginning\n")
    assert kept.endswith(b"the end\n")
    assert b"ImportError: in the middle" in kept
    assert len(kept) <= HEAD_BYTES + TAIL_BYTES + KEPT_BYTES + 2 * len(piece)
    assert any("larger" in line for line in diagnose_log(clean(kept, sieve.cut)).unknown)


def test_a_small_log_is_kept_whole() -> None:
    sieve = Sieve()
    for letter in b"abc\n":
        sieve.take(bytes([letter]))
    assert (sieve.kept, sieve.cut) == (b"abc\n", False)


def test_times_before_each_line_are_no_part_of_it() -> None:
    log = "\n".join(
        f"2024-05-01T10:00:0{i}.0000000Z {line}"
        for i, line in enumerate(
            [
                "a",
                "Error [ERR_REQUIRE_ESM]: require() of ES Module /a/node_modules/chalk/i.js from /a/x.j"
                "s not supported.",
                "b",
            ]
        )
    )
    assert diagnose(log).causes[0].what == "chalk"


def test_terminal_codes_are_no_part_of_a_line() -> None:
    found = diagnose("\x1b[1m\x1b[31merror\x1b[0m: no matching package named `serde_x` found\n   Compiling a v1.0.0\n")
    assert found.causes[0].what == "serde_x"
    assert found.causes[0].evidence[0].text.startswith("error: no matching package named")


MANIFESTS: dict[str, tuple[str, str, tuple[str, str, str]]] = {
    "requirements.txt": (
        "flask==2.0\nwerkzeug==2.3.7\n",
        "flask==2.0\nwerkzeug==3.0.0\n",
        ("werkzeug", "2.3.7", "3.0.0"),
    ),
    "uv.lock": (
        '[[package]]\nname = "a"\nversion = "1.0"\n',
        '[[package]]\nname = "a"\nversion = "2.0"\n',
        ("a", "1.0", "2.0"),
    ),
    "pyproject.toml": (
        '[project]\ndependencies = ["a>=1.0"]\n',
        '[project]\ndependencies = ["a>=2.0"]\n',
        ("a", "1.0", "2.0"),
    ),
    "package.json": ('{"dependencies": {"a": "^1.0.0"}}', '{"dependencies": {"a": "^2.0.0"}}', ("a", "1.0.0", "2.0.0")),
    "package-lock.json": (
        '{"packages": {"node_modules/@s/a": {"version": "1.0.0"}}}',
        '{"packages": {"node_modules/@s/a": {"version": "2.0.0"}}}',
        ("@s/a", "1.0.0", "2.0.0"),
    ),
    "yarn.lock": (
        '"@s/a@^1.0.0":\n  version "1.0.0"\n',
        '"@s/a@^2.0.0":\n  version "2.0.0"\n',
        ("@s/a", "1.0.0", "2.0.0"),
    ),
    "pnpm-lock.yaml": ("packages:\n\n  /@s/a@1.0.0:\n", "packages:\n\n  '@s/a@2.0.0':\n", ("@s/a", "1.0.0", "2.0.0")),
    "pom.xml": (
        "<properties><a.version>1.0</a.version></properties><dependency><groupId>g</groupId><ar"
        "tifactId>a</artifactId><version>${a.version}</version></dependency>",
        "<properties><a.version>2.0</a.version></properties><dependency><groupId>g</groupId><ar"
        "tifactId>a</artifactId><version>${a.version}</version></dependency>",
        ("g:a", "1.0", "2.0"),
    ),
    "build.gradle": ("implementation 'g:a:1.0'", "implementation 'g:a:2.0'", ("g:a", "1.0", "2.0")),
    "Gemfile.lock": ("    rack (2.2.3)\n", "    rack (3.0.0)\n", ("rack", "2.2.3", "3.0.0")),
    "go.mod": (
        "require (\n\tgithub.com/a/b v1.0.0\n)\n",
        "require (\n\tgithub.com/a/b v1.1.0\n)\n",
        ("github.com/a/b", "v1.0.0", "v1.1.0"),
    ),
    "composer.lock": (
        '{"packages": [{"name": "a/b", "version": "1.0.0"}]}',
        '{"packages": [{"name": "a/b", "version": "2.0.0"}]}',
        ("a/b", "1.0.0", "2.0.0"),
    ),
    "Cargo.lock": (
        '[[package]]\nname = "a"\nversion = "1.0.0"\n',
        '[[package]]\nname = "a"\nversion = "1.1.0"\n',
        ("a", "1.0.0", "1.1.0"),
    ),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_tells_what_changed(name: str) -> None:
    before, after, expected = MANIFESTS[name]
    found = moved(f"sub/{name}", before, after, "here")
    assert [(one.name, one.before, one.after) for one in found] == [expected]
    assert moved(name, after, after, "here") == []


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(MANIFESTS)),
    st.text(max_size=300) | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps),
)
def test_a_manifest_may_hold_anything(name: str, text: str) -> None:
    assert isinstance(moved(name, text, text + "x", "here"), list)


def test_versions_are_compared_as_versions() -> None:
    assert newer("1.10.0", "1.9.3")
    assert newer("2.0.0", "2.0.0-rc1")
    assert not newer("v1.2", "1.2.0")
    assert not newer("", "1.0")


@pytest.mark.parametrize(
    ("version", "wanted", "side"),
    [
        ("19.0.0", "^16.8 || ^17.0.0 || ^18.0.0", 1),
        ("4.15.5", "^4.16.2", -1),
        ("3.26.20", "4.x", -1),
        ("2.0.2", "<1.27 and >=1.25.4", 1),
        ("1.2.0", ">=1.0,<2.0", 0),
        ("", ">=1", 0),
        ("2.5", "~2.0", 0),
        ("2.1.0", "~2.0.0", 1),
    ],
)
def test_a_version_lies_above_below_or_within(version: str, wanted: str, side: int) -> None:
    assert beyond(version, wanted) == side


def test_no_command_is_made_of_a_name_that_is_none() -> None:
    assert pin(Ecosystem.PYTHON, "a'; rm -rf /", "1.0") == ""
    assert pin(Ecosystem.NODE, "-g", "1.0") == ""
    assert pin(Ecosystem.RUST, "serde", "$(x)") == ""
    assert pin(Ecosystem.NODE, "@s/a", "1.0.0") == "npm install --save-exact @s/a@1.0.0"
