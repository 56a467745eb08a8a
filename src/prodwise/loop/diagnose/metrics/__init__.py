"""Where it comes from, by metrics over a call graph: what is unusual in a service beyond what those that it calls explain."""

from prodwise.loop.diagnose.metrics.cause import Moved, RankedCause, Ranking, Symptom
from prodwise.loop.diagnose.metrics.rank import look, rank
from prodwise.loop.diagnose.metrics.tables import Unreadable

__all__ = ["Moved", "RankedCause", "Ranking", "Symptom", "Unreadable", "look", "rank"]
