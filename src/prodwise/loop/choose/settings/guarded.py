"""Settings that nobody puts back but a person: what lets in, what keeps secret, what watches over that."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from prodwise.model.redaction import Redactor
from prodwise.model.redaction.patterns import MASK
from prodwise.model.setting import Change

LINE_MAX: Final = 2_000
_PROTECTS: Final = frozenset({
    "auth", "authn", "authz", "authentication", "authorization", "oauth", "oauth2", "oidc", "login", "signin", "sso", "saml",
    "ldap", "jwt", "csrf", "xsrf", "cors", "origin", "origins", "csp", "hsts", "ssl", "tls", "https", "verify", "insecure",
    "secure", "security", "crypto", "cipher", "ciphers", "encryption", "encrypt", "signing", "certificate", "cert",
    "password", "passwords", "passwd", "credential", "credentials", "secret", "secrets", "permission", "permissions", "acl",
    "rbac", "role", "roles", "admin", "admins", "superuser", "sudo", "debug", "trusted", "allowlist", "whitelist", "denylist",
    "blocklist", "payment", "payments", "billing", "stripe", "paypal", "sandbox", "audit", "firewall", "mfa", "otp",
})  # fmt: skip
_PAIRS: Final = (("allowed", "hosts"), ("session", "cookie"), ("rate", "limit"), ("x", "frame"), ("safe", "mode"))
_TESTS: Final = frozenset({
    "pytest", "unittest", "coverage", "tox", "nox", "mypy", "pyright", "ruff", "flake8", "pylint", "eslint", "jest", "vitest",
    "mocha", "bandit", "hypothesis", "nosetests", "isort", "black",
})  # fmt: skip


def guarded(one: Change) -> str:
    """Why this setting is left to a person, "" where it is not."""
    if one.hunk >= 0:
        lines = f"{one.now or ''}\n{one.before or ''}".splitlines()
        return _words(one.name) or next((why for line in lines if (why := _line(line))), "")
    if why := _words(one.name):
        return why
    return "its value looks like a secret" if secret_like(one) else ""


def secret_like(one: Change) -> bool:
    name = one.key[-1] if one.key else ""
    values = [one.now or "", one.before or ""]
    return _hides(Redactor().clean({name: value})[0][name] for value in values if value) or hidden(values)


def hidden(lines: Iterable[str]) -> bool:
    """Whether a text would show what looks like a secret."""
    redactor = Redactor()
    return _hides(redactor.clean(line[:LINE_MAX])[0] for line in lines if MASK not in line)


def _hides(cleaned: Iterable[object]) -> bool:
    return any(MASK in str(one) for one in cleaned)


def _line(line: str) -> str:
    name = re.split(r"[=:]", line, maxsplit=1)[0]
    return _words(name) or ("a line looks like a secret" if hidden([line]) else "")


def _words(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name[:LINE_MAX])
    words = re.findall(r"[a-z0-9]+", spaced.lower())
    if found := next((word for word in words if word in _PROTECTS), ""):
        return f"it speaks of {found}: what protects is for a person"
    if found := next((" ".join(pair) for pair in _PAIRS if pair in pairwise(words)), ""):
        return f"it speaks of {found}: what protects is for a person"
    if found := next((word for word in words if word in _TESTS), ""):
        return f"it speaks of {found}: how code is judged is for a person"
    return ""
