"""What a proposed change may not do, whoever proposes it. Looked at, never run."""

from prodwise.loop.verify.patch.apply import DoesNotApply, applied
from prodwise.loop.verify.patch.policy import Broken, judge, policy_gate
from prodwise.loop.verify.patch.read import NotADiff, read
from prodwise.loop.verify.patch.scene import Scene

__all__ = ["Broken", "DoesNotApply", "NotADiff", "Scene", "applied", "judge", "policy_gate", "read"]
