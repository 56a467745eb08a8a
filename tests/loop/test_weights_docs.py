"""The table of weights in the documentation is the one that is used: made from the source, name by name."""

from __future__ import annotations

import re
from pathlib import Path

from prodwise.loop.choose import advice
from prodwise.loop.diagnose import weights as w
from prodwise.model.diagnosis import Cause, Hypothesis

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/prodwise/loop/diagnose/weights.py"
DOCS = ROOT / "docs/diagnosis.md"
BEGIN, END = "<!-- weights: made from loop/diagnose/weights.py -->", "<!-- end of weights -->"
_LINE = re.compile(r"^(?P<name>[A-Z_]+): Final = (?P<value>.+?)  # (?P<meaning>.+)$", re.MULTILINE)


def table() -> str:
    """Markdown: priors, then every weight with what it means."""
    priors = ", ".join(f"{cause.value.replace('_', ' ')} {w.PRIOR[cause]:+.1f}" for cause in Cause)
    rows = [f"| {one['name'].lower().replace('_', ' ')} | {_value(getattr(w, one['name']))} | {one['meaning']} |"
            for one in _LINE.finditer(SOURCE.read_text())]  # fmt: skip
    curve = ", ".join(f"{x:g} → {y:g}" for x, y in w.CURVE)
    last = ", ".join(f"{cause.value} {less:g}" for cause, less in w.LAST_RESORT.items())
    head = [f"Before anything is known: {priors}.", "", "| weight | value | when |", "|---|---|---|"]
    tail = ["", f"Temperature {w.TEMPERATURE:g}; last resorts count less by: {last}; curve: {curve}."]
    return "\n".join([*head, *rows, *tail])


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{limit:g}: {weight:+g}" for limit, weight in value)
    return f"{value:+g}" if isinstance(value, float) else str(value)


def test_the_documentation_holds_the_table_of_weights() -> None:
    found = DOCS.read_text().partition(BEGIN)[2].partition(END)[0].strip()
    assert found == table(), f"put this between the marks in {DOCS.name}:\n\n{table()}"


def test_every_weight_has_a_meaning_and_every_cause_a_prior() -> None:
    told = {one["name"] for one in _LINE.finditer(SOURCE.read_text())}
    names = {name for name in vars(w) if name.isupper()}
    assert names - told == {"VERSION", "PRIOR", "TEMPERATURE", "LAST_RESORT", "CURVE"}
    assert set(w.PRIOR) == set(Cause)


def test_the_documentation_says_what_is_done_for_each_cause() -> None:
    said = DOCS.read_text()
    for cause in Cause:
        assert f"\n| `{cause.value}` |" in said
        if todo := advice.to_do(Hypothesis(cause, "", 0.0, ())):
            assert todo in said
