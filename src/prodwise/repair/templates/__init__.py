"""Edits that a kind of error calls for, at the frames where it was raised: a missing key, None, a wrong type, a lost name."""
