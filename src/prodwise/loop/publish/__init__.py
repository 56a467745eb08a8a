"""Publish: whether a healing change may be proposed, and the words that it is proposed with."""
