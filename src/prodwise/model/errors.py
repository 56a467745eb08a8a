"""Errors that reach a person: what happened, to what, and what to do next."""

from __future__ import annotations


class ProdwiseError(Exception):
    """Base of every error shown to a person. `code` is stable, `hint` says what to do next, `exit_code` is the CLI's."""

    code = "error"
    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(ProdwiseError):
    """The configuration cannot be used."""

    code, exit_code = "config", 2


class UsageError(ProdwiseError):
    """The request itself is malformed or names something that does not exist."""

    code, exit_code = "usage", 2


class NotRunning(ProdwiseError):
    """The part that should answer is not running."""

    code = "not_running"


class Refused(ProdwiseError):
    """Policy, freeze, stop or a fencing token forbids it; nothing was changed."""

    code, exit_code = "refused", 6


class NotSigned(ProdwiseError):
    """A machine's key is missing or wrong, or its signature is not of this body and this moment."""

    code, exit_code = "not_signed", 4


class Replayed(Refused):
    """The same delivery came before; it is taken once."""

    code = "replayed"


class Fenced(Refused):
    """A newer executor holds the lease; this one must change nothing."""

    code = "fenced"


class GateFailed(ProdwiseError):
    """A check before the change failed; nothing was changed."""

    code, exit_code = "gate_failed", 7


class BuildFailed(GateFailed):
    """The release could not be built; the running release is untouched."""

    code = "build_failed"


class OutOfTime(ProdwiseError):
    """There was no time to look at all of it; what was told until then stands."""

    code = "out_of_time"


class NothingFits(ProdwiseError):
    """All of it was looked at, and nothing fits; the hint says what to look at instead."""

    code = "nothing_fits"


class TargetError(ProdwiseError):
    """The target did not do what it was asked."""

    code = "target"


class ForgeError(TargetError):
    """The code host, or git, did not do what it was asked."""

    code = "forge"


class Later(ForgeError):
    """The host asks for patience: again after `seconds`."""

    code = "later"

    def __init__(self, message: str, hint: str = "", seconds: float = 60.0) -> None:
        super().__init__(message, hint)
        self.seconds = seconds


class StoreError(ProdwiseError):
    """The database cannot be used as it is."""

    code = "store"


class Unstorable(StoreError):
    """The database works, and refuses what it was given."""
