"""Which files of a repository a model never reads, and which it never writes.

The gates judge every diff again; this list only spares a model the detour, and keeps secrets out of its sight.
"""

from __future__ import annotations

import re
import unicodedata

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
_PROTECTED = re.compile(
    r"""^(?:\.git.* | \..+ | codeowners | conftest\.py | (?:site|user)customize\.py | .*\.pth | .*\.lock | .*[-_]?lock\.(?:json|ya?ml)
      | go\.(?:mod|sum) | package\.json | npm-shrinkwrap\.json | gemfile.* | composer\.json | cargo\.toml
      | pom\.xml | .*\.gradle(?:\.kts)?
      | pyproject\.toml | setup\.(?:py|cfg) | .*requirements.*\.(?:txt|in) | constraints.*\.txt | pipfile | environment\.ya?ml
      | tox\.ini | pytest\.ini | noxfile\.py | manage\.py | (?:jest|vitest|karma|playwright|cypress)\..*
      | makefile | gnumakefile | justfile | rakefile | .*\.(?:mk|sh|bash|bat|ps1|cmake) | cmakelists\.txt | meson\.build
      | (?:docker|container)file.* | .*\.dockerfile | .*compose.*\.ya?ml | procfile.* | jenkinsfile | fly\.toml | .*\.tf | vercel\.json
      | prodwise\.toml | app\.ya?ml | wsgi\.ini | uwsgi\.ini | .*\.service)$""",
    re.VERBOSE,
)
_PROTECTED_FOLDERS = frozenset(
    {"migrations", "migrate", "alembic", ".github", ".gitlab", ".circleci", "ci", "deploy", "k8s", "helm", "charts", "terraform",
     "ansible", "auth", "authentication", "crypto", "payment", "payments", "billing", "site-packages", "vendor"}
)  # fmt: skip
_TEST_FOLDERS = frozenset({"test", "tests", "spec", "specs", "__tests__", "testing", "e2e", "fixtures"})
_TEST = re.compile(r"^(?:tests?[_.-].*|.*[_.-](?:tests?|spec)\.[a-z0-9]+|tests?\.[a-z0-9]+|.*test\.java)$")
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


def protected(path: str) -> str:
    """Why a model may not write there, "" if it may try."""
    parts = _folded(path)
    if is_unseen(path):
        return "it is not for a model to see"
    if _PROTECTED.match(parts[-1]) or any(part in _PROTECTED_FOLDERS or part.startswith(".") for part in parts[:-1]):
        return "it is protected: configuration, dependencies, build, deployment, migrations, identity and payments are a person's"
    if _TEST.match(parts[-1]) or any(part in _TEST_FOLDERS for part in parts[:-1]):
        return "it is a test, and a fix leaves tests as they are"
    return ""


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
