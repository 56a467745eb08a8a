"""`prodwise init` on folders as people have them, and `prodwise config`."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from prodwise.cli.init import LIVE_LINES_MAX, file_of
from prodwise.cli.scan import scan
from prodwise.config import load
from prodwise.config.environment import FROM_ENVIRONMENT, SIGNALS_FROM_ENVIRONMENT
from tests.cli.conftest import Quick, git

FLASK = 'from flask import Flask\napp = Flask(__name__)\n\n@app.route("/healthz")\ndef healthz():\n    return "ok"\n'
FACTORY = "from flask import Flask\ndef create_app():\n    return Flask(__name__)\n"
FASTAPI = 'from fastapi import FastAPI\n\napi = FastAPI()\n\n@api.get("/health")\ndef health():\n    return {}\n'

FOLDERS: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    # name: (files, service → command, probe of web)
    "procfile": (
        {"Procfile": "web: gunicorn shop:app -b :$PORT\nworker: python work.py\nrelease: python migrate.py\n"},
        {"web": "gunicorn shop:app -b :$PORT", "worker": "python work.py"},
        "",
    ),
    "flask": (
        {"app.py": FLASK, "requirements.txt": "Flask==3.0\n"},
        {"web": "flask --app app run --no-reload --port $PORT"},
        "/healthz",
    ),
    "flask-gunicorn-factory": (
        {"shop/__init__.py": FACTORY, "requirements.txt": "flask\ngunicorn>=20\n"},
        {"web": "gunicorn 'shop:create_app()' --bind 127.0.0.1:$PORT"},
        "",
    ),
    "fastapi": (
        {"src/main.py": FASTAPI, "pyproject.toml": '[project]\nname = "x"\ndependencies = ["fastapi[standard]", "uvicorn"]\n'},
        {"web": "uvicorn main:api --app-dir src --host 127.0.0.1 --port $PORT"},
        "/health",
    ),
    "django": (
        {"manage.py": "", "mysite/wsgi.py": "application = 1\n", "mysite/urls.py": 'urlpatterns = [path("health/", ok)]\n',
         "requirements.txt": "Django\ngunicorn\n"},
        {"web": "gunicorn mysite.wsgi:application --bind 127.0.0.1:$PORT"},
        "/health/",
    ),
    "streamlit": (
        {"dash.py": "import streamlit as st\nst.title('x')\n", "requirements.txt": "streamlit\n"},
        {"web": "streamlit run dash.py --server.address 127.0.0.1 --server.port $PORT --server.headless true"},
        "/_stcore/health",
    ),
    "node": (
        {"package.json": '{"scripts": {"start": "node server.js", "build": "tsc"}}', "server.js": 'app.get("/health", ok)\n'},
        {"web": "npm start"},
        "/health",
    ),
    "fastapi-celery": (
        {"app.py": FASTAPI, "jobs.py": 'queue = Celery("x")\n', "requirements.txt": "fastapi\nuvicorn\ncelery\n"},
        {"web": "uvicorn app:api --host 127.0.0.1 --port $PORT", "worker": "celery -A jobs:queue worker"},
        "/health",
    ),
}  # fmt: skip


def fill(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("name", FOLDERS)
def test_services_are_found_and_the_file_is_usable(tmp_path: Path, name: str) -> None:
    files, commands, probe = FOLDERS[name]
    fill(tmp_path, files)
    found = scan(tmp_path)
    assert {service.name: service.command for service in found.services} == commands
    text = file_of(found)
    live = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(live) <= LIVE_LINES_MAX
    (tmp_path / "prodwise.toml").write_text(text)
    config = load(tmp_path)
    assert {key: entry.command for key, entry in config.services.items()} == commands
    assert config.services["web"].probe == probe


def test_the_commented_settings_are_real(tmp_path: Path) -> None:
    """With the comment signs removed, the rest of the file is accepted too: nothing in it is made up or misspelt."""
    fill(tmp_path, FOLDERS["flask"][0])
    top: list[str] = []
    ramp: list[str] = []
    ways: list[str] = []
    service: list[str] = []
    part = top
    for line in file_of(scan(tmp_path)).splitlines():
        bare = line.removeprefix("# ")
        if bare == "[ramp]":
            part = ramp
        elif line.startswith("# ["):
            ways.append(bare)
            part = ways
        elif bare == "For a service:":
            part = service
        elif line.startswith("# ") and " = " in bare:
            part.append(bare.replace('["db-proxy"]', "[]"))
    assert len(top) >= 4
    assert len(ramp) == 2
    assert len(ways) == 8
    assert len(service) >= 3
    text = "\n".join([*top, "[ramp]", *ramp, *ways, "[services.web]", 'command = "x"', *service])
    (tmp_path / "prodwise.toml").write_text(text)
    assert load(tmp_path).ramp.watch_seconds == 600
    assert load(tmp_path).heartbeats["nightly-backup"].grace == 600


def test_every_row_says_where_it_came_from_and_no_secret_is_read(tmp_path: Path) -> None:
    fill(tmp_path, FOLDERS["flask"][0])
    fill(
        tmp_path,
        {
            ".env": 'SECRET_KEY=hunter2-very-secret\nexport DB_URL="postgres://u:pa55@h/db"\n# OLD=1\n',
            "shop.db": "",
            "uploads/x": "",
        },
    )
    said = Quick(tmp_path).run("init", "--dry-run", "--json")
    assert said.code == 0
    told = json.loads(said.out)
    assert all(row["source"] for row in told["plan"])
    assert "hunter2" not in said.out + said.err
    assert "pa55" not in said.out + said.err
    assert "SECRET_KEY, DB_URL" in said.out
    assert tomllib.loads(told["file"])["shared"] == ["shop.db", "uploads/"]
    assert {"can restart", "can roll back", "can ramp", "cannot yet", "stage"} <= {row["key"] for row in told["plan"]}
    assert not (tmp_path / "prodwise.toml").exists()


def test_init_writes_the_file_and_ignores_its_own_folder(tmp_path: Path) -> None:
    fill(tmp_path, FOLDERS["procfile"][0] | {".gitignore": "*.pyc"})
    said = Quick(tmp_path).run("init", "-y")
    assert said.code == 0
    assert load(tmp_path).release == "python migrate.py"
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n.prodwise/\n"
    again = Quick(tmp_path).run("init", "-y")
    assert again.code == 6
    assert "--force" in again.err
    assert Quick(tmp_path).run("init", "-y", "--force").code == 0
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n.prodwise/\n"


def test_init_never_writes_unasked(tmp_path: Path) -> None:
    fill(tmp_path, FOLDERS["procfile"][0])
    said = Quick(tmp_path).run("init")
    assert said.code == 2
    assert "-y" in said.err
    assert not (tmp_path / "prodwise.toml").exists()
    assert not (tmp_path / ".gitignore").exists()


def test_a_folder_without_a_service_is_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("hello")
    said = Quick(tmp_path).run("init")
    assert said.code == 2
    assert "write a Procfile" in said.err
    up = Quick(tmp_path).run("up")
    assert up.code == 2
    assert "prodwise init" in up.err
    assert not (tmp_path / ".prodwise").exists()


def test_repository_state_is_told(tmp_path: Path) -> None:
    fill(tmp_path, FOLDERS["flask"][0])
    assert "no git repository" in " ".join(scan(tmp_path).notes)
    git(tmp_path, "init", "-q")
    assert "Nothing is committed" in " ".join(scan(tmp_path).notes)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    assert scan(tmp_path).notes == ()
    (tmp_path / "app.py").write_text(FLASK + "\n")
    assert "not committed" in " ".join(scan(tmp_path).notes)


def test_links_and_strange_bytes_are_survived(tmp_path: Path) -> None:
    fill(tmp_path, FOLDERS["flask"][0])
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "secret.py").symlink_to("/etc/passwd")
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe\x00'/health'" * 1000)
    (tmp_path / "package.json").write_text("[1, 2")
    (tmp_path / "pyproject.toml").write_text("not toml [")
    assert [service.name for service in scan(tmp_path).services] == ["web"]


def test_a_hard_port_is_pointed_out(tmp_path: Path) -> None:
    fill(tmp_path, FOLDERS["flask"][0] | {"Dockerfile": "FROM x\nEXPOSE 5000\n"})
    said = Quick(tmp_path).run("init", "--dry-run").out
    assert "Dockerfile says 5000" in said
    assert "$PORT" in said


def test_config_names_sources_and_hides_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRODWISE_DATABASE_URL", "postgresql://shop:pa55@db/shop")
    fill(tmp_path, {"prodwise.toml": (
        'version = 1\nkeep_releases = 7\nnotify_command = "curl https://hook/T0PSECRET"\n'
        '[services.web]\ncommand = "API_TOKEN=abc123 serve --db postgres://u:pw9@h/db"\n[services.web.env]\nLEVEL = "inside"\n'
    )})  # fmt: skip
    said = Quick(tmp_path).run("config", "--json")
    settings = {row["key"]: row for row in json.loads(said.out)["settings"]}
    assert settings["keep_releases"] == {"key": "keep_releases", "value": 7, "source": "prodwise.toml"}
    assert settings["address"]["source"] == "default"
    assert settings["database"]["source"] == "environment PRODWISE_DATABASE_URL"
    for secret in ("pa55", "T0PSECRET", "abc123", "pw9", "inside"):
        assert secret not in said.out, secret
    assert "serve --db postgres://(hidden)@h/db" in settings["services.web.command"]["value"]
    assert "keep_releases" in Quick(tmp_path).run("config").out


def test_an_instance_is_set_by_its_environment_whatever_the_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, {"prodwise.toml": (
        'version = 1\naddress = "127.0.0.1:8000"\nnotify_command = "page me"\n[services.web]\ncommand = "serve"\n'
    )})  # fmt: skip
    monkeypatch.setenv("PRODWISE_ADDRESS", "127.0.0.1:0")
    monkeypatch.setenv("PRODWISE_DASHBOARD", "127.0.0.1:7999")
    monkeypatch.setenv("PRODWISE_NOTIFY_COMMAND", "")
    monkeypatch.setenv("PRODWISE_STATE_DIR", str(tmp_path / "elsewhere"))
    settings = {row["key"]: row for row in json.loads(Quick(tmp_path).run("config", "--json").out)["settings"]}
    shown = {
        key: (settings[key]["value"], settings[key]["source"]) for key in ("address", "dashboard", "notify_command")
    }
    assert shown == {
        "address": ("127.0.0.1:0", "environment PRODWISE_ADDRESS"),
        "dashboard": ("127.0.0.1:7999", "environment PRODWISE_DASHBOARD"),
        "notify_command": ("", "environment PRODWISE_NOTIFY_COMMAND"),
    }
    assert settings["state_dir"]["value"] == str(tmp_path / "elsewhere")


def test_every_variable_that_is_read_is_documented() -> None:
    root = Path(__file__).parents[2]
    read = {
        name for path in (root / "src").rglob("*.py") for name in re.findall(r"PRODWISE_[A-Z_]*[A-Z]", path.read_text())
    }
    read |= {f"PRODWISE_{key.upper()}" for key in (*FROM_ENVIRONMENT, *SIGNALS_FROM_ENVIRONMENT)}
    told = set(re.findall(r"PRODWISE_[A-Z_]*[A-Z]", (root / "docs" / "environment.md").read_text()))
    assert told == read


def test_config_of_a_procfile(tmp_path: Path) -> None:
    fill(tmp_path, FOLDERS["procfile"][0])
    rows = json.loads(Quick(tmp_path).run("config", "--json").out)["settings"]
    sources = {row["key"]: row["source"] for row in rows}
    assert sources["services.web.command"] == sources["release"] == "Procfile"


def test_an_unknown_key_names_the_near_one(tmp_path: Path) -> None:
    fill(tmp_path, {"prodwise.toml": 'version = 1\nadress = "x"\n'})
    said = Quick(tmp_path).run("config")
    assert said.code == 2
    assert "'adress'" in said.err
    assert "'address'" in said.err


def test_the_schema_is_a_schema(tmp_path: Path) -> None:
    schema = json.loads(Quick(tmp_path).run("config", "--schema").out)
    assert schema["additionalProperties"] is False
    assert "services" in schema["properties"]
