"""What a Python module does that a repair must not begin to do, by its syntax."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final

from prodwise.loop.verify.patch.found import ASSERTS, BROAD, CALLS, DOCTESTS, GAMES, IMPORTS, TESTS, Found

_BUILTINS: Final = frozenset({"eval", "exec", "compile", "__import__", "breakpoint", "input", "globals", "locals"})
_ENDS: Final = frozenset({"exit", "quit", "SystemExit", "KeyboardInterrupt"})
_MODULES: Final = frozenset({
    "subprocess", "socket", "socketserver", "ssl", "ctypes", "cffi", "pickle", "cPickle", "_pickle", "dill",
    "cloudpickle", "marshal", "shelve", "jsonpickle", "joblib", "urllib", "urllib2", "urllib3", "http", "ftplib",
    "smtplib", "poplib", "imaplib", "telnetlib", "nntplib", "xmlrpc", "requests", "httpx", "httpx2", "aiohttp",
    "websocket", "websockets", "paramiko", "multiprocessing", "pty", "posix", "nt", "_posixsubprocess", "importlib",
    "imp", "runpy", "code", "codeop", "builtins", "webbrowser", "atexit", "signal", "faulthandler", "gc", "pkgutil",
    "zipimport", "pexpect", "sh", "plumbum", "fabric", "pip", "ensurepip", "venv", "site", "sitecustomize",
    "resource", "mmap", "_thread",
})  # fmt: skip
"""Modules of which a repair takes up nothing new."""
_SAFE_PARTS: Final = ("urllib.parse", "http.HTTPStatus", "http.cookies", "urllib.error", "http.client.HTTPException")
_CALLS: Final = frozenset({
    "os.system", "os.popen", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os._exit", "os.abort", "os.startfile",
    "os.posix_spawn", "os.posix_spawnp", "os.putenv", "os.unsetenv", "os.remove", "os.unlink", "os.rmdir",
    "os.removedirs", "os.rename", "os.replace", "os.chmod", "os.chown", "os.symlink", "os.link", "shutil.rmtree",
    "shutil.move", "sys.exit", "yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load", "numpy.load",
    "pandas.read_pickle", "torch.load", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell",
    "asyncio.open_connection", "asyncio.start_server", "types.FunctionType", "types.CodeType", "operator.attrgetter",
    "operator.methodcaller", "codecs.decode", "timeit.timeit",
})  # fmt: skip
_LOOKS: Final = frozenset({
    "sys.modules", "sys.argv", "sys._getframe", "sys.settrace", "sys.setprofile", "sys.excepthook", "sys.meta_path",
    "sys.path", "sys.path_hooks", "sys.stdout", "sys.stderr", "sys.gettrace", "sys._current_frames", "sys.flags",
    "sys.orig_argv", "inspect.stack", "inspect.currentframe", "inspect.getouterframes", "inspect.getframeinfo",
    "traceback.extract_stack", "traceback.print_stack", "os.environ", "os.getenv", "os.environb", "os.getpid",
    "os.getppid", "threading.settrace", "threading.setprofile", "linecache.getline",
})  # fmt: skip
_JUDGES: Final = frozenset(
    {
        "pytest",
        "_pytest",
        "unittest",
        "doctest",
        "nose",
        "mock",
        "hypothesis",
        "coverage",
        "pluggy",
        "py",
        "inspect",
        "conftest",
        "tests",
        "test",
    }
)
_INNARDS: Final = frozenset({
    "__subclasses__", "__globals__", "__builtins__", "__code__", "__bases__", "__base__", "__mro__", "mro",
    "__loader__", "__spec__", "__closure__", "__getattribute__", "__reduce__", "__reduce_ex__", "__import__",
    "f_back", "f_globals", "f_locals", "f_code", "tb_frame", "gi_frame", "cr_frame", "_getframe", "__dict__",
    "__wrapped__",
})  # fmt: skip
_FILES: Final = frozenset(
    {"read_text", "read_bytes", "write_text", "write_bytes", "unlink", "rmdir", "hardlink_to", "symlink_to"}
)
_IN_TEXTS: Final = ("__globals__", "__subclasses__", "__builtins__", "__code__", "__import__", "__reduce__")
_ALWAYS: Final = frozenset(
    {"__eq__", "__ne__", "__bool__", "__len__", "__hash__", "__contains__", "__lt__", "__le__", "__gt__", "__ge__"}
)
_WIDE: Final = frozenset({"Exception", "BaseException", "builtins.Exception", "builtins.BaseException"})


class Look:
    """One look at a module: `found` is all that the rules ask for."""

    def __init__(self, tree: ast.Module) -> None:
        self.found: list[Found] = []
        self._names = dict[str, str]()  # what a name in this module stands for
        nodes = list(ast.walk(tree))
        for node in nodes:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self._import(node)
        self._raised = {id(part) for node in nodes if isinstance(node, ast.Raise) for part in ast.walk(node)}
        self._bases = {id(part) for node in nodes if isinstance(node, ast.ClassDef) for part in node.bases}
        self._inner = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
        for node in nodes:
            self._look(node)

    def _add(self, rule: str, what: str, node: ast.AST) -> None:
        self.found.append(Found(rule, what, getattr(node, "lineno", 0)))

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        module = "" if isinstance(node, ast.Import) else "." * node.level + (node.module or "")
        for alias in node.names:
            whole = f"{module}.{alias.name}" if module else alias.name
            self._names[alias.asname or alias.name.split(".")[0]] = (
                whole if alias.asname or module else alias.name.split(".")[0]
            )
            root = whole.lstrip(".").split(".")[0] if not whole.startswith(".") else "."
            self._add(IMPORTS, root if root != "." else f"from here {whole}", node)
            if alias.name == "*":
                self._add(IMPORTS, f"everything of {module}", node)
            if root in _JUDGES:
                self._add(GAMES, f"imports {root}", node)
            elif root in _MODULES and not whole.startswith(_SAFE_PARTS):
                self._add(CALLS, f"imports {whole}", node)

    def _look(self, node: ast.AST) -> None:
        match node:
            case ast.Name() | ast.Attribute():
                if id(node) not in self._inner or isinstance(node, ast.Attribute):
                    self._reference(node)
            case ast.ExceptHandler():
                if node.type is None:
                    self._add(BROAD, "except without a type", node)
            case ast.Try() | ast.TryStar():
                self._swallows(node.finalbody)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node)
            case ast.Assert():
                self._add(ASSERTS, f"assert {ast.unparse(node.test)}"[:200], node)
            case ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Delete():
                for target in getattr(node, "targets", None) or [node.target]:  # type: ignore[union-attr]
                    self._rebinds(target)
            case ast.Call():
                self._call(node)
            case ast.Constant(value=str(text)):
                self._text(text, node)

    def dotted(self, node: ast.AST) -> str:
        """`o.system` → "os.system", by this module's imports; "" for what is no plain name."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self._names.get(node.id, node.id), *reversed(parts)])

    def _reference(self, node: ast.Name | ast.Attribute) -> None:
        name = self.dotted(node)
        if isinstance(node, ast.Attribute) and node.attr in _INNARDS:
            self._add(CALLS, f"reaches into {node.attr}", node)
        if isinstance(node, ast.Attribute) and node.attr in _FILES:
            self._add(CALLS, f"reads or writes files with {node.attr}", node)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            return
        bare = name.removeprefix("builtins.")
        if bare in _BUILTINS or bare in _INNARDS:
            self._add(CALLS, f"uses {bare}", node)
        elif bare in _ENDS:
            self._add(CALLS, f"ends the program with {bare}", node)
        elif name in _CALLS or name.startswith(("os.exec", "os.spawn")):
            self._add(CALLS, f"uses {name}", node)
        elif name in _LOOKS:
            self._add(GAMES, f"uses {name}", node)
        elif name in _WIDE and id(node) not in self._raised and id(node) not in self._bases:
            self._add(BROAD, f"catches or names {name}", node)
        elif (
            name.split(".")[0] in _MODULES
            and not name.startswith(_SAFE_PARTS)
            and name.split(".")[0] in self._names.values()
        ):
            self._add(CALLS, f"uses {name}", node)

    def _swallows(self, body: Iterable[ast.stmt]) -> None:
        for one in body:
            for part in ast.walk(one):
                if isinstance(part, (ast.Return, ast.Break, ast.Continue)):
                    self._add(BROAD, "leaves a finally, which swallows every error", part)

    def _lets_out(self, leaving: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """What a context manager answers when it is left decides whether an error gets out."""
        for part in ast.walk(leaving):
            value = part.value if isinstance(part, ast.Return) else None
            if value is not None and not (isinstance(value, ast.Constant) and not value.value):
                self._add(BROAD, f"{leaving.name} returns {ast.unparse(value)}"[:200], part)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        body = [one for one in node.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
        others = {one.arg for one in node.args.args[1:] or node.args.args}
        asked = {part.id for one in body for part in ast.walk(one) if isinstance(part, ast.Name)}
        if node.name in _ALWAYS and not others & asked:
            self._add(GAMES, f"{node.name} always answers the same", node)
        if node.name in (
            "__getattr__",
            "__exit__",
            "__aexit__",
            "__del__",
            "__init_subclass__",
            "__set_name__",
            "__class_getitem__",
        ):
            self._add(BROAD, f"defines {node.name}", node)
        if node.name in ("__exit__", "__aexit__"):
            self._lets_out(node)
        if node.name.startswith("test"):
            self._add(TESTS, f"defines {node.name}", node)
        for decorator in node.decorator_list:
            name = self.dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
            if "skip" in name.lower() or "xfail" in name.lower() or "expectedfailure" in name.lower():
                self._add(TESTS, f"is marked {name}", decorator)

    def _rebinds(self, target: ast.AST) -> None:
        """Another module's names, built-in names, and what compares objects are not put to other uses."""
        if isinstance(target, (ast.Tuple, ast.List)):
            for one in target.elts:
                self._rebinds(one)
        elif isinstance(target, (ast.Attribute, ast.Subscript)):
            root: ast.AST = target
            while isinstance(root, (ast.Attribute, ast.Subscript)):
                root = root.value
            if isinstance(root, ast.Name) and root.id in self._names:
                self._add(GAMES, f"changes {self._names[root.id]} itself", target)
            if isinstance(target, ast.Attribute) and target.attr.startswith("__") and target.attr.endswith("__"):
                self._add(GAMES, f"sets {target.attr}", target)
        elif isinstance(target, ast.Name) and target.id in _ALWAYS:
            self._add(GAMES, f"sets {target.id}", target)

    def _call(self, node: ast.Call) -> None:
        name = self.dotted(node.func)
        if name in ("getattr", "setattr", "delattr", "hasattr", "builtins.getattr", "builtins.setattr") and node.args:
            target = self.dotted(node.args[0])
            if target.split(".")[0] in {*self._names.values(), "builtins", "__builtins__"}:
                self._add(CALLS, f"{name} on {target}", node)
            if len(node.args) > 1 and not isinstance(node.args[1], ast.Constant):
                self._add(CALLS, f"{name} with a name that is made", node)
        if name in ("open", "io.open", "builtins.open", "os.open", "codecs.open"):
            self._add(CALLS, f"opens with {name}", node)
        if name == "type" and len(node.args) == 3:
            self._add(CALLS, "makes a class with type", node)

    def _text(self, text: str, node: ast.AST) -> None:
        if text in _INNARDS or text in _BUILTINS or any(name in text for name in _IN_TEXTS):
            self._add(CALLS, f"names {text[:60]} in a text", node)
        for line in text.split("\n"):
            if line.lstrip().startswith((">>> ", "... ")):
                self._add(DOCTESTS, line.strip()[:200], node)
