"""What to ask where a question is missing: what is so when the failing test comes past, and is not when tests that pass do."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from prodwise.repair.edits import Edit
from prodwise.repair.forced import Forced
from prodwise.repair.probe import Place, Visit
from prodwise.repair.search import conditions, only
from prodwise.repair.search.questions import Question, askable

EACH_MOST = 12
SOMETIMES = 0.4
"""A question that not every visit of the failing test answers with yes is less likely by so much."""
NEGATED = 0.1


@dataclass(frozen=True)
class Asked:
    """A place with its questions, the condition that stands there first where there is one."""

    forced: Forced
    questions: Sequence[Question]
    place: Place


def asked(one: Forced) -> Asked:
    statement, source = one.site.statement, one.site.source
    questions = askable(one.site, one.node)
    own = (source.of(one.node),) if isinstance(one.node, ast.expr) else ("True",)
    place = Place(
        source.path, statement.lineno, source.last_head_line(statement), (*own, *(each.asked for each in questions))
    )
    return Asked(one, questions, place)


def edits(one: Asked, visits: Sequence[Visit], failing: Collection[str], passing: Collection[str]) -> list[Edit]:
    """The likeliest questions that tell those visits of the failing tests in which the program must do otherwise from all visits of
    the passing ones in which it does now what it should; EACH_MOST at most, and none where no passing test comes past."""
    now = {"yes": "0?", "no": "1?"}.get(one.forced.answer, "1")
    bad = [each.answers for each in visits if each.test in failing and each.answers[0] in now]
    good = [each.answers for each in visits if each.test in passing and each.answers[0] == now[0]]
    if not bad or not good:
        return []
    raises = any(each[0] == "?" for each in bad)
    found = list(_telling(one.questions, bad, good))
    made = (_edit(one.forced, text, cost, raises) for text, cost in sorted(found, key=lambda pair: pair[1]))
    return [each for each in made if each is not None][:EACH_MOST]


def _telling(questions: Sequence[Question], bad: Sequence[str], good: Sequence[str]) -> Iterator[tuple[str, float]]:
    for at, one in enumerate(questions, 1):
        here, there = {each[at] for each in bad}, {each[at] for each in good}
        for yes, no, text, more in (("1", "0", one.text, 0.0), ("0", "1", conditions.negated(one.text), NEGATED)):
            if yes in here and there == {no}:
                yield text, one.cost + more + SOMETIMES * (here != {yes})


def _edit(one: Forced, question: str, cost: float, raises: bool) -> Edit | None:
    site, node = one.site, one.node
    if isinstance(node, ast.expr):
        term, word = (question, "or") if one.answer == "yes" else (conditions.negated(question), "and")
        why = f"only the failing call is one of which `{question}`"
        return conditions.joined(site, node, term, word, why, cost, before=raises)
    if one.answer == "skip":
        return only.where(site, conditions.negated(question), cost)
    return site.insert(f"if {question}:\n    {one.answer}", "guard", f"the case `{question}` is missing", cost)
