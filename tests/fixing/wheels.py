"""Small packages as wheels in a folder, which is all that uv may install from: no test here asks an index."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from prodwise.repair.programs import found


def wheel(folder: Path, name: str, version: str, code: str, more: str = "") -> str:
    """Makes one. Returns its line for requirements.txt, with its hash. more: further lines of its metadata."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{more}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},{_record(text)},{len(text.encode())}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    folder.mkdir(exist_ok=True)
    place = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(place, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(place.read_bytes()).hexdigest()}\n"


def _record(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
    return f"sha256={digest.decode()}"


def only_from(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("UV_NO_INDEX", "1")
    patch.setenv("UV_FIND_LINKS", str(folder))
    patch.setenv("UV_CACHE_DIR", str(folder / "cache"))


def environment(place: Path, *wanted: str) -> None:
    """A virtual environment with these, made from the same folder."""
    uv = found("uv")
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(place)], check=True, timeout=60)
    python = str(place / "bin" / "python")
    subprocess.run([uv, "pip", "install", "-q", "--python", python, *wanted], check=True, timeout=60)
