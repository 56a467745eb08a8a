"""Where code lies, said in the same way on every machine and in every release."""

from __future__ import annotations

import re
from functools import lru_cache

from prodwise.loop.group.template import printable

_PATH_CHARS = 250
_ORIGIN = re.compile(r"^(?:[a-z][a-z0-9+.-]{1,30}://[^/]*|file:)(?=/)|^webpack://", re.IGNORECASE)
_QUERY = re.compile(r"[?#].*$")
_LIBRARY_ROOT = re.compile(
    r"""^.*/?(?:(?:site|dist)-packages|node_modules|pkg/mod|registry/src/[^/]+|gems|vendor/bundle|rustc/[0-9a-f]+)/""",
    re.VERBOSE,
)
_RELEASE_ROOT = re.compile(
    r"^.*/(?:(?:releases?|versions?|deploys?|deployments|revisions?|builds?)/[^/]*\d[^/]*|current)/(?:src/)?",
    re.IGNORECASE,
)
_VERSIONED = re.compile(r"(?<=[\w)])[@-]v?\d[\w.+-]*(?=/)")
_BUNDLE_HASH = re.compile(
    r"[.~_-](?:(?=[a-f]*\d)[0-9a-f]{6,64}|(?=[\w-]{0,7}[0-9A-Z])[\w-]{8})(?=(?:\.[a-z]{2,8}){0,3}\.(?:[cm]?[jt]sx?|css)$)"
)
_BUNDLE_MARK = re.compile(r"\.(?:min|bundle|chunk|module|esm|prod|production|development)(?=\.[cm]?[jt]sx?$)")
_RANDOM_SEGMENT = re.compile(
    r"(?<![^/])(?:\d+|(?=[a-f-]*\d)[0-9a-f-]{7,64}|[\w-]*[0-9a-f]{12,64}|tmp[\w-]{4,}|\([\w-]+\)|\.\.?)(?=/|\.[cm]?js$)"
)
_LIBRARY = re.compile(
    r"""
    (?:^|/)(?:site-packages|dist-packages|node_modules|gems|vendor|pkg/mod|\.cargo|rustc|usr/lib|usr/local/lib|lib/python[\d.]+)/
    | ^(?:node:|internal/|ext:|<frozen|<__array_function|\[native|native$|webpack/(?:bootstrap|runtime)|chrome-extension:)
    | ^(?:moz|safari(?:-web)?)-extension:
    """,
    re.VERBOSE,
)
_LIBRARY_MODULE = re.compile(
    r"""
    ^(?:(?:javax?|jdk|sun|com\.sun|kotlinx?|scala|groovy|clojure|akka|reactor|org\.(?:springframework|apache|hibernate|eclipse
      |jboss|postgresql|junit)|io\.(?:netty|micrometer|vertx|sentry)|com\.(?:fasterxml|zaxxer|mysql)|System|Microsoft|Npgsql
      |Newtonsoft|runtime|reflect|std|core|alloc|tokio|hyper|futures_util|Illuminate|Symfony|Doctrine)(?:[.:\\/]|$)
      |(?:net/http|encoding/json|database/sql|internal/))
    """,
    re.VERBOSE,
)


@lru_cache(maxsize=8192)
def plain_file(file: str) -> str:
    """A path that is the same wherever and in whichever release the file lies.

    1. Origin, query and fragment go: `https://cdn/x.js?v=3`, `webpack://`, `file:///`.
    2. What lies in a package folder is named from there, without its version; what lies in a release's folder, from there.
    3. Of any other absolute path the last two segments stay: roots differ between machines, containers and builds.
    4. Hashes and marks that bundlers put into names go; segments that are numbers, hashes or container ids become `*`.
    """
    path = printable(_QUERY.sub("", _ORIGIN.sub("", file[-_PATH_CHARS:].replace("\\", "/"))))
    rooted = _LIBRARY_ROOT.sub("", path)
    path = _VERSIONED.sub("", rooted) if rooted != path else _RELEASE_ROOT.sub("", path)
    path = _BUNDLE_MARK.sub("", _BUNDLE_HASH.sub("", path))
    path = _RANDOM_SEGMENT.sub("*", path)
    absolute = path.startswith("/") or path[1:3] == ":/"
    segments = [one for one in path.split("/") if one and one != "*"]
    return "/".join(segments[-2:] if absolute else segments[-6:]) or path


@lru_cache(maxsize=8192)
def is_library(file: str, module: str) -> bool:
    """For frames whose SDK did not say whether they are the app's own."""
    return (
        _LIBRARY.search(file[-_PATH_CHARS:].replace("\\", "/")) is not None
        or _LIBRARY_MODULE.match(module[:_PATH_CHARS]) is not None
    )
