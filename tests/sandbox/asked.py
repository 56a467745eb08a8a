"""Opens a workshop, runs one command in a fresh tree of it, and prints what came of it as JSON. For tests as another user."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from prodwise.ports.repair import Limits
from prodwise.sandbox.container import Container
from prodwise.sandbox.jail import Bubblewrap
from prodwise.sandbox.workshop import Workshop


def main() -> None:
    directory, facts, *command = sys.argv[1:]
    sandbox = Container() if json.loads(facts).get("container") else Bubblewrap()
    with (
        Workshop(Path(directory), sandbox=sandbox) as shop,
        shop.fresh(shop.base) as other,
        shop.fresh(shop.base) as tree,
    ):
        told = json.loads(facts) | {"other_tree": str(other.root)}
        (tree.root / "facts.json").write_text(json.dumps(told))
        ran = tree.run(command, Limits(seconds=60))
    print(json.dumps({"code": ran.code, "output": ran.output, "ended": ran.ended}))


if __name__ == "__main__":
    main()
