"""Which settings of a repository's files go back to what they were, and in which order they are tried."""

from prodwise.loop.choose.settings.asked import asked
from prodwise.loop.choose.settings.changed import changed
from prodwise.loop.choose.settings.files import form_of, is_example
from prodwise.loop.choose.settings.plan import planned
from prodwise.loop.choose.settings.put import put_back
from prodwise.loop.choose.settings.told import NotApart, NotPut, Unreadable
from prodwise.loop.choose.settings.words import why

__all__ = [
    "NotApart",
    "NotPut",
    "Unreadable",
    "asked",
    "changed",
    "form_of",
    "is_example",
    "planned",
    "put_back",
    "why",
]
