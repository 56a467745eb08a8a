"""One setting of a repository, by its name, back to what it was."""

from __future__ import annotations

from dataclasses import dataclass

from prodwise.loop.choose.settings import NotPut, asked, put_back, why
from prodwise.loop.verify.patch.settings import other_settings
from prodwise.model.errors import GateFailed, Refused, TargetError
from prodwise.model.setting import Change
from prodwise.repair.scratch import Scratch
from prodwise.repair.settings.lately import RANGE_MAX, diff_of, lately, named


@dataclass(frozen=True, slots=True)
class Back:
    """The change that is taken back, its diff against the base, and both in words."""

    change: Change
    diff: str
    said: str


def back(made: Scratch, base: str, key: str, path: str = "", since: str = "") -> Back:
    """path: the file, "" for any; since: a commit whose value is wanted, "" for the one before its last change.

    The same rule as for a proposal judges what comes out: a value that this file held, where it stood, and nothing besides.
    Raises UsageError, Refused where it is a person's, GateFailed where the rule does not hold.
    """
    one = asked(lately(made, base, since), key, path)
    try:
        diff = diff_of(made, base, (one,))
    except (NotPut, TargetError) as error:
        raise Refused(f"{one.name} in {one.path} cannot be put back: {error}", "put it back by hand") from None
    text = made.text(base, one.path) or ""
    past = [then for _, then in made.history(one.path, RANGE_MAX, base)]
    if wrong := next(other_settings(one.path, text, put_back(text, [one]), past), ""):
        raise GateFailed(f"{one.name} was not put back: {wrong}", "nothing was changed; put it back by hand")
    return Back(one, diff, why((one,), lambda commit: named(made, commit, base)))
