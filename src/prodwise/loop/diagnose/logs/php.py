"""Logs of Composer, and of PHP programs and tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from prodwise.loop.diagnose.logs.clue import Clue, Reading
from prodwise.loop.diagnose.logs.rules import apply, began, bumped, move, rule, wants
from prodwise.loop.diagnose.logs.text import Log
from prodwise.loop.diagnose.logs.weights import Reason
from prodwise.model.breakage import Ecosystem, Failure

NAMES_MAX: Final = 3  # classes of one message
BOX_CHARS_MIN: Final = 60
"""A shorter line is not one that a console has broken."""
_MARKS: Final = (
    "composer",
    "Composer",
    "PHP ",
    "/vendor/",
    "PHPUnit",
    ".php",
    "Fatal error",
    "satisfiable by",
    "installable set of packages",
    "must be compatible with",
    "does not satisfy that requirement",
)
RESOLUTION, LOCK, COMPILATION, RUNTIME = Failure.RESOLUTION, Failure.LOCK, Failure.COMPILATION, Failure.RUNTIME
_PKG: Final = r"(?<![\w.-])(?P<name>[a-z0-9][a-z0-9_.-]{0,80}/[a-z0-9][a-z0-9_.-]{0,100})"
_VER: Final = r"(?P<version>v?\d[\w.+-]{0,60})"
_RULES: Final = (
    rule("could not be found", rf"requires {_PKG} [^,]{{1,80}}, it could not be found", Reason.NOT_FOUND, RESOLUTION),
    rule("The requested package", rf"The requested package {_PKG}(?: {_VER})?", Reason.NOT_FOUND, RESOLUTION),
    rule("Could not find a version of package", rf"package {_PKG} matching", Reason.NOT_FOUND, RESOLUTION),
    rule(
        "is present at version", rf"Required package \"{_PKG}\" is in the lock file as \"{_VER}\"", Reason.DIFFERS, LOCK
    ),
    rule(
        "is not present in the lock file",
        rf"Required (?:\(in require-dev\) )?package \"{_PKG}\" is not present in the lock file",
        Reason.DIFFERS,
        LOCK,
    ),
    rule(
        "but that does not satisfy your constraint",
        rf"package \"{_PKG}\" is in the lock file as \"{_VER}\"",
        Reason.DIFFERS,
        LOCK,
    ),
    rule(
        "is locked to version", rf"(?:- |package ){_PKG} is locked to version {_VER}", Reason.CONFLICTS, RESOLUTION, 0.8
    ),
    rule(
        "your php version",
        rf"- {_PKG} (?:\[?{_VER}.{{0,120}}?|.{{1,160}}?)requires? (?:php|ext-\w{{1,40}}) ",
        Reason.NOT_FOUND,
        RESOLUTION,
    ),
    rule("it is missing from your system", rf"- {_PKG} \[?{_VER}", Reason.NOT_FOUND, RESOLUTION, 0.9),
    rule("Failed to download", rf"Failed to download {_PKG} from", Reason.NOT_FOUND, RESOLUTION),
    rule("checksum verification of the file failed", rf"{_PKG}", Reason.DIFFERS, LOCK, 0.6),
    rule(
        "/vendor/",
        rf"(?:Uncaught |Parse error|Call to undefined|TypeError|Argume"
        rf"ntCountError).{{0,700}} in \S{{0,300}}/vendor/{_PKG}/",
        Reason.RAISES,
        RUNTIME,
    ),
    rule("Deprecated", rf"in \S{{0,300}}/vendor/{_PKG}/", Reason.WARNS, RUNTIME, 0.25),
)
_REQUIRES: Final = re.compile(
    r"- ([a-z0-9][\w.-]{0,80}/[\w.-]{1,100}) ?\[?(v?\d[\w.+-]{0,60}|dev-[\w.-]{1,60})?[^\]]{"
    r"0,200}?\]? requires? ([a-z0-9][\w.-]{0,80}/[\w.-]{1,100}) (.{1,160}?) -> (.{0,700})"
)
_ROOT: Final = re.compile(
    r"Root composer\.json requires ([a-z0-9][\w.-]{0,80}/[\w.-]{1,100}) ([^,>]{1,120}?)(?: -"
    r"> satisfiable by|, found| ->|$)"
)
_FOUND: Final = re.compile(
    r"(?:found|satisfiable by) [\w.-]{1,80}/[\w.-]{1,100}\[(?:[^\]]{0,300}, )?(v?\d[\w.+-]{0,60})"
)
_FIXED: Final = re.compile(
    r"(?:conflicts with your root composer\.json require|is fixed to|is locked to version) \(?([^)\s]{1,60})"
)
_REMOVED: Final = re.compile(r"- Removing ([a-z0-9][\w.-]{0,80}/[\w.-]{1,100}) \((v?\d[\w.+-]{0,60})\)")
_MOVED: Final = re.compile(
    r"- (?:Upgrading|Updating|Downgrading) ([a-z0-9][\w.-]{0,80}/[\w.-]{1,100}) \((v?\d[\w.+"
    r"-]{0,60}) => (v?\d[\w.+-]{0,60})\)"
)
_LOCKED: Final = re.compile(
    r"- (?:Installing|Locking|Downloading) ([a-z0-9][\w.-]{0,80}/[\w.-]{1,100}) \((v?\d[\w.+-]{0,60})\)"
)
_CLASS: Final = re.compile(r"(?<![\w\\])\\?((?:[A-Z]\w{0,80}\\){1,8}\w{1,80})(?!\w|\\\w|\s{0,2}: )")
"""A class that is told of; what an error's message follows is only what was thrown."""
_FILE: Final = re.compile(r"/vendor/([a-z0-9][\w.-]{0,80}/[\w.-]{1,100})/")
_FRAME: Final = re.compile(r"^(?:\s{0,8}#\d{1,3} |\s{0,8})(\S{1,400}\.php)(?:\(\d{1,7}\)|:\d{1,7})")
_NAMES: Final = (
    "undefined method",
    "undefined function",
    "undefined constant",
    "not found",
    "must be compatible with",
    "abstract method",
    "(as in class ",
    "Too few arguments",
    "Unknown named parameter",
    "must be of type",
    "does not exist",
    "Undefined constant",
    "undefined class constant",
    "Attempted to load",
)
_ATTEMPTED: Final = re.compile(
    r"Attempted to \w{1,20} (?:class|interface|trait|enum|function) \"(\w{1,100})\" from namespace \"([\w\\]{1,200})\""
)
"""How Symfony tells of a name that is not there: in two parts."""
# Namespaces that do not tell the name of the package that they are published in.
_ROOTS: Final = {
    "GuzzleHttp": "guzzlehttp/guzzle",
    "Illuminate": "laravel/framework",
    "Carbon": "nesbot/carbon",
    "League\\Flysystem": "league/flysystem",
    "Ramsey\\Uuid": "ramsey/uuid",
    "PhpParser": "nikic/php-parser",
    "PHPUnit": "phpunit/phpunit",
    "GuzzleHttp\\Psr7": "guzzlehttp/psr7",
    "GuzzleHttp\\Promise": "guzzlehttp/promises",
    "Composer": "composer/composer",
    "Composer\\Semver": "composer/semver",
    "Composer\\Installers": "composer/installers",
    "Aws": "aws/aws-sdk-php",
    "Barryvdh\\Debugbar": "barryvdh/laravel-debugbar",
    "Barryvdh\\DomPDF": "barryvdh/laravel-dompdf",
    "Cron": "dragonmantank/cron-expression",
    "Dotenv": "vlucas/phpdotenv",
    "Faker": "fakerphp/faker",
    "Firebase\\JWT": "firebase/php-jwt",
    "Inertia": "inertiajs/inertia-laravel",
    "Kreait\\Firebase": "kreait/firebase-php",
    "PhpAmqpLib": "php-amqplib/php-amqplib",
    "Spatie\\Permission": "spatie/laravel-permission",
    "Stripe": "stripe/stripe-php",
    "Telegram\\Bot": "irazasyed/telegram-bot-sdk",
    "Twilio": "twilio/sdk",
}
_VAGUE: Final = frozenset(["component", "bundle", "bridge", "extension", "exception", "contracts", "handler"])
_TESTERS: Final = re.compile(r"^(?:phpunit|sebastian|mockery|pestphp|symfony/phpunit-bridge|composer)(?:/|$)")


def read(log: Log) -> Reading:
    found = began(Ecosystem.PHP, log, _MARKS)
    if found is None:
        return Reading(Ecosystem.PHP)
    bumped(log, found, lambda name: name if re.fullmatch(r"[a-z0-9][\w.-]{0,80}/[\w.-]{1,100}", name) else "")
    for number, line in log.hits(" => ", 600):
        if (one := _MOVED.search(line)) is not None:
            move(found, one[1], one[2], one[3], number)
            found.versions[one[1]] = one[3]
    for number, line in log.hits("- Removing ", 200):
        if (one := _REMOVED.search(line)) is not None:
            move(found, one[1], one[2], "", number)
    for word in ("- Installing ", "- Locking ", "- Downloading "):
        for _, line in log.hits(word, 1_000):
            if (locked := _LOCKED.search(line)) is not None:
                found.versions.setdefault(locked[1], locked[2])
    found.clues += apply(log, _RULES, lambda name: name)
    found.clues += _problems(log)
    found.clues += _raised(log, found)
    found.kind = _step(log, found)
    return found


def _step(log: Log, found: Reading) -> Failure | None:
    kinds = {clue.kind for clue in found.clues}
    if "lock file is not up to date" in log.text and Failure.LOCK in kinds:
        return Failure.LOCK
    if Failure.RESOLUTION in kinds:
        return Failure.RESOLUTION
    if Failure.LOCK in kinds:
        return Failure.LOCK
    tested = re.search(r"^(?:ERRORS!|FAILURES!|There (?:was|were) \d+ (?:error|failure)s?:)", log.text, re.MULTILINE)
    if tested:
        return Failure.TEST
    return Failure.RUNTIME if found.clues or "Fatal error" in log.text else None


def _problems(log: Log) -> Iterator[Clue]:
    """Composer's numbered problems: who requires what, and what stands against it."""
    root: dict[str, tuple[str, str]] = {}
    for _, line in log.hits("Root composer.json requires ", 40):
        if (one := _ROOT.search(line)) is not None:
            found = _FOUND.search(line)
            root[one[1]] = (one[2], found[1] if found else "")
    for number, line in [*log.hits("requires ", 60), *log.hits(" require ", 60)]:
        one = _REQUIRES.search(line)
        if one is None:
            continue
        fixed = _FIXED.search(one[5])
        have = (fixed[1] if fixed else root.get(one[3], ("", ""))[0]).strip("^~>=<v *")
        yield from wants(RESOLUTION, number, (one[1], one[2] or root.get(one[1], ("", ""))[1]), (one[3], one[4]), have)
    for name, number in _often(log):
        yield Clue(Reason.DEMANDS, name, RESOLUTION, number, share=1.4)
    if root:
        for number, line in log.hits("Root composer.json requires ", 20):
            if (one := _ROOT.search(line)) is not None and "could not be found" not in line:
                yield Clue(Reason.NAMED, one[1], RESOLUTION, number, root[one[1]][1], 0.6)


def _often(log: Log) -> Iterator[tuple[str, int]]:
    """(package, line) of what stands against more than one other package: it is what these have in common."""
    wanted: dict[str, dict[str, int]] = {}
    for number, line in [*log.hits("requires ", 60), *log.hits(" require ", 60)]:
        if (one := _REQUIRES.search(line)) is not None and " but " in one[5]:
            wanted.setdefault(one[1], {})[one[3]] = number
    yield from ((name, min(many.values())) for name, many in wanted.items() if len(many) > 1)


def _raised(log: Log, found: Reading) -> Iterator[Clue]:
    """Errors of PHP: the class that lacks a name, and the files on the way."""
    lines: dict[int, str] = {}
    for word in _NAMES:
        lines.update(log.hits(word, 100))
    for word in ("Error: ", "Exception: ", "Fatal error"):
        lines.update(log.hits(word, 200))
    for number in sorted(lines):
        whole = _unwrapped(log, number)
        first = True
        for at, file in _frames(log, number) if not _inherits(whole) else ():
            inside = _FILE.search(file)
            if inside is None:
                break
            if not _TESTERS.match(inside[1]):
                yield Clue(
                    Reason.RAISES if first else Reason.PASSES, inside[1], RUNTIME, at, share=1.0 if first else 0.7
                )
                first = False
        if any(word in whole for word in _NAMES):
            yield from _lacking(log, number, whole, found)


def _unwrapped(log: Log, number: int) -> str:
    """A message as it was before a console put it into a box: its lines go on two blanks from the edge, broken anywhere."""
    line = log.line(number)
    before = line
    for _, more in log.after(number, 6):
        if len(before) < BOX_CHARS_MIN or not more.startswith("  ") or more[2:3] in (" ", "", "#"):
            break
        line, before = line + more[2:], more
    return line


def _inherits(line: str) -> bool:
    """Whether a class no longer fits what it is made from: where that is told is no place of the fault."""
    return any(words in line for words in ("must be compatible with", "abstract method", "(as in class "))


def _frames(log: Log, number: int) -> list[tuple[int, str]]:
    found = []
    here = re.search(r" in (\S{1,400}\.php)(?:\(\d{1,7}\)|:\d{1,7}| on line)", log.line(number))
    if here:
        found.append((number, here[1]))
    for at, line in log.after(number, 30):
        frame = _FRAME.match(line)
        if frame:
            found.append((at, frame[1]))
        elif found and at > number + 4 and not frame:
            break
    return found


def _lacking(log: Log, number: int, line: str, found: Reading) -> Iterator[Clue]:
    attempted = _ATTEMPTED.search(line)
    names = [f"{attempted[2]}\\{attempted[1]}"] if attempted else dict.fromkeys(_CLASS.findall(line))
    child = _inherits(line) and ("(as in class " not in line or len(names) > 1)
    packages = [_package(name, log, found) for name in [*names][:NAMES_MAX]]
    for place, package in enumerate(packages):
        second = place == 0 and child
        if package and not (second and package in packages[1:]):
            yield Clue(
                Reason.CALLS if second else Reason.LACKS,
                package,
                RUNTIME,
                number,
                found.versions.get(package, ""),
                share=0.9 if place < 2 else 0.5,
            )


def _package(name: str, log: Log, found: Reading) -> str:
    """The package that a class may come from, by the names of what is installed or on a path; "" without a likely one."""
    parts = [re.sub(r"(?<=[a-z0-9])([A-Z])", r"-\1", part).lower() for part in name.split("\\")]
    if parts[0] in ("app", "tests", "test", "database"):
        return ""
    root = _root(name)
    if "\\" in root:
        return _ROOTS[root]
    parts = [parts[0], *(part for part in parts[1:] if part not in _VAGUE)]
    known = {*found.versions, *(one[1] for one in _FILE.finditer(log.text[:400_000]))}
    scored = []
    for package in known:
        vendor, short = package.split("/", 1)
        flat = vendor.replace("-", "")
        same = flat == parts[0].replace("-", "") or parts[0].replace("-", "").startswith(flat)
        words = set(re.split(r"[-_.]", short))
        inside = {word for part in parts[:3] for word in part.split("-")} | set(parts[:3])
        score = (
            2.0 * same
            + len(words & inside)
            - 0.5 * len(words - inside)
            + (1.5 if short in parts[:3] or short.replace("-", "") == parts[0] else 0.0)
        )
        scored.append((score, package))
    best = max(scored, default=(0.0, ""))
    if best[0] >= 2.0:
        return best[1]
    if root:
        return _ROOTS[root]
    vendor = parts[0].replace("-", "")
    return f"{vendor}/{parts[1]}" if len(parts) > 2 else f"{vendor}/{vendor}"


def _root(name: str) -> str:
    """The longest namespace of a class whose package is known; "" for none."""
    return max((root for root in _ROOTS if f"{name}\\".startswith(f"{root}\\")), key=len, default="")
