"""Diffs for the tests: made from texts, as git makes them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from itertools import islice

from prodwise.loop.verify.patch import Scene, judge
from prodwise.model.action import ActionKind
from prodwise.model.patch import Proposal


def diff(path: str, before: str, after: str) -> str:
    """Of one file that stays."""
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n{hunks(before, after)}"


def new_file(path: str, text: str) -> str:
    return f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n{hunks('', text)}"


def gone(path: str, text: str) -> str:
    return f"diff --git a/{path} b/{path}\ndeleted file mode 100644\n--- a/{path}\n+++ /dev/null\n{hunks(text, '')}"


def hunks(before: str, after: str) -> str:
    told = []
    for line in islice(difflib.unified_diff(before.split("\n")[:-1], after.split("\n")[:-1], lineterm=""), 2, None):
        told.append(line)
    return "".join(f"{line}\n" for line in told)


def broken(text: str, texts: Mapping[str, str], kind: ActionKind = ActionKind.PATCH, **more: object) -> tuple[str, ...]:
    """The names of the rules that a diff breaks."""
    scene = Scene(texts, **{"near": frozenset(texts), **more})  # type: ignore[arg-type]
    return tuple(one.rule for one in judge(Proposal("test", kind, text, "because"), scene))
