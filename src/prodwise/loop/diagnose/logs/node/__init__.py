"""Logs of Node: its installers, compilers, programs and tests."""

from prodwise.loop.diagnose.logs.node.read import read

__all__ = ["read"]
