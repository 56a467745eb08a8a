"""The app that a command starts, as something that can be imported and called. Commands and files are read, nothing is run."""

from __future__ import annotations

import ast
import posixpath
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from prodwise.loop.replay.declared import Read, Started
from prodwise.model.redaction import Redactor
from prodwise.model.redaction.keys import is_secret
from prodwise.model.request import Entry

_REFERENCE = re.compile(r"([A-Za-z_][\w.]*)(?::([A-Za-z_]\w*)(\(\))?)?")
_ENV = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_SETTINGS = re.compile(r"""DJANGO_SETTINGS_MODULE["']\s*,\s*["']([A-Za-z_][\w.]{0,200})["']""")
_RUNNERS: Final = {"uv": "run", "poetry": "run", "pipenv": "run", "pdm": "run", "hatch": "run", "rye": "run"}
_FIRST: Final = frozenset({"exec", "env", "nice", "time", "command"})
_WSGI: Final = frozenset(
    {"Flask", "Bottle", "Pyramid", "Falcon", "WSGIHandler", "get_wsgi_application", "make_wsgi_app", "App"}
)
_ASGI: Final = frozenset({"FastAPI", "Starlette", "Quart", "Litestar", "get_asgi_application", "Sanic", "BlackSheep"})
_MADE: Final = ("create_app", "make_app", "get_app", "build_app")
_WORDS_MAX: Final = 100


def entry(started: Started, read: Read) -> Entry | None:
    """None for a command that starts no Python app that is known."""
    words, env = _words(started.command)
    given = dict(started.env) | env
    redactor = Redactor()
    secret = {name for name, value in given.items() if is_secret(name) or redactor.clean(value)[1]}
    kept = tuple((name, value) for name, value in sorted(given.items()) if name not in secret)
    left = tuple(f"setting {name}" for name in sorted(secret) if name.isidentifier())
    if not words:
        return None
    program = posixpath.basename(words[0])
    find = next((one for start, one in _SERVERS.items() if re.fullmatch(start, program)), None)
    found = find(words[1:], given, read) if find else None
    if found is None:
        return None
    manages = read(posixpath.normpath(f"{found.folder}/manage.py")) or ""
    django = found.django or "DJANGO_SETTINGS_MODULE" in manages
    return replace(found, env=kept, left_out=left, django=django)


def _words(command: str) -> tuple[list[str], dict[str, str]]:
    """(program and arguments, variables) of the last command of a line."""
    try:
        words = shlex.split(command.replace("\n", " "))[:_WORDS_MAX]
    except ValueError:
        return [], {}
    for mark in ("&&", ";", "||"):
        if mark in words:
            words = words[len(words) - words[::-1].index(mark) :]
    env = dict[str, str]()
    while words:
        if found := _ENV.fullmatch(words[0]):
            env[found[1]] = found[2]
            words = words[1:]
        elif words[0] in _FIRST:
            words = words[1:]
        elif _RUNNERS.get(posixpath.basename(words[0])) in words[1:]:
            words = words[words.index("run") + 1 :]
            while words and words[0].startswith("-"):
                words = words[1:]
        else:
            break
    return words, env


def _option(words: Sequence[str], *names: str) -> str:
    for at, word in enumerate(words):
        for name in names:
            if word == name and at + 1 < len(words):
                return words[at + 1]
            if name.startswith("--") and word.startswith(f"{name}="):
                return word.partition("=")[2]
    return ""


def _reference(words: Sequence[str]) -> re.Match[str] | None:
    """The word that names an app: with a colon, else the last that is a module's name."""
    found = [one for word in words if not word.startswith("-") and (one := _REFERENCE.fullmatch(word))]
    return next((one for one in found if one[2]), found[-1] if found else None)


def _served(asgi: bool, default: str, *folders: str) -> Callable[[list[str], dict[str, str], Read], Entry | None]:
    """folders: options that name where modules lie."""

    def find(words: list[str], env: dict[str, str], read: Read) -> Entry | None:
        call = _option(words, "--call")
        found = _REFERENCE.fullmatch(call) if call else _reference(words)
        if found is None:
            return None
        folder, moved = _inside(_option(words, *folders)), _inside(_option(words, "--chdir", "--working-dir"))
        worker = _option(words, "-k", "--worker-class", "--interface")
        made = bool(found[3] or call or "--factory" in words)
        speaks = asgi or "uvicorn" in worker.lower() or "asgi" in worker
        return Entry(found[1], found[2] or default, speaks, made, (folder if moved == "." else moved,), moved)

    return find


def _inside(folder: str) -> str:
    """A folder of the repository, "." for what is none."""
    path = posixpath.normpath(folder or ".")
    return "." if path.startswith(("/", "..")) else path


def _flask(words: list[str], env: dict[str, str], read: Read) -> Entry | None:
    asked = _option(words, "--app", "-A") or env.get("FLASK_APP", "") or next(
        (name for name in ("wsgi.py", "app.py") if read(name) is not None), ""
    )  # fmt: skip
    place, _, name = asked.partition(":")
    made, name = name.endswith("()") or name in _MADE, name.removesuffix("()")
    if place.endswith(".py"):
        place = _inside(place)
        found = _of_file(place, read)
    else:
        paths = (f"{place.replace('.', '/')}.py", f"{place.replace('.', '/')}/__init__.py")
        found = next((one for path in paths if (one := _of_file(path, read))), None)
    if found is None or not (not name or name.isidentifier()):
        return None
    return replace(found, name=name or found.name, made=made if name else found.made, asgi=False)


def _python(words: list[str], env: dict[str, str], read: Read) -> Entry | None:
    """`python -m SERVER …`, `python manage.py …`, `python FILE`."""
    while words and words[0].startswith("-") and words[0] != "-m":
        words = words[1:]
    if not words:
        return None
    if words[0] == "-m" and len(words) > 1:
        find = next(
            (one for start, one in _SERVERS.items() if start != _PYTHON and re.fullmatch(start, words[1])), None
        )
        return find(words[2:], env, read) if find else _of_file(f"{words[1].replace('.', '/')}.py", read)
    if posixpath.basename(words[0]) == "manage.py":
        return _django(_inside(words[0]), env, read)
    return _of_file(_inside(words[0]), read) if words[0].endswith(".py") else None


def _django(path: str, env: dict[str, str], read: Read) -> Entry | None:
    found = _SETTINGS.search(read(path) or "")
    settings = env.get("DJANGO_SETTINGS_MODULE") or (found[1] if found else "")
    if not re.fullmatch(r"[A-Za-z_][\w.]{0,200}", settings):
        return None
    folder = posixpath.dirname(path) or "."
    project = settings.split(".")[0]
    if read(posixpath.normpath(f"{folder}/{project}/wsgi.py")) is None:
        return None
    return Entry(f"{project}.wsgi", "application", False, folders=(folder,), folder=folder, django=True)


def _fastapi(words: list[str], env: dict[str, str], read: Read) -> Entry | None:
    path = next((word for word in words if word.endswith(".py")), "main.py")
    found = _of_file(_inside(path), read)
    return found and replace(found, name=_option(words, "--app") or found.name)


def _of_file(path: str, read: Read) -> Entry | None:
    """The app that a module makes at its top, or the function that makes one."""
    text = read(path) or ""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    module, folder = path.removesuffix(".py"), "."
    if "/" in module and read(f"{posixpath.dirname(path)}/__init__.py") is None:
        folder, module = posixpath.split(module)
    module = module.removesuffix("/__init__").replace("/", ".")
    if not re.fullmatch(r"[A-Za-z_][\w.]*", module):
        return None
    found = _assigned(body, "uvicorn" in text or "fastapi" in text)
    for name in ("app", "application", *found):
        if name in found:
            return Entry(module, name, found[name], folders=(".", folder) if folder != "." else (".",))
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name in _MADE and len(node.args.args) == len(node.args.defaults):
            asgi = bool(_kind(node))
            return Entry(module, node.name, asgi, True, (".", folder) if folder != "." else (".",))
    return None


def _assigned(body: Sequence[ast.stmt], likely: bool) -> dict[str, bool]:
    """Names of apps → whether they are ASGI's. likely: for those that another module makes."""
    found = dict[str, bool]()
    for node in body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Name) and (asgi := _kind(value, likely)) is not None:
            found[target.id] = asgi
    return found


def _kind(node: ast.AST, likely: bool = False) -> bool | None:
    """Whether it makes an ASGI app, None for none."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            name = (
                one.func.id
                if isinstance(one.func, ast.Name)
                else one.func.attr
                if isinstance(one.func, ast.Attribute)
                else ""
            )
            if name in _ASGI:
                return True
            if name in _WSGI or name in _MADE:
                return likely and name in _MADE
    return None


_PYTHON: Final = r"python[\d.]*"
_SERVERS: Final[dict[str, Callable[[list[str], dict[str, str], Read], Entry | None]]] = {
    "gunicorn": _served(False, "application", "--pythonpath"),
    "waitress(-serve)?": _served(False, "application"),
    "bottle(.py)?": _served(False, "app"),
    "uwsgi": lambda words, env, read: _uwsgi(words, read),
    "uvicorn": _served(True, "app", "--app-dir"),
    "hypercorn|daphne": _served(True, "app"),
    "granian": _served(False, "app"),
    "flask": _flask,
    "fastapi": _fastapi,
    _PYTHON: _python,
}


def _uwsgi(words: Sequence[str], read: Read) -> Entry | None:
    if path := _option(words, "--wsgi-file", "--file"):
        return _of_file(_inside(path), read)
    found = _REFERENCE.fullmatch(_option(words, "-w", "--module", "--wsgi"))
    return Entry(found[1], found[2] or _option(words, "--callable") or "application", False) if found else None
