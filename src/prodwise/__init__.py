"""Prodwise: self-healing for the software that small teams run in production."""

__version__ = "0.1.0"
