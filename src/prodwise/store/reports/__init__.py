"""What receivers keep: tables of their own, written by one thread each, read by the healer and the pages."""
