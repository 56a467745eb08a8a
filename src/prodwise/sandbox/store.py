"""A git store of our own beside the repository: its objects are read, and neither it, its index nor its refs are written.

Nothing of the repository runs: no hook, filter, monitor, pager or external diff, and no attribute changes a byte.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prodwise import quiet_git
from prodwise.model.errors import GateFailed, TargetError, UsageError
from prodwise.sandbox.interpreters import environments

COMMAND_S: Final = 120.0
FILES_MAX: Final = 200_000
FILE_MAX: Final = 16 << 20
"""A larger file is no part of a snapshot."""
ALL_MAX: Final = 2 << 30
DIFF_MAX: Final = 16 << 20
TEXT_MAX: Final = 2 << 20

_SETTINGS: Final = (
    "core.untrackedCache=false", "core.autocrlf=false", "core.symlinks=true", "core.fileMode=true", "submodule.recurse=false",
    "core.protectHFS=true", "core.protectNTFS=false", "maintenance.auto=false",
)  # fmt: skip
_ALONE: Final = ("hash-object", "update-index", "write-tree")
"""Commands that write objects do not see the repository's: they would touch the times of those that are there already."""
_ATTRIBUTES: Final = "* -text -ident -filter -working-tree-encoding !diff !merge !eol\n"
LEFT: Final = ("__pycache__", "*.py[co]", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".coverage", "htmlcov",
               ".tox", ".nox", ".prodwise", ".venv", "venv", "env", "node_modules", ".git")  # fmt: skip
"""Not in a snapshot or a diff unless tracked, whatever the ignore files say."""
_GLOB: Final = r"([\\\[*?\s])"
_ESCAPED: Final = r"\\\1"
_SECRET = re.compile(
    r"(?:^|/)\.env(?:rc)?(?:\.(?!example$|sample$|template$|dist$|defaults?$)[^/]*)?$|(?:^|/)\.prodwise/", re.I
)
_PRIVATE = re.compile(
    r"(?:^|/)(?:id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc|\.pypirc|\.npmrc|\.git-credentials|credentials(?:\.json)?|\.htpasswd)$"
    r"|\.(?:pem|key|p12|pfx|jks|keystore|kdbx|sqlite3?|db|db-wal|db-shm|dump|gpg|asc)$",
    re.I,
)


def secret(path: str, tracked: bool) -> bool:
    """Whether a path must not reach a sandbox: settings of the environment never; keys and databases unless they are tracked."""
    return bool(_SECRET.search(path)) or (not tracked and bool(_PRIVATE.search(path)))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A commit as a tree of ours. index: to copy; tree: what the index holds; left: paths that are in the commit and not here."""

    index: Path
    tree: str
    left: tuple[str, ...]


class Store:
    """One repository's, for one workshop. directory: the repository or plain directory; place: a private one to use."""

    def __init__(self, directory: Path, place: Path) -> None:
        self.directory = directory
        self._place = place
        self._git = place / "store.git"
        self._prepared: dict[str, Prepared] = {}
        self._preparing = threading.Lock()
        self._objects = ""
        self.whole = self._top()
        kind = self._asks("rev-parse", "--show-object-format").strip() if self.whole else "sha1"
        self._run("init", "--quiet", "--bare", "--template=", f"--object-format={kind}", str(self._git), ours=False)
        (self._git / "info").mkdir(exist_ok=True)
        (self._git / "info" / "attributes").write_text(_ATTRIBUTES)
        if self.whole:
            self._borrow()

    def _top(self) -> bool:
        """Whether the directory is the top of a repository that has a commit."""
        try:
            top, _ = self._asks("rev-parse", "--show-toplevel", "--verify", "HEAD^{commit}").splitlines()
        except TargetError as error:
            if "not installed" in error.message:
                raise
            return False
        return os.path.realpath(top) == os.path.realpath(self.directory)

    def _borrow(self) -> None:
        """Its objects are found from here; what it ignores, and what a shallow clone lacks, is known here too."""
        asked = ("objects", "shallow", "info/exclude")
        told = self._asks("rev-parse", *(part for one in asked for part in ("--git-path", one))).splitlines()
        objects, shallow, exclude = (self.directory / one for one in told)
        self._objects = os.path.realpath(objects)
        for file, name in ((shallow, "shallow"), (exclude, "info/exclude")):
            if file.is_file():
                shutil.copyfile(file, self._git / name)

    def snapshot(self) -> tuple[str, tuple[str, ...]]:
        """(commit of what is in the directory now, paths that were left out). The same state makes the same commit."""
        tracked, modes = self._listed()
        lines, left, total = list[bytes](), list[str](), 0
        files, links = list[str](), list[tuple[str, bytes]]()
        for path in modes:
            at = self.directory / path
            try:
                found = at.lstat()
            except OSError:
                continue
            if stat.S_ISLNK(found.st_mode) and not secret(path, path in tracked):
                links.append((path, os.fsencode(os.readlink(at))))
            elif stat.S_ISDIR(found.st_mode):
                left.append(path)  # a submodule
            elif not stat.S_ISREG(found.st_mode):
                continue
            elif secret(path, path in tracked) or found.st_size > FILE_MAX or "\n" in path:
                left.append(path)
            else:
                total += found.st_size
                files.append(path)
                modes[path] = "100755" if found.st_mode & 0o100 else "100644"
        if len(files) > FILES_MAX or total > ALL_MAX:
            raise TargetError(
                f"{self.directory} holds {len(files)} files of {total >> 20} MiB: too much to repair",
                "ignore what is not code",
            )
        ids = self._hashed(files)
        lines += [os.fsencode(f"{modes[path]} {one.decode()}\t{path}\0") for path, one in zip(files, ids, strict=True)]
        for path, target in links:
            one = self._run("hash-object", "-w", "--no-filters", "--stdin", given=target).decode().strip()
            lines.append(os.fsencode(f"120000 {one}\t{path}\0"))
        index = self._place / "snapshot"
        self._run("update-index", "-z", "--index-info", given=b"".join(lines), index=index)
        return self._commit(self._text("write-tree", "--missing-ok", index=index).strip()), tuple(left)

    def _hashed(self, files: Sequence[str]) -> list[bytes]:
        """The ids of their contents; ours are written, the repository's are there already."""

        def hash_object(these: Sequence[str], *write: str) -> list[bytes]:
            named = os.fsencode("".join(f"{one}\n" for one in these))
            asked = ("hash-object", *write, "--no-filters", "--stdin-paths")
            return self._run(*asked, given=named, cwd=self.directory).split()

        ids = hash_object(files)
        told = self._run("cat-file", "--batch-check", given=b"".join(one + b"\n" for one in ids)).splitlines()
        missing = {line.split()[0] for line in told if line.endswith(b" missing")}
        hash_object([path for path, one in zip(files, ids, strict=True) if one in missing], "-w")
        return ids

    def _listed(self) -> tuple[set[str], dict[str, str]]:
        """(tracked paths, all paths that count with a mode to be found)."""
        if not self.whole:
            others = self._run(
                "ls-files", "-z", "--others", *self._excludes(), index=self._place / "none", tree=self.directory
            )
            found = [os.fsdecode(one) for one in others.split(b"\0") if one]
            return set(), dict.fromkeys(found, "100644")
        cached = [os.fsdecode(one) for one in self._raw_asks("ls-files", "-z", "--cached").split(b"\0") if one]
        others = self._raw_asks("ls-files", "-z", "--others", *self._excludes())
        found = [os.fsdecode(one) for one in others.split(b"\0") if one and not one.endswith(b"/")]
        return set(cached), dict.fromkeys([*cached, *found], "100644")

    def ignored(self) -> list[str]:
        """What git or we ignore in it; a directory that is ignored as a whole is one path and ends in "/"."""
        asked = ("ls-files", "-z", "--others", "--ignored", "--directory", *self._excludes())
        told = self._raw_asks(*asked) if self.whole else self._run(*asked, tree=self.directory)
        return [os.fsdecode(one) for one in told.split(b"\0") if one][:FILES_MAX]

    def _excludes(self) -> list[str]:
        """Those of every tree, and this directory's environments, whatever they are called."""
        return [*_excludes(), *(f"--exclude=/{re.sub(_GLOB, _ESCAPED, one)}" for one in environments(self.directory))]

    def _commit(self, tree: str) -> str:
        """HEAD itself where nothing differs from it."""
        by = "prodwise <prodwise@localhost> 1000000000 +0000"
        lines = [f"tree {tree}", f"author {by}", f"committer {by}", "", "What was in the directory", ""]
        if self.whole:
            head, its = self._asks("rev-parse", "HEAD^{commit}", "HEAD^{tree}").split()
            if its == tree:
                return head
            lines.insert(1, f"parent {head}")
        given = "\n".join(lines).encode()
        return os.fsdecode(self._run("hash-object", "-t", "commit", "-w", "--stdin", given=given)).strip()

    def known(self, ref: str) -> str:
        """Its full id. Raises UsageError for what is no commit."""
        if ref.strip() and "\0" not in ref:
            for where in (False, True) if self.whole else (False,):
                try:
                    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
                    return (self._asks(*asked) if where else self._text(*asked)).strip()
                except TargetError:
                    continue
        raise UsageError(
            f"there is no commit {ref[:80]!r} in {self.directory.name}", "`git log --oneline` lists commits"
        )

    def prepared(self, commit: str) -> Prepared:
        """The commit's files, without submodules, secrets and what is too large. Raises TargetError for a missing object."""
        with self._preparing:
            if commit not in self._prepared:
                self._prepared[commit] = self._prepare(commit)
            return self._prepared[commit]

    def _prepare(self, commit: str) -> Prepared:
        index, left, total, many = self._place / f"index-{commit}", list[str](), 0, 0
        for entry in self._run("ls-tree", "-r", "-l", "-z", "--full-tree", commit).split(b"\0")[:-1]:
            facts, _, path = entry.partition(b"\t")
            mode, _, _, size = facts.decode().split()
            many, total = many + 1, total + (int(size) if size.isdigit() else 0)
            if mode == "160000" or (size.isdigit() and int(size) > FILE_MAX) or secret(os.fsdecode(path), True):
                left.append(os.fsdecode(path))
        if many > FILES_MAX or total > ALL_MAX:
            raise TargetError(f"{commit[:12]} holds {many} files of {total >> 20} MiB: too much to repair")
        self._run("read-tree", commit, index=index)
        if left:
            gone = b"".join(os.fsencode(f"0 {'0' * len(commit)}\t{path}\0") for path in left)
            self._run("update-index", "-z", "--index-info", given=gone, index=index)
        tree = self._text("write-tree", "--missing-ok", index=index).strip()
        return Prepared(index, tree, tuple(left))

    def check_out(self, commit: str, root: Path, index: Path) -> Prepared:
        """Its files into the empty directory `root`; `index` will know them."""
        ready = self.prepared(commit)
        shutil.copyfile(ready.index, index)
        self._run("checkout-index", "--all", "--quiet", "--index", index=index, tree=root)
        return ready

    def apply(self, diff: str, root: Path) -> None:
        """Raises GateFailed with git's reason."""
        if len(diff) > DIFF_MAX:
            raise GateFailed(f"the diff is longer than {DIFF_MAX >> 20} MiB")
        given = diff.encode(errors="surrogateescape")
        with tempfile.TemporaryDirectory(dir=self._place) as nothing:
            try:
                self._run("apply", "--whitespace=nowarn", "-", given=given, tree=root, index=Path(nothing, "index"))
            except TargetError as error:
                raise GateFailed(f"the diff does not apply: {error.message}") from None

    def diff(self, tree: str, root: Path, index: Path, but: Collection[str]) -> str:
        """What differs in `root` from our tree. but: paths that were brought there."""
        now = index.with_name(f"{index.name}.now")
        shutil.copyfile(index, now)
        seen = self._run(
            "ls-files", "-z", "--modified", "--deleted", "--others", *_excludes(), index=now, tree=root
        ).split(b"\0")
        names = [(one, os.fsdecode(one)) for one in dict.fromkeys(seen) if one and not one.endswith(b"/")]
        paths = [one for one, name in names if name not in but and not secret(name, True)]
        if any(
            os.path.lexists(root / name) and (root / name).lstat().st_size > FILE_MAX
            for name in map(os.fsdecode, paths)
        ):
            raise TargetError(f"a file that was changed or made is larger than {FILE_MAX >> 20} MiB")
        try:
            if paths:
                given = b"\0".join(paths) + b"\0"
                self._run(
                    "update-index", "-z", "--add", "--remove", "--replace", "--stdin", given=given, index=now, tree=root
                )
            told = self._run("diff-index", "--cached", "-p", "--binary", "--no-renames", "--no-ext-diff", "--no-textconv",
                             "--no-color", "--src-prefix=a/", "--dst-prefix=b/", tree, index=now, most=DIFF_MAX)  # fmt: skip
        finally:
            now.unlink(missing_ok=True)
        return told.decode(errors="surrogateescape")

    def history(self, commit: str, path: str, most: int) -> list[tuple[str, str]]:
        """(commit, text) of one file, newest first; those where it is no text of reasonable length are passed over."""
        if most <= 0 or "\n" in path or "\0" in path or not path:
            return []
        told = self._text("log", "--format=%H", f"--max-count={most}", "--no-show-signature", commit, "--", path)
        found = list[tuple[str, str]]()
        for one in told.split():
            try:
                content = self._run("cat-file", "blob", f"{one}:{path}", most=TEXT_MAX)
            except TargetError:
                continue
            if b"\0" not in content:
                found.append((one, content.decode(errors="replace")))
        return found

    def _asks(self, *arguments: str) -> str:
        return os.fsdecode(self._raw_asks(*arguments))

    def _raw_asks(self, *arguments: str) -> bytes:
        """The repository itself, which is only read."""
        return self._run(*arguments, cwd=self.directory, ours=False)

    def _text(self, *arguments: str, index: Path | None = None) -> str:
        return os.fsdecode(self._run(*arguments, index=index))

    def _run(self, *arguments: str, given: bytes = b"", index: Path | None = None, tree: Path | None = None,
             cwd: Path | None = None, ours: bool = True, most: int = 256 << 20) -> bytes:  # fmt: skip
        """git's output. Raises TargetError with what it said."""
        env = {"GIT_LITERAL_PATHSPECS": "1"}
        if ours:
            env |= {"GIT_DIR": str(self._git), "GIT_INDEX_FILE": str(index or self._place / "none")}
            if self._objects and arguments[0] not in _ALONE:
                env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = self._objects
        if tree:
            env["GIT_WORK_TREE"] = str(tree)
        where = cwd or tree or self._place
        code, printed, said = quiet_git.run(arguments, where, COMMAND_S, settings=_SETTINGS, env=env, given=given)
        if code != 0:
            raise TargetError(said or f"git {arguments[0]}: exit code {code}")
        if len(printed) > most:
            raise TargetError(f"git {arguments[0]} answers with more than {most >> 20} MiB")
        return printed


def _excludes() -> list[str]:
    return ["--exclude-standard", *(f"--exclude={one}" for one in LEFT)]
