"""Every hook there is: how it proves itself, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from prodwise.config import HookConfig
from prodwise.model.outside import Call, Genuine, Told
from prodwise.signals.hooks import alertmanager, deploy, github, monitors
from prodwise.signals.hooks.signing import Bearer, BodyMac, Scheme, StandardWebhook

AGAIN_S: Final = 300.0
"""A deploy with the same body within so long is the same deploy, sent again."""

Reader = Callable[[Call, HookConfig, float], Told]

WAYS: Final[Mapping[str, tuple[Scheme, Reader]]] = {
    "alertmanager": (Bearer(), alertmanager.read),
    "deploy": (StandardWebhook(Bearer(AGAIN_S)), deploy.read),
    "github": (BodyMac("x-hub-signature-256", "sha256="), github.read),
    "healthchecks": (Bearer(), monitors.healthchecks),
    "sentry": (BodyMac("sentry-hook-signature", dated="sentry-hook-timestamp"), monitors.sentry),
    "uptime-kuma": (Bearer(), monitors.uptime_kuma),
}


@dataclass(frozen=True, slots=True)
class Hook:
    """Implements ports.Hook for one way. secret: read anew each time, so that it can be changed; kept: where, in words."""

    config: HookConfig
    scheme: Scheme
    reader: Reader
    secret: Callable[[], str]
    kept: str

    def glance(self, call: Call) -> None:
        self.scheme.glance(call, self.secret())

    def check(self, call: Call, now: float) -> Genuine:
        return self.scheme.check(call, self.secret(), now)

    def read(self, call: Call, now: float) -> Told:
        return self.reader(call, self.config, now)


def hook(way: str, config: HookConfig, secret: Callable[[], str], kept: str) -> Hook:
    scheme, reader = WAYS[way]
    return Hook(config, scheme, reader, secret, kept)
