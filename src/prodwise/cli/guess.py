"""How a web framework's app is started, told from its code and its dependencies."""

from __future__ import annotations

from collections.abc import Callable

from prodwise.cli.look import Folder, FoundService, module_of

DEVELOPMENT = "{}'s development server: add gunicorn to the requirements for real traffic"


def django(folder: Folder) -> list[FoundService]:
    for suffix, server in (("wsgi", "gunicorn"), ("asgi", "uvicorn")):
        path = next((name for name in folder.files if name.endswith(f"{suffix}.py")), "")
        if path and server in folder.dependencies:
            source = f"{path}, {server} in {folder.dependencies[server]}"
            return [_served(folder, server, path, "application", source)]
    if folder.has("manage.py"):
        command = "python manage.py runserver --noreload 127.0.0.1:$PORT"
        return [FoundService("web", "web", command, "manage.py", note=DEVELOPMENT.format("Django"))]
    return []


def asgi(folder: Folder) -> list[FoundService]:
    for path, number, match in folder.grep(r"^(\w+)\s*(?::[^=]+)?=\s*(?:FastAPI|Starlette)\(", (".py",)):
        return [_served(folder, "uvicorn", path, match[1], f"{path}:{number}")]
    return []


def flask(folder: Folder) -> list[FoundService]:
    """An app object, else a factory without arguments."""
    for pattern, call in ((r"^(\w+)\s*(?::[^=]+)?=\s*Flask\(", ""), (r"^def (create_app|make_app)\(\s*\)", "()")):
        for path, number, match in folder.grep(pattern, (".py",)):
            source = f"{path}:{number}"
            if "gunicorn" in folder.dependencies:
                return [_served(folder, "gunicorn", path, match[1] + call, source)]
            module, root = module_of(path)
            where = f"{root}/{module.replace('.', '/')}" if root else module
            command = f"flask --app {where} run --no-reload --port $PORT"
            return [FoundService("web", "web", command, source, note=DEVELOPMENT.format("Flask"))]
    return []


def streamlit(folder: Folder) -> list[FoundService]:
    path = next((name for name, _, _ in folder.grep(r"^\s*import streamlit\b", (".py",))), "")
    if not path:
        return []
    command = f"streamlit run {path} --server.address 127.0.0.1 --server.port $PORT --server.headless true"
    return [FoundService("web", "web", command, path, "/_stcore/health", "Streamlit's own")]


def celery(folder: Folder) -> list[FoundService]:
    if "celery" not in folder.dependencies:
        return []
    for path, number, match in folder.grep(r"^(\w+)\s*=\s*Celery\(", (".py",)):
        module, root = module_of(path)
        inside = f" --workdir {root}" if root else ""
        return [FoundService("worker", "worker", f"celery{inside} -A {module}:{match[1]} worker", f"{path}:{number}")]
    return []


def _served(folder: Folder, server: str, path: str, name: str, source: str) -> FoundService:
    """By gunicorn or uvicorn, on the port that it is told."""
    module, root = module_of(path)
    if server == "gunicorn":
        where = f"'{module}:{name}'" if "(" in name else f"{module}:{name}"
        inside = f" --chdir {root}" if root else ""
        return FoundService("web", "web", f"gunicorn {where}{inside} --bind 127.0.0.1:$PORT", source)
    note = "" if {"uvicorn", "fastapi-cli"} & set(folder.dependencies) else "uvicorn is not in the requirements: add it"
    inside = f" --app-dir {root}" if root else ""
    return FoundService(
        "web", "web", f"uvicorn {module}:{name}{inside} --host 127.0.0.1 --port $PORT", source, note=note
    )


WEB: dict[str, Callable[[Folder], list[FoundService]]] = {
    "Django": django,
    "FastAPI": asgi,
    "Starlette": asgi,
    "Flask": flask,
    "Streamlit": streamlit,
}
