"""The words that pages, API and terminal share: times, shares, actions, actors. Pure; outside text made harmless."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from prodwise.model.action import ActionKind
from prodwise.model.incident import USERS_COUNTED_MAX

TEXT_MAX = 600
NOT_YET = "not yet known"
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def visible(text: object, longest: int = TEXT_MAX) -> str:
    """Control, bidirectional and other invisible characters as visible escapes; cut to `longest` with an ellipsis."""
    raw = str(text)
    if len(raw) > longest:
        raw = raw[: longest - 1] + "…"
    if raw.isascii() and raw.isprintable():
        return raw
    return "".join(_shown(char) for char in raw)


def _shown(char: str) -> str:
    if char == "\n" or char == "\t":
        return char
    if unicodedata.category(char) not in _INVISIBLE:
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def duration(seconds: float) -> str:
    """ "0.8 s", "45 s", "3 min", "2 h 5 min", "6 days"."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s" if seconds % 1 else f"{seconds:.0f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest and hours < 10 else f"{hours} h"
    return f"{round(seconds / 86400)} days"


def left(seconds: float) -> str:
    """Time left, in whole seconds, minutes, hours or days: a countdown."""
    if seconds <= 0:
        return "now"
    return duration(float(max(1, round(seconds))))


def ago(at: float, now: float) -> str:
    gone = now - at
    if gone < 1:
        return "just now"
    return f"{duration(float(int(gone)))} ago"


def percent(share: float) -> str:
    """ "0.4 %", "31 %"; never "0 %" for what is not nothing, nor "100 %" for what is not all."""
    value = share * 100
    if value <= 0:
        return "0 %"
    if value < 0.1:
        return "< 0.1 %"
    if value < 9.95:
        return f"{value:.1f} %".replace(".0 %", " %")
    if 99.5 <= value < 100:
        return "> 99 %"
    return f"{value:.0f} %"


def count(number: float, one: str, many: str = "") -> str:
    """ "1 request", "1,204 requests"."""
    return f"{number:,.0f} {one if number == 1 else many or one + 's'}"


def tally(counts: Mapping[str, int]) -> str:
    """ "2 no key, 1,204 too large": how often each happened, "" for nothing."""
    return ", ".join(f"{number:,} {reason.replace('_', ' ')}" for reason, number in sorted(counts.items()))


def size(bytes_: float) -> str:
    """ "512 B", "16 MiB", "77.7 GiB"."""
    if abs(bytes_) >= 2**30:
        return f"{bytes_ / 2**30:,.1f} GiB"
    power = next((power for power in (2, 1) if abs(bytes_) >= 1024**power), 0)
    return f"{bytes_ / 1024**power:.0f} {('B', 'KiB', 'MiB')[power]}"


def harm(people: int | None, failed: int, over: bool = False) -> tuple[str, ...]:
    """Whom it hit: "38 people hit", "102 requests failed". people: None when not known, which is said; over: nothing more is
    counted."""
    if not failed:
        unknown, none = (
            ("impact not known", "no request failed") if over else (f"impact {NOT_YET}", "no request failed so far")
        )
        return (unknown if people is None else none,)
    if not people:
        return (f"{count(failed, 'request')} failed", "how many people were hit is not known")
    known = f"{people:,}+ people" if people >= USERS_COUNTED_MAX else count(people, "person", "people")
    return (f"{known} hit", f"{count(failed, 'request')} failed")


def gate_reason(gate: Mapping[str, Any]) -> str:
    """A gate's reason without the service that its name begins with already ("web: errors", "web: 28 answers …")."""
    service, colon, _ = str(gate.get("gate", "")).partition(": ")
    return str(gate.get("reason", "")).removeprefix(service + colon if colon else "")


VERDICTS: Mapping[str, str] = {"pass": "passed", "hold": "not yet", "fail": "failed"}
"""A gate's verdict, for people."""
AUTOMATIC = frozenset({"prodwise", "guard", "supervisor", "proxy", "prober", ""})


def is_person(actor: str) -> bool:
    return actor.partition(":")[0] not in AUTOMATIC


def actor_name(actor: str) -> str:
    return {"": "Prodwise", "prodwise": "Prodwise"}.get(actor, actor)


_VERB = {
    ActionKind.RESTART: "restart",
    ActionKind.FLAG_OFF: "switch off",
    ActionKind.PIN: "pin",
    ActionKind.SETTING: "put back",
    ActionKind.REVERT: "revert",
    ActionKind.PATCH: "patch",
    ActionKind.DEPLOY: "ship",
    ActionKind.PROMOTE: "give all traffic to",
}


def action_words(kind: str, service: str, targets: tuple[str, ...], params: Mapping[str, str]) -> str:
    """ "restart web", "go back to release 6-6c12aaa", "hand over to a person"."""
    if kind == ActionKind.HANDOVER:
        return "hand over to a person"
    if kind == ActionKind.ROLLBACK:
        goal = params.get("to") or params.get("release") or (targets[0] if targets else "")
        return f"go back to release {goal}" if goal else "go back to the last good release"
    try:
        verb = _VERB[ActionKind(kind)]
    except (ValueError, KeyError):
        verb = kind.replace("_", " ") or "act on"
    return f"{verb} {service or ', '.join(targets) or 'the app'}"


def plan_words(plan: Mapping[str, Any]) -> str:
    """One line for a stored plan. Tolerates missing parts."""
    action = mapping(plan.get("action"))
    given = action.get("params")
    pairs = given.items() if isinstance(given, Mapping) else (sequence(pair) for pair in sequence(given))
    params = {str(pair[0]): str(pair[1]) for pair in pairs if len(pair) == 2}
    targets = tuple(str(target) for target in sequence(action.get("targets")))
    return action_words(str(action.get("kind", "")), str(action.get("service", "")), targets, params)


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: object) -> tuple[Any, ...]:
    """The value's items if it is a JSON array, else none."""
    return tuple(value) if isinstance(value, list | tuple) else ()


def number(value: object) -> float | None:
    """The value if it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if value - value == 0 else None
