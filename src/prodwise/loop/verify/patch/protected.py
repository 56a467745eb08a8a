"""Files that no repair may touch: what decides how code is tested, built, shipped, started, paid and let in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Final

from prodwise.loop.verify.patch.names import folded

_KINDS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("git's own", (".git*", "codeowners")),
    ("continuous integration", (
        ".circleci", ".travis*", ".buildkite", ".drone*", ".woodpecker*", ".azure*", "azure-pipelines*",
        "jenkinsfile*", "bitbucket-pipelines*", "appveyor*", ".appveyor*", ".teamcity", ".cirrus*", ".semaphore",
        ".pre-commit*", ".husky", ".lefthook*", "lefthook*", "renovate.json*", ".renovaterc*", "dependabot*",
        "sonar-project*", "codecov*", ".codecov*", ".devcontainer*", ".vscode", ".idea",
    )),
    ("test configuration", (
        "conftest.py", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "noxfile.py", "jest.config*",
        "vitest.config*", "vitest.workspace*", "karma.conf*", ".mocharc*", "babel.config*", ".babelrc*", "tsconfig*",
        "jsconfig*", ".coveragerc", "mypy.ini", ".mypy.ini", "ruff.toml", ".ruff.toml", ".flake8", ".pylintrc",
        "pylintrc", ".eslintrc*", "eslint.config*", ".prettierrc*", "phpunit.xml*", ".rspec", "spec_helper.rb",
        "rails_helper.rb", "test_helper.rb", "cypress.config*", "playwright.config*", "behave.ini", ".nycrc*",
        "ava.config*", "jasmine.json", "trunit*", "pyrightconfig.json",
    )),
    ("code that runs at every start", (
        "sitecustomize*", "usercustomize*", "*.pth", "*.pyc", "*.pyo", "__pycache__", "*.so", "*.pyd", "*.dll",
        "*.egg-link", "*.egg-info", "*.dist-info", "entry_points.txt", "node_modules", "site-packages", "vendor",
        ".venv", "venv",
    )),
    ("build scripts", (
        "setup.py", "makefile*", "gnumakefile", "*.mk", "cmakelists.txt", "*.cmake", "meson.build", "build.gradle*",
        "settings.gradle*", "*.gradle*", "gradlew*", "mvnw*", "rakefile", "*.gemspec", "justfile", "taskfile*",
        "build.rs", "dodo.py", "fabfile.py", "tasks.py", "webpack.config*", "vite.config*", "rollup.config*",
        "gulpfile*", "gruntfile*", "build.xml", "*.sh", "*.bash", "*.bat", "*.cmd", "*.ps1", "manifest.in",
        "configure*", "next.config*", "nuxt.config*", "build.sbt", "mix.exs", "*.csproj", "*.sln", "*.bzl",
        "build.bazel", "workspace", ".npmrc", ".yarnrc*", ".pnp*", ".pypirc", "pip.conf", "uv.toml",
    )),
    ("migrations", ("migrations", "migration", "migrate", "alembic*", "flyway*", "liquibase*", "*.sql", "schema.rb", "schema.prisma")),
    ("container and deploy manifests", (
        "dockerfile*", "*.dockerfile", "containerfile*", "docker-compose*", "compose.y*ml", "compose.*.y*ml",
        ".dockerignore", "k8s", "kubernetes", "helm", "chart.y*ml", "terraform", "*.tf", "*.tfvars", "ansible",
        "deploy", "deployment", "deployments", "procfile*", "fly.toml", "render.y*ml", "app.y*ml", "app.json",
        "vercel.json", "netlify.toml", "heroku.yml", "serverless.y*ml", "*.service", "*.socket", "*.timer",
        "nginx*.conf", "caddyfile*", "supervisord*.conf", "kustomization.y*ml", "skaffold.y*ml", "cloudbuild.y*ml",
        "buildspec.y*ml", "appspec.y*ml", "crontab*", ".ebextensions", "wrangler.toml", "railway.*",
    )),
    ("secrets and environment", (
        ".env*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.keystore", "*.jks", "id_rsa*", "id_ed25519*",
        ".netrc", ".ssh", ".aws", ".htpasswd", ".htaccess",
    )),
    ("Prodwise's own configuration", ("prodwise.toml", ".prodwise*")),
)  # fmt: skip
_CALLED_AFTER: Final = frozenset({
    "ansible", "helm", "k8s", "kubernetes", "terraform", "deploy", "deployment", "deployments", "tasks.py",
})  # fmt: skip
"""Of these, what a part of a program may be called after; such a part of its code is code."""
_FILES_ONLY: Final = frozenset({"workspace"})
_OPERATIONS: Final = frozenset({"infra", "infrastructure", "ops", "devops", "iac", "cdk", "pulumi", "provisioning"})
_PYTHON: Final = (".py", ".pyi")
_OTHER_SOURCE: Final = (
    ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".go", ".rb", ".java", ".kt", ".scala", ".php", ".rs", ".cs", ".ex",
)  # fmt: skip
_PYTHON_ROOTS: Final = frozenset({"src", "lib", "python"})
_OTHER_ROOTS: Final = frozenset({"src", "pkg", "internal"})
"""Not `lib`: in JavaScript, that is where infrastructure is written as code."""
_MARK: Final = "/__init__.py"
_TOP_ONLY: Final = frozenset({"ci", "scripts", ".config", ".ci"})
_WORDS: Final = frozenset({
    "auth", "authn", "authz", "authentication", "authenticate", "authorization", "authorize", "authorisation",
    "oauth", "oauth2", "oidc", "login", "logins", "signin", "password", "passwords", "passwd", "credential",
    "credentials", "secret", "secrets", "crypto", "cryptography", "encryption", "encrypt", "cipher", "ciphers",
    "jwt", "sso", "saml", "ldap", "permission", "permissions", "acl", "rbac", "csrf", "payment", "payments",
    "billing", "stripe", "paypal", "braintree", "adyen", "signing",
})  # fmt: skip
_MANIFESTS: Final = (
    "requirements*.txt", "requirements*.in", "constraints*.txt", "constraints*.in", "pyproject.toml", "pipfile",
    "package.json", "gemfile", "go.mod", "cargo.toml", "composer.json", "pom.xml", "environment.y*ml",
)  # fmt: skip
_LOCKS: Final = (
    "poetry.lock", "uv.lock", "pdm.lock", "pipfile.lock", "pylock*.toml", "*.lock", "package-lock.json",
    "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.y*ml", "gemfile.lock", "go.sum", "cargo.lock", "composer.lock",
    "gradle.lockfile", "bun.lock*", "flake.lock", "deno.lock",
)  # fmt: skip
_TEST_FOLDERS: Final = frozenset({
    "test", "tests", "testing", "spec", "specs", "__tests__", "__mocks__", "__snapshots__", "testdata", "fixtures",
    "cypress", "e2e",
})  # fmt: skip
_TEST_FOLDER = re.compile(
    r"(?:.*[_-])?tests?(?:[_-].*)?|.*(?:tests|testcases)|(?:android|e2e|func|functional|integration|smoke|unit)test"
)
_NO_TESTS = re.compile(r"(?:at|con|pro)tests|(?:.*[_-])?ab[_-]?tests?(?:[_-].*)?")
"""Folders that are called so for what the program is about."""
_CASES = re.compile(r"^class \w+\([^)\n]{0,200}TestCase\b", re.MULTILINE)
_TEST_FILE = re.compile(
    r"tests?\.\w+|tests?[_-].*|.*[_-](?:tests?|spec)\.\w+|.*\.(?:test|spec|cy|snap)\.?\w*|.*tests?\.(?:java|kt|cs|php|swift|scala)|conftest\.py"
)


def protected(path: str, packages: frozenset[str] = frozenset()) -> str:
    """The kind of what a path is or lies in, "" for what may be touched. Manifests and lock files are asked for apart.

    packages: those of the folders above it that Python imports, as the base has them; none where that is not known.
    """
    parts = folded(path).split("/")
    for kind, names in _KINDS:
        for at, part in enumerate(parts):
            if any(fnmatchcase(part, name) for name in names) and not _is_code(path, at, packages):
                return kind
    if parts[0] in _TOP_ONLY and len(parts) > 1:
        return "build scripts"
    words = {word for part in _split(path) for word in part}
    return "authentication, cryptography and payments" if words & _WORDS else ""


def marks(paths: Iterable[str]) -> frozenset[str]:
    """The files that make packages of the folders above these paths, were they there."""
    return frozenset(above + _MARK for path in paths for above in _above(path))


def packages_of(there: Iterable[str]) -> frozenset[str]:
    """The folders that these of `marks` make packages of."""
    return frozenset(one.removesuffix(_MARK) for one in there)


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _is_code(path: str, at: int, packages: frozenset[str]) -> bool:
    """Whether the part at this place names a part of the program, not what it is called after. At the top, and among what operates
    programs, it never does.

    Of Python all folders from there on are packages, in a package or where packages lie; of other languages a folder of source
    lies above. What is spelled strangely is no code of ours.
    """
    parts, last = path.split("/"), path.count("/")
    if [one.casefold() for one in parts] != folded(path).split("/"):
        return False
    if parts[at].casefold() in _FILES_ONLY and at < last:
        return True
    if parts[at].casefold() not in _CALLED_AFTER or at == 0:
        return False
    if _OPERATIONS & {one.casefold() for one in parts[:at]}:
        return False
    if parts[last].endswith(_PYTHON):
        inside = all("/".join(parts[:end]) in packages for end in range(at + 1, last + 1))
        return inside and ("/".join(parts[:at]) in packages or (at < last and parts[at - 1] in _PYTHON_ROOTS))
    return at < last and parts[last].endswith(_OTHER_SOURCE) and bool(_OTHER_ROOTS & set(parts[:at]))


def _split(path: str) -> list[list[str]]:
    """The words of each part: `auth_views.py`, `AuthViews.py` → auth, views, py."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", path)
    return [re.findall(r"[a-z0-9]+", folded(part)) for part in spaced.split("/")]


def is_manifest(path: str) -> bool:
    """Says which dependencies are wanted."""
    return _named(path, _MANIFESTS) or _in_requirements(path)


def is_lock(path: str) -> bool:
    """Says which ones are installed."""
    return _named(path, _LOCKS)


def _named(path: str, names: tuple[str, ...]) -> bool:
    last = folded(path).rsplit("/", 1)[-1]
    return any(fnmatchcase(last, name) for name in names)


def _in_requirements(path: str) -> bool:
    parts = folded(path).split("/")
    return len(parts) > 1 and parts[-2] == "requirements" and parts[-1].endswith((".txt", ".in"))


def is_test(path: str) -> bool:
    """Tests, what they are given, and what they are compared with."""
    *folders, name = folded(path).split("/")
    named = (one in _TEST_FOLDERS or (_TEST_FOLDER.fullmatch(one) and not _NO_TESTS.fullmatch(one)) for one in folders)
    return any(named) or _TEST_FILE.fullmatch(name) is not None


def holds_tests(text: str) -> bool:
    """Whether a Python file holds cases of unittest, or what such cases are made of, however it is called."""
    return _CASES.search(text) is not None
