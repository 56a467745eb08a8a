"""A GitHub App on the fake host: it checks the claim's signature and times, and makes tokens that end.

Statuses and messages are those of GitHub's documentation ("REST API endpoints for GitHub Apps") and of its API.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

LIFE_S, CLAIM_MAX_S = 3_600, 600
INSTALLATION = 4711
_RANKS = ("", "read", "write", "admin")


@dataclass
class FakeApp:
    """at: what time it is on the host; grants: what the installation was allowed; made: token → (end, what was asked for)."""

    at: float
    id: int = 1234
    installed: bool = True
    grants: dict[str, str] = field(
        default_factory=lambda: {"contents": "write", "pull_requests": "write", "statuses": "write", "metadata": "read"}
    )
    made: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    key: RSAPrivateKey = field(default_factory=lambda: generate_private_key(65_537, 2_048))

    def pem(self) -> str:
        """As GitHub hands it out."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()

    def accepts(self, token: str) -> bool:
        return token in self.made and self.at < self.made[token][0]

    def answer(
        self, repo: str, method: str, path: str, authorization: str, data: dict[str, Any]
    ) -> tuple[int, Any] | None:
        """(status, JSON) for the App's own addresses, None for all others."""
        if path not in (f"/repos/{repo}/installation", f"/app/installations/{INSTALLATION}/access_tokens"):
            return None
        if said := self._refuses(authorization.removeprefix("Bearer ")):
            return 401, {"message": said}
        if not self.installed:
            return 404, {"message": "Not Found"}
        if path.endswith("/installation"):
            return (
                (200, {"id": INSTALLATION, "app_id": self.id}) if method == "GET" else (404, {"message": "Not Found"})
            )
        return self._make(repo, data) if method == "POST" else (404, {"message": "Not Found"})

    def _make(self, repo: str, data: dict[str, Any]) -> tuple[int, Any]:
        if any(one != repo.partition("/")[2] for one in data.get("repositories", ())):
            return 422, {
                "message": "There is at least one repository that does not exist or is not accessible to the parent installation."
            }
        wanted = data.get("permissions", self.grants)
        if any(_RANKS.index(how) > _RANKS.index(self.grants.get(what, "")) for what, how in wanted.items()):
            return 422, {"message": "The permissions requested are not granted to this installation."}
        token = f"ghs_{len(self.made):036d}"
        self.made[token] = (self.at + LIFE_S, data)
        ends = datetime.fromtimestamp(self.at + LIFE_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return 201, {"token": token, "expires_at": ends, "permissions": wanted, "repository_selection": "selected"}

    def _refuses(self, claim: str) -> str:
        """Why, "" where it does not."""
        try:
            head, says = (json.loads(_bytes(part)) for part in claim.split(".")[:2])
            text, _, signature = claim.rpartition(".")
            self.key.public_key().verify(_bytes(signature), text.encode(), PKCS1v15(), SHA256())
        except (ValueError, InvalidSignature):
            return "A JSON web token could not be decoded"
        if head.get("alg") != "RS256" or not isinstance(says, dict) or says.get("iss") != str(self.id):
            return "A JSON web token could not be decoded"
        begins, ends = says.get("iat"), says.get("exp")
        if not isinstance(begins, int) or begins > self.at:
            return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued."
        if not isinstance(ends, int) or ends <= self.at:
            return "'Expiration time' claim ('exp') must be a numeric value representing the future time"
        return "'Expiration time' claim ('exp') is too far in the future" if ends > self.at + CLAIM_MAX_S else ""


def _bytes(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True)
