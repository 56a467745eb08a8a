"""Names as a person wrote them: without what compilers, proxies, bundlers and runtimes put around them.

Each table says which writer of names it undoes. Names are cut to 200 characters before, so that no expression has far to go.
"""

from __future__ import annotations

import re
from functools import lru_cache

from prodwise.loop.group.template import printable

NAME_CHARS = 200

_WRAPPED = re.compile(
    r"""
    ^(?:async|new|static|bound|get|set)\ (?=\S)                          # V8
    | ^(?:block\ (?:\(\d+\ levels\)\ )?|rescue\ |ensure\ )in\ (?=\S)       # Ruby
    | ^closure\ \#\d+\ (?:\([^)]*\)\ )?in\ (?=\S)                        # Swift
    | ^anonymous\ fn/\d+\ in\ (?=\S)                                     # Elixir
    | \ \[as\ [^\]]*\]$                                                  # V8: Foo.bar [as baz]
    """,
    re.VERBOSE,
)
_GENERATED = re.compile(
    r"""
      \.?<(?:locals|lambda|listcomp|genexpr|dictcomp|setcomp|module|anonymous|unknown)>   # Python, V8
    | (?:/[\w.$]*)?/<(?=$|/)                                             # Firefox: foo/<, foo/bar/<
    | ::h[0-9a-f]{16}$ | 17h[0-9a-f]{16}E                                # Rust
    | (?:::)?\{\{?(?:closure|async_block|async_fn|vtable\.shim|impl|constructor|shim:vtable)[^{}]*\}\}?    # Rust, PHP
    | \.(?:func|gowrap|deferwrap)\d+(?:\.\d+)*(?=$|\.) | (?:^|\.)glob\.(?=$|\.) | -fm$ | -range\d+$ | \[\.\.\.\]  # Go
    | \$\$(?:Lambda|Enhancer|FastClass|Spring|CGLIB|KeyFactory|_javassist|_Weld)[\w$/.]*+(?:@[\w]++)?   # Java, Spring
    | _\$\$_[\w$]*+ | \$(?:HibernateProxy|MockitoMock|ByteBuddy|Proxy_)[\w$]*+         # Hibernate, Mockito
    | (?<=\$Proxy)\d++ | (?<=Accessor)\d++                                 # java.lang.reflect
    | \$\$anonfun | \$anonfun | \$(?=\d) | (?<=\$)\d++(?=$|\$|\.)              # Scala, Kotlin, anonymous classes
    | (?<=fn)__\d++ | (?<=eval)\d++                                         # Clojure
    | _closure\d++                                                        # Groovy
    | `\d++(?:\[[^\]]*\])?                                                # .NET generics
    | __{2,}\d++_\d++$                                                      # ERB
    | _block_invoke(?:_\d++)?$                                            # Objective-C
    | (?:\.(?:cold|part|isra|constprop|llvm)\.\d++)++$                      # GCC, LLVM
    | @anonymous\x00?.*+                                                  # PHP
    | (?<=_callee)\d*+\$                                                   # regenerator
    """,
    re.VERBOSE,
)
_INNER = (
    re.compile(r"lambda\$(\w+?)\$\d++$"),  # Java: lambda$save$0
    re.compile(r"<(\w++)>[a-z]__\w*+(?:\|[\d_]++)?$"),  # C#: <Load>d__12, <Run>b__0, <Main>g__Local|0_0
)
_NAMELESS = frozenset(
    ("", "?", "null", "anonymous", "Anonymous", "<redacted>", "MoveNext", "invokeSuspend", "doInvoke", "access", "fn")
)
_NAMELESS_JAVASCRIPT = _NAMELESS | {
    *("eval", "apply", "call", "native", "_callee", "step", "fulfilled", "rejected", "_next", "_throw", "tryCatch"),
    *("asyncGeneratorStep", "__awaiter", "Object", "Module", "Function", "Array", "Promise"),
}
_PASSING = re.compile(r"(?:^|[.:#$])_*(?:wrap(?:per|ped|s)?|inner|decorat(?:or|ed)|__call__|new_func|call_next)$")
_GO_PACKAGE = re.compile(r"[\w-]++(?:\.[\w-]++)++(?:/[\w.~-]++)++$")
_CLOSURE_CLASS = re.compile(r"[+.]?<>c(?:__DisplayClass[\d_]+)?(?=$|[+.])")


@lru_cache(maxsize=8192)
def function_name(name: str, javascript: bool = False) -> str:
    """The function that a person wrote: `outer.<locals>.<lambda>` → `outer`, `lambda$save$0` → `save`, `Server.run.func1` →
    `Server.run`. "" when nothing is left that tells one function from another. Browsers disagree about what stands before
    the last dot, and two letters are a minifier's."""
    name = _bare(name)
    if javascript:
        name = name.rsplit(".", 1)[-1]
        return "" if len(name) <= 2 or name in _NAMELESS_JAVASCRIPT else name
    return "" if name.rsplit(".", 1)[-1] in _NAMELESS else name


@lru_cache(maxsize=8192)
def module_name(module: str) -> str:
    """The class or module that a person wrote: `Cart$$SpringCGLIB$$0` → `Cart`. "" when it is none: `__main__`, or a path."""
    module = _bare(_CLOSURE_CLASS.sub("", module[:NAME_CHARS]))
    return "" if module in ("__main__", "?") or ("/" in module and not _GO_PACKAGE.match(module)) else module


def split_async(module: str, function: str) -> tuple[str, str]:
    """.NET: an async method runs as `Shop.Cart+Load.MoveNext`; a person wrote `Load` in `Shop.Cart`."""
    if not function and "+" in module:
        module, function = module.rsplit("+", 1)
    return module, function


def passes_on(function: str) -> bool:
    """Whether this is a decorator's or proxy's function, which only calls what it wraps."""
    return _PASSING.search(function) is not None


def _bare(name: str) -> str:
    name = name[:NAME_CHARS]
    for inner in _INNER:
        name = inner.sub(r"\1", name)
    return printable(_GENERATED.sub("", _WRAPPED.sub("", name))).strip(".:$+ ")
