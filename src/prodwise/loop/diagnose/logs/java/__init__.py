"""Logs of Maven, Gradle and the JVM."""

from prodwise.loop.diagnose.logs.java.read import quiet, read

__all__ = ["quiet", "read"]
