"""The way in for programs that report with a Sentry SDK: bytes in, nouns out; no I/O."""
