"""Who decides about a plan: we, a person, or nobody yet."""

from __future__ import annotations

from enum import StrEnum

from prodwise.model.action import Tier
from prodwise.model.autonomy import Autonomy
from prodwise.model.plan import Plan

ASK = "ask"
"""The action's parameter that holds the reason why a person must decide, whatever the stage; absent when none must."""


class Authority(StrEnum):
    ACT = "act"
    ASK = "ask"  # carry it out once a person approves
    OBSERVE = "observe"  # show it; a person may do it by hand


def authority(plan: Plan, stage: Autonomy) -> Authority:
    """OBSERVE shows, SUGGEST asks, AUTO acts on low-risk plans (T1, T2) for which nothing demands a person."""
    if stage is Autonomy.OBSERVE:
        return Authority.OBSERVE
    low_risk = plan.action.tier in (Tier.T1, Tier.T2)
    return Authority.ACT if stage is Autonomy.AUTO and low_risk and not plan.action.param(ASK) else Authority.ASK
