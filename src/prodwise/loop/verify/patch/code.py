"""What code does that a repair must not begin to do: found in Python by its syntax, in other languages by cautious text rules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from prodwise.loop.verify.patch.found import BROAD, CALLS, IMPORTS, PARSES, Found, marks
from prodwise.loop.verify.patch.python import Look

_PYTHON: Final = (".py", ".pyi", ".pyw")
_COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_IMPORT = re.compile(
    r"""^\s*(?:(?:pub\s+)?use\s|import\b|export\b.*\bfrom\b|from\s+\S+\s+import|\#\s*include|require(?:_once|_relative)?\b
        |include(?:_once)?\b|using\s|extern\s+crate|@import|source\s|\.\s+/|\s*"[\w.-]+/[\w./-]+"\s*$)
      | \b(?:require|import)\s*\(""",
    re.VERBOSE,
)
_CALL = re.compile(
    r"""(?P<eval>(?<![.\w])(?:eval|exec|assert_options|create_function|unserialize|instance_eval|class_eval|module_eval
          |popen|proc_open|passthru|shell_exec|pcntl_exec|system|spawn|fork|fetch|execSync|spawnSync|execFile|importScripts
          |source)\s*\(?(?=[\s("'`])
        | \bnew\s+Function\b | \bFunction\s*\( | \bsetTimeout\s*\(\s*["'`] | constructor\s*\.\s*constructor | __proto__)
      | (?P<process>child_process | \bprocess\s*\.\s*(?:exit|kill|abort|binding|dlopen|env|argv|mainModule|on) | \bos/exec\b
        | \bos\.(?:Exit|StartProcess|Getenv|Environ) | \bexec\.Command | Runtime\s*\.\s*getRuntime | ProcessBuilder
        | System\s*\.\s*(?:exit|getenv|load) | Process\s*\.\s*[sS]tart | std::process | Deno\. | Bun\. | %x[\[{(] | Kernel\.
        | Open3 | \bexit\s*[(!] | \babort\s*\( | \bdie\s*[("'])
      | (?P<network>XMLHttpRequest | WebSocket | EventSource | sendBeacon | \bnet/http\b | \bhttp\.(?:Get|Post|Client)
        | HttpClient | HttpURLConnection | \bURL\s*\( | \bcurl\b | \bwget\b | Net::HTTP | TCPSocket
        | \bnet\.(?:Dial|connect) | \bSocket\s*\( | axios | urlopen | reqwest | https?://)
      | (?P<load>ObjectInputStream | Marshal\s*\.\s*load | YAML\s*\.\s*(?:unsafe_)?load | BinaryFormatter | readObject
        | node-serialize | \bvm\s*\.\s*run | vm2 | Class\s*\.\s*forName | reflect\. | \bunsafe\b | dlopen | DllImport)""",
    re.VERBOSE,
)
_BROAD = re.compile(
    r"""catch\s*(?:\([^)]{0,200}\))?\s*\{\s*(?://[^\n]{0,200}\s*|/\*.{0,200}?\*/\s*)?\}
      | catch\s*\(\s*(?:final\s+)?\\?(?:Throwable|Exception|\.\.\.) | catch\s*\{
      | \brescue\s*(?:Exception|StandardError|=>|\n|$) | \brescue\s+nil\b | \brecover\s*\(\s*\) | catch_unwind
      | \.catch\s*\(\s*(?:\(\w*\)|\w+)\s*=>\s*(?:\{\s*\}|null|undefined|0|false)
      | On\s+Error\s+Resume | \bset\s+\+e\b | \|\|\s*true\b | 2>\s*/dev/null""",
    re.VERBOSE | re.MULTILINE,
)


def features(path: str, text: str) -> Iterator[Found]:
    """All of them; what is new is for the caller to tell, by comparing before and after."""
    if not text:
        return
    yield from marks(text)
    if path.lower().endswith(_PYTHON):
        yield from _python(text)
    else:
        yield from _other(text)


def _python(text: str) -> Iterator[Found]:
    for number, line in enumerate(text.split("\n")[:2], 1):
        cookie = _COOKIE.match(line)
        if cookie and cookie[1].lower().replace("_", "-") not in ("utf-8", "utf8", "ascii", "us-ascii"):
            yield Found(PARSES, f"is read as {cookie[1]}", number)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        yield Found(PARSES, "is no Python that can be read", 1)
        return
    try:
        yield from Look(tree).found
    except RecursionError:
        yield Found(PARSES, "is nested too deeply to be read", 1)


def _other(text: str) -> Iterator[Found]:
    for number, line in enumerate(text.split("\n"), 1):
        if _IMPORT.search(line[:2000]):
            yield Found(IMPORTS, " ".join(line.split())[:120], number)
        for found in _CALL.finditer(line[:2000]):
            yield Found(CALLS, f"{found.lastgroup}: {found[0].strip()[:60]}", number)
        if len(line) > 2000:
            yield Found(PARSES, "has a line that is too long to be read", number)
    number, at = 1, 0
    for found in _BROAD.finditer(text):
        number, at = number + text.count("\n", at, found.start()), found.start()
        yield Found(BROAD, " ".join(found[0].split())[:60], number)
