"""Where a command of a repository runs without reaching anything else: bubblewrap, limits, and checkouts of their own."""
