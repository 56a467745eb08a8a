"""`prodwise show` and `prodwise why` for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prodwise.cli.desk import paint
from prodwise.cli.fit import tell
from prodwise.cli.status_text import heading
from prodwise.cli.tables import table, wrapped
from prodwise.cli.times import clock, since

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
    tell(f"  {impact}; {'lasted' if view['ended'] else 'so far'} {view['lasted']}")
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
    """Symptoms, diagnosis with evidence, the ladder, gates, what was done, what is not known."""
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
    heading("What was done")
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
    heading("What I chose, smallest first")
    for rung in decision["rungs"]:
        chosen = rung["state"] == "chosen"
        mark = paint("▸", "accent") if chosen else paint("✗", "dim")
        tell(f"  {mark} {paint(rung['action'], 'bold' if chosen else 'dim')}")
        if rung["reason"]:
            tell(wrapped(rung["reason"], "      "))
    if not decision["rungs"]:
        tell("  Nothing chosen yet.")
    for reason in decision["refusal"]:
        tell(wrapped(f"not acting: {reason}", "    ", "  "))
    for label in ("risk", "undo", "authority"):
        if decision[label]:
            tell(wrapped(f"{label}: {decision[label]}", "    ", "  "))
    if decision["gates"]:
        heading("Gates")
        gates(decision["gates"])


def gates(found: Sequence[Answer]) -> None:
    for gate in found:
        mark, style = VERDICT.get(str(gate["verdict"]), VERDICT["hold"])
        name = gate.get("name") or gate.get("gate") or ""
        tell(
            wrapped(f"{mark} {gate['verdict']}  {name}: {gate['reason']}", "      ", "  ").replace(
                mark, paint(mark, style), 1
            )
        )


def _bullets(texts: Sequence[str], none: str = "nothing") -> None:
    for text in texts or (none,):
        tell(wrapped(text, "    ", "  - "))
