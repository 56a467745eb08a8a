"""What a settings repair may write: values that the file had before, where they stood, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from prodwise.loop.choose.settings.changed import by_hunk
from prodwise.loop.choose.settings.files import form_of
from prodwise.loop.choose.settings.guarded import guarded
from prodwise.loop.choose.settings.put import entries, put, put_back
from prodwise.loop.choose.settings.told import NotApart, NotPut, Unreadable
from prodwise.model.setting import Change, Entry, Form, Key, Then

KEYS_MAX: Final = 60
WAYS_MAX: Final = 64


def other_settings(path: str, before: str, after: str, past: Sequence[str]) -> Iterator[str]:
    """Why a change is more, or other, than settings put back. past: what the file held at the commits that changed it."""
    if form_of(path) is None:
        yield f"{path} is no settings file"
        return
    moved: Sequence[Change]
    older = [text for text in dict.fromkeys(past) if text != before]
    mine, theirs = _read(path, before), _read(path, after)
    if isinstance(theirs, str):
        yield f"{path}: {theirs}"
        return
    if isinstance(mine, dict) and theirs is not None:
        keys = [key for key in {**mine, **theirs} if _value(mine, key) != _value(theirs, key)]
        found = [Change(path, key, _value(mine, key), _value(theirs, key), "", "") for key in keys]
        exact = len(keys) <= KEYS_MAX and _by_keys(path, before, after, sorted(keys), theirs, older)
        moved = found if exact or _by_hunks(path, before, after, older) else ()
    else:
        moved = _by_hunks(path, before, after, older)
    if not moved:
        yield f"{path}: it is not what this file held before, or more than that"
    yield from (f"{path}: {one.name[:80]}: {why}" for one in moved if (why := guarded(one)))


def _by_keys(
    path: str, before: str, after: str, keys: Sequence[Key], goal: dict[Key, Entry], older: Sequence[str]
) -> bool:
    """Whether those keys, put back one by one from texts that had their values, make exactly this text."""
    texts = {before}
    for key in keys:
        sources = [text for text in older if _value(_told(path, text), key) == _value(goal, key)]
        texts = set(_put(path, texts, key, sources))
    return bool(keys) and after in texts


def _put(path: str, texts: set[str], key: Key, sources: Sequence[str]) -> Iterator[str]:
    for text in sorted(texts)[:WAYS_MAX]:
        for source in sources:
            try:
                yield put(path, text, key, source)
            except NotPut:
                continue


def _by_hunks(path: str, before: str, after: str, older: Sequence[str]) -> Sequence[Change]:
    """Stretches of lines that one text had: one of them, or all. Code has none: it is put back by its constants."""
    if form_of(path) is Form.PYTHON:
        return ()
    for text in older:
        try:
            found = list(by_hunk(path, before, (Then("", before), Then("", text)), False))
        except NotApart:
            continue
        for some in (*([one] for one in found[:KEYS_MAX]), found):
            if put_back(before, some) == after:
                return some
    return ()


def _read(path: str, text: str) -> dict[Key, Entry] | str | None:
    """None where its settings are not told apart; a reason where its form does not take it."""
    try:
        return entries(path, text)
    except Unreadable as error:
        return f"it would be {error}"
    except NotApart:
        return None


def _told(path: str, text: str) -> dict[Key, Entry]:
    found = _read(path, text)
    return found if isinstance(found, dict) else {}


def _value(known: dict[Key, Entry], key: Key) -> str | None:
    return known[key].value if key in known else None
