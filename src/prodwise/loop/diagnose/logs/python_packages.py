"""Which package a Python module belongs to."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# Import names that differ from the names that packages are published under.
PUBLISHED: Final = {
    "yaml": "pyyaml",
    "cv2": "opencv-python",
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "sklearn": "scikit-learn",
    "dateutil": "python-dateutil",
    "pkg_resources": "setuptools",
    "_distutils_hack": "setuptools",
    "jwt": "pyjwt",
    "attr": "attrs",
    "dotenv": "python-dotenv",
    "OpenSSL": "pyopenssl",
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "git": "gitpython",
    "zmq": "pyzmq",
    "magic": "python-magic",
    "docx": "python-docx",
    "jose": "python-jose",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "rest_framework": "djangorestframework",
    "_pytest": "pytest",
    "markdown_it": "markdown-it-py",
    "ruamel": "ruamel.yaml",
    "fitz": "pymupdf",
    "multipart": "python-multipart",
    "socks": "pysocks",
    "psycopg2": "psycopg2",
    "discord": "discord.py",
    "telegram": "python-telegram-bot",
    "OpenGL": "pyopengl",
    "usb": "pyusb",
    "ldap": "python-ldap",
    "corsheaders": "django-cors-headers",
    "slugify": "python-slugify",
    "Levenshtein": "levenshtein",
    "pythonjsonlogger": "python-json-logger",
    "grpc": "grpcio",
    "win32api": "pywin32",
    "wx": "wxpython",
    "gi": "pygobject",
    "nacl": "pynacl",
    "cairo": "pycairo",
    "fake_useragent": "fake-useragent",
}
BACKPORTS: Final = frozenset(["importlib_metadata", "importlib_resources", "typing_extensions"])
"""Modules that stand in for newer ones of the standard library: what they give changes with their versions."""
NAMESPACES: Final = {
    "google": ("google.protobuf", "protobuf"),
    "azure": ("azure.", ""),
    "zope": ("zope.", ""),
    "backports": ("backports.", ""),
}
STANDARD: Final = frozenset(
    [
        "abc",
        "argparse",
        "array",
        "ast",
        "asyncio",
        "base64",
        "builtins",
        "cgi",
        "codecs",
        "collections",
        "collections.abc",
        "concurrent",
        "contextlib",
        "copy",
        "csv",
        "ctypes",
        "dataclasses",
        "datetime",
        "decimal",
        "email",
        "enum",
        "errno",
        "fractions",
        "functools",
        "gc",
        "gettext",
        "glob",
        "gzip",
        "hashlib",
        "heapq",
        "hmac",
        "html",
        "http",
        "imp",
        "importlib",
        "inspect",
        "io",
        "itertools",
        "json",
        "locale",
        "logging",
        "math",
        "mimetypes",
        "multiprocessing",
        "numbers",
        "operator",
        "os",
        "pathlib",
        "pickle",
        "pkgutil",
        "platform",
        "pprint",
        "queue",
        "random",
        "re",
        "runpy",
        "select",
        "shutil",
        "signal",
        "site",
        "socket",
        "sqlite3",
        "ssl",
        "stat",
        "statistics",
        "string",
        "struct",
        "subprocess",
        "sys",
        "tarfile",
        "tempfile",
        "textwrap",
        "threading",
        "time",
        "timeit",
        "tkinter",
        "token",
        "tokenize",
        "traceback",
        "types",
        "typing",
        "unittest",
        "urllib",
        "uuid",
        "warnings",
        "weakref",
        "xml",
        "zipfile",
        "zipimport",
        "zoneinfo",
        "distutils",
        "asynchat",
        "asyncore",
        "smtpd",
        "pipes",
        "telnetlib",
        "unittest.mock",
        "__main__",
        "str",
        "list",
        "dict",
        "tuple",
        "int",
        "set",
        "self",
        "object",
        "NoneType",
    ]
)
_SITE: Final = re.compile(r"(?:site|dist)-packages[/\\]([A-Za-z_][\w.]{0,100})")


@lru_cache(maxsize=8_192)
def canonical(name: str) -> str:
    return re.sub(r"[-_.]{1,5}", "-", name).lower().strip("-")


def published(name: str) -> str:
    """The package that a module belongs to, or the package itself; "" for the standard library."""
    top = name.partition(".")[0]
    if name in STANDARD or top in STANDARD:
        return ""
    if top in NAMESPACES:
        start, package = NAMESPACES[top]
        rest = name.split(".")
        return package if package and name.startswith(start) else canonical("-".join(rest[:3])) if len(rest) > 1 else ""
    return PUBLISHED.get(top) or canonical(top)


@lru_cache(maxsize=8_192)
def site_of(file: str) -> str:
    """The package of a file under site-packages; "" for others."""
    found = _SITE.search(file)
    if found is None:
        return ""
    rest = file[found.start(1) :].replace("\\", "/").split("/")
    top = rest[0].removesuffix(".py")
    if top in NAMESPACES and len(rest) > 1:
        return published(".".join([top, *(part.removesuffix(".py") for part in rest[1:3])]))
    return published(top)
