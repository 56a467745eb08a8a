"""The way in for programs that report with OpenTelemetry (OTLP over HTTP): bytes in, nouns out; no I/O."""
