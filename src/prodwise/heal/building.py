"""A release is built, and its release line run."""

from __future__ import annotations

from typing import Any

from prodwise.heal import migrated
from prodwise.heal.closing import attempt
from prodwise.heal.intake import Intake
from prodwise.heal.parts import Parts
from prodwise.model.errors import BuildFailed, ProdwiseError
from prodwise.model.release import ReleaseState


def build(parts: Parts, intake: Intake, release: str, previous: str) -> str:
    """Builds and runs the release line. Returns why it failed, or ""."""
    records, target = parts.records, parts.target
    try:
        built = target.build(release, records.releases.load(release).commit)
        attempt(parts, "announcing its migrations", release, migrated.announced, parts, release, previous)
        target.run_release_line(release)
    except BuildFailed as error:
        joint = "\n" if "\n" in error.message else "; "
        return joint.join(filter(None, (error.message, error.hint)))
    except ProdwiseError as error:
        return f"could not build: {error.message}"
    facts = {**records.releases.facts(release), "built": True, "log": built.log, "env_digest": built.env_digest}
    facts |= attempt(parts, "telling what it brings", release, _brought, parts, release, previous) or {}
    records.releases.describe(release, digest=built.digest, title=built.title, author=built.author, facts=facts)
    records.releases.set_state(release, ReleaseState.READY, "built")
    intake.begin_rollout(release, previous)
    return ""


def _brought(parts: Parts, release: str, previous: str) -> dict[str, Any]:
    """What it brings against the one that it replaces, as facts; nothing where that cannot be told."""
    releases = parts.records.releases
    if parts.compares is None or not previous:
        return {}
    return {"delta": parts.compares.delta(releases.load(previous), releases.load(release)).to_json()}
