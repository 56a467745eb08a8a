"""What the parts of the bench found, as one table and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. unit: "ms", "s", "MiB", "%", "×", …; goal: what `value` should not be above (below, if `at_least`),
    None without one; beside: what it is to be compared with, from the same run; many: how many measurements it rests on."""

    name: str
    value: float | None
    unit: str = ""
    goal: float | None = None
    at_least: bool = False
    beside: str = ""
    many: int | None = None

    @property
    def met(self) -> bool | None:
        """None where nothing was measured or no goal is set."""
        if self.goal is None or self.value is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


@dataclass(frozen=True, slots=True)
class Part:
    """One part's result. not_run: what this machine could not do, and why; detail: raw rows for the JSON file."""

    name: str
    figures: tuple[Figure, ...] = ()
    not_run: tuple[str, ...] = ()
    detail: tuple[Mapping[str, Any], ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Bench:
    """A whole run."""

    quick: bool
    seed: int
    machine: Mapping[str, Any]
    parts: tuple[Part, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        parts = [
            {**asdict(part), "figures": [{**asdict(one), "met": one.met} for one in part.figures]}
            for part in self.parts
        ]
        return {"schema_version": SCHEMA_VERSION, "quick": self.quick, "seed": self.seed, "machine": dict(self.machine),
                "parts": parts}  # fmt: skip


def from_dict(data: Mapping[str, Any]) -> Bench:
    """What `to_dict` made. Raises ValueError for another version."""
    if data.get("schema_version") != SCHEMA_VERSION:
        raise ValueError(f"a result of version {data.get('schema_version')!r}: this reads version {SCHEMA_VERSION}")
    return Bench(data["quick"], data["seed"], data["machine"], tuple(_part(one) for one in data["parts"]))


def _part(data: Mapping[str, Any]) -> Part:
    figures = tuple(Figure(**{k: v for k, v in one.items() if k != "met"}) for one in data["figures"])
    return Part(data["name"], figures, tuple(data["not_run"]), tuple(data["detail"]), data["seconds"])


def show(bench: Bench, console: Console) -> None:
    """The table, what was not run, and how many goals were met."""
    table = Table(title=_title(bench), title_justify="left", box=None, pad_edge=False, header_style="bold")
    for head in ("", "measured", "value", "goal", "in the same run"):
        table.add_column(head, justify="right" if head in ("value", "goal") else "left", no_wrap=head in ("", "value"))
    for part in bench.parts:
        table.add_section()
        table.add_row("", f"[bold]{part.name}[/] ({part.seconds:.0f} s)")
        for one in part.figures:
            table.add_row(_mark(one), one.name, number(one.value, one.unit), goal(one), _beside(one))
        for why in part.not_run:
            table.add_row("–", f"not run: {why}")
    console.print(table)
    console.print(summary(bench))


def summary(bench: Bench) -> str:
    """`7 goals met, 1 missed; 2 not run`."""
    marks = [one.met for part in bench.parts for one in part.figures]
    words = f"{marks.count(True)} goals met, {marks.count(False)} missed"
    skipped = sum(len(part.not_run) for part in bench.parts)
    return words + (f"; {skipped} not run" if skipped else "")


def number(value: float | None, unit: str) -> str:
    """Three digits that matter, with the unit."""
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 100 or float(value).is_integer() else 1 if abs(value) >= 10 else 2
    digits = 3 if value and abs(value) < 0.1 else digits
    return f"{value:,.{digits}f}{' ' if unit and unit not in '%×' else ''}{unit}"


def goal(one: Figure) -> str:
    return "" if one.goal is None else f"{'≥' if one.at_least else '≤'} {number(one.goal, one.unit)}"


def _mark(one: Figure) -> str:
    return {True: "[green]✓[/]", False: "[red]✗[/]", None: ""}[one.met]


def _beside(one: Figure) -> str:
    return " · ".join(filter(None, (one.beside, f"n = {one.many}" if one.many is not None else "")))


def _title(bench: Bench) -> str:
    kind = "quick run: few repetitions, figures are rough" if bench.quick else "full run"
    machine = ", ".join(f"{key} {value}" for key, value in bench.machine.items())
    return f"Prodwise bench ({kind}; seed {bench.seed}; {machine})"
