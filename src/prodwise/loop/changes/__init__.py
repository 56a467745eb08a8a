"""What changed, how each change is taken back, and what it did. Pure: readers of text, comparisons, intervals."""
