"""Kettle & Leaf: a small tea shop."""

import os
import sys

from flask import Flask

from teashop import catalogue, pages, reports


def create_app() -> Flask:
    secret = os.environ.get("SHOP_SECRET", "")
    if not secret:
        sys.exit("SHOP_SECRET is not set: put it into shop.env")
    reports.begin()
    app = Flask(__name__)
    app.config.update(SECRET_KEY=secret, SESSION_COOKIE_NAME="basket", SESSION_COOKIE_SAMESITE="Lax")
    app.jinja_env.filters["euro"] = lambda cents: f"€{cents / 100:.2f}"
    app.jinja_env.filters["ribbon"] = catalogue.ribbon
    app.register_blueprint(pages.pages)
    return app
