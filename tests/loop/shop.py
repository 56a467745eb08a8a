"""A simulated shop: queues that fill, callers that wait, failures that are passed on."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

EDGES = (
    ("web", "cart"), ("web", "search"), ("web", "pay"), ("web", "mail"), ("cart", "db"), ("search", "index"),
    ("search", "db"), ("pay", "bank"), ("api", "search"),
)  # fmt: skip
ENTRIES = {"web": 600.0, "api": 90.0}  # requests a minute
CALLS = {("web", "cart"): 0.5, ("web", "search"): 0.8, ("web", "pay"): 0.2, ("web", "mail"): 0.2, ("cart", "db"): 2.0,
         ("search", "index"): 1.0, ("search", "db"): 0.3, ("pay", "bank"): 1.0, ("api", "search"): 1.0}  # fmt: skip
OWN_S = {
    "web": 0.02,
    "api": 0.01,
    "cart": 0.01,
    "search": 0.03,
    "pay": 0.05,
    "mail": 0.2,
    "db": 0.004,
    "index": 0.02,
    "bank": 0.15,
}
CAPACITY = {"search": 1500.0, "db": 4000.0}  # requests a minute
NOBODY_WAITS = {("web", "mail")}
SERVICES = tuple(OWN_S)
Table = dict[tuple[str, str, str], dict[float, float]]


@dataclass(frozen=True)
class Fault:
    """slow: seconds more of its own a call; fails: share of calls that fail by it; load: times the usual requests at the entries;
    dead: it answers nobody, and tells nothing."""

    service: str = ""
    slow: float = 0.0
    fails: float = 0.0
    load: float = 1.0
    dead: bool = False


@dataclass
class Minute:
    asked: dict[str, float] = field(default_factory=dict)
    latency: dict[str, float] = field(default_factory=dict)
    failing: dict[str, float] = field(default_factory=dict)


def shop(
    seed: int, minutes: int, faults: Mapping[int, Fault] | None = None, since: int = 0, percent: bool = True
) -> Table:
    """faults: by minute. Noise: Poisson-like counts, a tenth of jitter, now and then a slow minute of one service, rare failures."""
    rng = random.Random(seed)
    table: Table = {}
    for number in range(minutes):
        fault = (faults or {}).get(number, Fault())
        minute = _minute(rng, fault)
        at = float(since + number) * 60
        for name in SERVICES:
            if fault.dead and fault.service == name:
                table.setdefault((name, "requests", "Sum"), {})[at] = 0.0
                continue
            failed = sum(rng.random() < minute.failing[name] for _ in range(round(minute.asked[name])))
            share = failed / max(1, round(minute.asked[name]))
            table.setdefault((name, "requests", "Sum"), {})[at] = float(round(minute.asked[name]))
            table.setdefault((name, "latency", "Average"), {})[at] = minute.latency[name]
            table.setdefault((name, "availability", "Average"), {})[at] = (100 if percent else 1) * (1 - share)
    return table


def _minute(rng: random.Random, fault: Fault) -> Minute:
    minute = Minute()
    for name, many in ENTRIES.items():
        minute.asked[name] = rng.gauss(many, many**0.5) * fault.load
    for name in ("cart", "search", "pay", "mail", "db", "index", "bank"):
        callers = [one for one, callee in EDGES if callee == name]
        mean = sum(minute.asked[one] * CALLS[one, name] for one in callers)
        minute.asked[name] = max(0.0, rng.gauss(mean, mean**0.5))
    hiccup = rng.choice(SERVICES) if rng.random() < 0.1 else ""
    for name in ("db", "index", "bank", "mail", "cart", "search", "pay", "web", "api"):
        _answer(rng, minute, name, fault, 1.5 if name == hiccup else 1.0)
    return minute


def _answer(rng: random.Random, minute: Minute, name: str, fault: Fault, times: float) -> None:
    busy = min(0.97, minute.asked[name] / CAPACITY.get(name, 1e9))
    own = OWN_S[name] * times * rng.uniform(0.95, 1.05) / (1 - busy)
    well = 1 - 0.0005
    if fault.service == name:
        own, well = own + fault.slow, well * (1 - fault.fails)
    for caller, callee in EDGES:
        if caller == name and (caller, callee) not in NOBODY_WAITS:
            calls = CALLS[caller, callee]
            dead = fault.dead and fault.service == callee
            own += calls * (1.0 if dead else minute.latency[callee])
            well *= (
                (1 - (1.0 if dead else minute.failing[callee])) ** calls
                if calls >= 1
                else 1 - calls * (1.0 if dead else minute.failing[callee])
            )
    minute.latency[name], minute.failing[name] = own, 1 - well
