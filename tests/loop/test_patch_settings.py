"""Tampering through the door of settings: whoever proposes, only what a settings file held before gets through."""

from __future__ import annotations

import pytest

from prodwise.model.action import ActionKind
from tests.loop.patches import broken, diff, gone, new_file
from tests.loop.test_patch_policy import FILES, named

S = ActionKind.SETTING
ONLY, SHOWN = "settings only", "no secrets"

TOML = """# limits of the shop
[cart]
most = 20  # lines
wait_s = [1, 2]

[auth]
attempts = 3
"""
YAML = """cart:
  most: 20  # lines
  wait: 3
auth:
  attempts: 3
"""
ANCHORED = """base: &base
  most: 20
cart:
  <<: *base
  wait: 3
auth:
  attempts: 3
"""
JSON = '{\n  "cart": {"most": 20, "wait": 3},\n  "tls": {"verify": true}\n}\n'
INI = "[cart]\nmost = 20\nwait = 3\n\n[security]\nlevel = 2\n"
PYTHON = "import os\n\nMOST = 20\nWAIT = 60 * 3\nDEBUG = False\nHOME = os.environ.get('HOME', '/')\n\n\ndef wait():\n    return WAIT\n"
ENV = "MOST=20\nWAIT=3\nVERIFY=1\n"


def rules(path: str, now: str, after: str, *past: str, text: str = "") -> tuple[str, ...]:
    """What is broken when a file that held `past`, and holds `now`, is made to hold `after`."""
    return broken(text or diff(path, now, after), {path: now}, S, near=None, past={path: (now, *past)})


HONEST = [
    ("shop.toml", TOML, TOML.replace("20", "2")),
    ("shop.toml", TOML, TOML.replace("[1, 2]", "[\n  1,  # first\n  2,\n]")),
    ("config/shop.yaml", YAML, YAML.replace("most: 20", "most: 2")),
    ("config/shop.yaml", ANCHORED, ANCHORED.replace("wait: 3", "wait: 30")),
    ("config.json", JSON, JSON.replace('"wait": 3', '"wait": 30')),
    ("config.json", JSON, JSON.replace(', "wait": 3', "")),
    ("shop.ini", INI, INI.replace("wait = 3\n", "")),
    ("shop.properties", "a.most=20\n", "a.most=2\n"),
    ("app/settings.py", PYTHON, PYTHON.replace("60 * 3", "60 * 30")),
    (".env.example", ENV, ENV.replace("MOST=20", "MOST=2")),
    ("flags/new_cart", "off\n", "on\n"),
]


@pytest.mark.parametrize(("path", "before", "now"), HONEST)
def test_what_was_here_may_come_back(path: str, before: str, now: str) -> None:
    """Also far from the failing trace: no program imports a settings file."""
    assert rules(path, now, before, before) == ()
    assert rules(path, before, now, now) == ()


def test_what_was_never_here_may_not() -> None:
    for path, before, now in HONEST:
        assert rules(path, now, before) == (ONLY,), path
        assert ONLY in rules(path, now, before.replace("20", "7").replace("3", "9").replace("off", "maybe"), before), (
            path
        )


@pytest.mark.parametrize(("rule", "path"), FILES)
def test_files_out_of_reach_stay_so(rule: str, path: str) -> None:
    text, other = "one = 1\n", "one = 2\n"
    assert rule in rules(path, text, other, other)


@pytest.mark.parametrize(
    ("path", "now", "before"),
    [
        ("pytest.ini", "[pytest]\naddopts = -q\n", "[pytest]\naddopts = --ignore=tests\n"),
        ("setup.cfg", "[tool:pytest]\naddopts = -q\n", "[tool:pytest]\naddopts = -k nothing\n"),
        ("tox.ini", "[pytest]\naddopts =\n", "[pytest]\naddopts = -x\n"),
        (
            "pyproject.toml",
            "[tool.pytest.ini_options]\nxfail_strict = true\n",
            "[tool.pytest.ini_options]\nxfail_strict = false\n",
        ),
        ("pyproject.toml", '[tool.ruff]\nselect = ["F"]\n', "[tool.ruff]\nselect = []\n"),
        (".github/workflows/ci.yml", "on: push\n", "on: never\n"),
        (".gitlab-ci.yml", "stage: test\n", "stage: none\n"),
        ("uv.lock", "version = 1\n", "version = 2\n"),
        ("docker-compose.yml", "restart: always\n", "restart: no\n"),
        ("config/deploy/app.yaml", "image: shop\n", "image: other\n"),
        ("app.yaml", "runtime: python312\n", "runtime: python27\n"),
        ("fly.toml", 'app = "shop"\n', 'app = "other"\n'),
        ("prodwise.toml", 'autonomy = "observe"\n', 'autonomy = "auto"\n'),
        (".prodwise-holds.toml", "a = 1\n", "a = 2\n"),
        (".env", "MOST=20\n", "MOST=2\n"),
        ("prod.env", "MOST=20\n", "MOST=2\n"),
        ("config/secrets.yaml", "most: 20\n", "most: 2\n"),
        ("auth/config.json", '{"a": 1}\n', '{"a": 2}\n'),
        ("mypy.ini", "[mypy]\nstrict = true\n", "[mypy]\nstrict = false\n"),
        ("package.json", '{"a": 1}\n', '{"a": 2}\n'),
        ("tsconfig.json", '{"strict": true}\n', '{"strict": false}\n'),
        ("k8s/config.yaml", "replicas: 2\n", "replicas: 0\n"),
    ],
)
def test_what_decides_how_code_is_judged_or_runs_is_no_setting(path: str, now: str, before: str) -> None:
    """Even exactly as it was."""
    assert "protected path" in rules(path, now, before, before)


@pytest.mark.parametrize(
    "path", ["tests/config.yaml", "tests/fixtures/settings.json", "settings/test.py", "spec/limits.toml"]
)
def test_settings_of_tests_belong_to_the_tests(path: str) -> None:
    assert "no test touched" in rules(path, '{"a": 1}\n', '{"a": 2}\n', '{"a": 2}\n')


@pytest.mark.parametrize(
    ("path", "now", "before"),
    [
        ("app/settings.py", "DEBUG = False\n", "DEBUG = True\n"),
        ("app/settings.py", "ALLOWED_HOSTS = ['a']\n", "ALLOWED_HOSTS = ['*']\n"),
        (
            "app/settings.py",
            "class Web:\n    SESSION_COOKIE_SECURE = True\n",
            "class Web:\n    SESSION_COOKIE_SECURE = False\n",
        ),
        ("config.json", JSON, JSON.replace("true", "false")),
        ("shop.toml", TOML, TOML.replace("attempts = 3", "attempts = 3000")),
        ("config/shop.yaml", YAML, YAML.replace("attempts: 3", "attempts: 3000")),
        ("config/shop.yaml", ANCHORED, ANCHORED.replace("attempts: 3", "attempts: 3000")),
        ("shop.ini", INI, INI.replace("level = 2", "level = 0")),
        ("shop.properties", "server.ssl.enabled=true\n", "server.ssl.enabled=false\n"),
        (".env.example", ENV, ENV.replace("VERIFY=1", "VERIFY=0")),
        ("flags.yaml", "csrfCheck: on\n", "csrfCheck: off\n"),
        ("config.toml", "[pytest]\naddopts = 1\n", "[pytest]\naddopts = 2\n"),
        ("limits.toml", "rate_limit = 10\n", "rate_limit = 10000\n"),
        ("shop.toml", 'api_key = "one-two-three-4"\n', 'api_key = "four-five-six-7"\n'),
        ("shop.toml", 'store = "postgres://u:hunter22@db/shop"\n', 'store = "postgres://u:letmein1@db/shop"\n'),
        ("shop.conf", "listen 80;\nssl_verify off;\n", "listen 80;\nssl_verify on;\n"),
    ],
)
def test_what_protects_and_what_is_secret_is_for_a_person(path: str, now: str, before: str) -> None:
    assert ONLY in rules(path, now, before, before)


NOW = TOML.replace("20", "2")


@pytest.mark.parametrize(
    ("path", "now", "before", "after"),
    [
        ("shop.toml", NOW, TOML, TOML.replace("# lines", "# free for all")),
        ("shop.toml", NOW, TOML, TOML.replace("# limits of the shop\n", "")),
        ("shop.toml", NOW, TOML, TOML + "\n"),
        ("shop.toml", NOW, TOML, TOML.replace("most = 20", "most = 0x14")),
        ("shop.toml", NOW, TOML, TOML.replace("most = 20", "most=20")),
        ("shop.toml", NOW, TOML, TOML + "[pay]\nfree = true\n"),
        ("shop.toml", NOW, TOML, TOML.replace("most = 20", "most = 20\nmost = 20")),
        ("shop.toml", NOW, TOML, TOML.replace("[auth]", "[auth")),
        ("config.json", JSON.replace("20", "2"), JSON, JSON.replace('"most": 20', '"most": 20, "most": 30')),
        ("config.json", JSON.replace("20", "2"), JSON, JSON.replace("{\n", '{"extra": 1,\n', 1)),
        (
            "config/shop.yaml",
            YAML.replace("20", "2"),
            YAML,
            YAML.replace("20", "20\n  hook: !!python/object/apply:os.system [x]"),
        ),
        ("config/shop.yaml", YAML.replace("20", "2"), YAML, YAML.replace("most: 20", "most: [20]")),
        ("config/shop.yaml", ANCHORED.replace("20", "2"), ANCHORED, ANCHORED.replace("wait: 3", "wait: 99")),
        ("shop.ini", INI.replace("20", "2"), INI, INI.replace("20", "20\n extra")),
        ("shop.ini", INI.replace("20", "2"), INI, INI.replace("20", "20\n[security]\nlevel = 0")),
        ("app/settings.py", PYTHON.replace("20", "2"), PYTHON, PYTHON.replace("20", "20; import sys")),
        ("app/settings.py", PYTHON.replace("20", "2"), PYTHON, PYTHON.replace("20", "int(open('/etc/passwd').read())")),
        ("app/settings.py", PYTHON.replace("20", "2"), PYTHON, PYTHON.replace("return WAIT", "return 0")),
        ("app/settings.py", PYTHON.replace("20", "2"), PYTHON, PYTHON.replace("'HOME', '/'", "'HOME', '/tmp'")),
        ("app/settings.py", PYTHON.replace("return WAIT", "return 0"), PYTHON, PYTHON),
        ("flags/new_cart", "on\n", "off\n", "off\nother\n"),
        ("app/views.py", "MOST = 2\n", "MOST = 20\n", "MOST = 20\n"),
        ("data/prices.json", '{"a": 2}\n', '{"a": 1}\n', '{"a": 1}\n'),
        ("shop.sql.txt", "a = 2\n", "a = 1\n", "a = 1\n"),
    ],
)
def test_nothing_goes_along_with_a_setting(path: str, now: str, before: str, after: str) -> None:
    assert ONLY in rules(path, now, after, before)


def test_a_settings_file_is_neither_made_nor_removed_nor_moved_nor_linked() -> None:
    assert ONLY in rules("shop.toml", "", TOML, TOML, text=new_file("shop.toml", TOML))
    assert ONLY in rules("shop.toml", TOML, "", "", text=gone("shop.toml", TOML))
    moved = "diff --git a/shop.toml b/other.toml\nsimilarity index 100%\nrename from shop.toml\nrename to other.toml\n"
    assert "no file moved" in rules("shop.toml", TOML, "", TOML, text=moved)
    mode = "diff --git a/shop.toml b/shop.toml\nold mode 100644\nnew mode 100755\n"
    assert "no mode bits" in rules("shop.toml", TOML, "", TOML, text=mode)
    assert "names of files" in rules("shop.toml", TOML, TOML, TOML, text=named("config/../shop.toml"))
    linked = broken(
        diff("shop.toml", NOW, TOML),
        {"shop.toml": NOW},
        S,
        links={"shop.toml": "/etc/shop"},
        past={"shop.toml": (TOML,)},
    )
    assert "names of files" in linked or "no symbolic link" in linked


def test_a_diff_shows_no_secret_beside_a_setting() -> None:
    before = 'most = 20\nsession = "s3cr3t-of-the-shop"\n'
    assert ONLY in rules("shop.toml", before.replace("20", "2"), before, before)
    apart = "most = 20\n\n# a\n# b\n" + 'session = "s3cr3t-of-the-shop"\n'
    assert rules("shop.toml", apart.replace("20", "2"), apart, apart) == ()


def test_what_is_not_seen_does_not_come_back() -> None:
    before = TOML.replace("[1, 2]", '"a\u202eb"')
    assert "no hidden characters" in rules("shop.toml", TOML, before, before)


def test_the_door_is_no_way_around_limits() -> None:
    many = "".join(f"a{number} = 1\n" for number in range(60))
    other = many.replace("= 1", "= 2")
    assert "limits" in rules("shop.toml", many, other, other)
    texts = {f"conf/{number}.toml": "a = 1\n" for number in range(5)}
    text = "".join(diff(path, now, "a = 2\n") for path, now in texts.items())
    assert "limits" in broken(text, texts, S, past=dict.fromkeys(texts, ("a = 2\n",)))


def test_other_kinds_do_not_come_through_this_door() -> None:
    """An example of an environment is out of a patch's reach, and a pin's."""
    for kind in (ActionKind.PATCH, ActionKind.PIN, ActionKind.REVERT):
        now = ENV.replace("20", "2")
        assert "protected path" in broken(
            diff(".env.example", now, ENV), {".env.example": now}, kind, past={".env.example": (ENV,)}
        )
