"""Why a text's settings cannot be told."""

from __future__ import annotations


class Unreadable(ValueError):
    """Its own format does not take it."""


class NotApart(ValueError):
    """It may be right, and where each setting begins and ends is not known."""


class NotPut(ValueError):
    """The setting has no place that is known for certain."""
