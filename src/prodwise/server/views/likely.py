"""How likely a cause is, in words and as a number, and which commit it likely came in with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from prodwise.loop.diagnose.shares import in_words, rounded
from prodwise.model.evidence import Evidence
from prodwise.server.views.words import NOT_YET, mapping, number, sequence, visible

OF_A_COMMIT: Final = ("release", "dependency", "errors")


def likelihood(hypothesis: Mapping[str, Any]) -> str:
    """By its share among all causes; where that was not worked out, by its weight: natural log-odds, 3 is about 20 to 1."""
    share, weight = number(hypothesis.get("share")), number(hypothesis.get("weight"))
    if share is not None:
        return in_words(share)
    if weight is None:
        return NOT_YET
    return "very likely" if weight >= 3 else "likely" if weight >= 1 else "possible" if weight >= -1 else "unlikely"


def likely_commit(evidence: Sequence[Evidence]) -> str:
    """Where it came in, as a sentence's beginning; "" where no commit is suspected."""
    for fact in evidence:
        suspects = sequence(fact.data.get("suspects")) if fact.kind == "suspect" else ()
        for one in (mapping(entry) for entry in suspects[:1]):
            title, author = visible(one.get("title", ""), 80), visible(one.get("author", ""), 80)
            path, line, share = visible(one.get("path", ""), 200), number(one.get("line")), number(one.get("share"))
            who = ", ".join(part for part in (f"“{title}”" if title else "", author) if part)
            where = f", {path}" + (f":{line:.0f}" if line else "") if path else ""
            sure = f" ({rounded(share)} %)" if share is not None else ""
            return f"likely{sure} came in with commit {visible(str(one.get('commit', ''))[:7])} ({who}){where}"
    return ""
