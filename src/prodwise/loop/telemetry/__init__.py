"""Sums of traces and metrics: in whatever order and pieces they came, the result is the same."""

from prodwise.loop.telemetry.graph import graph_of
from prodwise.loop.telemetry.series import merge, readings

__all__ = ["graph_of", "merge", "readings"]
