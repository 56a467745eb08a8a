"""Questions asked before and after an action."""

from prodwise.loop.verify.after import Look, better
from prodwise.loop.verify.before import Before, gates_before

__all__ = ["Before", "Look", "better", "gates_before"]
