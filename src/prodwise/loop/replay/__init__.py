"""A failing request as a failing test: what was asked, which app answers, the smallest request that fails alike, and its text."""
