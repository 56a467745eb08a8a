"""From an error event to its group."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b

from prodwise.loop.group.blame import Blame, blame_of
from prodwise.loop.group.rules import RULES, Answer, kind_of, text_of
from prodwise.loop.group.template import printable, readable_of
from prodwise.model.event import ErrorEvent, Grouped

TITLE_CHARS = 200
_KEY_BYTES = 16
_ASKED_PARTS, _ASKED_CHARS = 50, 1_000
_DEFAULT = re.compile(r"\{\{\s{0,9}default\s{0,9}\}\}$")


def group_of(event: ErrorEvent) -> Grouped:
    """The event's group, from the event alone: order, duplication and batching cannot matter. Never raises.

    1. The first rule of `RULES` that answers gives the key's parts.
    2. What the sender asked to be grouped by replaces them; where it names `{{ default }}`, it refines them.
    3. The key is a hash of project, rule and parts: equal for equal faults of one project, and never for two projects.
    """
    rule, answer = _answer(event)
    parts = answer.parts
    asked = tuple(one[:_ASKED_CHARS] for one in event.fingerprint[:_ASKED_PARTS])
    refined = tuple(one for one in asked if not _DEFAULT.match(one))
    if refined:
        parts = (*refined, rule, *parts) if len(refined) < len(asked) else refined
        rule = "asked"
    blame = answer.blame or _shown(event)
    where = blame.call.where if blame and blame.app else ""
    return Grouped(_key((str(event.project), rule, *parts)), _title(event), where, rule)


def _answer(event: ErrorEvent) -> tuple[str, Answer]:
    answers = ((rule.name, rule.answer(event)) for rule in RULES)
    return next((name, answer) for name, answer in answers if answer is not None)


def _shown(event: ErrorEvent) -> Blame | None:
    return blame_of(event.chain[-1], event.platform) if event.chain else None


def _key(parts: Iterable[str]) -> str:
    """Hex. Each part goes in with its length, so that no text can pass for two parts."""
    whole = blake2b(digest_size=_KEY_BYTES)
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        whole.update(b"%d:" % len(raw))
        whole.update(raw)
    return whole.hexdigest()


def _title(event: ErrorEvent) -> str:
    """One line without what varies, save quoted words, which people need to recognise a fault."""
    said = readable_of(text_of(event))
    kind = kind_of(event.chain[-1]) if event.chain else ""
    title = (
        ": ".join(one for one in (kind, said) if one)
        or printable(event.logger[:TITLE_CHARS])
        or "an error that says nothing"
    )
    return title if len(title) <= TITLE_CHARS else title[: TITLE_CHARS - 1] + "…"
