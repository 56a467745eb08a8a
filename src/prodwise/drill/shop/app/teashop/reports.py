"""Errors are reported to whoever looks after the shop."""

import os

import sentry_sdk


def begin() -> None:
    """To $PRODWISE_DSN; without one to nobody."""
    dsn = os.environ.get("PRODWISE_DSN", "")
    if dsn:
        sentry_sdk.init(dsn=dsn, release=os.environ.get("PRODWISE_RELEASE"))
