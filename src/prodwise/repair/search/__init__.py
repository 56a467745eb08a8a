"""Small edits of a Python program, each the reverse of a mistake that people make: no template knows the error."""
