"""Why it is wrong: evidence in, ranked hypotheses out."""

from prodwise.loop.diagnose.case import Case, Contrast, Exit, LoadFacts, ProbeFacts, ProcessFacts, RequestFacts
from prodwise.loop.diagnose.diagnose import diagnose
from prodwise.loop.diagnose.evidence import evidence_of

__all__ = [
    "Case",
    "Contrast",
    "Exit",
    "LoadFacts",
    "ProbeFacts",
    "ProcessFacts",
    "RequestFacts",
    "diagnose",
    "evidence_of",
]
