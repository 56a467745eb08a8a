"""Incidents with a known cause: drawn at random, and played on real git histories."""
