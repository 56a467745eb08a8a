"""Workshops of all kinds of directories. None of those is touched, and nothing of theirs runs outside the sandbox."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prodwise.model.errors import Refused, TargetError, UsageError
from prodwise.ports.repair import Limits, Tree
from prodwise.ports.repair import Workshop as Port
from prodwise.sandbox import carried, jail, store
from prodwise.sandbox.workshop import Workshop, remove
from prodwise.testing import workshop_kit
from tests.sandbox.conftest import git

SOON = Limits(seconds=20)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Not under /tmp's own permissions alone: a directory that other users may pass."""
    yield tmp_path
    remove(tmp_path)


@pytest.fixture
def repo(place: Path) -> Path:
    made = place / "repo"
    made.mkdir()
    git(made, "init", "--quiet", "--initial-branch=main")
    (made / "app.py").write_text("one = 1\ntwo = 2\nthree = 3\n")
    (made / ".gitignore").write_text("*.log\nbuild/\ndata/\n.venv/\nnode_modules/\n*.so\n")
    git(made, "add", "-A")
    git(made, "commit", "--quiet", "-m", "First")
    (made / "app.py").write_text("one = 1\ntwo = 2\nthree = 4\n")
    git(made, "commit", "--quiet", "-am", "Second")
    return made


def fingerprint(directory: Path) -> str:
    """Names, kinds, modes, times and contents of all that is in it."""
    found = hashlib.sha256()
    for at in sorted(directory.rglob("*")):
        facts = at.lstat()
        found.update(
            f"{at}\0{facts.st_mode}\0{facts.st_uid}\0{facts.st_mtime_ns}\0{facts.st_ctime_ns}\0".encode(
                errors="surrogateescape"
            )
        )
        if at.is_symlink():
            found.update(os.readlink(at).encode())
        elif at.is_file():
            found.update(at.read_bytes())
    return found.hexdigest()


def files(tree: Tree) -> set[str]:
    return {str(one.relative_to(tree.root)) for one in tree.root.rglob("*") if not one.is_dir() or one.is_symlink()}


@pytest.mark.parametrize("check", workshop_kit.CHECKS, ids=lambda check: check.__name__)
def test_keeps_the_promises_of_a_workshop(check: object, repo: Path) -> None:
    (repo / "untracked.py").write_text("x = 1\n")
    (repo / "app.py").write_text("one = 1\ntwo = 2\nthree = 5\n")
    before = fingerprint(repo)
    with Workshop(repo) as shop:
        port: Port = shop
        assert callable(check)
        check(workshop_kit.Rig(port, shop.base, "app.py", lambda: fingerprint(repo)))
    assert fingerprint(repo) == before


def test_trees_may_be_made_by_many_at_once(repo: Path) -> None:
    with Workshop(repo) as shop, ThreadPoolExecutor(6) as pool:

        def made(number: int) -> str:
            with shop.fresh("HEAD~1") as tree:
                (tree.root / "app.py").write_text(f"{number}\n")
                return tree.run(("cat", "app.py"), SOON).output

        assert list(pool.map(made, range(12))) == [f"{number}\n" for number in range(12)]


def test_a_clean_repository_is_its_head(repo: Path) -> None:
    with Workshop(repo) as shop:
        assert shop.base == git(repo, "rev-parse", "HEAD")


def test_the_same_state_is_the_same_commit(repo: Path) -> None:
    (repo / "app.py").write_text("one = 7\n")
    with Workshop(repo) as one, Workshop(repo) as other:
        assert one.base == other.base != git(repo, "rev-parse", "HEAD")


def test_what_is_in_the_directory_counts(repo: Path) -> None:
    (repo / "app.py").unlink()
    (repo / "new.py").write_text("new = 1\n")
    (repo / "staged.py").write_text("staged = 1\n")
    git(repo, "add", "staged.py")
    (repo / "staged.py").write_text("staged = 2\n")
    (repo / "run.sh").write_text("#!/bin/sh\necho ran\n")
    (repo / "run.sh").chmod(0o755)
    (repo / "x.log").write_text("ignored\n")
    before = fingerprint(repo)
    with Workshop(repo) as shop, shop.fresh(shop.base) as tree:
        assert files(tree) == {".gitignore", "new.py", "staged.py", "run.sh"}
        assert (tree.root / "staged.py").read_text() == "staged = 2\n"
        assert tree.run(("./run.sh",), SOON).output == "ran\n"
    assert fingerprint(repo) == before


def test_a_directory_without_a_repository(place: Path) -> None:
    plain = place / "plain"
    (plain / "pkg").mkdir(parents=True)
    (plain / "pkg" / "a.py").write_text("a = 1\n")
    (plain / ".env").write_text("KEY=1\n")
    (plain / "__pycache__").mkdir()
    (plain / "__pycache__" / "a.pyc").write_text("x")
    with Workshop(plain) as shop, shop.fresh(shop.base) as tree:
        assert files(tree) == {"pkg/a.py"}
        assert shop.left == (".env",)
        assert [text for _, text in shop.history("pkg/a.py", 5)] == ["a = 1\n"]
    assert not (plain / ".git").exists()


def test_a_repository_without_a_commit(place: Path) -> None:
    git(place, "init", "--quiet", "begun")
    (place / "begun" / "a.py").write_text("a = 1\n")
    with Workshop(place / "begun") as shop, shop.fresh(shop.base) as tree:
        assert files(tree) == {"a.py"}


def test_an_empty_directory(place: Path) -> None:
    (place / "empty").mkdir()
    with Workshop(place / "empty") as shop, shop.fresh(shop.base) as tree:
        assert files(tree) == set()
        assert tree.run(("pwd",), SOON).output.strip() == str(place / "empty")


def test_a_directory_in_a_repository(repo: Path) -> None:
    (repo / "part").mkdir()
    (repo / "part" / "a.py").write_text("a = 1\n")
    git(repo, "add", "-A")
    git(repo, "commit", "--quiet", "-m", "Part")
    with Workshop(repo / "part") as shop, shop.fresh(shop.base) as tree:
        assert files(tree) == {"a.py"}


def test_a_path_with_a_link_is_known_by_both_names(repo: Path, place: Path) -> None:
    (place / "other").symlink_to(repo)
    with Workshop(place / "other") as shop, shop.fresh(shop.base) as tree:
        assert (
            tree.run(("cat", f"{place}/other/app.py"), SOON).output == tree.run(("cat", f"{repo}/app.py"), SOON).output
        )


def test_a_linked_worktree_and_a_shallow_clone(repo: Path, place: Path) -> None:
    git(repo, "worktree", "add", "--quiet", str(place / "linked"), "-b", "side")
    git(place, "clone", "--quiet", "--depth=1", f"file://{repo}", "shallow")
    for one, known in ((place / "linked", 2), (place / "shallow", 1)):
        with Workshop(one) as shop, shop.fresh("HEAD") as tree:
            assert shop.base == git(one, "rev-parse", "HEAD")
            assert "app.py" in files(tree)
            assert len(shop.history("app.py", 9)) == known


def test_odd_names_and_contents_come_back_as_they_are(repo: Path) -> None:
    odd = {"with space.py": b"a\n", "täst.py": b"a\n", os.fsdecode(b"latin-\xe9.py"): b"a\n", "-n": b"a\n", ":(top)x": b"a\n",
           "crlf.txt": b"a\r\nb\r\n", "bytes.bin": bytes(range(256)), "latin.txt": "é\n".encode("latin-1")}  # fmt: skip
    for name, content in odd.items():
        (repo / name).write_bytes(content)
    (repo / ".gitattributes").write_text("*.txt text eol=lf working-tree-encoding=UTF-16\n*.py ident filter=broken\n")
    with Workshop(repo) as shop:
        with shop.fresh(shop.base) as tree:
            assert all((tree.root / name).read_bytes() == content for name, content in odd.items())
            assert tree.diff() == ""
            for name in odd:
                (tree.root / name).write_bytes(odd[name] + b"more\xff\r\n")
            diff = tree.diff()
        with shop.fresh(shop.base) as tree:
            tree.apply(diff)
            assert all((tree.root / name).read_bytes() == content + b"more\xff\r\n" for name, content in odd.items())


def test_nothing_of_the_repository_runs(repo: Path, place: Path) -> None:
    ran = place / "ran"
    script = place / "script"
    script.write_text(f"#!/bin/sh\necho $0 >> {ran}\ncat\n")
    script.chmod(0o755)
    for name in ("post-checkout", "post-index-change", "pre-applypatch", "post-commit", "reference-transaction"):
        (repo / ".git" / "hooks" / name).write_bytes(script.read_bytes())
        (repo / ".git" / "hooks" / name).chmod(0o755)
    for key in ("core.fsmonitor",
                "filter.any.clean", "filter.any.smudge", "filter.any.process", "diff.any.textconv", "diff.any.command",
                "diff.external", "merge.any.driver", "core.pager", "gpg.program", "core.sshCommand", "core.editor"):  # fmt: skip
        git(repo, "config", key, str(script))
    (repo / ".git" / "info" / "attributes").write_text("* filter=any diff=any merge=any\n")
    (repo / ".gitattributes").write_text("* filter=any diff=any merge=any\n")
    ran.unlink(missing_ok=True)
    with Workshop(repo) as shop, shop.fresh(shop.base) as tree, shop.fresh("HEAD"):
        (tree.root / "app.py").write_text("one = 9\n")
        assert "+one = 9" in tree.diff()
        shop.history("app.py", 5)
    assert not ran.exists()


def test_nothing_that_a_command_planted_runs(repo: Path, place: Path) -> None:
    ran = place / "ran"
    plant = f"""
git init --quiet . && git init --quiet nested && mkdir -p sub/.git/hooks
for at in .git nested/.git; do
  printf '[core]\\n\\tfsmonitor = "touch {ran}; :"\\n\\thooksPath = {place}\\n\\tworktree = /\\n' >> $at/config
  printf '[filter "f"]\\n\\tclean = touch {ran}\\n' >> $at/config
done
echo '* filter=f' > .gitattributes; echo 'x = 1' > nested/x.py; echo gitdir: /etc > sub/file
echo "import os; os.system('touch {ran}')" > sitecustomize.py
mkfifo app.fifo; rm app.py; ln -s /etc/passwd app.py; ln -s / slash
"""
    with Workshop(repo) as shop, shop.fresh(shop.base) as tree:
        assert tree.run(("sh", "-c", plant), SOON).code == 0
        diff = tree.diff()
        assert "root:" not in diff
        assert "+/etc/passwd" in diff
        tree.apply("--- /dev/null\n+++ b/fine.py\n@@ -0,0 +1 @@\n+fine = 1\n")
        with pytest.raises(Exception, match="symbolic link"):
            tree.apply("--- /dev/null\n+++ b/slash/tmp/escaped\n@@ -0,0 +1 @@\n+out\n")
        tree.run(("true",), SOON)
    assert not ran.exists()


def test_a_place_to_mount_that_became_a_link_is_not_mounted_on(repo: Path) -> None:
    (repo / "web" / "node_modules" / "left-pad").mkdir(parents=True)
    (repo / "web" / "node_modules" / "left-pad" / "index.js").write_text("x\n")
    with Workshop(repo) as shop, shop.fresh(shop.base) as tree:
        assert tree.run(("cat", "web/node_modules/left-pad/index.js"), SOON).output == "x\n"
        tree.run(("sh", "-c", "mv web moved && ln -s /etc web"), SOON)
        ran = tree.run(("ls", "web/node_modules"), SOON)
        assert ran.code != 0
        assert (tree.root / "web").is_symlink()


def test_a_tree_whose_modes_were_taken_away_is_removed(repo: Path) -> None:
    with Workshop(repo) as shop:
        with shop.fresh(shop.base) as tree:
            tree.run(("sh", "-c", "mkdir -p a/b; touch a/b/c; ln -s / a/out; chmod 000 a/b a"), SOON)
        assert not tree.root.exists()
    assert not tree.root.parent.parent.exists()


def test_a_tree_that_is_too_deep_to_be_named_is_removed(repo: Path) -> None:
    code = "import os\nfor i in range(1100):\n  os.mkdir('d' * 9)\n  os.chdir('d' * 9)"
    with Workshop(repo) as shop:
        with shop.fresh(shop.base) as tree:
            assert tree.run(("python3", "-c", code), SOON).code == 0
            assert tree.run(("true",), SOON).code == 0
        assert not tree.root.exists()
    assert not tree.root.parent.parent.exists()


def test_a_link_to_an_environment_elsewhere(repo: Path, place: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place / "elsewhere")], check=True)
    (repo / ".venv").symlink_to(place / "elsewhere")
    with Workshop(repo) as shop, shop.fresh(shop.base) as tree:
        assert (
            tree.run(("python", "-c", "import sys; print(sys.executable)"), SOON).output == f"{repo}/.venv/bin/python\n"
        )
        assert tree.diff() == ""


def test_a_large_file_is_no_part_of_a_diff(repo: Path) -> None:
    with Workshop(repo) as shop, shop.fresh(shop.base) as tree:
        tree.run(("truncate", "-s", "100M", "large"), SOON)
        with pytest.raises(TargetError, match="larger"):
            tree.diff()


def test_submodules_are_seen_and_no_part_of_a_diff(repo: Path, place: Path) -> None:
    git(place, "init", "--quiet", "lib")
    (place / "lib" / "lib.py").write_text("lib = 1\n")
    git(place / "lib", "add", "-A")
    git(place / "lib", "commit", "--quiet", "-m", "Lib")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(place / "lib"), "lib")
    git(repo, "commit", "--quiet", "-am", "Submodule")
    with Workshop(repo) as shop, shop.fresh(shop.base) as tree, shop.fresh("HEAD") as head:
        assert tree.run(("cat", "lib/lib.py"), SOON).output == "lib = 1\n"
        assert tree.run(("sh", "-c", "echo x > lib/lib.py"), SOON).code != 0
        assert tree.diff() == head.diff() == ""


def test_large_files_are_seen_and_no_part_of_a_snapshot(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FILE_MAX", 1_000)
    (repo / "model.bin").write_bytes(b"x" * 2_000)
    with Workshop(repo) as shop, shop.fresh(shop.base) as tree:
        assert shop.left == ("model.bin",)
        assert tree.run(("wc", "-c", "model.bin"), SOON).output.split()[0] == "2000"
        assert tree.diff() == ""


def test_too_much_is_refused(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FILES_MAX", 1)
    with pytest.raises(TargetError, match="too much to repair"):
        Workshop(repo)


def test_what_tests_need_is_carried_and_secrets_are_not(repo: Path) -> None:
    for path in (
        "build/made.py",
        "build/.env",
        "fast.so",
        "data/users.db",
        "node_modules/a/index.js",
        "x.log",
        ".env.local",
    ):
        (repo / path).parent.mkdir(parents=True, exist_ok=True)
        (repo / path).write_text(f"{path}\n")
    with Workshop(repo) as shop, shop.fresh(shop.base) as tree:
        told = tree.run(("sh", "-c", "cat build/made.py fast.so node_modules/a/index.js"), SOON)
        assert told.output == "build/made.py\nfast.so\nnode_modules/a/index.js\n"
        for secret in ("build/.env", "data/users.db", "x.log", ".env.local"):
            assert tree.run(("cat", secret), SOON).output != f"{secret}\n"
        assert tree.run(("sh", "-c", "echo x > node_modules/a/index.js"), SOON).code != 0
        assert tree.diff() == ""


def test_what_is_too_much_to_look_through_for_secrets_is_not_carried(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carried, "LOOKED_MAX", 2)
    for path in ("build/1", "build/2", "build/3", "build/.env", "node_modules/1", "node_modules/2", "node_modules/3"):
        (repo / path).parent.mkdir(exist_ok=True)
        (repo / path).write_text("x\n")
    with Workshop(repo) as shop, shop.fresh(shop.base) as tree:
        assert tree.run(("ls", "node_modules"), SOON).output == "1\n2\n3\n"
        assert tree.run(("ls", "build"), SOON).code != 0


def test_an_environment_in_the_repository_works_at_its_own_path(repo: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(repo / ".venv")], check=True)
    packages = next((repo / ".venv" / "lib").glob("python*")) / "site-packages"
    (packages / "editable.pth").write_text(f"{repo / 'src'}\n")
    (repo / "src").mkdir()
    (repo / "src" / "lib.py").write_text("value = 'edited'\n")
    with Workshop(repo) as shop, shop.fresh(shop.base) as tree:
        ran = tree.run(("python", "-c", "import lib, sys; print(lib.value, sys.prefix)"), SOON)
        assert ran.output == f"edited {repo / '.venv'}\n"
        (tree.root / "src" / "lib.py").write_text("value = 'repaired'\n")
        assert (
            tree.run((str(repo / ".venv/bin/python"), "-c", "import lib; print(lib.value)"), SOON).output
            == "repaired\n"
        )


def test_an_environment_is_known_whatever_it_is_called(repo: Path) -> None:
    for name in ("py 3", ".tox/py3"):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(repo / name)], check=True)
        (repo / name / "host.key").write_text("not for them\n")
    with Workshop(repo) as shop, shop.fresh(shop.base) as tree:
        assert "pyvenv.cfg" not in tree.diff()
        assert not (tree.root / "py 3" / "pyvenv.cfg").exists(), "seen, and no part of the snapshot"
        for name in ("py 3", ".tox/py3"):
            line = f"'{name}/bin/python' -c 'import sys; print(sys.prefix)'; cat '{name}/host.key'; touch '{name}/a'"
            assert tree.run(("sh", "-c", line), SOON).output.splitlines()[:1] == [str(repo / name)]
            assert "not for them" not in tree.run(("cat", f"{name}/host.key"), SOON).output
            assert not (repo / name / "a").exists()


def test_an_environment_elsewhere_is_found_by_the_command(repo: Path, place: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place / "elsewhere")], check=True)
    (place / "elsewhere.txt").write_text("not for them\n")
    line = f"cd . && {place}/elsewhere/bin/python -c 'import sys; print(sys.prefix)'"
    with Workshop(repo, (line,)) as shop, shop.fresh(shop.base) as tree:
        assert tree.run(("sh", "-c", line), SOON).output == f"{place}/elsewhere\n"
        assert tree.run(("cat", f"{place}/elsewhere.txt"), SOON).code != 0


@pytest.mark.parametrize("path", ["/", "/etc", "/usr/bin", "~", "/no/such/directory"])
def test_places_that_are_no_repositories(path: str) -> None:
    with pytest.raises(UsageError):
        Workshop(Path(os.path.expanduser(path)))


def test_without_a_sandbox_nothing_runs(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jail.require.cache_clear()
    monkeypatch.setattr(jail, "bubblewrap", lambda: "/bin/false")
    with pytest.raises(Refused) as refused:
        Workshop(repo)
    assert "bubblewrap" in refused.value.hint
    jail.require.cache_clear()


def test_a_sandbox_that_does_not_hold_is_none(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jail.require.cache_clear()
    real = jail.arguments
    monkeypatch.setattr(
        jail, "arguments", lambda view, env: [*(one for one in real(view, env) if one != "--unshare-net")]
    )
    with pytest.raises(Refused, match="does not hold"):
        Workshop(repo)
    jail.require.cache_clear()


def test_a_closed_workshop_leaves_nothing(repo: Path) -> None:
    with Workshop(repo) as shop:
        held = shop._place
        assert held.stat().st_mode & 0o077 == 0
    assert not held.exists()


def test_what_a_killed_workshop_left_is_removed_and_what_is_in_use_is_not(
    repo: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(place))
    code = "import os, sys, pathlib; from prodwise.sandbox.workshop import Workshop;"
    code += "w = Workshop(pathlib.Path(sys.argv[1])); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, str(repo)], check=True, env=os.environ | {"TMPDIR": str(place)})
    (left,) = place.glob("prodwise-shop-*")
    with Workshop(repo) as one, Workshop(repo):
        assert not left.exists()
        with one.fresh(one.base) as tree:
            assert files(tree) == {".gitignore", "app.py"}
