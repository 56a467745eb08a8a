"""Secrets and personal data out, before anything is stored; what people need to find a fault stays."""

from prodwise.model.redaction.redactor import Redactor

__all__ = ["Redactor"]
