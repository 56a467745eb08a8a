"""Logs of pip, uv, Poetry and of Python programs and tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue, Reading
from prodwise.loop.diagnose.logs.rules import apply, began, bumped, move, rule, wants
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Ecosystem, Failure

_MARKS: Final = (
    "Traceback (most recent call last)", "site-packages", "pip", ".whl", "uv ", "poetry", "Poetry", "pytest", "No solution found when",
    "ModuleNotFoundError", "ImportError", "AttributeError", "version solving failed",
)  # fmt: skip
_NAME: Final = r"(?P<name>[A-Za-z0-9][\w.-]{0,100}?)"
_VERSION: Final = r"(?P<version>\d[\w.+!]{0,60})"
RESOLUTION, RUNTIME, LOCK = Failure.RESOLUTION, Failure.RUNTIME, Failure.LOCK
_RULES: Final = (
    rule("Could not find a version that satisfies the requirement", rf"requirement {_NAME}(?:\[[\w,-]{{1,60}}\])?(?:[=<>!~]{{1,3}}{_VERSION})?(?:[ ,;(]|$)", Reason.NOT_FOUND, RESOLUTION),
    rule("No matching distribution found for", rf"found for {_NAME}(?:\[[\w,-]{{1,60}}\])?(?:[=<>!~]{{1,3}}{_VERSION})?(?:[ ,;(]|$)", Reason.NOT_FOUND, RESOLUTION, 0.9),
    rule("requires a different Python", rf"Package '?{_NAME}'? requires a different Python", Reason.NOT_FOUND, RESOLUTION),
    rule("require a different python version", rf"[\d ]{{1,8}}; {_NAME} (?:==)?{_VERSION} Requires-Python", Reason.NOT_FOUND, RESOLUTION, 0.5),
    rule("Failed building wheel for", rf"Failed building wheel for {_NAME}(?:\s|$)", Reason.FAILS_TO_BUILD, RESOLUTION),
    rule("Failed to build", rf"Failed to build `?{_NAME}(?:==|@){_VERSION}`?", Reason.FAILS_TO_BUILD, RESOLUTION),
    rule("Failed to build", rf"^(?:ERROR: )?Failed to build (?:installable wheels for some pyproject.toml based projects \()?{_NAME}\)?$", Reason.FAILS_TO_BUILD, RESOLUTION, 0.9),
    rule("Could not build wheels for", rf"Could not build wheels for {_NAME}[, ]", Reason.FAILS_TO_BUILD, RESOLUTION),
    rule("Failed to download", rf"Failed to (?:download|fetch)(?: and build)? `{_NAME}==?{_VERSION}", Reason.NOT_FOUND, RESOLUTION),
    rule("there is no version of ", rf"there is no version of {_NAME}(?:\[[\w,-]{{1,60}}\])?(?:[=<>!~]{{2}}{_VERSION})?(?:[ ,]|$)", Reason.NOT_FOUND, RESOLUTION),
    rule("was not found in the", rf"(?:Because|because|and) {_NAME} was not found in the (?:package registry|provided package)", Reason.NOT_FOUND, RESOLUTION),
    rule("Unable to find installation candidates for", rf"candidates for {_NAME} \({_VERSION}\)", Reason.NOT_FOUND, RESOLUTION),
    rule("have mismatched hashes", rf"^\s{{0,8}}{_NAME}=={_VERSION}", Reason.DIFFERS, LOCK),
    rule("Hash mismatch for", rf"Hash mismatch for `{_NAME}=={_VERSION}`", Reason.DIFFERS, LOCK),
    rule("DistributionNotFound", rf"The '{_NAME}(?:[=<>!~]{{1,3}}[\w.,<>=!~*]{{1,60}})?' distribution was not found", Reason.NOT_FOUND, RUNTIME),
    rule("No package metadata was found for", rf"was found for {_NAME}(?:\s|$)", Reason.NOT_FOUND, RUNTIME),
    rule("partially initialized module", rf"partially initialized module '{_NAME}['.]", Reason.LACKS, RUNTIME, 0.6),
    rule("' has no attribute '", rf"module '{_NAME}(?:\.[\w.]{{1,200}})?' has no attribute '", Reason.LACKS, RUNTIME),
    rule("cannot import name", rf"cannot import name '?\w{{1,100}}'? from (?:partially initialized module )?'{_NAME}(?:\.[\w.]{{1,200}})?'", Reason.LACKS, RUNTIME, 1.1),
    rule("is not compatible with", rf"{_NAME} \(?{_VERSION}\)? is not compatible with", Reason.CONFLICTS, RUNTIME, 0.6),
    rule(" requires ", r"(?:ImportError|RuntimeError|OSError|ContextualVersionConflict): (?P<name>[A-Za-z][\w.-]{1,60})[<>=!~]{1,2}[\w.,<>=!~*]{1,60} is required for a normal", Reason.CONFLICTS, RUNTIME),
    rule("numpy.dtype size changed", r"(?P<name>numpy)\.dtype size changed", Reason.LACKS, RUNTIME, 0.8),
    rule("A module that was compiled using", r"compiled using (?P<name>[A-Z][\w]{1,30}) \d", Reason.LACKS, RUNTIME, 1.0),
)  # fmt: skip
_FRAME: Final = re.compile(r'File "([^"\n]{1,500})", line \d{1,9}(?:, in (.{1,200}))?')
_SHORT_FRAME: Final = re.compile(r"^([\w./\\@+ -]{1,400}\.py):\d{1,7}: (?:in |[A-Z]\w{1,80}(?:Error|Warning|Exception)?$|$)")
_SITE: Final = re.compile(r"(?:site|dist)-packages[/\\]([A-Za-z_][\w.]{0,100})")
_RAISED: Final = re.compile(r"^(?:E\s{1,8})?((?:[a-zA-Z_]\w{0,80}\.){0,8}[A-Z]\w{0,80}(?:Error|Exception|Warning|Found|Conflict|Exit)\w{0,20}|[a-z_][\w.]{0,200}\.[A-Z]\w{2,80}): (.{0,1500})")
_FROM: Final = re.compile(r"^\s{1,12}from ([A-Za-z_][\w.]{0,200}) import ")
_MISSING: Final = re.compile(r"No module named '?([A-Za-z_][\w.]{0,200})'?")
_NEEDS: Final = re.compile(r"([A-Za-z0-9][\w.-]{0,100}?)(?:\[[\w,-]{1,60}\])? (\d[\w.+!]{0,60}) (?:requires|has requirement|depends on) ([A-Za-z0-9][\w.-]{0,100}?)(?:\[[\w,-]{1,60}\])?\s?\(?((?:[=<>!~^]{1,3}\s?[\w.*+!]{1,60},?\s?){0,6})\)?(?:; [^,]{1,200})?, but you(?:'ll)? have (?:[\w.-]{1,100} )?(\d[\w.+!]{0,60}|[\w.-]{1,60})")
_DEPENDS: Final = re.compile(r"([A-Za-z0-9][\w.-]{0,100}?)(?:\[[\w,-]{1,60}\])? (\d[\w.+!]{0,60}) depends on ([A-Za-z0-9][\w.-]{0,100}?)(?:\[[\w,-]{1,60}\])?\s?((?:[=<>!~^]{1,3}\s?[\w.*+!]{1,60},?\s?){0,6})(?:\s|;|$)")
_ASKED: Final = re.compile(r"The user requested (?:\(constraint\) )?([A-Za-z0-9][\w.-]{0,100}?)(?:\[[\w,-]{1,60}\])?\s?((?:[=<>!~^]{1,3}\s?[\w.*+!]{1,60},?\s?){0,6})(?:\s|;|$)")
_ATOM: Final = r"([A-Za-z0-9][\w.-]{0,100}?)(?:\[[\w,-]{1,60}\])?\s?\(?((?:(?:[=<>!~^]{1,3})\s?[\w.*+!]{1,60}(?:,| \|\| )?){0,6}|[\d.]{1,20})\)?"
_BECAUSE: Final = re.compile(rf"{_ATOM} depends on {_ATOM}(?=[\s,.]|$)")
_YOU: Final = re.compile(rf"(?:you require|your project depends on|[\w.-]{{1,80}} depends on|requested) {_ATOM}(?=[\s,.]|$)")
_CONFLICT: Final = re.compile(r"ContextualVersionConflict: \(([\w.-]{1,100}) (\d\S{0,60}) .{0,300}Requirement\.parse\('([\w.-]{1,100}?)([=<>!~].{0,100})?'\), \{(.{0,300})\}")
_VERSION_CONFLICT: Final = re.compile(r"VersionConflict: \(([\w.-]{1,100}) (\d\S{0,60}) .{0,300}Requirement\.parse\('([\w.-]{1,100}?)([=<>!~].{0,100})?'\)")
_INSTALLED: Final = re.compile(r"\b([A-Za-z0-9][\w.]{0,80}(?:-[A-Za-z][\w.]{0,60}){0,6})-(\d[\w.+!]{0,60})(?=\s|$)")
_WHEEL: Final = re.compile(r"([A-Za-z0-9][\w.]{0,80})-(\d[\w.+!]{0,60})(?:-[\w.]{1,80}){3}\.whl|([A-Za-z0-9][\w.-]{0,80}?)-(\d[\w.]{0,60})\.tar\.gz")
_PINNED: Final = re.compile(r"(?:Collecting|Requirement already satisfied:|^ ?\+|Installing) ([A-Za-z0-9][\w.-]{0,100}?)(?:\[[\w,-]{1,60}\])?(?:==| \()(\d[\w.+!]{0,60})")
_UV: Final = re.compile(r"^\s{0,3}([-+~]) ([A-Za-z0-9][\w.-]{0,100})==(\d[\w.+!]{0,60})")
_FOUND: Final = re.compile(r"Found existing installation: ([\w.-]{1,100}) (\d\S{0,60})")
_POETRY: Final = re.compile(r"(?:Updating|Downgrading|Upgrading) ([\w.-]{1,100}) \((\d\S{0,60}) (?:->|=>) (\d[^\s)]{0,60})\)")
# Import names that differ from the names that packages are published under.
_PUBLISHED: Final = {
    "yaml": "pyyaml", "cv2": "opencv-python", "PIL": "pillow", "bs4": "beautifulsoup4", "sklearn": "scikit-learn", "dateutil": "python-dateutil",
    "pkg_resources": "setuptools", "_distutils_hack": "setuptools", "jwt": "pyjwt", "attr": "attrs", "dotenv": "python-dotenv", "OpenSSL": "pyopenssl",
    "Crypto": "pycryptodome", "MySQLdb": "mysqlclient", "git": "gitpython", "zmq": "pyzmq", "magic": "python-magic", "docx": "python-docx",
    "jose": "python-jose", "serial": "pyserial", "skimage": "scikit-image", "rest_framework": "djangorestframework", "_pytest": "pytest",
    "markdown_it": "markdown-it-py", "ruamel": "ruamel.yaml", "fitz": "pymupdf", "multipart": "python-multipart", "socks": "pysocks",
    "psycopg2": "psycopg2", "discord": "discord.py", "telegram": "python-telegram-bot", "OpenGL": "pyopengl", "usb": "pyusb", "ldap": "python-ldap",
    "corsheaders": "django-cors-headers", "slugify": "python-slugify", "Levenshtein": "levenshtein", "pythonjsonlogger": "python-json-logger",
    "grpc": "grpcio", "win32api": "pywin32", "wx": "wxpython", "gi": "pygobject", "nacl": "pynacl", "cairo": "pycairo", "fake_useragent": "fake-useragent",
}  # fmt: skip
_NAMESPACES: Final = {"google": ("google.protobuf", "protobuf"), "azure": ("azure.", ""), "zope": ("zope.", ""), "backports": ("backports.", "")}
_STANDARD: Final = frozenset(
    "abc argparse array ast asyncio base64 builtins cgi codecs collections collections.abc concurrent contextlib copy csv ctypes dataclasses datetime decimal "
    "email enum errno fractions functools gc gettext glob gzip hashlib heapq hmac html http imp importlib inspect io itertools json locale logging "
    "math mimetypes multiprocessing numbers operator os pathlib pickle pkgutil platform pprint queue random re runpy select shutil signal site socket "
    "sqlite3 ssl stat statistics string struct subprocess sys tarfile tempfile textwrap threading time timeit tkinter token tokenize traceback types "
    "typing unittest urllib uuid warnings weakref xml zipfile zipimport zoneinfo distutils asynchat asyncore smtpd pipes telnetlib unittest.mock "
    "__main__ str list dict tuple int set self object NoneType".split()
)
_TESTERS: Final = frozenset("pytest pluggy coverage unittest nose tox nox hypothesis xdist pip uv virtualenv".split())


def read(log: Log) -> Reading:
    found = began(Ecosystem.PYTHON, log, _MARKS)
    if found is None:
        return Reading(Ecosystem.PYTHON)
    _installed(log, found)
    bumped(log, found, _named)
    found.clues += apply(log, _RULES, _published)
    found.clues += _conflicts(log)
    found.clues += _solved(log)
    found.clues += _hashes(log)
    found.clues += _built(log)
    found.clues += _raised(log)
    found.kind = _step(log, found)
    return found


def _named(name: str) -> str:
    return "" if "/" in name or ":" in name or name.startswith("@") else _canonical(name)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]{1,5}", "-", name).lower().strip("-")


def _published(name: str) -> str:
    """The package that a module belongs to, or the package itself; "" for the standard library."""
    top = name.partition(".")[0]
    if name in _STANDARD or top in _STANDARD:
        return ""
    if top in _NAMESPACES:
        start, package = _NAMESPACES[top]
        rest = name.split(".")
        return package if package and name.startswith(start) else _canonical("-".join(rest[:3])) if len(rest) > 1 else ""
    return _PUBLISHED.get(top) or _canonical(top)


def _step(log: Log, found: Reading) -> Failure | None:
    kinds = {clue.kind for clue in found.clues}
    if Failure.LOCK in kinds or "pyproject.toml changed significantly since poetry.lock" in log.text or "lockfile needs to be updated" in log.text:
        return Failure.LOCK
    if Failure.RESOLUTION in kinds:
        return Failure.RESOLUTION
    ran = re.search(r"^(?:=+ .{0,200}\b\d+ (?:failed|errors?)\b|FAILED |ERROR (?:collecting )?[\w./-]+\.py|E   |FAILED \(\w)", log.text, re.MULTILINE)
    if ran and found.clues:
        return Failure.TEST
    if found.clues and "mypy" in log.text and "error:" in log.text and "Traceback" not in log.text:
        return Failure.COMPILATION
    return Failure.RUNTIME if found.clues else None


def _installed(log: Log, found: Reading) -> None:
    """Versions that installers name, and those that they replaced."""
    removed: dict[str, str] = {}
    for number, line in log.hits("Found existing installation: "):
        if (one := _FOUND.search(line)) is not None:
            removed[_canonical(one[1])] = one[2]
    for number, line in log.hits("==", 2_000):
        if (one := _UV.search(line)) is not None:
            if one[1] == "-":
                removed[_canonical(one[2])] = one[3]
            elif one[1] == "+":
                found.versions[_canonical(one[2])] = one[3]
                if removed.get(_canonical(one[2]), one[3]) != one[3]:
                    move(found, _canonical(one[2]), removed[_canonical(one[2])], one[3], number)
        elif (pinned := _PINNED.search(line)) is not None:
            found.versions.setdefault(_canonical(pinned[1]), pinned[2])
    for word in (".whl", ".tar.gz"):
        for _, line in log.hits(word, 2_000):
            if (wheel := _WHEEL.search(line)) is not None:
                found.versions.setdefault(_canonical(wheel[1] or wheel[3]), wheel[2] or wheel[4])
    for number, line in log.hits("Successfully installed "):
        for one in _INSTALLED.finditer(line.partition("Successfully installed ")[2]):
            name = _canonical(one[1])
            found.versions[name] = one[2]
            if removed.get(name, one[2]) != one[2]:
                move(found, name, removed[name], one[2], number)
    for number, line in [*log.hits("Updating "), *log.hits("Downgrading "), *log.hits("Upgrading ")]:
        if (one := _POETRY.search(line)) is not None:
            move(found, _canonical(one[1]), one[2], one[3], number)
            found.versions[_canonical(one[1])] = one[3]


def _conflicts(log: Log) -> Iterator[Clue]:
    """pip: what is installed beside what is needed; and the reasons it gives when nothing fits."""
    for number, line in [*log.hits("but you have "), *log.hits("but you'll have ")]:
        if (one := _NEEDS.search(line)) is not None:
            yield from wants(RESOLUTION, number, (_canonical(one[1]), one[2]), (_canonical(one[3]), one[4]), one[5], 1.0)
    for number, line in log.hits("VersionConflict: ("):
        one = _CONFLICT.search(line) or _VERSION_CONFLICT.search(line)
        if one is not None:
            by = re.findall(r"'([\w.-]{1,100})'", one[5])[:2] if one.re is _CONFLICT else []
            yield from wants(RUNTIME, number, (_canonical(by[0]) if by else "", ""), (_canonical(one[3]), one[4] or ""), one[2], 1.0)
    for number, _ in log.hits("The conflict is caused by:", 4):
        yield from _caused(log, number)


def _caused(log: Log, number: int) -> Iterator[Clue]:
    asked: dict[str, str] = {}
    needs: list[tuple[int, str, str, str, str]] = []
    for at, line in log.after(number, 20):
        if (user := _ASKED.search(line)) is not None:
            asked[_canonical(user[1])] = user[2].strip()
        elif (one := _DEPENDS.search(line)) is not None:
            needs.append((at, _canonical(one[1]), one[2], _canonical(one[3]), one[4].strip()))
        elif not line.strip():
            break
    for at, wanter, version, wanted, bounds in needs:
        have = asked.get(wanted, "").lstrip("=<>!~^ ")
        yield from wants(RESOLUTION, at, (wanter, version), (wanted, bounds), have)


def _solved(log: Log) -> Iterator[Clue]:
    """uv and Poetry: the sentence that says why nothing fits, which may go over several lines."""
    for words in ("No solution found when resolving", "Because ", "and because "):
        for number, line in log.hits(words, 12):
            text = " ".join([line.strip(" ╰─▶×│"), *(more.strip(" │╰─▶") for _, more in log.after(number, 8) if more.strip(" │"))])[:2_000]
            yours = {_canonical(one[1]): one[2] for one in _YOU.finditer(text) if not text[max(0, one.start() - 2) : one.start()].strip().endswith(")")}
            for one in _BECAUSE.finditer(text):
                wanter, wanted = _canonical(one[1]), _canonical(one[3])
                if wanter in ("and", "project", "your-project", "because") or not wanted:
                    continue
                version = one[2].strip("=^~<>! ")
                have = yours.get(wanted, "").strip("=^~ ") if yours.get(wanted, "")[:1] in "=^~0123456789" else ""
                yield from wants(RESOLUTION, number, (wanter, version), (wanted, one[4]), have, 0.9)


def _hashes(log: Log) -> Iterator[Clue]:
    for number, _ in log.hits("THESE PACKAGES DO NOT MATCH THE HASHES", 3):
        for at, line in log.after(number, 6):
            one = re.match(r"\s{2,10}([A-Za-z0-9][\w.-]{0,100}?)==(\d[\w.+!]{0,60}) from", line)
            if one:
                yield Clue(Reason.DIFFERS, _canonical(one[1]), LOCK, at, one[2])


def _built(log: Log) -> Iterator[Clue]:
    """A package that pip could not prepare: the one it names, or the last one that it collected."""
    for number, _ in [*log.hits("did not run successfully", 6), *log.hits("subprocess-exited-with-error", 6)]:
        for at in range(number, max(0, number - 25), -1):
            one = re.match(r"\s{0,4}(?:Collecting|Building wheel for) ([A-Za-z0-9][\w.-]{0,100}?)(?:\[[\w,-]{1,60}\])?(?:==(\d[\w.+!]{0,60})|[ (<>~!]|$)", log.line(at))
            if one:
                yield Clue(Reason.FAILS_TO_BUILD, _canonical(one[1]), RESOLUTION, at, one[2] or "")
                break


def _raised(log: Log) -> Iterator[Clue]:
    """Tracebacks: each error line with the frames above it."""
    frames: list[tuple[int, str]] = []
    for number, line in _lines(log):
        frame = _FRAME.search(line) or _SHORT_FRAME.match(line)
        if frame is not None:
            frames.append((number, frame[1]))
            continue
        raised = _RAISED.match(line)
        if raised is None:
            continue
        near = [(at, file) for at, file in frames if number - at <= 120][-40:]
        yield from _of_error(number, raised[1], raised[2], near)
        if "cannot import name" in raised[2] and " from " not in raised[2]:
            source = next((one for back in (1, 2) if (one := _FROM.search(log.line(number - back)))), None)
            if source and _published(source[1]):
                yield Clue(Reason.LACKS, _published(source[1]), RUNTIME, number)
        frames = []


def _lines(log: Log) -> list[tuple[int, str]]:
    lines: dict[int, str] = {}
    for word in ("File \"", ".py:", "Error", "Exception", "Warning", "Conflict", "NotFound"):
        lines.update(log.hits(word, 3_000))
    return sorted(lines.items())


def _of_error(number: int, name: str, message: str, frames: list[tuple[int, str]]) -> Iterator[Clue]:
    """Missing modules are blamed on what asked for them or what no longer has them; other errors on the code that raised."""
    sites = [(at, _site(file)) for at, file in frames]
    while sites and sites[-1][1] in _TESTERS and len(sites) > 1:
        sites.pop()
    missing = _MISSING.search(message)
    last = sites[-1] if sites else (number, "")
    if missing is not None:
        yield from _absent(number, missing[1], last)
        return
    strong = name.rpartition(".")[2] in ("ImportError", "AttributeError", "TypeError", "NameError")
    deep = [one for one in sites if one[1] and one[1] not in _TESTERS]
    if last[1] and last[1] not in _TESTERS:
        yield Clue(Reason.RAISES if "cannot import name" not in message else Reason.CALLS, last[1], RUNTIME, last[0], share=1.0 if strong else 0.9)
    elif deep and not last[1] and name.rpartition(".")[2] not in ("AssertionError",):
        yield Clue(Reason.PASSES, deep[-1][1], RUNTIME, deep[-1][0], share=0.6)
    for at, one in {site: at for at, site in deep if site != last[1]}.items():
        yield Clue(Reason.PASSES, at, RUNTIME, one, share=0.8)
    module = name.partition(".")[0]
    if "." in name and _published(module) and module.islower():
        yield Clue(Reason.NAMED, _published(module), RUNTIME, number, share=0.9)


def _absent(number: int, module: str, last: tuple[int, str]) -> Iterator[Clue]:
    package = _published(module)
    at, importer = last
    if "." in module and package:
        yield Clue(Reason.LACKS, package, RUNTIME, number)
        if importer and importer != package:
            yield Clue(Reason.CALLS, importer, RUNTIME, at, share=0.9)
    elif package:
        yield Clue(Reason.LACKS, package, RUNTIME, number, share=0.95)
        if importer and importer != package and importer not in _TESTERS:
            yield Clue(Reason.CALLS, importer, RUNTIME, at, share=0.9)
    elif importer:
        yield Clue(Reason.CALLS, importer, RUNTIME, at, share=1.1)


def _site(file: str) -> str:
    """The package of a file under site-packages; "" for others."""
    found = _SITE.search(file)
    if found is None:
        return ""
    rest = file[found.start(1) :].replace("\\", "/").split("/")
    top = rest[0].removesuffix(".py")
    if top in _NAMESPACES and len(rest) > 1:
        return _published(".".join([top, *(part.removesuffix(".py") for part in rest[1:3])]))
    return _published(top)
