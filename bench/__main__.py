"""`python -m bench [--quick] [--seed N] [--json FILE] [part…]`: runs the parts one after the other and prints one table."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bench import breakages, footprint, ingest, metrics, proxy, recovery, repair, suspect
from bench.judged import judged
from bench.running import Tell
from bench.table import Bench, Part, show
from prodwise.drill.result import this_machine
from prodwise.drill.stage import ended_politely
from prodwise.model.errors import ProdwiseError

Run = Callable[[bool, Tell, int], Part]


def judge(quick: bool, tell: Tell, seed: int) -> Part:
    try:
        module = importlib.import_module("bench.judge")
    except ModuleNotFoundError as error:
        return Part("judge", not_run=(f"{error}",))
    tell("judge: simulated rollouts")
    return judged(module.run(quick))


PARTS: dict[str, Run] = {
    "judge": judge,
    "recovery": recovery.run,
    "proxy": lambda quick, tell, seed: proxy.run(quick, tell),
    "ingest": lambda quick, tell, seed: ingest.run(quick, tell),
    "footprint": lambda quick, tell, seed: footprint.run(quick, tell),
    "logs": lambda quick, tell, seed: breakages.run(tell),
    "metrics": lambda quick, tell, seed: metrics.run(quick, tell),
    "suspect": suspect.run,
    "repair": repair.run,
}


def main(argv: list[str] | None = None) -> int:
    """Exit 0 when every part ran, 1 when one broke, 2 for arguments that make no sense. Missed goals do not fail a run."""
    options = _parser().parse_args(argv)
    unknown = [name for name in options.parts if name not in PARTS]
    if unknown:
        sys.stderr.write(f"bench: there is no part {unknown[0]!r}: known are {', '.join(PARTS)}\n")
        return 2
    progress, begun = Console(stderr=True), time.monotonic()

    def tell(words: str) -> None:
        progress.print(f"[dim]{time.monotonic() - begun:6.0f} s[/]  {escape(words)}", highlight=False)

    tell(f"seed {options.seed}")
    done: list[tuple[Part, bool]] = []
    with ended_politely():
        for name in options.parts or PARTS:
            done.append(_one(name, options.quick, tell, options.seed))
            result = Bench(options.quick, options.seed, this_machine(), tuple(part for part, _ in done))
            _write(options.json, result)
    show(result, Console(width=None if sys.stdout.isatty() else 160))
    return 0 if all(whole for _, whole in done) else 1


def _one(name: str, quick: bool, tell: Tell, seed: int) -> tuple[Part, bool]:
    """One part, and whether it ran through; a part that broke does not take the others with it."""
    begun = time.monotonic()
    try:
        part, whole = PARTS[name](quick, tell, seed), True
    except ProdwiseError as error:
        part, whole = Part(name, not_run=(f"{error.message} {error.hint}".strip(),)), False
    except Exception as error:  # noqa: BLE001 - told, and the exit code says so
        traceback.print_exc()
        part, whole = Part(name, not_run=(f"it broke: {error!r}",)), False
    return replace(part, seconds=round(time.monotonic() - begun, 1)), whole


def _write(path: Path | None, result: Bench) -> None:
    """After each part, whole or not at all: a run that is broken off keeps what it has."""
    if path is None:
        return
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(result.to_dict(), indent=1) + "\n")
    draft.replace(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures Prodwise; see docs/bench.md.")
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="few repetitions, under four minutes")
    parser.add_argument("--seed", type=int, default=1, help="what the random scenarios are drawn from")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures and raw rows to FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
