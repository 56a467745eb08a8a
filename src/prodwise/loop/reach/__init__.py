"""How far a fault reaches, and each step that could be taken: measured from traffic, traces and what is declared."""

from prodwise.loop.reach.around import evidence, surroundings, unmeasured
from prodwise.loop.reach.measure import fault, on_trial, step
from prodwise.loop.reach.told import text

__all__ = ["evidence", "fault", "on_trial", "step", "surroundings", "text", "unmeasured"]
