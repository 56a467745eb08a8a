"""What an app is and how it runs, found in its folder. Every finding says where it came from."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

from prodwise.cli.guess import WEB, celery
from prodwise.cli.look import Folder, Found, FoundService

HEALTH = r"""['"/]((?:healthz|health/live|health|livez|readyz|ready|ping|up|status|_health|heartbeat)/?)['"]"""
PORTS = r"""(?:port\s*[=:]\s*|--port[= ]|listen\()\s*(\d{4,5})"""
DATA_FILES = (".db", ".sqlite", ".sqlite3")
DATA_FOLDERS = ("uploads", "media", "data", "storage", "instance")
NAMES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Scan:
    """Everything found. notes: what the person should know, in full sentences."""

    name: str
    services: tuple[FoundService, ...]
    framework: Found | None
    shared: tuple[Found, ...]
    env_file: Found | None
    release: Found | None
    build: Found | None
    ports: tuple[Found, ...]
    notes: tuple[str, ...]
    repository: bool


def scan(app_dir: Path) -> Scan:
    folder = Folder(app_dir.resolve())
    framework, services, release = _services(folder)
    return Scan(
        name=re.sub(r"[^a-z0-9-]+", "-", folder.path.name.lower()).strip("-") or "app",
        services=tuple(_with_probe(folder, service, framework) for service in services),
        framework=framework,
        shared=tuple(_shared(folder)),
        env_file=_env_file(folder),
        release=release,
        build=_build(folder),
        ports=tuple(_ports(folder)),
        notes=tuple(_notes(folder)),
        repository=folder.git("rev-parse", "--verify", "HEAD") is not None,
    )


def _services(folder: Folder) -> tuple[Found | None, list[FoundService], Found | None]:
    """(framework, services, release line). A Procfile says best how the app runs; then the framework; then package.json."""
    framework = _framework(folder)
    if folder.has("Procfile"):
        services, release = _procfile(folder)
        return framework, services, release
    services = WEB[framework.value](folder) if framework and framework.value in WEB else []
    services = services or _node(folder)
    return framework, [*services, *celery(folder)] if services else services, None


def _framework(folder: Folder) -> Found | None:
    names = {
        "django": "Django",
        "fastapi": "FastAPI",
        "starlette": "Starlette",
        "flask": "Flask",
        "streamlit": "Streamlit",
    }
    for package, name in names.items():
        if package in folder.dependencies:
            return Found("framework", name, f"{package} in {folder.dependencies[package]}")
    for package, name in names.items():
        for path, number, _ in folder.grep(rf"^\s*(?:import|from) {package}\b", (".py",)):
            return Found("framework", name, f"imported in {path}:{number}")
    if folder.has("package.json"):
        return Found("framework", "Node", "package.json")
    return None


def _procfile(folder: Folder) -> tuple[list[FoundService], Found | None]:
    services, release = [], None
    for number, line in enumerate(folder.text("Procfile").splitlines(), 1):
        name, colon, command = line.strip().partition(":")
        if not colon or name.startswith("#") or not command.strip():
            continue
        if name.strip() == "release":
            release = Found("release", command.strip(), f"Procfile:{number}")
        else:
            kind = "web" if name.strip() == "web" else "worker"
            services.append(FoundService(name.strip(), kind, command.strip(), f"Procfile:{number}"))
    return services, release


def _node(folder: Folder) -> list[FoundService]:
    return (
        [FoundService("web", "web", "npm start", "package.json scripts.start")] if "start" in _scripts(folder) else []
    )


def _scripts(folder: Folder) -> dict[str, str]:
    try:
        found = json.loads(folder.text("package.json") or "{}").get("scripts", {})
    except (ValueError, AttributeError):
        return {}
    return {str(name): str(line) for name, line in found.items()} if isinstance(found, dict) else {}


def _build(folder: Folder) -> Found | None:
    scripts = _scripts(folder)
    if not scripts:
        return None
    install = "npm ci" if folder.has("package-lock.json") else "npm install"
    extra = " && npm run build" if "build" in scripts else ""
    return Found("build", install + extra, "package.json" + (" scripts.build" if extra else ""))


def _with_probe(folder: Folder, service: FoundService, framework: Found | None) -> FoundService:
    """A health path from the routes that the code declares; a port that answers, without one."""
    if service.kind != "web" or service.probe:
        return service
    for path, number, match in folder.grep(HEALTH):
        if re.search(r"route|path|get\(|url|@|handle|use\(", folder_line(folder, path, number)):
            return replace(service, probe=f"/{match[1]}", probe_source=f"{path}:{number}")
    return replace(service, probe="tcp", probe_source="no health route found: a port that answers counts as well")


def folder_line(folder: Folder, path: str, number: int) -> str:
    lines = dict(folder.sources)[path].splitlines()
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _env_file(folder: Folder) -> Found | None:
    """Names only: the part before the first `=` of each line is looked at, the rest is dropped at once."""
    if not folder.has(".env"):
        return None
    names = re.findall(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=", folder.text(".env"), re.MULTILINE)
    shown = ", ".join(names[:NAMES_SHOWN]) + (
        f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    )
    return Found("env_file", ".env", f".env (names only: {shown or 'none'})")


def _shared(folder: Folder) -> list[Found]:
    """What must outlive a release: data files, and folders that hold uploads."""
    found = [
        Found("shared", name, f"a data file{_tracked(folder, name)}")
        for name in folder.files
        if name.endswith(DATA_FILES) and name.count("/") <= 2
    ]
    code = {path.partition("/")[0] for path in folder.files if path.endswith(".py")}
    for name in DATA_FOLDERS:
        inside, known = folder.path / name, any(one.value.startswith(f"{name}/") for one in found)
        if inside.is_dir() and not inside.is_symlink() and not known and name not in code:
            found.append(Found("shared", f"{name}/", f"a folder that looks like data{_tracked(folder, name)}"))
    return found[:6]


def _tracked(folder: Folder, name: str) -> str:
    return "; but git tracks it: untrack it, or a release brings its own" if folder.git("ls-files", name) else ""


def _ports(folder: Folder) -> list[Found]:
    found = []
    for line in folder.text("Dockerfile").splitlines():
        if match := re.match(r"\s*EXPOSE\s+(\d+)", line):
            found.append(Found("port", match[1], "Dockerfile"))
    for path, number, match in folder.grep(PORTS):
        found.append(Found("port", match[1], f"{path}:{number}"))
    return found[:3]


def _notes(folder: Folder) -> list[str]:
    notes = []
    if folder.git("rev-parse", "--git-dir") is None:
        notes.append(
            "This is no git repository yet, and a release is a commit: git init && git add -A && git commit -m first"
        )
    elif folder.git("rev-parse", "--verify", "HEAD") is None:
        notes.append("Nothing is committed yet, and a release is a commit: git add -A && git commit -m first")
    elif folder.git("status", "--porcelain", "--untracked-files=no"):
        notes.append("There are changes that are not committed: `prodwise up` runs the last commit.")
    if folder.has("docker-compose.yml") or folder.has("compose.yaml") or folder.has("docker-compose.yaml"):
        notes.append(
            "There is a compose file: Prodwise runs the app's own processes, and leaves databases and the like to it."
        )
    return notes
