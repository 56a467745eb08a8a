"""Trees with the dependencies of their own lock: made by the package managers, seen by the sandbox."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from prodwise.ports.repair import Environment
from prodwise.ports.repair import Workshop as Port
from prodwise.repair.pins.environment import environment
from prodwise.repair.pins.licences import licence
from prodwise.sandbox.workshop import Equipped, Workshop

SOURCES: Final = "src"
"""Where projects keep their packages that are installed in place: a lock does not install the project itself."""


@dataclass(frozen=True)
class LockFitter:
    """Implements ports.repair.Fitter."""

    shop: Workshop

    def fitted(self, root: Path, lock: str, seconds: float) -> Equipped | None:
        folder, name = str(Path(lock).parent), Path(lock).name
        if any(place.is_symlink() for place in (root / folder, *(root / folder).parents) if place.is_relative_to(root)):
            return None
        made = environment(root / folder, name, self.shop.spare, seconds, self.shop.interpreter)
        return self.shop.with_environment(self._placed(made, root, folder)) if made is not None else None

    def licence(self, shop: Port, package: str) -> str:
        return licence(shop.dependencies, package) if isinstance(shop, Equipped) else ""

    def told(self, shop: Port) -> tuple[str, ...]:
        return shop.dependencies.told if isinstance(shop, Equipped) else ()

    def _placed(self, made: Environment, root: Path, folder: str) -> Environment:
        """As seen from the repository's root."""
        links = {str(Path(folder, name)): place for name, place in made.links.items()}
        sources = Path(folder, SOURCES)
        paths = {"PYTHONPATH": str(self.shop.directory / sources)} if (root / sources).is_dir() else {}
        return replace(made, links=links, variables={**made.variables, **paths})
