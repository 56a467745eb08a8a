"""One reader for each form of settings file."""
