"""Tokens of a GitHub App: made for one repository, with no more rights than are used, and gone within the hour.

"Generating a JSON Web Token (JWT) for a GitHub App" and "Generating an installation access token for a GitHub App" say how.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from typing import Final

from prodwise.clock import monotonic, now
from prodwise.forge.api import Api, number_of, seconds_of, text_of
from prodwise.forge.github import BASE
from prodwise.model.errors import ConfigError, ForgeError, Later

PERMISSIONS: Final = {"contents": "write", "pull_requests": "write", "statuses": "write", "metadata": "read"}
BEHIND_S, AHEAD_S = 60, 480
"""The claim begins a little earlier, and ends before the ten minutes that GitHub allows: clocks differ."""
LIFE_S: Final = 3_600.0
SPARE_S: Final = 300.0
"""So long before its end a token is not begun with."""
KEY_MAX: Final = 16_384
_NEEDS: Final = "the App's own key"


class AppTokens:
    """Of one repository. key: reads the App's private key (PEM), for each token anew; it is used here and goes nowhere."""

    def __init__(
        self,
        repo: str,
        app_id: int,
        key: Callable[[], str],
        base: str = BASE,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = now,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        """clock: of the day; elapsed: never set."""
        self._repo, self._app_id, self._key, self._base, self._pause = repo, app_id, key, base, pause
        self._clock, self._elapsed = clock, elapsed
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def token(self) -> str:
        """Good for some minutes at least. Raises ConfigError for a key that is none, ForgeError with GitHub's reason."""
        with self._lock:
            if not self._token or self._elapsed() >= self._until:
                self._token, lives = self._made()
                self._until = self._elapsed() + lives - SPARE_S
            return self._token

    def _made(self) -> tuple[str, float]:
        """(token, seconds that it lives)."""
        api = Api(self._base, claim(self._app_id, self._key(), int(self._clock())), "Bearer", _NEEDS, self._pause)
        wanted = {"repositories": [self._repo.partition("/")[2]], "permissions": PERMISSIONS}
        try:
            installed = number_of(api.get(f"/repos/{self._repo}/installation"), "id")
            answer = api.send("POST", f"/app/installations/{installed}/access_tokens", wanted).json
        except Later:
            raise
        except ForgeError as error:
            raise ForgeError(
                f"no token for the App {self._app_id}: {error.message}",
                f"is forge.app_id right, is key_file its key, is it installed on {self._repo} with the permissions of "
                "docs/github-app.json, and is this machine's clock right?",
            ) from None
        made, lives = text_of(answer, "token"), seconds_of(text_of(answer, "expires_at")) - self._clock()
        if not made or not made.isascii() or not made.isprintable() or " " in made:
            raise ForgeError("GitHub's answer holds no token", "is forge.api the address of its API?")
        return made, min(lives, LIFE_S)


def claim(app_id: int, key: str, at: int) -> str:
    """That we are the App, signed (RS256). Raises ConfigError for what is no RSA key, or when the library is missing."""
    try:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise ConfigError(
            "tokens of a GitHub App need the github-app extra", "pip install 'prodwise[github-app]'"
        ) from None
    try:
        private = load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, RSAPrivateKey):
        raise ConfigError(
            "forge.key_file holds no RSA key in PEM, or one with a password", "download one from the App's settings"
        )
    head = {"alg": "RS256", "typ": "JWT"}
    says = {"iat": at - BEHIND_S, "exp": at + AHEAD_S, "iss": str(app_id)}
    text = ".".join(_url_safe(json.dumps(part, separators=(",", ":")).encode()) for part in (head, says))
    return f"{text}.{_url_safe(private.sign(text.encode(), PKCS1v15(), SHA256()))}"


def _url_safe(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
