"""Names: the wrong variable, attribute, function or argument, where another one would fit as well."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache
from itertools import combinations, pairwise

from prodwise.repair.edits import Edit
from prodwise.repair.search.site import Site

# Names that do the same kind of thing and are taken for one another.
_ALIKE = (
    ("any", "all"), ("min", "max"), ("append", "extend", "add", "insert"), ("startswith", "endswith"), ("find", "rfind"),
    ("lstrip", "rstrip", "strip"), ("lower", "upper", "title", "capitalize"), ("split", "rsplit", "splitlines"),
    ("keys", "values", "items"), ("floor", "ceil", "round", "int"), ("encode", "decode"), ("loads", "load"),
    ("dumps", "dump"), ("index", "find"), ("update", "setdefault"), ("pop", "popleft", "get"), ("appendleft", "append"),
    ("sorted", "list", "reversed", "set", "tuple"), ("union", "intersection", "difference"), ("isdigit", "isalnum", "isalpha"),
    ("match", "search", "fullmatch"), ("sum", "len", "max"), ("partition", "rpartition"), ("str", "repr"),
    ("discard", "remove"), ("date", "datetime"), ("days", "seconds", "total_seconds"), ("copy", "deepcopy"),
    ("isinstance", "issubclass"), ("zip", "zip_longest"), ("debug", "info"), ("range", "enumerate"),
    ("b64encode", "urlsafe_b64encode"), ("b64decode", "urlsafe_b64decode"), ("quote", "quote_plus"), ("unquote", "unquote_plus"),
    ("urlparse", "urlsplit"), ("abspath", "realpath", "normpath"), ("isfile", "exists", "isdir"), ("basename", "dirname"),
    ("now", "utcnow"), ("fromtimestamp", "utcfromtimestamp"), ("isdigit", "isdecimal", "isnumeric"), ("lower", "casefold"),
    ("find", "index"), ("findall", "finditer"), ("sub", "subn"), ("ljust", "rjust"), ("warning", "error"), ("time", "monotonic"),
    ("localtime", "gmtime"), ("mktime", "timegm"), ("search", "match"), ("items", "iteritems"), ("safe_load", "load"),
    ("int", "float"), ("mkdir", "makedirs"), ("commonprefix", "commonpath"), ("rename", "replace"), ("copy", "copy2", "copyfile"),
    ("lstrip", "removeprefix"), ("rstrip", "removesuffix"), ("read", "readline", "readlines"), ("rindex", "rfind", "index"),
    ("exists", "lexists"), ("stat", "lstat"), ("rmdir", "removedirs", "rmtree"), ("expanduser", "expandvars"), ("start", "end"),
    ("len", "bool"), ("group", "groups", "groupdict"), ("digest", "hexdigest"), ("weekday", "isoweekday"),
    ("timetuple", "utctimetuple"),
    ("getattr", "hasattr"), ("islower", "isupper"), ("issubset", "issuperset"), ("iscoroutine", "iscoroutinefunction"),
    ("isgenerator", "isgeneratorfunction"), ("isfunction", "ismethod", "isroutine"), ("randint", "randrange"),
    ("eval", "literal_eval"),
)  # fmt: skip
_KNOWN = frozenset(dir(builtins))
SOUNDING_LEAST = 0.7
VALUES_MOST = 4
BEGUN_MOST = 8


def edits(site: Site, node: ast.expr) -> Iterator[Edit]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from _variables(site, node)
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        yield from _attributes(site, node)
    elif isinstance(node, ast.Call):
        yield from _arguments(site, node)
    elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load):
        yield from _values(site, node)
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield from _held(site, node)


def _values(site: Site, node: ast.Tuple) -> Iterator[Edit]:
    """Two neighbours of one kind, each in the other's place."""
    for left, right in pairwise(node.elts) if len(node.elts) <= VALUES_MOST else ():
        one, two = site.source.of(left), site.source.of(right)
        if one != two and (len(node.elts) == 2 or (type(left) is type(right) and not isinstance(left, ast.Constant))):
            start, end = site.source.span(left)[0], site.source.span(right)[1]
            why = "the two values are swapped"
            yield Edit(site.source.path, start, end, f"{two}, {one}", "order", why, 1.8, node.lineno)


def _variables(site: Site, node: ast.Name) -> Iterator[Edit]:
    parent = site.source.parents.get(node)
    called = isinstance(parent, ast.Call) and parent.func is node
    for other in alike(node.id):
        if called and not (other == "set" and looped(site, parent)):
            yield site.swap(node, other, "function", f"`{node.id}` is meant as `{other}`", 1.2)
    if called or node.id in _KNOWN or node.id in ("self", "cls"):
        if called:
            yield from _functions(site, node)
        return
    if _goes_by_name(parent, node):
        return
    for other in site.scope.locals:
        if other not in (node.id, "self", "cls", "_"):
            cost = 1.9 - 0.5 * near(node.id, other)
            yield site.swap(node, other, "variable", f"`{other}` is meant instead of `{node.id}`", cost)
    if "self" in site.scope.locals:
        if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Attribute):
            yield site.swap(node, "self", "variable", f"`self` is meant instead of `{node.id}`", 2.3)
        for attribute in site.scope.attributes:
            likeness = near(node.id, attribute)
            if likeness > 0.5:
                why = f"`self.{attribute}` is meant instead of `{node.id}`"
                yield site.swap(node, f"self.{attribute}", "variable", why, 2.4 - 0.5 * likeness)


def _held(site: Site, node: ast.Constant) -> Iterator[Edit]:
    """What the object was made with, where a number stands."""
    if not isinstance(site.source.parents.get(node), ast.Call | ast.keyword | ast.BinOp | ast.Compare | ast.Return):
        return
    for name in site.scope.begun[:BEGUN_MOST] if "self" in site.scope.locals else ():
        why = f"`self.{name}` is meant instead of `{site.source.of(node)}`"
        yield site.swap(node, f"self.{name}", "variable", why, 2.3)


def looped(site: Site, node: ast.AST | None) -> bool:
    """Whether a loop goes through it: the order counts, which a set has not."""
    around = site.source.parents.get(node) if node is not None else None
    return isinstance(around, ast.For | ast.AsyncFor | ast.comprehension) and around.iter is node


def _goes_by_name(parent: ast.AST | None, node: ast.Name) -> bool:
    """Whether what is given a name has that name already: `self.size = size`, `f(size=size)`, `{"size": size}`. Then it is meant."""
    if isinstance(parent, ast.keyword):
        return parent.arg == node.id
    if isinstance(parent, ast.Dict):
        return any(
            value is node and isinstance(key, ast.Constant) and key.value == node.id
            for key, value in zip(parent.keys, parent.values, strict=True)
        )
    if isinstance(parent, ast.AnnAssign):
        return parent.value is node and _given_to(parent.target) == node.id
    return isinstance(parent, ast.Assign) and parent.value is node and node.id in map(_given_to, parent.targets)


def _given_to(target: ast.expr) -> str:
    if isinstance(target, ast.Attribute):
        return target.attr.lstrip("_")
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return str(target.slice.value)
    return ""


def _functions(site: Site, node: ast.Name) -> Iterator[Edit]:
    for other in site.scope.functions:
        likeness = near(node.id, other)
        if other != node.id and likeness > 0.5 and node.id in site.scope.functions:
            yield site.swap(node, other, "function", f"`{other}` is meant instead of `{node.id}`", 2.3 - 0.5 * likeness)


def _attributes(site: Site, node: ast.Attribute) -> Iterator[Edit]:
    end = site.source.span(node)[1]
    start = end - len(node.attr)
    if site.source.text[start:end] != node.attr:
        return
    base = ast.unparse(node.value)
    family = dict.fromkeys(alike(node.attr), 1.2)
    for other in _attributes_of(site, base):
        likeness = near(node.attr, other)
        family.setdefault(other, 2.2 - 0.8 * likeness)
    for other in _sounding(site.source.tree, node.attr):
        family.setdefault(other, 2.4 - 0.8 * near(node.attr, other))
    for other, cost in family.items():
        if other != node.attr:
            why = f"`.{other}` is meant instead of `.{node.attr}`"
            yield Edit(site.source.path, start, end, other, "attribute", why, cost, node.end_lineno or node.lineno)


def _attributes_of(site: Site, base: str) -> list[str]:
    """What the file reads from this name elsewhere; for other names of the function too, when they look alike."""
    if base == "self":
        return list(site.scope.attributes)
    return list(_read(site.source.function(site.statement) or site.source.tree))


@lru_cache(maxsize=64)
def _read(place: ast.AST) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.attr for one in ast.walk(place) if isinstance(one, ast.Attribute)))[:25]


@lru_cache(maxsize=16)
def _all_attributes(tree: ast.Module) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.attr for one in ast.walk(tree) if isinstance(one, ast.Attribute)))


@lru_cache(maxsize=1 << 12)
def _sounding(tree: ast.Module, name: str) -> tuple[str, ...]:
    """The file's attributes that look almost alike, of whatever thing."""
    found = get_close_matches(name, _all_attributes(tree), 5, SOUNDING_LEAST)
    return tuple(one for one in found if one != name)


def _arguments(site: Site, node: ast.Call) -> Iterator[Edit]:
    plain = [one for one in node.args if not isinstance(one, ast.Starred)]
    if len(plain) != len(node.args) or len(plain) > 5:
        return
    texts = [site.source.of(one) for one in plain]
    for one, two in combinations(range(len(plain)), 2):
        if texts[one] == texts[two]:
            continue
        changed = list(texts)
        changed[one], changed[two] = changed[two], changed[one]
        start, end = site.source.span(plain[0])[0], site.source.span(plain[-1])[1]
        if "#" in site.source.text[start:end]:
            continue
        cost = 1.3 if two == one + 1 else 1.7
        yield Edit(
            site.source.path, start, end, ", ".join(changed), "order", "two arguments are swapped", cost, node.lineno
        )


def alike(name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(other for family in _ALIKE if name in family for other in family if other != name))


@lru_cache(maxsize=1 << 15)
def near(one: str, two: str) -> float:
    """How alike two names look, 0 to 1; sharing a word counts."""
    shared = set(one.lower().split("_")) & set(two.lower().split("_")) - {""}
    return max(SequenceMatcher(None, one, two).ratio(), 0.6 if shared else 0.0)
