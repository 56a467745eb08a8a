"""Where a question is missing: the failing check passes when a condition is answered otherwise than it is, a step is left out, or a
function gives up at once. Such an edit is never a fix: what is asked there instead has to be found (contrast.py).

After Xuan et al., "Nopol: automatic repair of conditional statement bugs in Java programs" (TSE 2017), who call it angelic fix
localization."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prodwise.repair.edits import Edit
from prodwise.repair.search import candidates, conditions, early, only
from prodwise.repair.search.site import Site
from prodwise.repair.source import Function, Source, scope

FORCED_MOST = 300
ANSWERS_MOST = 6
KIND = "forced"
TOLD_MOST = 3
TEXT_MOST = 60


@dataclass(frozen=True)
class Forced:
    """node: the condition, the step, or the first statement of a body; answer: "yes" or "no" of a condition, "skip" of a step, else
    the statement that ends the work. edit: what the program becomes."""

    suspicion: float
    site: Site
    node: ast.expr | ast.stmt
    answer: str
    edit: Edit

    @property
    def told(self) -> str:
        place, text = f"({self.edit.path}, line {self.edit.line})", " ".join(self.site.source.of(self.node).split())
        short = text if len(text) <= TEXT_MOST else f"{text[:TEXT_MOST]}…"
        if isinstance(self.node, ast.expr):
            return f"`{short}` {place} is answered with {self.answer}"
        return (
            f"`{short}` {place} is left out" if self.answer == "skip" else f"`{self.answer}` stands before it {place}"
        )


def forced(suspects: Sequence[tuple[float, Source, ast.stmt]]) -> list[Forced]:
    """The most suspect first; FORCED_MOST at most. suspects: as pool.Pool has them."""
    found: list[Forced] = []
    for suspicion, source, statement in suspects:
        if source.function(statement) is None or isinstance(statement, Function | ast.ClassDef):
            continue
        if candidates.leaves(source, statement):
            continue
        site = Site(source, statement, scope(source, statement))
        for node, answer, edit in _of(site):
            found.append(Forced(suspicion, site, node, answer, edit))
        if len(found) >= FORCED_MOST:
            break
    return found[:FORCED_MOST]


def where(some: Sequence[Forced]) -> str:
    """For a person: what the check was seen to pass with; "" for nothing."""
    ways = ", ".join(f"when {one.told}" for one in some[:TOLD_MOST])
    return f"the check passes {ways}: no fix, but the place to look at" if ways else ""


def _of(site: Site) -> Iterator[tuple[ast.expr | ast.stmt, str, Edit]]:
    yield from _conditions(site)
    yield from _step(site)
    yield from _ends(site)


def _conditions(site: Site) -> Iterator[tuple[ast.expr, str, Edit]]:
    for node in site.source.head(site.statement):
        if conditions.is_condition(site, node) and not isinstance(
            site.source.parents.get(node), ast.BoolOp | ast.UnaryOp
        ):
            if not isinstance(site.statement, ast.While):
                yield node, "yes", site.swap(node, "True", KIND, "", 0.0)
            yield node, "no", site.swap(node, "False", KIND, "", 0.0)


def _step(site: Site) -> Iterator[tuple[ast.stmt, str, Edit]]:
    if only.is_step(site) and only.alone(site):
        yield site.statement, "skip", site.swap(site.statement, "pass", KIND, "", 0.0)


def _ends(site: Site) -> Iterator[tuple[ast.stmt, str, Edit]]:
    """At the beginning of a function what it may answer; at that of a loop's body the next turn."""
    source, statement = site.source, site.statement
    parent = source.parents.get(statement)
    if isinstance(parent, ast.For | ast.AsyncFor | ast.While) and parent.body[0] is statement:
        endings = ["continue"]
    elif isinstance(parent, Function) and early.first(parent) is statement and not _generator(parent):
        endings = [f"return {one}".rstrip() for one in _answers(parent)]
    else:
        return
    for ending in endings:
        edit = site.insert(ending, KIND, "", 0.0)
        if edit is not None:
            yield statement, ending, edit


def _generator(function: Function) -> bool:
    return any(isinstance(one, ast.Yield | ast.YieldFrom) for one in ast.walk(function))


def _answers(function: Function) -> list[str]:
    """What it may hand back without work: as `early` has it, yes and no where it answers those, what the object holds."""
    values = [one.value for one in ast.walk(function) if isinstance(one, ast.Return)]
    truth = ["True", "False"] if any(isinstance(one, ast.Compare | ast.BoolOp) for one in values) else []
    own = [ast.unparse(one) for one in values if isinstance(one, ast.Attribute) and ast.unparse(one.value) == "self"]
    containers = [text for kind, text in ((ast.List, "[]"), (ast.Dict, "{}"), (ast.Tuple, "()"))
                  if any(isinstance(one, kind) for one in values)]  # fmt: skip
    return list(dict.fromkeys((*early.answers(function), *truth, *containers, *own)))[:ANSWERS_MOST]
