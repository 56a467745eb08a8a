"""`prodwise show` and `prodwise why` for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prodwise.cli.desk import paint
from prodwise.cli.fit import tell
from prodwise.cli.status_text import heading
from prodwise.cli.tables import table, wrapped
from prodwise.cli.times import clock, since
from prodwise.server.views.words import VERDICTS

Answer = Mapping[str, Any]

OUTCOME_STYLE = {"healed": "good", "open": "warn", "undone": "warn", "escalated": "bad", "abandoned": "bad"}
VERDICT = {"pass": ("✓", "good"), "hold": ("…", "warn"), "fail": ("✗", "bad")}
TIMELINE_SHOWN = 60


def head(view: Answer) -> None:
    state = paint(view["outcome_words"], OUTCOME_STYLE.get(str(view["outcome"]), "dim"))
    where = f"{view['service']}, began {since(view['began'])}"
    tell(f"{paint(view['id'], 'bold')}  {state}  {paint(where, 'dim')}")
    tell(wrapped(view["title"], "  "))


def show_text(view: Answer) -> None:
    """Impact, decision in one line, timeline, evidence, what is not known."""
    head(view)
    impact = ", ".join(view["impact"])
    tell(f"  {impact}; {view['span']}")
    if view["reach"]:
        tell(wrapped(f"reaches: {view['reach']['fault']['text']}", "    ", "  "))
    _notes(view)
    if view["phases"]:
        heading("Requests")
        table(
            ("", "requests", "failed", "share"),
            [(p["name"], f"{p['requests']:,}", f"{p['failed']:,}", p["share"]) for p in view["phases"]],
            indent=2,
        )
    heading("Timeline")
    moments = view["timeline"]
    if len(moments) > TIMELINE_SHOWN:
        tell(f"  … {len(moments) - TIMELINE_SHOWN} earlier; all of them with --json")
    table(("", "", ""), [(clock(m["at"]), (m["who"], "dim"), m["what"]) for m in moments[-TIMELINE_SHOWN:]], indent=2)
    heading("Evidence")
    _bullets([f"{fact['text']}  [{fact['source']}]" for fact in view["evidence"]], "none stored yet")
    heading("What I don't know")
    _bullets(view["unknown"])
    more = f"prodwise why {view['id']}" + (f"   prodwise undo {view['id']}" if view["can_undo"] else "")
    tell(f"\n{paint(more, 'accent')}")


def why_text(view: Answer) -> None:
    """Symptoms, diagnosis with evidence, what was done and why, the ladder, each act, what is not known."""
    head(view)
    heading("What I saw")
    _bullets(view["symptoms"], "nothing yet")
    heading("What I think it is")
    for cause in view["causes"]:
        _cause(cause)
    if not view["causes"]:
        tell("  Not yet known.")
    _notes(view)
    _decision(view["decision"])
    _reach(view["reach"])
    heading("Step by step")
    done = [m for m in view["timeline"] if m["group"] in ("changes", "people")]
    if done:
        table(("", "", ""), [(clock(m["at"]), (m["who"], "dim"), m["what"]) for m in done[-20:]], indent=2)
    else:
        tell("  Nothing.")
    heading("What I don't know")
    _bullets(view["unknown"])


def _notes(view: Answer) -> None:
    """What people said against the diagnosis, and who has the incident."""
    if view["taken_over"]:
        tell(wrapped(f"{view['taken_over']} has taken it over; Prodwise only watches", "    ", "  ▲ "))
    for note in view["notes"]:
        said = f"{note['who']} at {clock(note['at'])}: this diagnosis is wrong: {note['text']} (about: {note['about']})"
        tell(wrapped(said, "    ", "  ✗ "))


def _cause(cause: Answer) -> None:
    tell(wrapped(f"{cause['text']} ({cause['likelihood']})", "    ", "  ● "))
    if cause["origin"]:
        tell(wrapped(cause["origin"], "      ", "    "))
    for sign, texts in (("+", cause["supports"]), ("−", cause["contradicts"])):
        for text in texts:
            tell(wrapped(text, "        ", f"      {sign} "))


def _reach(reach: Answer | None) -> None:
    """The fault's, and each step's, smallest first."""
    if not reach:
        return
    heading("How far it reaches")
    for one in (reach["fault"], *reach["steps"]):
        chosen = reach["chosen"] is not None and one["about"] == reach["chosen"]["about"]
        mark = "▸" if chosen else "●" if one is reach["fault"] else "-"
        tell(wrapped(f"{mark} {one['about']} reaches: {one['text']}", "    ", "  "))
        for text in one["lasting"] if chosen else ():
            tell(wrapped(f"to know: {text}", "      ", "    "))


def _decision(decision: Answer) -> None:
    """What was done and why, what it was asked, then what was smaller and why it was not taken."""
    heading(decision["title"])
    chosen = next((rung for rung in decision["rungs"] if rung["state"] == "chosen"), None)
    if chosen is not None:
        tell(f"  {paint('▸', 'accent')} {paint(chosen['action'], 'bold')}  ({decision['state']})")
        tell(wrapped(chosen["reason"], "      ")) if chosen["reason"] else None
    for reason in decision["refusal"]:
        tell(wrapped(f"no action by itself: {reason}", "    ", "  "))
    if chosen is None and not decision["refusal"]:
        tell("  Not yet known.")
    if decision["risk"]:
        tell(wrapped(decision["risk"], "    ", "  "))
    for label in ("undo", "authority"):
        tell(wrapped(f"{label}: {decision[label]}", "    ", "  "))
    for title, found in (("How the release was judged", decision["verdicts"]), ("Checked before", decision["gates"])):
        if found:
            heading(title)
            gates(found)
    _not_chosen(decision)


def _not_chosen(decision: Answer) -> None:
    smaller = [rung for rung in decision["rungs"] if rung["state"] != "chosen"]
    if smaller or decision["smallest"]:
        heading("Why nothing smaller")
    if decision["smallest"]:
        tell(wrapped(decision["smallest"], "  "))
    for rung in smaller:
        tell(f"  {paint('✗', 'dim')} {paint(rung['action'], 'dim')}")
        if rung["reason"]:
            tell(wrapped(rung["reason"], "      "))
    if decision["bigger"]:
        heading("Why nothing bigger")
        tell(wrapped(decision["bigger"], "  "))


def gates(found: Sequence[Answer]) -> None:
    for gate in found:
        mark, style = VERDICT.get(str(gate["verdict"]), VERDICT["hold"])
        word = VERDICTS.get(str(gate["verdict"]), VERDICTS["hold"])
        said = f"{mark} {gate.get('name') or gate.get('gate') or ''} {word}" + (
            f": {gate['reason']}" if gate["reason"] else ""
        )
        tell(wrapped(said, "      ", "  ").replace(mark, paint(mark, style), 1))


def _bullets(texts: Sequence[str], none: str = "nothing") -> None:
    for text in texts or (none,):
        tell(wrapped(text, "    ", "  - "))
