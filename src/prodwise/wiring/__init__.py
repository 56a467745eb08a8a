"""The composition root: the only place that names concrete classes. Light here; the healer's own is in `wiring.healer`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from prodwise.config import CONFIGURED_BY, load
from prodwise.config.environment import state_dir
from prodwise.model.errors import ConfigError, ProdwiseError
from prodwise.model.evidence import Json
from prodwise.model.release import Release
from prodwise.model.schema import Finding
from prodwise.targets.local import git, local_control
from prodwise.targets.local.local_control import RolledBack, Status, UpResult

__all__ = ["RolledBack", "Status", "UpResult", "api_socket", "app_name", "audit_verify", "bring_up", "commit_of", "is_app",
           "last_words", "migrated_since", "process_ids", "receive", "rollback_goal", "rollback_now", "serve",
           "start_again", "status_offline", "stop_all", "take_down", "unit_text"]  # fmt: skip


def api_socket(app_dir: Path) -> Path:
    """Where the healer's API listens for this machine's people."""
    return local_control.layout_of(app_dir).socket("api")


def bring_up(
    app_dir: Path, *, with_healer: bool = True, on_progress: Callable[[str], None] = lambda _: None
) -> UpResult:
    config = load(app_dir)
    if not with_healer:
        return local_control.up(app_dir, config, with_healer=False, say=on_progress)
    from prodwise.wiring import records, reports

    records.check(app_dir)  # before anything runs that would have to be ended again
    prepare = partial(reports.prepare, app_dir, config)
    return local_control.up(app_dir, config, prepare=prepare, say=on_progress)


def take_down(app_dir: Path, on_progress: Callable[[str], None] = lambda _: None) -> list[int]:
    return local_control.down(app_dir, on_progress)


def stop_all(app_dir: Path, who: str, reason: str) -> None:
    local_control.stop_all(app_dir, who, reason)


def start_again(app_dir: Path, who: str) -> bool:
    return local_control.start_again(app_dir, who)


def rollback_now(app_dir: Path, who: str) -> tuple[RolledBack, ...]:
    """Break-glass, without healer and database."""
    return local_control.rollback_now(app_dir, actor=who)


def rollback_goal(app_dir: Path) -> tuple[str, str]:
    """(the release that `rollback_now` goes back to, the one on its way that it withdraws, ""); "" when there is none to tell."""
    return local_control.rollback_goal(app_dir)


def migrated_since(app_dir: Path, older: str, releases: Sequence[Release] | None = None) -> tuple[Finding, ...] | None:
    """What migrations did to the data since a release; None when that cannot be told.

    releases: all that are known; None: those on this machine's disk, while nobody who knows more answers.
    """
    from prodwise.loop.choose import schema
    from prodwise.targets.local.migrations import LocalMigrations

    try:
        migrations = LocalMigrations(app_dir)
        known = migrations.on_disk() if releases is None else releases
        found = next((release for release in known if release.id == older), None)
        newer = [release for release in known if found is not None and release.number > found.number]
        return schema.read(migrations.across(found, newer)) if found is not None else None
    except (ProdwiseError, OSError, ValueError):
        return None


def commit_of(app_dir: Path, ref: str) -> tuple[str, str]:
    """(full id, subject line) of a commit in the app's repository. Raises UsageError naming near ones."""
    found = git.commit(app_dir, git.resolve(app_dir.resolve(), ref))
    return found.id, found.title


def is_app(app_dir: Path) -> bool:
    """Whether an app of ours lies there: it has a configuration, or has been up."""
    return any((app_dir / name).is_file() for name in CONFIGURED_BY) or state_dir(app_dir).is_dir()


def app_name(app_dir: Path) -> str:
    """As its configuration names it; of one that a person's edit has broken, as the last that could be used did."""
    try:
        return load(app_dir).name
    except ConfigError:
        from prodwise.wiring.config import last_kept

        kept = last_kept(local_control.layout_of(app_dir).healer_settings)
        return kept.name if kept is not None else app_dir.resolve().name


def status_offline(app_dir: Path) -> Status:
    return local_control.status_offline(app_dir)


def last_words(app_dir: Path, release: str) -> tuple[str, str]:
    """(the end of what the release's processes wrote, the log's path); both "" when not known."""
    return local_control.last_words(app_dir, release)


def unit_text(app_dir: Path) -> str:
    return local_control.unit_text(app_dir)


def process_ids(app_dir: Path) -> Json:
    """Service → pids of its running slots, as the guard sees them."""
    seen = local_control.status_offline(app_dir).seen
    return {at.service: [p.pid for p in at.slots if p.pid] for at in seen.services} if seen else {}


def audit_verify(app_dir: Path) -> tuple[int, str]:
    """(ledger entries checked, "" or what is wrong). Needs the database only."""
    from prodwise.wiring import records

    store = records.open_store(app_dir)
    try:
        return store.ledger.verify()
    finally:
        store.close()


def receive(app_dir: Path, number: int) -> None:
    """A receiver's process; returns when it is told to end."""
    from prodwise.wiring import receiver

    receiver.receive(app_dir, number)


def serve(app_dir: Path) -> None:
    """The healer's process; returns when it is told to end."""
    from prodwise.wiring import healer

    healer.serve(app_dir)
