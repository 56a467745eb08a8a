"""Which errors are one fault: an error event in, its group out; a log line in, its template out."""

from prodwise.loop.group.group import group_of
from prodwise.loop.group.rules import RULES, Rule
from prodwise.loop.group.state import RESOLVED, Resolution, resolve, state_of
from prodwise.loop.group.tag import calls
from prodwise.loop.group.template import template_of

__all__ = ["RESOLVED", "RULES", "Resolution", "Rule", "calls", "group_of", "resolve", "state_of", "template_of"]
