"""Any deploy script, one JSON object; or the same object as `data` of a Standard Webhooks payload."""

from __future__ import annotations

import hashlib
from typing import Final

from prodwise.config import HookConfig
from prodwise.model.change import OUTSIDE, Change, ChangeKind
from prodwise.model.outside import Call, Told
from prodwise.signals.hooks.reading import NAME_MAX, Unreadable, instant, mapping, parsed, text

KINDS: Final = {
    one.value: one for one in (ChangeKind.RELEASE, ChangeKind.CONFIG, ChangeKind.FLAG, ChangeKind.DEPENDENCY)
}
KEYS: Final = frozenset({"version", "previous", "service", "kind", "who", "text", "at"})
INVERSE: Final = "none of ours: it was put in place elsewhere"


def read(call: Call, config: HookConfig, now: float) -> Told:
    """One change. Raises Unreadable naming what is missing or unknown."""
    data = parsed(call.body)
    data = mapping(data["data"]) if isinstance(data.get("data"), dict) and "type" in data else data
    if unknown := sorted(set(data) - KEYS):
        raise Unreadable(f"unknown key {text(unknown[0], 40)!r}", f"known: {', '.join(sorted(KEYS))}")
    version, kind = text(data.get("version"), NAME_MAX), text(data.get("kind", "release"), NAME_MAX)
    if not version:
        raise Unreadable("`version` is missing", 'send {"version": "…"}: what runs now')
    if kind not in KINDS:
        raise Unreadable(f"kind {kind!r} is not known", f"known: {', '.join(sorted(KINDS))}")
    at = instant(data.get("at"), now)
    who, told = text(data.get("who"), NAME_MAX) or "a deploy", text(data.get("text"))
    digest = hashlib.sha256(call.body + str(int(at)).encode()).hexdigest()[:20]
    made = Change(
        f"{OUTSIDE}deploy-{digest}", at, KINDS[kind], text(data.get("service"), NAME_MAX),
        text(data.get("previous"), NAME_MAX), version, who, INVERSE, told or f"{kind} {version} by {who}",
    )  # fmt: skip
    return Told(changes=(made,))
