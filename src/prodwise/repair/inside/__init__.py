"""What runs beside a repository's own tests, in their interpreter: the standard library only, Python 3.6 and up."""
