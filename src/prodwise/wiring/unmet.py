"""What is looked at of a release that no user met: the line, the service or the request that it was refused for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from prodwise.config import Config, load
from prodwise.heal.fixing.check import Wanted
from prodwise.heal.mending import Mending
from prodwise.heal.pulse import ENDS
from prodwise.loop.verify.started import NO_ANSWER
from prodwise.loop.watch.unmet import line_of
from prodwise.model.errors import ProdwiseError
from prodwise.model.unmet import Unmet, UnmetAt
from prodwise.targets.local import local_control
from prodwise.targets.local.history import GitHistory

SUSPECTS_MAX: Final = 20


def wanted(app_dir: Path, asked: Mending, refused: Unmet) -> Wanted:
    """With the declarations of the release itself: its command, its build line."""
    src = local_control.layout_of(app_dir).release(refused.release) / "src"
    said = refused.said.replace(str(src), str(app_dir.resolve()))
    found = _found(_config(src, app_dir), asked, refused, said)
    commits = _suspects(app_dir, asked)
    return replace(found, service=refused.service, packages=asked.packages, since=asked.since, suspects=commits)


def _found(config: Config, asked: Mending, refused: Unmet, said: str) -> Wanted:
    if refused.at is UnmetAt.BUILD:
        return _of_build(config, line_of(refused.reason), said)
    if refused.at is UnmetAt.START:
        service = next((one for one in config.inventory() if one.id == refused.service), None)
        if service is None:
            return Wanted(why_not="it is not known which service does not come up")
        ended = ENDS in refused.reason
        return Wanted(start=service, said=said if ended else f"{said}\n{NO_ANSWER}")
    if not refused.path:
        return Wanted(why_not="no path is known that it answers with a server error")
    return Wanted(request=f"GET {refused.path} HTTP/1.1\nHost: localhost\n\n", trace=asked.trace or said)


def _of_build(config: Config, line: str, said: str) -> Wanted:
    """A release line changes data: it is not run to look for a fix. What installs dependencies needs what no sandbox has."""
    if line == config.build and line:
        return Wanted(test=line, said=said)
    if line == config.release and line:
        return Wanted(
            why_not=f"its release line failed ({line}), and is not run again to look for a fix: it changes data"
        )
    if line.startswith("uv "):
        return Wanted(why_not=f"{line[:200]}: what makes its environment cannot be tried where no network is")
    return Wanted(why_not=f"{line[:200]}: there is no command that could be run again as a check")


def _config(src: Path, app_dir: Path) -> Config:
    try:
        return load(src)
    except ProdwiseError:
        return load(app_dir)  # a commit without a file of its own


def _suspects(app_dir: Path, asked: Mending) -> tuple[str, ...]:
    """Its commits, the newest first."""
    if not asked.since:
        return ()
    try:
        found = GitHistory(app_dir).commits(asked.since, asked.release.commit)
    except ProdwiseError:
        return ()
    return tuple(one.sha for one in found[:SUSPECTS_MAX])
