"""What an error's message names, and in which role: a missing name, a wrong call, a file, a package, its own words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MESSAGE_CHARS: Final = 1_000
WORDS_MAX: Final = 40
SAID_MIN: Final = 12
"""Letters in a row that a message and a line share before the line is taken for where the message was written."""

_N = r"[A-Za-z_$][\w$.-]{0,80}"
_Q = r"[\"'`‘“]"
_E = r"[\"'`’”]"


class Role(StrEnum):
    MISSING = "missing"  # a name that is not there
    CALLED = "called"  # a function that was called wrongly
    ARGUMENT = "argument"  # of that call
    MODULE = "module"  # that cannot be imported, or lacks a name
    FILE = "file"
    ON = "on"  # asked of something that is not what it should be
    EMPTY = "empty"  # nothing, where something was expected


@dataclass(frozen=True, slots=True, order=True)
class Named:
    word: str
    role: Role


_SAYS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), roles)
    for pattern, roles in (
        (rf"name {_Q}({_N}){_E} is not defined", (Role.MISSING,)),
        (rf"cannot access (?:local|free) variable {_Q}({_N}){_E}", (Role.MISSING,)),
        (rf"local variable {_Q}({_N}){_E} referenced", (Role.MISSING,)),
        (rf"module {_Q}({_N}){_E} has no attribute {_Q}({_N}){_E}", (Role.MODULE, Role.MISSING)),
        (r"(NoneType|undefined|null|None|nil)\b", (Role.EMPTY,)),
        (rf"(?:object|class|{_E}) has no (?:attribute|member|property|method|element) {_Q}({_N}){_E}", (Role.MISSING,)),
        (rf"cannot import name {_Q}({_N}){_E} from (?:partially initialized module )?{_Q}({_N}){_E}", (Role.MISSING, Role.MODULE)),
        (rf"no module named {_Q}?({_N}){_E}?", (Role.MODULE,)),
        (rf"cannot find (?:module|package) {_Q}([^\s\"'`]{{1,120}}){_E}", (Role.MODULE,)),
        (r"failed to resolve (?:import|module)[ :]*[\"']?([^\s\"'`]{1,120})", (Role.MODULE,)),
        (rf"(?:^|\W)({_N})\(\) (?:got|missing|takes|requires)", (Role.CALLED,)),
        (rf"unexpected keyword argument {_Q}({_N}){_E}", (Role.ARGUMENT,)),
        (rf"positional arguments?: {_Q}({_N}){_E}", (Role.ARGUMENT,)),
        (rf"(?:^|\W)({_N}) is not (?:defined|a function|a constructor|iterable)", (Role.MISSING,)),
        (rf"\(reading {_Q}({_N}){_E}\)", (Role.ON,)),
        (rf"cannot (?:read|set) propert(?:y|ies) {_Q}({_N}){_E} of", (Role.ON,)),
        (rf"\(evaluating {_Q}([^'\"`]{{1,120}}){_E}\)", (Role.MISSING,)),
        (rf"does not provide an export named {_Q}({_N}){_E}", (Role.MISSING,)),
        (rf"undefined (?:local variable or )?method {_Q}({_N}){_E}", (Role.MISSING,)),
        (rf"no such (?:column|table|function|index)[: ]+{_Q}?({_N})", (Role.MISSING,)),
        (rf"(?:column|relation|table|field|key|setting|option|variable|type|constraint) {_Q}({_N}){_E}", (Role.MISSING,)),
        (rf"has no column named ({_N})", (Role.MISSING,)),
        (rf"unknown column {_Q}({_N}){_E}", (Role.MISSING,)),
        (rf"{_Q}({_N}){_E} is (?:undefined|required|missing|not set|unknown|not in list)", (Role.MISSING,)),
        (rf"(?:missing|unknown|undefined|unset|required)\W{{1,3}}(?:[a-z]{{1,20}}\W{{1,3}}){{0,3}}{_Q}({_N}){_E}", (Role.MISSING,)),
        (rf"(?:Error|Missing|Exception):? {_Q}({_N}){_E}\s*$", (Role.MISSING,)),
    )
)  # fmt: skip
_KEY = re.compile(rf"^{_Q}?({_N}){_E}?$")
_FILE = re.compile(r"(?<![\w.-])((?:[\w@~.-]{1,80}/){0,12}[\w@-][\w@.-]{0,80}\.[A-Za-z]\w{0,9})(?![\w/])")
_LOOKUPS = frozenset(("KeyError", "NoSuchKey", "TemplateNotFound", "MultiValueDictKeyError", "BadRequestKeyError"))
_OF_A_BUILT_IN = re.compile(
    r"['\"](?:NoneType|str|int|float|bool|list|dict|tuple|set|bytes|function|method|generator|coroutine)['\"] object has no attribute"
)
_DOTTED = re.compile(r"[\w$)\]]\.([A-Za-z_$][\w$]*) is not a (?:function|constructor)")
_METHODS = frozenset(
    ("get", "set", "add", "has", "push", "pop", "map", "filter", "find", "forEach", "join", "split", "slice", "trim", "length",
     "append", "items", "keys", "values", "update", "strip", "lower", "upper", "title", "format", "replace", "includes",
     "indexOf", "sort", "toString", "then")
)  # fmt: skip
"""Every program's: that one is missing tells of what it was asked of."""
_DASHED = re.compile(r"[A-Za-z_$][\w$]*(?:-[\w$]+)+")
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
_COMMON = frozenset(
    ("self", "cls", "this", "none", "null", "true", "false", "int", "str", "float", "list", "dict", "tuple", "set", "bool",
     "bytes", "object", "nonetype", "undefined", "nan", "string", "number", "function", "array", "error", "exception",
     "value", "values", "key", "keys", "name", "type", "data", "args", "kwargs", "result", "line", "file")
)  # fmt: skip

_KEYWORDS = frozenset(
    ("return", "const", "let", "var", "for", "while", "if", "else", "elif", "in", "of", "is", "not", "and", "or", "new", "await",
     "async", "yield", "from", "import", "require", "raise", "throw", "def", "class", "try", "except", "catch", "finally", "with",
     "as", "lambda", "pass", "break", "continue", "True", "False", "None", "len", "range", "print", "sum", "any", "all", "map",
     "filter", "case", "match", "get", "slice", "join", "split", "length")
)  # fmt: skip


def names_in(kind: str, message: str) -> tuple[Named, ...]:
    """Sorted, each once; dotted names by their last part. kind: the exception's, such as "KeyError"."""
    text = message[:MESSAGE_CHARS]
    found: set[Named] = set()
    for pattern, roles in _SAYS:
        for match in pattern.finditer(text):
            for role, word in zip(roles, match.groups(), strict=True):
                found.add(Named(word if role is Role.MODULE else _last(word), role))
    if kind.rsplit(".", 1)[-1] in _LOOKUPS and (key := _KEY.match(text.strip())):
        found.add(Named(key[1], Role.MISSING))
    found |= {Named(one, Role.FILE) for one in _FILE.findall(text)}
    found |= {Named(_last(word), Role.ON) for word in _DOTTED.findall(text)}
    if _OF_A_BUILT_IN.search(text):
        found = {Named(one.word, Role.ON) if one.role is Role.MISSING else one for one in found}
    found = {one for one in found if one.role is not Role.MISSING or one.word not in _METHODS}
    kept = [
        one
        for one in found
        if one.role in (Role.EMPTY, Role.ON) or (one.word.lower() not in _COMMON and len(one.word) > 1)
    ]
    return tuple(sorted(kept)[:WORDS_MAX])


def says(template: str, line: str) -> bool:
    """Whether a line holds a text out of which the message can have been made: all of it that does not vary."""
    pieces = [one.strip() for one in re.split(r"%[-\d.]*[a-z]|\{[^{}]*\}|\$\{[^{}]*\}|<(?:n|s|path|url|mail)>", line)]
    long = [one for one in pieces if len(one) >= SAID_MIN and " " in one]
    return bool(long) and all(one in template for one in long)


def telling(words: Iterable[str]) -> frozenset[str]:
    """Names that tell one place from another."""
    return frozenset(one for one in words if len(one) > 1 and one.lower() not in _COMMON and one not in _KEYWORDS)


def words_in(text: str) -> frozenset[str]:
    """Names, also those with dashes, and their parts."""
    return frozenset(_IDENTIFIER.findall(text)) | frozenset(_DASHED.findall(text))


def identifiers(text: str) -> frozenset[str]:
    return frozenset(_IDENTIFIER.findall(text))


def _last(word: str) -> str:
    return word.strip(".").rsplit(".", 1)[-1] if "." in word else word
