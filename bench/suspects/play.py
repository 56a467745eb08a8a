"""Real git histories out of a project's edits, and the real error that the guilty commit brings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.suspects.project import Fault, Files, Project
from prodwise.model.event import ErrorEvent, Frame, Thrown

BEGAN = 1_760_000_000
TRIES = 30
RUN_S = 20.0

_PYTHON = """
import json, sys, traceback
root, request = sys.argv[1:3]
sys.path[:0] = [root, root + "/../site-packages"]
try:
    import run
    run.main(request)
except BaseException as error:
    chain = []
    while error is not None and len(chain) < 5:
        frames = [[f.filename, f.lineno, f.name, f.line or ""] for f in traceback.extract_tb(error.__traceback__)[1:]]
        chain.insert(0, [type(error).__name__, str(error), frames])
        error = error.__cause__
    print(json.dumps(chain))
"""
_NODE = """
const [root, request] = process.argv.slice(1);
try { require(root + "/run.js").main(request); }
catch (error) { console.log(JSON.stringify([[error.name, error.message, String(error.stack)]])); }
"""
_CALL = re.compile(r"^\s+at (?:(?P<name>.*?) \()?(?P<file>[^()]+?):(?P<line>\d+):\d+\)?$")


@dataclass(frozen=True)
class Step:
    """One commit. mainline: its parent is the newest of the main line; else of the branch."""

    title: str
    files: Files
    parents: tuple[int, ...]
    guilty: bool = False


@dataclass(frozen=True)
class History:
    """A repository in which one commit is guilty. onset: just after the newest commit."""

    project: str
    fault: str
    seed: int
    repo: Path
    good: str
    bad: str
    guilty: str
    commits: int
    event: ErrorEvent
    route: str
    onset: float


def play(project: Project, fault: Fault, seed: int, place: Path) -> History | None:
    """None where the fault cannot be built into such a history: its text was changed by others before."""
    for again in range(TRIES):
        random = Random(f"{project.name} {fault.name} {seed} {again}")
        steps = _steps(project, fault, random)
        if steps is None or not _harmless_until(project, fault, steps):
            continue
        event = error_of(project, steps[-1].files, fault.route)
        if event is not None and _same(event, error_of(project, steps[_at(steps)].files, fault.route)):
            shas = _commit_all(place, steps)
            guilty = _at(steps)
            route = project.patterns.get(fault.route, fault.route)
            onset = BEGAN + 3600.0 * len(steps)
            return History(
                project.name,
                fault.name,
                seed,
                place,
                shas[0],
                shas[-1],
                shas[guilty],
                len(steps) - 1,
                event,
                route,
                onset,
            )
    return None


def _steps(project: Project, fault: Fault, random: Random) -> list[Step] | None:
    """5…20 commits: harmless ones around the guilty one, a third of the histories with a branch that is merged."""
    many = random.randrange(5, 21)
    at = random.randrange(1, many + 1)
    steps = [Step("Release", dict(project.files), ())]
    branch = random.random() < 0.34 and many >= 8
    fork = random.randrange(1, many - 4) if branch else 0
    length = random.randrange(2, 5)
    used: set[str] = set()
    side: int | None = None
    main = 0
    for number in range(1, many + 1):
        if branch and number == fork:
            side = main
        on_side = side is not None and number < fork + length and (number - fork) % 2 == 0
        base = side if on_side and side is not None else main
        step = _guilty(fault, steps, base, random) if number == at else _harmless(project, steps, base, random, used)
        if step is None:
            return None
        steps.append(step)
        if on_side:
            side = len(steps) - 1
        else:
            main = len(steps) - 1
        if side is not None and number == fork + length:
            merged = _merge(steps, main, side)
            if merged is None:
                return None
            steps.append(merged)
            main, side = len(steps) - 1, None
    return steps if side is None else None


def _guilty(fault: Fault, steps: Sequence[Step], base: int, random: Random) -> Step | None:
    files = fault.edit(dict(steps[base].files), random)
    return Step(fault.title, files, (base,), True) if files is not None and files != steps[base].files else None


def _harmless(project: Project, steps: Sequence[Step], base: int, random: Random, used: set[str]) -> Step | None:
    """Now and then two changes in one commit, as a squashed branch has them."""
    for _ in range(40):
        chosen = random.choice(project.harmless)
        files = chosen.edit(dict(steps[base].files), random)
        if files is None or files == steps[base].files:
            continue
        title = chosen.title
        if random.random() < 0.15:
            other = random.choice(project.harmless)
            more = other.edit(dict(files), random)
            files, title = (more, f"{title} ({other.title.lower()})") if more is not None else (files, title)
        return Step(title, files, (base,))
    return None


def _merge(steps: Sequence[Step], main: int, side: int) -> Step | None:
    """By file and, where both sides changed one, by git's own three-way merge; None on a conflict."""
    common = _common(steps, main, side)
    base, ours, theirs = (steps[at].files for at in (common, main, side))
    merged: Files = {}
    for path in sorted({*base, *ours, *theirs}):
        old, mine, other = base.get(path), ours.get(path), theirs.get(path)
        if mine == other or other == old:
            found = mine
        elif mine == old:
            found = other
        elif old is None or mine is None or other is None:
            return None
        else:
            found = _three_ways(old, mine, other)
            if found is None:
                return None
        if found is not None:
            merged[path] = found
    return Step("Merge branch 'topic'", merged, (main, side))


def _common(steps: Sequence[Step], one: int, other: int) -> int:
    def line(at: int) -> list[int]:
        found = [at]
        while steps[found[-1]].parents:
            found.append(steps[found[-1]].parents[0])
        return found

    theirs = set(line(other))
    return next(at for at in line(one) if at in theirs)


def _three_ways(old: str, mine: str, other: str) -> str | None:
    with tempfile.TemporaryDirectory() as place:
        paths = [Path(place) / name for name in ("mine", "old", "other")]
        for path, text in zip(paths, (mine, old, other), strict=True):
            path.write_text(text)
        done = subprocess.run(
            ["git", "merge-file", "-p", *map(str, paths)], capture_output=True, text=True, timeout=RUN_S, check=False
        )
    return done.stdout if done.returncode == 0 else None


def _harmless_until(project: Project, fault: Fault, steps: Sequence[Step]) -> bool:
    """Whether the request still works at the release before, and at the guilty commit's parent."""
    return all(error_of(project, steps[one].files, fault.route) is None for one in {0, *steps[_at(steps)].parents})


def _same(one: ErrorEvent, other: ErrorEvent | None) -> bool:
    """Whether what is raised in the end is what the guilty commit raised: later commits brought no fault of their own."""
    return other is not None and [(t.kind, t.message) for t in one.chain] == [(t.kind, t.message) for t in other.chain]


def _at(steps: Sequence[Step]) -> int:
    return next(at for at, step in enumerate(steps) if step.guilty)


def error_of(project: Project, files: Files, request: str) -> ErrorEvent | None:
    """What the request ends with when it is really made; None when it is answered."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "app"
        write_out(project, files, root)
        if project.language == "python":
            argv = ["python3", "-I", "-S", "-B", "-c", _PYTHON, str(root), request]
        else:
            argv = ["node", "-e", _NODE, str(root), request]
        env = {"PATH": os.environ["PATH"], "NODE_PATH": str(root.parent / "node_modules")}
        done = subprocess.run(argv, capture_output=True, text=True, timeout=RUN_S, check=False, env=env)
        if not done.stdout.strip():
            if done.returncode:
                raise RuntimeError(done.stderr)
            return None
        chain = json.loads(done.stdout)
        return ErrorEvent(
            "e1",
            0.0,
            1,
            project.language,
            "error",
            "",
            chain=tuple(_thrown(one, place) for one in chain),
            source="sentry",
        )


def write_out(project: Project, files: Files, root: Path) -> None:
    """The files, and beside them the versions of the packages that they ask for."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    asked = files.get("requirements.txt", "") + files.get("package.json", "")
    for name, text in project.packages.items():
        package, version = name.split()
        if re.search(rf'\b{package}(?:==|": ")[\^~]?{re.escape(version)}\b', asked):
            where = (
                f"site-packages/{package}.py" if project.language == "python" else f"node_modules/{package}/index.js"
            )
            (root.parent / where).parent.mkdir(parents=True, exist_ok=True)
            (root.parent / where).write_text(text)


def _thrown(told: list[object], place: str) -> Thrown:
    kind, message, frames = told
    if isinstance(frames, str):
        calls = [_CALL.match(line) for line in frames.split("\n")]
        found = [
            (call["file"], int(call["line"]), (call["name"] or "").replace("Object.", ""), "")
            for call in reversed(calls)
            if call
        ]
    else:
        found = [tuple(one) for one in frames] if isinstance(frames, list) else []
    real = os.path.realpath(place)
    mine = [one for one in found if one[0].startswith((place, real))]
    return Thrown(
        str(kind),
        str(message).replace(place, "/srv").replace(real, "/srv"),
        tuple(
            Frame(name, "", file.replace(real, "/srv").replace(place, "/srv"), line, "/app/" in file, code)
            for file, line, name, code in mine
        ),
    )


def _commit_all(place: Path, steps: Sequence[Step]) -> list[str]:
    """All commits in one stream, each with all of its files; returns their ids."""
    place.mkdir(parents=True, exist_ok=True)
    _git(place, "init", "-q", "-b", "main")
    stream = bytearray()
    for number, step in enumerate(steps):
        at = BEGAN + 3600 * number
        who = ("Ana Lima", "Ben Okoro", "Chi Wu")[number % 3]
        stream += (
            f"commit refs/heads/{'main' if number == len(steps) - 1 else f's{number}'}\nmark :{number + 1}\n".encode()
        )
        stream += f"committer {who} <dev@shop.test> {at} +0000\n".encode()
        stream += f"data {len(step.title.encode())}\n{step.title}\n".encode()
        for which, parent in enumerate(step.parents):
            stream += f"{'merge' if which else 'from'} :{parent + 1}\n".encode()
        stream += b"deleteall\n"
        for path, text in sorted(step.files.items()):
            body = text.encode()
            stream += f"M 100644 inline {path}\ndata {len(body)}\n".encode() + body + b"\n"
        stream += b"\n"
    marks = place / "marks"
    _git(place, "fast-import", "--quiet", f"--export-marks={marks}", given=bytes(stream))
    found = dict(line.split() for line in marks.read_text().splitlines())
    marks.unlink()
    return [found[f":{number + 1}"] for number in range(len(steps))]


def _git(place: Path, *arguments: str, given: bytes = b"") -> None:
    subprocess.run(["git", "-C", str(place), *arguments], input=given, check=True, capture_output=True, timeout=RUN_S)
