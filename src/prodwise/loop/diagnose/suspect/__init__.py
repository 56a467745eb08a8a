"""Which commit brought a fault: ranked from what the error and the changes say, without running anything."""

from prodwise.loop.diagnose.suspect.case import Finding, Search, Suspect
from prodwise.loop.diagnose.suspect.rank import rank
from prodwise.loop.diagnose.suspect.scene import wanted
from prodwise.loop.diagnose.suspect.told import evidence, sentence

__all__ = ["Finding", "Search", "Suspect", "evidence", "rank", "sentence", "wanted"]
