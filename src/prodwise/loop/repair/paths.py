"""Which files of a repository a model never reads, and which it never writes.

The gates judge every diff again; here the policy's paths spare a model the detour, and secrets are kept out of its sight.
"""

from __future__ import annotations

import re
import unicodedata

from prodwise.loop.verify.patch import protected as policy

PATH_MAX = 400
_UNSEEN = frozenset({".git", ".hg", ".svn", ".prodwise", ".ssh", ".aws", ".gnupg", ".kube", ".docker"})
_BULKY = frozenset(
    {"node_modules", ".venv", "venv", "__pycache__", ".tox", ".mypy_cache", ".pytest_cache", "dist", "build"}
)
_SECRET = re.compile(
    r"""^(?:\.env(?:rc|\..*)? | .*\.env | \.?netrc | \.npmrc | \.yarnrc(?:\.yml)? | \.pypirc | \.pgpass | \.my\.cnf | \.htpasswd
      | \.git-credentials | id_(?:rsa|dsa|ecdsa|ed25519).* | credentials?(?:\..*)? | secrets?(?:\..*)?
      | (?:service[-_]?account|client[-_]?secret).*\.json | master\.key
      | .*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|asc|gpg|ppk|tfstate|sqlite3?|db|dump|bak))$""",
    re.VERBOSE,
)
_CODE = (".py", ".js", ".ts", ".rb", ".go", ".java", ".rs", ".php")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\U000e0000-\U000e007f]"
)


def misformed(path: str) -> str:
    """Why `path` is no plain relative path inside a tree, "" if it is one."""
    if not path or len(path) > PATH_MAX:
        return "a path has 1 to 400 characters"
    if path.startswith("/") or "\\" in path or _INVISIBLE.search(path) or "\n" in path:
        return "a path is relative to the root, with plain characters and / between its parts"
    if any(part in ("", ".", "..") for part in path.split("/")):
        return "a path has no empty parts, no . and no .."
    return ""


def is_unseen(path: str) -> bool:
    """Holds, or may hold, what no model is to read; also what is not the repository's own code."""
    parts = _folded(path)
    return any(part in _UNSEEN or part in _BULKY for part in parts) or is_secret(path)


def is_secret(path: str) -> bool:
    name = _folded(path)[-1]
    return _SECRET.match(name) is not None and not name.endswith((".env.example", ".env.sample", *_CODE))


def protected(path: str, packages: frozenset[str] = frozenset()) -> str:
    """Why a model may not write there, "" if it may try. packages: as the policy wants them."""
    if is_unseen(path):
        return "it is not for a model to see"
    if kind := policy.protected(path, packages):
        return f"it belongs to {kind}"
    if policy.is_manifest(path) or policy.is_lock(path):
        return "it says which dependencies are installed"
    if policy.is_test(path):
        return "it is a test, and a fix leaves tests as they are"
    return "it is a hidden file" if any(part.startswith(".") for part in _folded(path)) else ""


def unfit(text: str, bytes_max: int) -> str:
    """Why this cannot be the text of a source file, "" if it can."""
    if _INVISIBLE.search(text):
        return "it holds control, invisible or bidirectional characters"
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "it is not Unicode text"
    return f"it has more than {bytes_max} bytes" if size > bytes_max else ""


def plain(text: str) -> str:
    """Text that does nothing to a terminal, and shows all that it holds."""
    return _INVISIBLE.sub("", text.replace("\r\n", "\n")).encode(errors="replace").decode()


def _folded(path: str) -> list[str]:
    return unicodedata.normalize("NFC", path).casefold().split("/")
