"""What every forge must promise, as checks that any adapter's author can run: `run(make_rig)` for all, or one by one.

Each check takes a fresh Rig, and raises AssertionError with the promise that was broken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

from prodwise.loop.publish.decide import OPEN_MAX, branch_of
from prodwise.model.action import ActionKind
from prodwise.model.errors import GateFailed, ProdwiseError, Refused
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.patch import Proposal
from prodwise.model.pull import (
    Asked,
    Cause,
    Command,
    HealingPull,
    Mark,
    MarkState,
    Proof,
    Published,
    PullState,
    Turned,
    Unheeded,
)
from prodwise.ports import Forge

WRITER, STRANGER = "ada", "visitor-eve"


class Rig(Protocol):
    """A repository with a file `shop.py`, whose line `price = cart["price"]` is its second, on a host or a bare remote."""

    base: str
    talks: bool  # whether people can comment there

    def forge(self) -> Forge:
        """The forge under test, as a new process would make it."""

    def tip(self, branch: str) -> str:
        """The commit that the remote's branch is at, "" without it."""

    def person(self, what: str, pull: Published) -> None:
        """Somebody does it by hand: "merge", "close", or "push" a commit of their own onto its branch."""

    def say(self, pull: Published, login: str, text: str) -> None:
        """WRITER may write to the repository, STRANGER may not."""

    def said(self, pull: Published) -> list[str]:
        """All comments' texts; on plain git, the note's."""


Make = Callable[[], AbstractContextManager[Rig]]


def pull_for(rig: Rig, key: str, price: str = 'cart.get("price", 0)', path: str = "shop.py") -> HealingPull:
    """A healing change whose diff applies to the rig's base."""
    lines = (" def total(cart):", '-    price = cart["price"]', f"+    price = {price}", "     return price", "")
    old = f"--- a/{path}\n+++ b/{path}\n@@ -1,3 +1,3 @@\n" + "\n".join(lines)
    new = f"new file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+{price}\n"
    diff = f"diff --git a/{path} b/{path}\n{old if path == 'shop.py' else new}"
    return HealingPull(
        key=key,
        base=rig.base,
        proposal=Proposal("cart-rules", ActionKind.PATCH, diff, "Handle carts that carry an old coupon format"),
        gates=(GateResult("reproducer", Verdict.PASS, "fails 5/5 before, passes 5/5 after"),),
        broke="Checkout failed for 1 in 3 buyers since 14:02.",
        serving="6-6c12",
        calm=True,
        undo="Revert the merge commit.",
        after="Checkout is watched for 10 min, and goes back by itself.",
        at=1_790_000_000.0,
        cause=Cause("shop.py", 2, "7-7f3a", rig.base),
        proof=(Proof("new test", "fails 5/5", "passes 5/5"),),
        unchecked=("Carts older than a year.",),
        risk="Small: one line, in one function.",
    )


def opens_a_branch_with_the_change(rig: Rig) -> None:
    published = rig.forge().publish(pull_for(rig, "k1"), [])
    assert published.branch == branch_of("k1"), "the branch is named by the fault"
    assert published.state is PullState.OPEN
    assert published.head == rig.tip(published.branch), "what is told to be pushed is on the remote"


def publishing_again_changes_nothing(rig: Rig) -> None:
    first = rig.forge().publish(pull_for(rig, "k1"), [])
    assert rig.forge().publish(pull_for(rig, "k1"), [first]) == first, "the same change is published once"
    lost = rig.forge().publish(pull_for(rig, "k1"), [])
    assert (lost.number, lost.head) == (first.number, first.head), (
        "it is found again after a crash before it was remembered"
    )


def a_better_change_updates_the_same_one(rig: Rig) -> None:
    first = rig.forge().publish(pull_for(rig, "k1"), [])
    second = rig.forge().publish(pull_for(rig, "k1", "cart.get('price') or 0"), [first])
    assert second.number == first.number, "one fault has one pull request"
    assert second.head != first.head, "the branch has the new change"
    assert rig.tip(first.branch) == second.head


def others_commits_are_left_alone(rig: Rig) -> None:
    first = rig.forge().publish(pull_for(rig, "k1"), [])
    rig.person("push", first)
    theirs = rig.tip(first.branch)
    assert theirs != first.head
    for history in ([first], []):
        _refused(rig, pull_for(rig, "k1", "0"), history, "somebody else's commit is on the branch")
        assert rig.tip(first.branch) == theirs, "their commit is still there"


def closed_means_no_until_somebody_asks(rig: Rig) -> None:
    first = rig.forge().publish(pull_for(rig, "k1"), [])
    rig.person("close", first)
    looked = rig.forge().look([first])
    assert [type(one) for one in looked.events] == [Turned], "that it was closed is told, once"
    assert looked.pulls[0].state is PullState.CLOSED
    assert not rig.forge().look(looked.pulls).events, "nothing is told twice"
    for history in (list(looked.pulls), [first], []):
        _refused(rig, pull_for(rig, "k1"), history, "a closed one stays closed")
    again = rig.forge().publish(pull_for(rig, "k1"), [replace(looked.pulls[0], retried=True)])
    assert again.state is PullState.OPEN, "a person may ask for another"
    assert again.branch == branch_of("k1", 2), "another try has another branch"


def merged_is_told(rig: Rig) -> None:
    first = rig.forge().publish(pull_for(rig, "k1"), [])
    rig.person("merge", first)
    looked = rig.forge().look([first])
    turned = [one for one in looked.events if isinstance(one, Turned)]
    assert [one.state for one in turned] == [PullState.MERGED]
    assert looked.pulls[0].state is PullState.MERGED


def three_are_open_at_most(rig: Rig) -> None:
    history = [rig.forge().publish(pull_for(rig, f"k{n}"), []) for n in range(OPEN_MAX)]
    for known in (history, []):
        _refused(rig, pull_for(rig, "one-more"), known, "three are open already")
    assert not rig.tip(branch_of("one-more")), "no branch is left of one that was refused"
    same = rig.forge().publish(pull_for(rig, "k1"), history)
    assert same.number == history[1].number, "one that is open may still be updated"


def only_what_is_proven_and_calm(rig: Rig) -> None:
    pull = pull_for(rig, "k1")
    held = replace(pull, gates=(GateResult("replay", Verdict.HOLD, "no request to replay"),))
    for bad in (held, replace(pull, gates=()), replace(pull, calm=False)):
        _refused(rig, bad, [], "not proven, or not calm")
    for path in (
        ".github/workflows/x.yml",
        ".GITHUB/Workflows/x.yml",
        ".gitlab-ci.yml",
        "sub/.gitattributes",
        "CODEOWNERS",
    ):
        _refused(rig, pull_for(rig, "k1", "on push", path), [], f"{path} is not for us")
    stale = replace(pull, proposal=replace(pull.proposal, diff=pull.proposal.diff.replace("cart):", "carts):")))
    try:
        rig.forge().publish(stale, [])
    except GateFailed:
        pass
    else:
        raise AssertionError("a diff that does not apply is told as such")
    assert not rig.tip(branch_of("k1"))


def one_comment_is_edited_in_place(rig: Rig) -> None:
    first = rig.forge().publish(pull_for(rig, "k1"), [])
    told = rig.forge().tell(first, "Waiting for a person.", Mark(MarkState.PENDING, "waiting"))
    assert told.comment
    again = rig.forge().tell(told, "Still waiting.")
    lost = rig.forge().tell(first, "Found again.")
    assert again.comment == lost.comment == told.comment, "one comment, also when its id was lost"
    said = rig.said(first)
    assert sum("Found again" in one for one in said) == 1
    assert not any("Waiting for" in one for one in said)
    assert not rig.forge().look([lost]).events, "our own words are no command"


def we_may_close(rig: Rig) -> None:
    first = rig.forge().publish(pull_for(rig, "k1"), [])
    closed = rig.forge().close(first)
    assert closed.state is PullState.CLOSED
    assert rig.forge().close(first).state is PullState.CLOSED, "closing twice is closing once"
    assert not rig.forge().look([closed]).events, "what we did ourselves is no news"


def commands_are_obeyed_from_writers_only(rig: Rig) -> None:
    if not rig.talks:
        return
    first = rig.forge().publish(pull_for(rig, "k1"), [])
    for login, text in (
        (STRANGER, "/prodwise close"),
        (WRITER, "Please do not /prodwise close this"),
        (WRITER, "> /prodwise close"),
        (WRITER, "/prodwise merge"),
        (WRITER, " /prodwise  Smaller\n"),
        (WRITER, "/prodwise retry"),
    ):
        rig.say(first, login, text)
    looked = rig.forge().look([first])
    obeyed = [(one.command, one.by) for one in looked.events if isinstance(one, Asked)]
    assert obeyed == [(Command.SMALLER, WRITER), (Command.RETRY, WRITER)], f"exact commands, in order: {obeyed}"
    assert [one.by for one in looked.events if isinstance(one, Unheeded)] == [STRANGER], "who may not is told"
    assert not rig.forge().look(looked.pulls).events, "each is heard once"
    rig.say(first, WRITER, "/prodwise explain")
    heard = [one.command for one in rig.forge().look(looked.pulls).events if isinstance(one, Asked)]
    assert heard == [Command.EXPLAIN], "what was said since is heard"


CHECKS: tuple[Callable[[Rig], None], ...] = (
    opens_a_branch_with_the_change,
    publishing_again_changes_nothing,
    a_better_change_updates_the_same_one,
    others_commits_are_left_alone,
    closed_means_no_until_somebody_asks,
    merged_is_told,
    three_are_open_at_most,
    only_what_is_proven_and_calm,
    one_comment_is_edited_in_place,
    we_may_close,
    commands_are_obeyed_from_writers_only,
)


def run(make: Make) -> None:
    for check in CHECKS:
        with make() as rig:
            check(rig)


def _refused(rig: Rig, pull: HealingPull, history: Sequence[Published], why: str) -> None:
    try:
        rig.forge().publish(pull, history)
    except Refused:
        return
    except ProdwiseError as error:
        raise AssertionError(f"{why}: must be refused, not {type(error).__name__}: {error.message}") from error
    raise AssertionError(f"{why}: must be refused")
