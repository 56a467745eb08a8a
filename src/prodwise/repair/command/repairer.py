"""Your own coding agent: one command in a sandboxed checkout, and what it leaves in the files, tried in a fresh one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from prodwise import clock
from prodwise.loop.repair import paths
from prodwise.loop.repair.door import Way
from prodwise.model.action import ActionKind
from prodwise.model.errors import GateFailed, Refused
from prodwise.model.patch import Fault, Proposal
from prodwise.ports.repair import DOOR, Limits, Tree, Workshop
from prodwise.repair import beneath
from prodwise.repair.command.door import PROMPT, RELAY, SOCKET, Door
from prodwise.repair.prompt import TASK, opening
from prodwise.repair.transcript import Ended, Transcript
from prodwise.repair.veil import Veil

DIFF_MAX, FILES_MAX, SECRET_FILE_MAX = 200_000, 200_000, 4_000_000
KEPT_OUTSIDE = "kept-outside-of-the-sandbox"
"""What stands in the credential's variable where the door adds the true one: most commands do not start without any."""


@dataclass(frozen=True, slots=True)
class Command:
    """argv: `{prompt}` is the task's file, `{text}` the task itself, `{dir}` the code's folder; base_url_env: the variable that
    tells the command where its model is, "" = it goes through a proxy; env: what it is given besides, a credential that was
    lent among it."""

    argv: tuple[str, ...]
    way: Way
    base_url_env: str = ""
    env: tuple[tuple[str, str], ...] = ()
    seconds: float = 900.0


class CommandAgent:
    """A repairer that runs a command. folder: where transcripts are kept; on_end: told how each repair ended."""

    name = "command"

    def __init__(
        self, command: Command, *, veil: Veil, folder: Path, limits: Limits | None = None,
        on_end: Callable[[Ended], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._command, self._veil, self._folder, self._on_end = command, veil, folder, on_end
        self._limits = limits or Limits()

    def propose(self, fault: Fault, workshop: Workshop, base: str, seconds: float) -> Iterator[Proposal]:
        seconds = min(seconds, self._command.seconds)
        transcript = Transcript(self._folder, fault.key or "check", self._veil)
        began, why, diff = clock.monotonic(), "interrupted", ""
        try:
            with workshop.fresh(base) as tree:
                why, diff = self._left_by(tree, fault, transcript, seconds)
            if diff:
                why = self._tried(workshop, base, diff, fault, transcript)
        finally:
            took = round(clock.monotonic() - began, 2)
            transcript.end(why, seconds=took)
            self._on_end(Ended(why, transcript.path, seconds=took))
        if why == "proposed":
            yield Proposal(self.name, ActionKind.PATCH, diff, f"a fix by {Path(self._command.argv[0]).name}")

    def _left_by(self, tree: Tree, fault: Fault, transcript: Transcript, seconds: float) -> tuple[str, str]:
        """(why there is no diff, or ""; the diff)."""
        began = clock.monotonic()
        first = tree.run(fault.command, replace(self._limits, seconds=min(self._limits.seconds, seconds)))
        if first.code == 0:
            return "the check passes already", ""
        prompt = f"{TASK}\n{opening(fault, first.output or fault.output, self._veil)}\n"
        transcript.say("opening", prompt=prompt)
        left = seconds - (clock.monotonic() - began)
        if left < 1:
            return "time", ""
        with without_secrets(tree), Door(self._command.way, prompt, left, transcript.say) as door:
            limits = replace(self._limits, seconds=left, cpu_s=left, processes=max(512, self._limits.processes))
            ran = tree.run(self._argv(prompt), limits, dict(self._command.env), door.place)
        transcript.say(
            "command", code=ran.code, ended=ran.ended, seconds=ran.seconds, output=self._veil.text(ran.output)
        )
        if ran.ended:
            return ran.ended, ""
        diff = tree.diff()
        if len(diff) > DIFF_MAX:
            return "its change is too large", ""
        if self._veil.is_told(diff):
            return "its change holds a secret", ""
        return ("", diff) if diff.strip() else ("no change", "")

    def _tried(self, workshop: Workshop, base: str, diff: str, fault: Fault, transcript: Transcript) -> str:
        """What the command says of its work counts for nothing: its diff, in a fresh checkout, must pass the check."""
        with workshop.fresh(base) as clean:
            try:
                clean.apply(diff)
            except GateFailed as error:
                transcript.say("check", reason=error.message)
                return "its change does not apply"
            ran = clean.run(fault.command, self._limits)
        transcript.say("check", code=ran.code, ended=ran.ended, output=self._veil.text(ran.output))
        return "proposed" if ran.code == 0 else "never passes"

    def _argv(self, prompt: str) -> list[str]:
        values = {"{prompt}": str(DOOR / PROMPT), "{text}": prompt, "{dir}": "."}
        given = [_filled(word, values) for word in self._command.argv]
        return ["/usr/bin/env", "python3", str(DOOR / RELAY), str(DOOR / SOCKET), self._command.base_url_env, *given]


def _filled(word: str, values: dict[str, str]) -> str:
    """One pass: what stands in the prompt is not a placeholder."""
    for name, value in values.items():
        before, found, after = word.partition(name)
        if found:
            return _filled(before, values) + value + _filled(after, values)
    return word


@contextmanager
def without_secrets(tree: Tree) -> Iterator[None]:
    """Files that hold secrets by their name are not there for a while, and back afterwards, as they were."""
    taken: dict[str, tuple[bytes, int]] = {}
    try:
        for path in _secret_files(tree.root):
            taken[path] = _taken(tree.root, path)
        yield
    finally:
        for path, (data, mode) in taken.items():
            with suppress(beneath.NotThere):  # its folder is gone: the diff says so, and no gate lets it pass
                beneath.write(tree.root, path, data, mode)


def _taken(root: Path, path: str) -> tuple[bytes, int]:
    try:
        return beneath.take(root, path, SECRET_FILE_MAX)
    except beneath.NotThere as error:
        raise Refused(
            f"a file that may hold secrets cannot be set aside: {error}", "use repair.model instead"
        ) from None


def _secret_files(root: Path) -> list[str]:
    found, folders, seen = list[str](), [""], 0
    while folders:
        folder = folders.pop()
        for name, is_folder in beneath.listed(root, folder):
            path = f"{folder}/{name}" if folder else name
            seen += 1
            if seen > FILES_MAX:
                raise Refused(
                    "the repository has too many files to be looked through for secrets", "use repair.model instead"
                )
            if is_folder and name != ".git":
                folders.append(path)
            elif not is_folder and paths.is_secret(path) and not paths.misformed(path):
                found.append(path)
    return found
