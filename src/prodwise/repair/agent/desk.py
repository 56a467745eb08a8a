"""What a model can do in its scratch tree: a closed set of tools, each bounded, none beyond the tree."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prodwise import clock
from prodwise.loop.repair import paths
from prodwise.loop.verify.patch.protected import marks, packages_of
from prodwise.model.patch import Fault
from prodwise.ports.repair import Limits, Ran, Tree
from prodwise.repair import beneath
from prodwise.repair.agent.commands import named_test
from prodwise.repair.agent.talk import Call, Tool
from prodwise.repair.veil import HIDDEN, Veil, fenced

FILES_MAX, FILE_MAX = 3, 200_000
READ_MAX, SEARCH_FILES_MAX, SEARCH_BYTES_MAX, HITS_MAX, ENTRIES_MAX = 400_000, 4_000, 24_000_000, 60, 300
ARGUMENTS_MAX = 250_000
_MASKED = HIDDEN.rstrip("]")


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ListFiles(_Arguments):
    """The files and folders in one folder of the code base ("" is its root)."""

    folder: str = Field("", max_length=paths.PATH_MAX)


class ReadFile(_Arguments):
    """Lines of one file, each with its number."""

    path: str = Field(max_length=paths.PATH_MAX)
    first_line: int = Field(1, ge=1, le=1_000_000)
    lines: int = Field(200, ge=1, le=400)


class SearchText(_Arguments):
    """Lines that hold a text, literally, in the whole code base."""

    text: str = Field(min_length=2, max_length=200)


class RunCheck(_Arguments):
    """Runs the check that must pass, in the sandbox, on the code as you changed it."""


class RunTest(_Arguments):
    """Runs one named test, in the sandbox: "tests/test_cart.py::test_coupon" for pytest, "tests.test_cart" for unittest."""

    name: str = Field(max_length=300)


class ReplaceText(_Arguments):
    """Replaces one passage of a file. `old` must be there exactly once, with its indentation and without line numbers."""

    path: str = Field(max_length=paths.PATH_MAX)
    old: str = Field(min_length=1, max_length=10_000)
    new: str = Field(max_length=20_000)


class WriteFile(_Arguments):
    """Writes a whole file, in a folder that is there."""

    path: str = Field(max_length=paths.PATH_MAX)
    text: str = Field(max_length=FILE_MAX)


class Finish(_Arguments):
    """Ends the work: the check passes (fixed = true), or you cannot fix it. `summary`: one plain sentence on cause and change."""

    fixed: bool
    summary: str = Field("", max_length=2_000)


_ARGUMENTS: dict[str, type[_Arguments]] = {
    "list_files": ListFiles, "read_file": ReadFile, "search_text": SearchText, "run_check": RunCheck, "run_test": RunTest,
    "replace_text": ReplaceText, "write_file": WriteFile, "finish": Finish,
}  # fmt: skip
TOOLS = tuple(
    Tool(name, " ".join((kind.__doc__ or "").split()), kind.model_json_schema()) for name, kind in _ARGUMENTS.items()
)


class NotDone(Exception):
    """Why a tool did nothing, as the model is told."""


class Desk:
    """One tree, and what was written there through the tools: nothing else will leave it."""

    def __init__(self, tree: Tree, fault: Fault, veil: Veil, limits: Limits, deadline: float) -> None:
        self._tree, self._fault, self._veil, self._limits, self._deadline = tree, fault, veil, limits, deadline
        self.written: dict[str, bytes] = {}
        self._acts: dict[type[_Arguments], Callable[[Any], str]] = {
            ListFiles: self._list, ReadFile: self._read, SearchText: self._search, RunCheck: self._check, RunTest: self._test,
            ReplaceText: self._replace, WriteFile: self._write,
        }  # fmt: skip

    def arguments(self, call: Call) -> _Arguments:
        """What a call asks for, checked. Raises NotDone."""
        kind = _ARGUMENTS.get(call.tool)
        if kind is None:
            raise NotDone(f"There is no such tool. There are: {', '.join(_ARGUMENTS)}.")
        given = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments or {})
        if len(given) > ARGUMENTS_MAX:
            raise NotDone("The arguments are too large.")
        try:
            return kind.model_validate_json(given or "{}")
        except (ValidationError, RecursionError) as error:
            first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": "nested too deeply"}
            where = ".".join(str(part)[:50] for part in first["loc"])
            raise NotDone(f"The arguments do not fit: {where} {str(first['msg'])[:200]}") from None

    def act(self, asked: _Arguments) -> str:
        """Does it, and says what the model is told. Raises NotDone."""
        try:
            return self._acts[type(asked)](asked)
        except beneath.NotThere as error:
            raise NotDone(f"{error}.") from None

    def limits(self) -> Limits:
        """Of a run that begins now. Raises NotDone without time for it."""
        left = self._deadline - clock.monotonic()
        if left < 1:
            raise NotDone("There is no time left to run anything.")
        return Limits(
            seconds=min(self._limits.seconds, left), cpu_s=self._limits.cpu_s, memory=self._limits.memory,
            file=self._limits.file, processes=self._limits.processes, output=self._limits.output,
        )  # fmt: skip

    def ran(self, ran: Ran) -> str:
        end = f"exit code {ran.code}" if ran.code is not None else f"ended ({ran.ended})"
        return f"{end} after {ran.seconds:.1f} s\n" + fenced("output", self._veil.text(ran.output))

    def _list(self, asked: ListFiles) -> str:
        folder = asked.folder.rstrip("/")
        if folder and paths.is_unseen(folder):
            raise NotDone("That folder is not for you to see.")
        inside = f"{folder}/" if folder else ""
        seen = [
            name + "/" * is_folder
            for name, is_folder in beneath.listed(self._tree.root, folder)
            if not paths.misformed(inside + name) and not paths.is_unseen(inside + name)
        ]
        more = f"\n… and {len(seen) - ENTRIES_MAX} more" if len(seen) > ENTRIES_MAX else ""
        return fenced("files", self._veil.text("\n".join(seen[:ENTRIES_MAX]) + more))

    def _read(self, asked: ReadFile) -> str:
        lines = self._text(asked.path).splitlines()
        part = lines[asked.first_line - 1 : asked.first_line - 1 + asked.lines]
        numbered = "\n".join(f"{number}: {line[:1_000]}" for number, line in enumerate(part, asked.first_line))
        return f"{len(lines)} lines\n" + fenced("file", self._veil.code(numbered))

    def _search(self, asked: SearchText) -> str:
        hits: list[str] = []
        for path, text in self._texts():
            for number, line in enumerate(text.splitlines(), 1):
                if asked.text in line and asked.text in (shown := self._veil.code(line, 200)):
                    hits.append(f"{path}:{number}: {shown}")
            if len(hits) >= HITS_MAX:
                break
        return fenced("hits", self._veil.code("\n".join(hits[:HITS_MAX]))) if hits else "No line holds it."

    def _check(self, _: RunCheck) -> str:
        return self.ran(self._tree.run(self._fault.command, self.limits()))

    def _test(self, asked: RunTest) -> str:
        command = named_test(self._fault.command, asked.name)
        if isinstance(command, str):
            raise NotDone(command)
        return self.ran(self._tree.run(command, self.limits()))

    def _replace(self, asked: ReplaceText) -> str:
        self._allowed(asked.path, asked.new)
        if self._veil.code(asked.old) != asked.old:
            raise NotDone("That passage holds something that is hidden from you; choose one without it.")
        raw = self._raw(asked.path).decode()
        ends = "\r\n" if "\r\n" in raw else "\n"
        before = raw.replace("\r\n", "\n")
        if (count := before.count(asked.old)) != 1:
            raise NotDone(f"`old` is there {count} times, not once." if count else "`old` is not in that file.")
        self._put(asked.path, before.replace(asked.old, asked.new).replace("\n", ends))
        return "Replaced."

    def _write(self, asked: WriteFile) -> str:
        self._allowed(asked.path, asked.text)
        self._put(asked.path, asked.text)
        return "Written."

    def _allowed(self, path: str, text: str) -> None:
        if why := paths.misformed(path) or paths.protected(path, self._packages(path)):
            raise NotDone(f"Not written: {why}.")
        if why := paths.unfit(text, FILE_MAX):
            raise NotDone(f"Not written: {why}.")
        if _MASKED in text:
            raise NotDone(f"Not written: {HIDDEN} stands for something that you cannot see, and would take its place.")
        if path not in self.written and len(self.written) >= FILES_MAX:
            raise NotDone(f"Not written: a fix changes at most {FILES_MAX} files.")

    def _packages(self, path: str) -> frozenset[str]:
        """Folders above it that were packages before anything was written."""
        return packages_of(one for one in marks([path]) - self.written.keys() if beneath.is_file(self._tree.root, one))

    def _put(self, path: str, text: str) -> None:
        data = text.encode()
        if len(data) > FILE_MAX:
            raise NotDone(f"Not written: it would have more than {FILE_MAX} bytes.")
        beneath.write(self._tree.root, path, data)
        self.written[path] = data

    def _raw(self, path: str) -> bytes:
        if why := paths.misformed(path):
            raise NotDone(f"Not read: {why}.")
        if paths.is_unseen(path):
            raise NotDone("That file is not for you to see.")
        data = beneath.read(self._tree.root, path, READ_MAX)
        if len(data) > READ_MAX:
            raise NotDone(f"That file has more than {READ_MAX} bytes.")
        try:
            data.decode()
        except UnicodeDecodeError:
            raise NotDone("That file is no text.") from None
        return data

    def _text(self, path: str) -> str:
        return self._veil.shown(self._raw(path).decode())

    def _texts(self) -> Iterator[tuple[str, str]]:
        """(path, text) of files that may be searched, a bounded number of them."""
        left, files, folders = SEARCH_BYTES_MAX, SEARCH_FILES_MAX, [""]
        while folders and left > 0 and files > 0:
            folder = folders.pop()
            for name, is_folder in beneath.listed(self._tree.root, folder):
                path = f"{folder}/{name}" if folder else name
                if paths.misformed(path) or paths.is_unseen(path):
                    continue
                if is_folder:
                    folders.append(path)
                    continue
                try:
                    text = self._text(path)
                except (NotDone, beneath.NotThere):
                    continue
                left, files = left - len(text), files - 1
                yield path, text
