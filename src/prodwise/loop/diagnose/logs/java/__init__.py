"""Logs of Maven, Gradle and the JVM."""

from prodwise.loop.diagnose.logs.java.read import read

__all__ = ["read"]
