"""Whether a commit should be taken back by itself, and what later commits did to its lines."""

from prodwise.loop.choose.reverts.cautions import cautions
from prodwise.loop.choose.reverts.lines import Span, after, changed, spans

__all__ = ["Span", "after", "cautions", "changed", "spans"]
