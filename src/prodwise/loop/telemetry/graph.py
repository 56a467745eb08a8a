"""Who calls whom, from what callers and called ones told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from prodwise.model.telemetry import CallGraph, Calls, Edge, Node


def graph_of(calls: Iterable[Calls]) -> CallGraph:
    """1. Who answers at which address, as the called ones say. 2. Callers' calls by the service that answered, by the address
    where none or several did. 3. What each service was asked, as it says itself."""
    told = list(calls)
    answering: dict[str, set[str]] = defaultdict(set)
    for one in told:
        if not one.caller and one.address:
            answering[one.address].add(one.callee)
    edges: dict[tuple[str, str], Edge] = {}
    nodes: dict[str, Node] = {}
    for one in told:
        if not one.caller:
            node = nodes.get(one.callee, Node(one.callee))
            nodes[one.callee] = Node(node.name, *_added(node, one))
            continue
        callee = one.callee or _only(answering.get(one.address)) or one.address
        if callee and callee != one.caller:
            edge = edges.get((one.caller, callee), Edge(one.caller, callee, 0, 0, 0.0, 0.0))
            edges[one.caller, callee] = Edge(edge.caller, edge.callee, *_added(edge, one))
    for edge in edges.values():
        for name in (edge.caller, edge.callee):
            nodes.setdefault(name, Node(name))
    return CallGraph(tuple(nodes[name] for name in sorted(nodes)), tuple(edges[pair] for pair in sorted(edges)))


def _added(to: Edge | Node, one: Calls) -> tuple[int, int, float, float]:
    return to.count + one.count, to.errors + one.errors, to.ms_sum + one.ms_sum, max(to.ms_max, one.ms_max)


def _only(names: set[str] | None) -> str:
    return next(iter(names)) if names and len(names) == 1 else ""
