"""From what the manifests and locks say now, and said then, to the edits of a pin."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from prodwise.loop.choose.pins import asked, line_locks, npm, requirements, uv
from prodwise.loop.choose.pins.holds import held, holds_in
from prodwise.loop.choose.pins.seen import Cannot, exact, locks_of, same
from prodwise.loop.choose.pins.settings import code
from prodwise.loop.diagnose.logs.manifests import ecosystem_of
from prodwise.loop.diagnose.logs.pins import pin as command_of
from prodwise.model.breakage import Ecosystem
from prodwise.model.errors import Refused, UsageError
from prodwise.model.pin import HOLDS_FILE, Hold, PinPlan, Resolve

Files = Mapping[str, str]
DEPENDABOT: Final = (".github/dependabot.yml", ".github/dependabot.yaml")
NEVER: Final = "this lock file has never named that version"
RENOVATE: Final = ("renovate.json", "renovate.json5", ".renovaterc", ".renovaterc.json", ".github/renovate.json")


@dataclass(slots=True)
class _Work:
    """What is gathered: texts as they become, and what they asked for before."""

    now: dict[str, str]
    then: Files
    hold: Hold
    was: dict[str, str] = field(default_factory=dict)
    resolve: list[Resolve] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def planned(now: Files, then: Files, hold: Hold, paths: Collection[str] = (), renew: bool = False) -> PinPlan:
    """now, then: manifests and locks as they are, and as they were when a lock named the version ({} if none ever did); paths: of
    all files; renew: give a hold that stands a new reason and end. Raises UsageError for a package that no lock names."""
    locks = {path: was for path, was in locks_of(hold.package, now).items() if ecosystem_of(path) is hold.ecosystem}
    if not locks:
        raise UsageError(
            f"no lock file here names {hold.package}", "prodwise pin works on packages that a lock file names"
        )
    before = next(iter(locks.values()))
    known = {path: one for path, one in locks.items() if _editor(path) is not None}
    if not known:
        command = command_of(hold.ecosystem, hold.package, hold.version)
        return PinPlan(hold.package, hold.ecosystem, hold.version, before, told=_told(hold, paths), command=command)
    standing = next((one for one in holds_in(now.get(HOLDS_FILE, "")) if same(one.package, hold.package)), None)
    if standing is not None:
        keeps = standing.version == hold.version and standing.expires >= hold.since and not renew
        hold = standing if keeps else replace(hold, was=standing.was)
    work = _Work(dict(now), then, hold)
    for path in known:
        editor = _editor(path)
        if editor is not None:
            editor(work, path)
    hold = replace(hold, was={**work.was, **hold.was})
    if standing != hold:
        work.now[HOLDS_FILE] = held(now.get(HOLDS_FILE, ""), hold)
    edits = {path: text for path, text in work.now.items() if text != now.get(path)}
    told = (*work.told, *_told(hold, paths)) if edits else ()
    return PinPlan(hold.package, hold.ecosystem, hold.version, before, edits, tuple(work.resolve), told)


def _editor(path: str) -> Callable[[_Work, str], None] | None:
    name = posixpath.basename(path)
    if ecosystem_of(path) is Ecosystem.PYTHON and path.endswith(".txt"):
        return _requirements
    exactly: dict[str, Callable[[_Work, str], None]] = {
        "uv.lock": _uv, "poetry.lock": _poetry, "pdm.lock": _pdm, "package-lock.json": _npm, "npm-shrinkwrap.json": _npm,
        "yarn.lock": _yarn, "pnpm-lock.yaml": _pnpm,
    }  # fmt: skip
    return exactly.get(name)


def _requirements(work: _Work, path: str) -> None:
    """The file itself, and the .in that it was compiled from."""
    hold, text = work.hold, work.now[path]
    new = requirements.pinned(text, hold, work.then.get(path, ""))
    if isinstance(new, Cannot):
        work.resolve.append(_hashes(path, hold, new.reason))
        new = text
    work.now[path] = new
    work.was.setdefault(path, f"=={hold.version}")
    source = path.removesuffix(".txt") + ".in"
    if source in work.now:
        told = requirements.asked(work.now[source], hold.package)
        work.was.setdefault(source, told or "")
        if told is None:
            work.now[source] = requirements.appended(work.now[source], hold)
        else:
            pinned = requirements.pinned(work.now[source], hold, "")
            work.now[source] = pinned if isinstance(pinned, str) else work.now[source]


def _hashes(path: str, hold: Hold, why: str) -> Resolve:
    """uv writes the line with its hashes: of this package alone."""
    argv = ("uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-deps", "--generate-hashes", "--no-build",
            "--universal", "-")  # fmt: skip
    return Resolve(posixpath.dirname(path), path, argv, why)


def _uv(work: _Work, path: str) -> None:
    hold, folder = work.hold, posixpath.dirname(path)
    manifest = posixpath.join(folder, "pyproject.toml")
    if manifest not in work.now:
        raise Refused(f"{path} has no pyproject.toml beside it", "a hold would not last: pin it by hand")
    loosened = uv.spec_from(work.now[manifest], work.then.get(manifest, ""), hold.package)
    if loosened is not None:
        work.now[manifest] = loosened
        work.told.append(f"{manifest} asks for {hold.package} as it did then")
    work.now[manifest] = uv.constrained(work.now[manifest], hold.package, hold.version)
    work.was.setdefault(manifest, "")
    new = _restored(work, path)
    if isinstance(new, Cannot) or loosened is not None:
        why = new.reason if isinstance(new, Cannot) else "the manifest asks for it differently now"
        argv = ("uv", "lock", "--quiet", "--no-build", "--upgrade-package", f"{hold.package}=={hold.version}")
        work.resolve.append(Resolve(folder, path, argv, why))
    else:
        work.now[path] = uv.lock_constrained(new, hold.package, hold.version)


def _restored(work: _Work, path: str) -> str | Cannot:
    """A lock of [[package]] with the entry from then; as it is when it names the version already."""
    if locks_of(work.hold.package, {path: work.now[path]})[path] == work.hold.version:
        return work.now[path]
    if path not in work.then:
        return Cannot(NEVER)
    return uv.restored(work.now[path], work.then[path], work.hold.package, work.hold.version)


def _poetry(work: _Work, path: str) -> None:
    _entry(work, path, "Poetry", "poetry add '{}@{}'")


def _pdm(work: _Work, path: str) -> None:
    _entry(work, path, "PDM", "pdm update --update-reuse '{}=={}'")


def _entry(work: _Work, path: str, tool: str, command: str) -> None:
    """What pyproject.toml asks for and the lock's hash of it change together, or neither does."""
    hold, new = work.hold, _restored(work, path)
    if isinstance(new, Cannot):
        by_hand = command.format(hold.package, hold.version)
        raise Refused(f"{path} cannot be edited alone: {new.reason}", f"{by_hand} resolves the rest")
    work.now[path] = new
    manifest = posixpath.join(posixpath.dirname(path), "pyproject.toml")
    text = work.now.get(manifest, "")
    spec = asked.spec_of(text, hold.package)
    exact = asked.exactly(text, hold.package, hold.version) if spec is not None else ""
    both = asked.respecified(text, new, hold.package, exact) if spec not in (None, exact) else None
    if both is not None:
        work.now[manifest], work.now[path] = both
        work.was.setdefault(manifest, spec or "")
    elif spec != exact:
        name = tool.lower()
        work.told.append(
            f"{tool} is not told of the hold: `{name} update` would move it again, `{name} install` does not"
        )


def _npm(work: _Work, path: str) -> None:
    hold = work.hold
    section = _manifest(work, path)
    if locks_of(hold.package, {path: work.now[path]})[path] == hold.version and not section:
        return
    then = work.then.get(path)
    new: str | Cannot = Cannot(NEVER)
    if then is not None:
        new = npm.restored(work.now[path], then, hold.package, hold.version, section)
    if isinstance(new, Cannot):
        argv = ("npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund", "--git=git")
        work.resolve.append(Resolve(posixpath.dirname(path), path, argv, new.reason))
    else:
        work.now[path] = new


def _yarn(work: _Work, path: str) -> None:
    later = "__metadata:" in work.now[path]
    argv = (
        ("yarn", "install", "--mode=update-lockfile", "--no-immutable")
        if later
        else ("yarn", "install", "--ignore-scripts", "--non-interactive")
    )
    _lines(work, path, argv)


def _pnpm(work: _Work, path: str) -> None:
    argv = ("pnpm", "install", "--lockfile-only", "--ignore-scripts", "--ignore-pnpmfile", "--no-frozen-lockfile")
    _lines(work, path, argv)


def _lines(work: _Work, path: str, argv: tuple[str, ...]) -> None:
    """By the package's entry from then where the app itself asks for it, else by its tool."""
    hold, text, asks = work.hold, work.now[path], _manifest(work, path)
    if locks_of(hold.package, {path: text})[path] == hold.version and not asks:
        return
    then = work.then.get(path)
    new: str | Cannot = Cannot(NEVER if then is None else "it is a package of a package")
    if then is not None and asks:
        new = line_locks.restored(text, then, hold.package, hold.version)
    if isinstance(new, Cannot):
        if what := code(text):
            raise Refused(
                f"{path} has {what}: its tool would run code to write it", f"`{' '.join(argv)}` does, if you trust it"
            )
        work.resolve.append(Resolve(posixpath.dirname(path), path, argv, new.reason))
    else:
        work.now[path] = new


def _manifest(work: _Work, lock: str) -> str:
    """package.json allows that version only. Returns the section that asks for the package, "" for none."""
    path = posixpath.join(posixpath.dirname(lock), "package.json")
    try:
        name, hold = posixpath.basename(lock), work.hold
        work.now[path], before = npm.pinned(work.now[path], name, hold.package, hold.version)
        work.was.setdefault(path, before)
        return npm.section_of(work.now[path], hold.package)
    except (KeyError, ValueError, AttributeError):
        raise Refused(f"{path} is not there or cannot be read", "a hold would not last: pin it by hand") from None


def _told(hold: Hold, paths: Collection[str]) -> tuple[str, ...]:
    """What other tools would do, and the line that stops them: their files are the team's."""
    told = []
    for path in paths:
        if path in DEPENDABOT:
            told.append(f'{path}: add  ignore: [{{dependency-name: "{hold.package}", versions: [">{hold.version}"]}}]')
        if path in RENOVATE:
            rule = f'{{"matchPackageNames": ["{hold.package}"], "allowedVersions": "<={hold.version}"}}'
            told.append(f'{path}: add to "packageRules"  {rule}')
    return tuple(told)


def sound(hold: Hold) -> Hold:
    """Raises UsageError for a name or version that could say more than a name or version."""
    plain = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+@/!~:")
    if not hold.package or not set(hold.package) <= plain or hold.package[0] in "-." or ".." in hold.package:
        raise UsageError(f"{hold.package!r} is no name of a package", "prodwise pin NAME==VERSION")
    if not exact(hold.version) or not set(hold.version) <= plain:
        raise UsageError(f"{hold.version!r} is no version", "prodwise pin NAME==VERSION")
    if hold.expires < hold.since:
        raise UsageError(f"{hold.expires} is in the past", "--until takes a date to come, like 2031-01-31")
    reason = " ".join("".join(c if c.isprintable() else " " for c in hold.reason).split())[:200]
    return replace(hold, reason=reason or "no reason given")
