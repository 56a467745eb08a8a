"""Histories of small projects with one known guilty commit each, for the ranking of suspects."""
