"""Real git repositories, made commit by commit."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

WHO = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false", "-c", "merge.ff=false")


def git(repo: Path, *arguments: str) -> str:
    argv = ["git", *WHO, "-C", str(repo), *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


def new(place: Path) -> Path:
    place.mkdir(parents=True)
    git(place, "init", "-q", "-b", "main")
    return place


def commit(repo: Path, files: Mapping[str, str | None], title: str = "change") -> str:
    """Its id. None: the file goes."""
    for path, text in files.items():
        if text is None:
            (repo / path).unlink()
        else:
            (repo / path).parent.mkdir(parents=True, exist_ok=True)
            (repo / path).write_text(text)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "--allow-empty", "-m", title)
    return git(repo, "rev-parse", "HEAD")


def uv_lock(packages: Mapping[str, str], root: str = "app") -> str:
    """As uv writes it, for packages that need nothing."""
    needs = "".join(f'    {{ name = "{name}" }},\n' for name in sorted(packages))
    asks = needs
    entries = [
        f'[[package]]\nname = "{root}"\nversion = "0.1"\nsource = {{ virtual = "." }}\ndependencies = [\n{needs}]\n\n'
        f"[package.metadata]\nrequires-dist = [\n{asks}]\n"
    ]
    for name, version in packages.items():
        wheel = f'{{ url = "https://files.example.org/{name}-{version}-py3-none-any.whl", hash = "sha256:{digest(name, version)}" }}'
        source = 'source = { registry = "https://index.example.org/simple" }'
        entries.append(f'[[package]]\nname = "{name}"\nversion = "{version}"\n{source}\nwheels = [\n    {wheel},\n]\n')
    head = 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n'
    return "\n".join([head, *sorted(entries, key=lambda one: one.split('"')[1])])


def digest(name: str, version: str) -> str:
    import hashlib

    return hashlib.sha256(f"{name}{version}".encode()).hexdigest()


def pyproject(packages: Mapping[str, str]) -> str:
    rows = "".join(f'  "{name}",  # for {name}\n' for name in packages)
    return f'[project]\nname = "app"\nversion = "0.1"\nrequires-python = ">=3.11"\n# kept\ndependencies = [\n{rows}]\n'
