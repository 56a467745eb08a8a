"""Which version a package goes back to, and the smallest edits that take it there and keep it there. Contract: docs/repairs.md."""

from prodwise.loop.choose.pins.holds import due, holds_in, releasing
from prodwise.loop.choose.pins.plan import planned
from prodwise.loop.choose.pins.seen import last_good, locks_of, seen

__all__ = ["due", "holds_in", "last_good", "locks_of", "planned", "releasing", "seen"]
