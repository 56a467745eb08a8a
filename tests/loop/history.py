"""Histories for the suspects' tests: files edited commit by commit, told as git tells them without context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import SequenceMatcher

from prodwise.loop.diagnose.suspect import Search, wanted
from prodwise.model.commit import Commit, FileChange, Hunk
from prodwise.model.event import ErrorEvent

Files = Mapping[str, str]
CART = """from shop import prices


def total(lines):
    amount = 0
    for line in lines:
        amount += line["price"]
    return amount + prices.fee(amount)
"""
PRICES = """def fee(amount):
    return 490 if amount < 5000 else 0
"""
START: Files = {
    "shop/cart.py": CART,
    "shop/prices.py": PRICES,
    "README.md": "# Shop\n",
    "requirements.txt": "teatime==1.2.0\n",
}


def change(before: str, path: str, old: str, new: str) -> FileChange:
    """As git tells it without context."""
    a, b = old.splitlines(), new.splitlines()
    codes = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    hunks = [Hunk(i + 1, m + 1, tuple(a[i:j]), tuple(b[m:n])) for tag, i, j, m, n in codes if tag != "equal"]
    return FileChange(before, path, tuple(hunks))


def changes(old: Files, new: Files, renames: Mapping[str, str]) -> tuple[FileChange, ...]:
    told = [
        change(renames.get(path, path), path, old.get(renames.get(path, path), ""), text)
        for path, text in new.items()
        if path not in old or old[path] != text
    ]
    gone = [
        change(path, "", text, "") for path, text in old.items() if path not in new and path not in renames.values()
    ]
    created = [replace(one, before="") if one.before not in old else one for one in told]
    return tuple(sorted([*created, *gone], key=lambda one: (one.path, one.before)))


class Line:
    """A linear history, one commit after the other."""

    def __init__(self, start: Files = START) -> None:
        self.files: Files = dict(start)
        self.commits: list[Commit] = []

    def commit(self, title: str, renames: Mapping[str, str] | None = None, **named: str) -> Line:
        edits = {path.replace("__", "/"): text for path, text in named.items()}
        return self.put(title, {**self.files, **edits}, renames or {})

    def swap(self, title: str, path: str, old: str, new: str) -> Line:
        assert old in self.files[path]
        return self.put(title, {**self.files, path: self.files[path].replace(old, new)}, {})

    def put(self, title: str, files: Files, renames: Mapping[str, str]) -> Line:
        """renames: new path → old one."""
        at = len(self.commits)
        parents = (self.commits[-1].sha,) if self.commits else ("base",)
        told = changes(self.files, files, renames)
        self.commits.append(Commit(f"{at + 1:07d}", title, "Ana", 1000.0 + at, parents, told))
        self.files = files
        return self

    def search(self, *events: ErrorEvent, routes: tuple[str, ...] = (), onset: float | None = None) -> Search:
        texts = {path: self.files[path] for path in wanted(self.commits, events, tuple(self.files))}
        return Search(tuple(self.commits), events, routes, texts, onset)
