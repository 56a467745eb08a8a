"""Your own coding agent, run in the sandbox with one way out: to its model. Its diff is all that is taken from it."""

from prodwise.repair.command.repairer import Command, CommandAgent

__all__ = ["Command", "CommandAgent"]
