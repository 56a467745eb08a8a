"""From a build's or a program's log to the dependency that broke it. Contract: docs/diagnosis.md."""

from prodwise.loop.diagnose.logs.diagnose import diagnose_log
from prodwise.loop.diagnose.logs.sieve import Sieve
from prodwise.loop.diagnose.logs.text import Log, clean

__all__ = ["Log", "Sieve", "clean", "diagnose_log"]
