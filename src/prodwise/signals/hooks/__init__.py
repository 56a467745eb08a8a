"""Hooks: what other tools send. Each file reads one tool's deliveries; `signing` says whether they are genuine."""
