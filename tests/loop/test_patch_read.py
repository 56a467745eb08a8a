"""The diff reader against hostile text, and against git: what it takes has the effect that `git apply` says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prodwise.loop.verify.patch import DoesNotApply, NotADiff, applied, read
from tests.loop.patches import diff, gone, new_file

LINES = st.lists(
    st.sampled_from(["a", "b", "", " c", "-d", "+e", "@@ -1 +1 @@", "--- a/x", "diff --git a/x b/x", "é"]), max_size=12
)
PIECES = ["\n", "+", "-", " ", "@@ -1,2 +1,2 @@\n", "--- a/f\n", "+++ b/f\n", "diff --git a/f b/f\n", "\\ No newline at end of file\n",
          "new file mode 100644\n", "rename from f\n", "\r", "\0", '"', "\\", "9", "/dev/null", "old mode 100755\n"]  # fmt: skip


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


@st.composite
def mangled(draw: st.DrawFn) -> tuple[str, str]:
    """(a file, a diff of it that was cut and pasted into)."""
    before, after = _text(draw(LINES)), _text(draw(LINES))
    text = diff("f", before, after) if before != after else diff("f", before, before + "x\n")
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + draw(st.integers(0, 6)) :]
    return before, text


@given(st.text(max_size=400) | st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_text_is_read_or_named_no_diff(text: str) -> None:
    try:
        assert read(text)
    except NotADiff:
        return


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(mangled())
def test_what_is_taken_has_the_effect_that_git_gives_it(tmp_path: Path, given_: tuple[str, str]) -> None:
    before, text = given_
    try:
        (file,) = read(text)
        after = applied(before, file)
    except (NotADiff, DoesNotApply, ValueError):
        return
    if file.before != "f" or file.path != "f":
        return
    place = tmp_path / "f"
    place.write_bytes(before.encode())
    done = subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=text.encode(), capture_output=True, check=False)
    assert done.returncode != 0 or place.read_bytes().decode() == after


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(LINES, LINES, st.booleans(), st.booleans())
def test_what_git_writes_is_read(tmp_path: Path, old: list[str], new: list[str], old_end: bool, new_end: bool) -> None:
    before, after = _text(old).removesuffix("" if old_end else "\n"), _text(new).removesuffix("" if new_end else "\n")
    (tmp_path / "old").write_bytes(before.encode())
    (tmp_path / "new").write_bytes(after.encode())
    asked = ["git", "diff", "--no-index", "--no-color", "--", "old", "new"]
    told = subprocess.run(asked, cwd=tmp_path, capture_output=True, check=False).stdout.decode()
    if before != after:
        names = told.replace("a/old", "a/f").replace("b/new", "b/f")
        (file,) = read(names)
        assert applied(before, file) == after


def test_new_and_removed_files() -> None:
    (made,) = read(new_file("a b.py", "x\n"))
    assert (made.before, made.path, applied("", made)) == ("", "a b.py", "x\n")
    (removed,) = read(gone("x.py", "x\n"))
    assert (removed.before, removed.path, applied("x\n", removed)) == ("x.py", "", "")


def test_names_that_git_quotes() -> None:
    text = diff("f", "a\n", "b\n").replace("a/f", '"a/\\303\\251\\t.py"').replace("b/f", '"b/\\303\\251\\t.py"')
    assert read(text)[0].path == "é\t.py"


@pytest.mark.parametrize("size", [1_000_000, 5_000_000])
def test_a_huge_text_is_read_or_refused_in_linear_time(size: int) -> None:
    with pytest.raises(NotADiff):
        read("diff --git a/f b/f\n" * (size // 19) + "\n")
    with pytest.raises(NotADiff):
        read(diff("f", "a\n", "b\n") + " " * size + "\n")
