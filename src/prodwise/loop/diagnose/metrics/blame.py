"""Physics of a call graph: lateness and failures go from the called ones to their callers, load the other way."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Graph:
    """Who calls whom, by name; names sorted. circle: those that call each other in a circle have the same one."""

    callees: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    callers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    circle: Mapping[str, int] = field(default_factory=dict)

    def called_by(self, name: str) -> tuple[str, ...]:
        """Those that it calls, outside its own circle."""
        return tuple(one for one in self.callees.get(name, ()) if self.circle[one] != self.circle[name])

    def calling(self, name: str) -> tuple[str, ...]:
        return tuple(one for one in self.callers.get(name, ()) if self.circle[one] != self.circle[name])

    def entries(self, names: Collection[str]) -> list[str]:
        """Of these, those that none of the others calls, directly or over services that are not among them."""
        called = self.below(one for name in names for one in self.called_by(name))
        return [name for name in sorted(names) if name not in called]

    def below(self, names: Iterable[str]) -> set[str]:
        """These and all that they call, however far."""
        found: set[str] = set()
        left = list(names)
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += self.callees.get(name, ())
        return found


def graph_of(edges: Iterable[tuple[str, str]]) -> Graph:
    callees: dict[str, list[str]] = {}
    callers: dict[str, list[str]] = {}
    for caller, callee in sorted(set(edges)):
        callees.setdefault(caller, []).append(callee)
        callers.setdefault(callee, []).append(caller)
    down, up = ({k: tuple(v) for k, v in one.items()} for one in (callees, callers))
    return Graph(down, up, _circles(down, up))


def _circles(down: Mapping[str, tuple[str, ...]], up: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Kosaraju's: names in the order in which their callees are done, then backwards against the calls."""
    done: dict[str, None] = {}
    begun: set[str] = set()
    for start in sorted({*down, *up}):
        left = [(start, False)]
        while left:
            name, after = left.pop()
            if after:
                done[name] = None
            elif name not in begun:
                begun.add(name)
                left.append((name, True))
                left += [(one, False) for one in down.get(name, ()) if one not in begun]
    circle: dict[str, int] = {}
    for number, start in enumerate(reversed(list(done))):
        names = [start]
        while names:
            name = names.pop()
            if name not in circle:
                circle[name] = number
                names += [one for one in up.get(name, ()) if one not in circle]
    return circle


def own_parts(graph: Graph, amounts: Mapping[str, float], felt: Mapping[str, float]) -> dict[str, float]:
    """amounts: what is unusual in each service, in one unit for all (seconds, failed requests); those not in it are unknown. felt: the
    services where the symptom is, with their amounts. What of it arises in each service itself and gets to a symptom:

    1. own = its amount less what those that it calls hold together; 2. of that, the part that the narrowest place on the widest way
    to a symptom lets through. A service that nothing is known of lets all through, both ways: those that it calls count as called
    by whoever calls it.
    """
    found = {}
    for name, through in _widest(graph, amounts, felt).items():
        amount = amounts.get(name, 0.0)
        if amount > 0:
            below = sum(max(0.0, amounts[one]) for one in beneath(graph, amounts, name))
            own = max(0.0, amount - below) * min(1.0, through / amount)
            if own > 0:
                found[name] = own
    return found


def beneath(graph: Graph, amounts: Container[str], name: str) -> list[str]:
    """The nearest ones that are known of those that it calls: directly, or over services that nothing is known of."""
    found: set[str] = set()
    seen: set[str] = set()
    left = [name]
    while left:
        for one in graph.called_by(left.pop()):
            if one in amounts and graph.circle[one] != graph.circle[name]:
                found.add(one)
            elif one not in amounts and one not in seen:
                seen.add(one)
                left.append(one)
    return sorted(found)


def _widest(graph: Graph, amounts: Mapping[str, float], felt: Mapping[str, float]) -> dict[str, float]:
    """The most that can get from each service to a symptom; the widest first, so that each is settled once."""
    wide: dict[str, float] = {}
    left = [(-amount, name) for name, amount in felt.items()]
    heapq.heapify(left)
    while left:
        minus, name = heapq.heappop(left)
        if name in wide:
            continue
        wide[name] = -minus
        for callee in graph.callees.get(name, ()):
            through = min(wide[name], amounts.get(callee, wide[name]))
            if callee not in wide and through > 0:
                heapq.heappush(left, (-through, callee))
    return wide
