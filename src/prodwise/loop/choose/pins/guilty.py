"""Which of the packages that moved lately a fault speaks of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from prodwise.loop.choose.pins.seen import same
from prodwise.loop.diagnose.logs import clean, diagnose_log
from prodwise.loop.diagnose.logs.python_packages import site_of
from prodwise.model.breakage import Moved
from prodwise.model.patch import Fault

OUTPUT_CHARS: Final = 200_000
GUILTY_MAX: Final = 3
_NODE: Final = re.compile(r"node_modules/((?:@[\w.-]+/)?[\w.-]+)")


def guilty(fault: Fault, moved: Sequence[Moved]) -> tuple[Moved, ...]:
    """Likeliest first: those that the diagnosis names, that the output speaks of, and that the frames end in, from the innermost
    out. What moved and is not spoken of is not accused; what is named is looked up in what moved."""
    text = f"{fault.output[-OUTPUT_CHARS:]}\n{fault.error}: {fault.message}\n"
    named = [one.name for one in fault.packages]
    named += [
        one.what
        for one in diagnose_log(clean(text.encode("utf-8", "replace")), moved).causes
        if _spoken(one.what, fault, text)
    ]
    for frame in reversed(fault.frames):
        inside = _NODE.findall(frame.file)
        named += [inside[-1]] if inside else [site_of(frame.file)]
    found = [next((one for one in moved if same(one.name, name)), None) for name in named if name]
    return tuple(dict.fromkeys(one for one in found if one is not None and one.before))[:GUILTY_MAX]


def _spoken(package: str, fault: Fault, text: str) -> bool:
    """By its name or by that of its module, in any spelling; a cause may be there only because it moved."""
    alike = text.lower().replace("_", "-")
    return (
        package.lower().replace("_", "-") in alike
        or any(same(site_of(one.file), package) for one in fault.frames)
        or (any(same(site_of(line), package) for line in text.splitlines() if "-packages" in line))
    )
