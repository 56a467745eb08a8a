"""All commands, in the groups that `prodwise --help` shows. Imports nothing heavy."""

from __future__ import annotations

from prodwise.cli import acts, changes, holds, house, pin, proof, reads, revert, setting, signals, ways
from prodwise.cli.command import new_app

HELP = """
prodwise: keeps a small team's apps in production alive.
It watches, finds the cause, takes the smallest safe step, checks that it helped, and takes it back if it did not.

  prodwise demo                 see it heal a shop on this machine
  cd my-app && prodwise init    look at your app and write prodwise.toml
  prodwise up                   run it; Prodwise only watches until you allow more
"""

app = new_app(HELP, add_completion=True, epilog="prodwise COMMAND --help shows examples.")
for part in (proof, house, reads, changes, signals, acts, pin, setting, revert, holds, ways):
    part.add(app)
