"""`prodwise status` for people: what is broken, what Prodwise is doing, what it needs. Always in this order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prodwise.cli.desk import paint
from prodwise.cli.fit import tell
from prodwise.cli.tables import table, wrapped
from prodwise.cli.times import since
from prodwise.clock import now
from prodwise.server.views.words import left

BADGE = {
    "ok": ("● OK", "good"),
    "degraded": ("▲ Degraded", "warn"),
    "down": ("■ Down", "bad"),
    "unknown": ("○ Unknown", "dim"),
}
STEP = {"done": ("✓", "good"), "now": ("▸", "accent"), "todo": ("·", "dim")}

Answer = Mapping[str, Any]


def status_text(status: Answer) -> None:
    word, style = BADGE[str(status["state"])]
    tell(f"{paint(status['app'], 'bold')}  {paint(word, style)}  {paint(status['address'], 'dim')}")
    _broken(status)
    _doing(status)
    _needs(status)
    _foot(status)


def heading(text: str) -> None:
    tell(f"\n{paint(text, 'dim')}")


def _broken(status: Answer) -> None:
    heading("What is broken")
    tell(wrapped(str(status["sentence"]), "  "))
    if status["since"] is not None:
        tell(f"  began {', '.join([since(status['since']), *status['harm']])}")
    if lately := status["lately"]:
        tell(wrapped(f"{lately['title']} ({lately['incident']})", "    ", "  "))
        tell(f"    {', '.join([lately['ended'], since(lately['closed']), *lately['harm']])}")
    if unmet := status["unmet"]:
        tell(wrapped(unmet["text"], "    ", "  "))
        tell(wrapped(unmet["fix"], "    ", "    "))
    for detail in status["details"]:
        tell(wrapped(f"also: {detail}", "    ", "  "))
    rows = []
    for line in status["services"]:
        word, style = BADGE[line["level"]]
        rows.append((line["id"], (word, style), line["rate"], line["failed"], line["p50"], line["p95"]))
    if rows:
        tell()
        table(("service", "", "requests", "failed", "p50", "p95"), rows, indent=2)


def _doing(status: Answer) -> None:
    heading("What Prodwise is doing")
    tell(wrapped(str(status["doing"]), "  "))
    for story in status["stories"]:
        held = bool(story["taken_over"])
        steps = "" if held else "  ".join(_step(step) for step in story["steps"])
        tell(f"  {paint(story['incident'], 'bold')}  {steps}")
        for label, text in (
            ("now", "" if held else story["waits"]),
            ("next", story["next"]),
            ("so far", story["elapsed"]),
            ("why not smaller", "" if held else story["smaller"]),
            ("why not bigger", "" if held else story["bigger"]),
        ):
            if text:
                tell(wrapped(f"{label}: {text}", "      ", "    "))
    shipping = status["shipping"]
    if shipping:
        if shipping["headline"] != status["doing"]:
            tell(wrapped(shipping["headline"], "  "))
        for gate in shipping["gates"]:
            tell(wrapped(gate, "      ", "    "))


def _step(step: Answer) -> str:
    mark, style = STEP[step["state"]]
    note = f" ({step['note']})" if step["note"] else ""
    return paint(f"{mark} {step['name']}{note}", style)


def _needs(status: Answer) -> None:
    heading("What it needs from you")
    if not status["needs"]:
        tell(wrapped(str(status["at_rest"]), "  "))
    for card in status["needs"]:
        tell(wrapped(card["question"], "  "))
        for text in (card["impact"], card["risk"], card["default"]):
            if text:
                tell(wrapped(text, "    "))
        for command in _answers(card):
            tell(f"    {paint(command, 'accent')}")


def _answers(card: Answer) -> list[str]:
    """What to type."""
    if card["kind"] == "approval":
        wait = f"   ({left(card['deadline'] - now())} left)" if card["deadline"] else ""
        return [f"prodwise approve {card['id']}", f"prodwise deny {card['id']}{wait}"]
    if card["kind"] == "stopped":
        return ["prodwise start"]
    commands = []
    for link in card["links"]:
        path = str(link["href"]).strip("/").split("/")
        if path[:2] == ["confirm", "rollback"]:
            commands.append("prodwise rollback")
        elif path[:2] == ["confirm", "handback"] and len(path) == 3:
            commands.append(f"prodwise takeover {path[2]} --back")
        elif path[:2] == ["confirm", "restart"] and len(path) == 3:
            commands.append(f"prodwise restart {path[2]}")
        elif path[0] == "incidents" and len(path) == 2:
            commands.append(f"prodwise why {path[1]}")
    return commands


def _foot(status: Answer) -> None:
    parts = [f"stage {status['stage']}" + (f" ({status['held']})" if status["held"] else "")]
    if status["stop"]["on"]:
        parts.append(f"STOPPED by {status['stop']['who'] or 'a person'}")
    freeze = status["freeze"]
    if freeze["on"]:
        until = f" for {left(freeze['until'] - now())} more" if freeze["until"] else ""
        parts.append(f"frozen by {freeze['who'] or 'a person'}{until}")
    parts.append(f"self-test {status['self_test']}")
    recovery = status["report"]["recovery"]
    parts.append(f"recovery over 30 days: {recovery['text']}")
    tell(f"\n{paint(' · '.join(parts), 'dim')}")


def offline_text(status: Answer, app: str) -> None:
    """The healer does not answer; this is what the machine itself shows."""
    runs = bool(status.get("guard"))
    tell(f"{paint(app, 'bold')}  {paint('○ Unknown', 'dim')}  {paint(status.get('address') or '', 'dim')}")
    tell(
        "  The healer does not answer. "
        + ("The app runs on without it." if runs else "The guard does not answer either.")
    )
    for name in ("supervisor", "guard", "proxy", "healer"):
        tell(f"    {name.ljust(11)}{paint('runs', 'good') if status.get(name) else paint('does not run', 'bad')}")
    if running := status.get("receivers"):
        tell(
            f"    {'receivers'.ljust(11)}{paint('run', 'good')} ({len(running)}): reports are taken and kept meanwhile"
        )
    if status.get("stopped"):
        tell("  Automation is stopped by a person.")
    start, back = paint("prodwise up", "accent"), paint("prodwise rollback", "accent")
    tell(f"  Start what is missing: {start}   Go back a release: {back}")
