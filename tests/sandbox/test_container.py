"""The same promises, limits and ways out as for bubblewrap, on real container engines."""

# ruff: noqa: F811 - fixtures that are imported
from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePath

import pytest

from prodwise.clock import now
from prodwise.model.errors import Refused, TargetError
from prodwise.ports.repair import Limits
from prodwise.ports.repair import Workshop as Port
from prodwise.sandbox import engine as engines
from prodwise.sandbox.container import PLACE, UNTIL, Container
from prodwise.sandbox.engine import Engine
from prodwise.sandbox.workshop import PREFIX, SandboxTree, Workshop
from prodwise.testing import workshop_kit
from tests.sandbox import probes, test_limits, test_probes
from tests.sandbox.conftest import Site
from tests.sandbox.engines import engine
from tests.sandbox.test_workshop import fingerprint, place, repo  # noqa: F401

pytestmark = pytest.mark.full
globals().update({name: one for name, one in vars(test_limits).items() if name.startswith("test_")})
SOON = Limits(seconds=30)
HARMLESS = {
    "devices": ("['mqueue']",),  # message queues of its own
    "sockets_and_services_of_the_host": ("['/sys']", "['/run', '/sys']"),  # empty: test_what_an_engine_adds_is_empty
    "programs_that_change_user": ("['/usr', '{app}']",),  # they do not: new_privileges, own_program_that_changes_user
}
"""What an engine shows all the same, to the letter, and what says that nothing comes of it."""
SETS = {"PATH", "HOME", "HOSTNAME", "TERM", "container"}
"""What an engine tells the first process."""


@pytest.fixture(scope="module", params=["docker", "podman"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Container]:
    with engine(request.param):
        made = Container()
        try:
            made.require()
        except Refused as refused:
            pytest.skip(f"not run: {refused.message}")
        yield made


@pytest.fixture(scope="module")
def tree(site: Site, sandbox: Container) -> Iterator[SandboxTree]:
    with Workshop(site.app, sandbox=sandbox) as shop, shop.fresh(shop.base) as made:
        yield made


@pytest.mark.parametrize("check", workshop_kit.CHECKS, ids=lambda check: check.__name__)
def test_keeps_the_promises_of_a_workshop(check: object, repo: Path, sandbox: Container) -> None:
    (repo / "untracked.py").write_text("x = 1\n")
    before = fingerprint(repo)
    with Workshop(repo, sandbox=sandbox) as shop:
        port: Port = shop
        assert callable(check)
        check(workshop_kit.Rig(port, shop.base, "app.py", lambda: fingerprint(repo)))
    assert fingerprint(repo) == before


def told(site: Site) -> Site:
    return Site(site.app, {**site.facts, "container": True, "user_namespace": False})


@pytest.fixture(scope="module")
def as_we_are(site: Site, sandbox: Container) -> dict[str, str]:
    (site.app / "probes.py").write_text(test_probes.SCRIPT)
    return test_probes.ask(told(site), ["python3", "probes.py", "facts.json"])


@pytest.fixture(scope="module")
def as_an_ordinary_user(site: Site, sandbox: Container) -> dict[str, str]:
    if sandbox._engine is None or sandbox._engine.kind != "docker":
        pytest.skip("not run: podman of an ordinary user needs an account with subordinate users")
    (site.app / "probes.py").write_text(test_probes.SCRIPT)
    return test_probes.ask_as_an_ordinary_user(told(site), "probes.py", "facts.json", mapped=False)


def held(name: str, got: str, site: Site) -> bool:
    if name == "environment_of_process_1":
        return {one.partition("=")[0] for one in got.split("\0") if one} <= SETS
    return got in ("", *(one.format(app=site.app) for one in HARMLESS.get(name, ())))


@pytest.mark.parametrize("name", sorted(probes.PROBES))
def test_held(name: str, as_we_are: dict[str, str], site: Site) -> None:
    assert held(name, as_we_are[name], site), as_we_are[name]


@pytest.mark.parametrize("name", sorted(probes.PROBES))
def test_held_for_an_ordinary_user(name: str, as_an_ordinary_user: dict[str, str], site: Site) -> None:
    assert held(name, as_an_ordinary_user[name], site), as_an_ordinary_user[name]


def test_what_an_engine_adds_is_empty(tree: SandboxTree) -> None:
    found = tree.run(("sh", "-c", "find /run /sys -type f -size +0; find /run /sys -type s"), SOON).output
    assert [line for line in found.splitlines() if not line.startswith("find: ")] == []


def containers_of(sandbox: Container, of: str = "") -> list[str]:
    """of: what the names of their places have in them."""
    assert sandbox._engine is not None
    return [one for one, labels in engines.labelled(sandbox._engine, PLACE) if of in labels[PLACE]]


def begun(directory: Path) -> subprocess.Popen[str]:
    """A process of its own in which a command runs for a minute; what it prints says that it has begun."""
    code = (
        "import sys, pathlib; from prodwise.ports.repair import Limits\n"
        "from prodwise.sandbox.workshop import Workshop; from prodwise.sandbox.container import Container\n"
        "with Workshop(pathlib.Path(sys.argv[1]), sandbox=Container()) as s, s.fresh(s.base) as t:\n"
        "  t.run(('sh', '-c', 'echo x > begun; sleep 60'), Limits(seconds=60))"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(directory)], text=True)


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_container_ends_with_the_process_that_began_it(repo: Path, sandbox: Container) -> None:
    with begun(repo) as process:
        until(lambda: containers_of(sandbox, PREFIX))
        process.kill()
    until(lambda: not containers_of(sandbox), 20)


def test_what_a_dead_run_left_is_removed_and_what_is_in_use_is_not(repo: Path, sandbox: Container) -> None:
    engine = sandbox._engine
    assert engine is not None
    with Workshop(repo, sandbox=sandbox) as shop:
        later = f"{now() + 600:.0f}"
        labels = {
            "live": (str(shop._place), later),
            "late": (str(shop._place), "1000"),
            "dead": (str(repo.parent / "gone"), later),
            "elsewhere": (str(repo.parent / "unknown"), later),
        }
        (repo.parent / "gone").mkdir()
        (repo.parent / "gone" / "held").touch()
        made = {
            name: engine.ask("create", "--label", f"{PLACE}={place}", "--label", f"{UNTIL}={when}", sandbox._image, "/bin/sh")
            for name, (place, when) in labels.items()
        }  # fmt: skip
        try:
            with Workshop(repo, sandbox=sandbox):
                left = containers_of(sandbox)
            assert {name for name, one in made.items() if one in left} == {"live", "elsewhere"}
        finally:
            for one in made.values():
                with suppress(TargetError):
                    engines.remove(engine, one)


def test_runs_may_be_many_at_once(repo: Path, sandbox: Container) -> None:
    with Workshop(repo, sandbox=sandbox) as shop, ThreadPoolExecutor(4) as pool:

        def made(number: int) -> str:
            with shop.fresh(shop.base) as tree:
                (tree.root / "app.py").write_text(f"{number}\n")
                return tree.run(("cat", "app.py"), SOON).output

        assert list(pool.map(made, range(8))) == [f"{number}\n" for number in range(8)]
    assert containers_of(sandbox) == []


def test_a_door_is_seen(tree: SandboxTree, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("through the door\n")
    tmp_path.chmod(0o755)
    assert tree.run(("cat", "/run/door/file"), SOON, door=tmp_path).output == "through the door\n"
    assert tree.run(("sh", "-c", "echo x > /run/door/file"), SOON, door=tmp_path).code != 0


def test_a_path_with_a_link_or_a_comma_is_known(repo: Path, sandbox: Container) -> None:
    odd = repo.rename(repo.with_name('re,po "1"'))
    (odd.parent / "other").symlink_to(odd)
    (odd / "build").mkdir()
    (odd / "build" / "made.py").write_text("made\n")
    with Workshop(odd.parent / "other", sandbox=sandbox) as shop, shop.fresh(shop.base) as tree:
        for at in (odd, odd.parent / "other"):
            assert tree.run(("cat", f"{at}/app.py", f"{at}/build/made.py"), SOON).output.endswith("made\n")
            assert tree.run(("sh", "-c", f"echo x > '{at}/build/made.py'"), SOON).code != 0


def image_of(sandbox: Container, tag: str, *changes: str) -> str:
    """An image of a few of this machine's programs and what they are linked with."""
    assert sandbox._engine is not None
    content, names = io.BytesIO(), dict[str, str]()
    for program in ("sh", "env", "id", "mkdir", "cat", "ls"):
        at = os.path.realpath(shutil.which(program, path="/usr/bin:/bin") or "")
        names[f"tools/{program}"] = names[f"bin/{program}"] = at
        linked = subprocess.run(["ldd", at], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"(/\S+) \(0x", linked):
            names[library.lstrip("/")] = os.path.realpath(library)
    with tarfile.open(fileobj=content, mode="w") as file:
        parents = {str(one) for name in names for one in PurePath(name).parents if one.name}
        for name in sorted({"tmp", "home", "etc", *parents}):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            file.addfile(entry)
        for name, source in names.items():
            file.add(source, name)
    sandbox._engine.ask(
        "import", *(part for one in changes for part in ("--change", one)), "-", tag, given=content.getvalue()
    )
    return tag


def test_an_image_that_a_person_names_is_used(repo: Path, sandbox: Container) -> None:
    image = image_of(
        sandbox, "prodwise-tests:named", "ENV PATH=/tools", "ENV BUILT_WITH=a-secret", 'ENTRYPOINT ["/bin/false"]'
    )
    named = Container(image)
    with Workshop(repo, path="/usr/bin:/bin", sandbox=named) as shop, shop.fresh(shop.base) as tree:
        told = tree.run(("sh", "-c", "env; id; ls /usr/bin/git; ls; echo x > /tools/sh"), SOON).output
        assert "PATH=/tools\n" in told
        assert "a-secret" not in told
        assert "uid=0" not in told
        assert "app.py\n" in told
        assert "/usr/bin/git\n" not in told
        assert "Read-only file system" in told


@pytest.mark.parametrize(("image", "reason"), [
    ("prodwise-tests:missing", "is not on this machine"), ("--privileged", "is no image"),
    ("prodwise-tests:volumes", "declares volumes"),
])  # fmt: skip
def test_images_that_are_refused(image: str, reason: str, sandbox: Container) -> None:
    image_of(sandbox, "prodwise-tests:volumes", "VOLUME /data")
    with pytest.raises(Refused, match=reason):
        Container(image).require()


@pytest.mark.parametrize("change", [
    ("--network", "host"), ("--cap-add", "NET_RAW"), ("--security-opt", "seccomp=unconfined"), ("--read-only=false",),
    ("--user", "0:0"),
])  # fmt: skip
def test_a_container_that_does_not_hold_is_none(
    change: tuple[str, ...], sandbox: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Engine.ask

    def ask(engine: Engine, *arguments: str, given: bytes = b"", seconds: float = 30.0) -> str:
        if arguments[0] == "create":
            at = arguments.index("--entrypoint")
            kept = (
                [one for one in arguments[:at] if one not in ("none", "--network")]
                if "--network" in change
                else list(arguments[:at])
            )
            arguments = (*kept, *change, *arguments[at:])
        return real(engine, *arguments, given=given, seconds=seconds)

    monkeypatch.setattr(Engine, "ask", ask)
    with pytest.raises(Refused, match=r"does not hold|no container can be had"):
        Container().require()
