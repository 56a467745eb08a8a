"""What outsiders wrote is shown and does nothing: in the body, in the title, in the commit's message."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from prodwise.loop.publish.body import BODY_MAX, body, message
from prodwise.loop.publish.command import command_in
from prodwise.loop.publish.extent import extent
from prodwise.loop.publish.inert import inert, prose, shown
from prodwise.loop.publish.style import Form, learn, subject
from prodwise.model.action import ActionKind
from prodwise.model.gate import GateResult, Verdict
from prodwise.model.patch import Proposal
from prodwise.model.pull import Cause, Command, HealingPull, Proof

SECTIONS = ["What broke", "Right now", "Cause", "Change", "Proof", "Not checked", "Risk", "Undo", "After merge"]
DIFF = (
    "diff --git a/shop/cart.py b/shop/cart.py\n--- a/shop/cart.py\n+++ b/shop/cart.py\n@@ -1,2 +1,3 @@\n a\n--- b\n+++ c\n+d\n"
    "diff --git a/tests/test_cart.py b/tests/test_cart.py\nnew file mode 100644\n--- /dev/null\n+++ b/tests/test_cart.py\n"
    "@@ -0,0 +1,2 @@\n+x\n+y\n"
)
HOSTILE = [
    "@founder please", "closes #1", "Fixes kettle/shop#12", "resolve GH-7", "close https://github.com/o/r/issues/1",
    "!12 %3 ~bug &4 $5",
    "<img src=x onerror=alert(1)>", "![x](https://evil.example/p.png)", "[click](javascript:alert(1))", "</details><script>x</script>",
    "a`b``c```d", "`@founder`", "``` \n@founder\n```", "| a | b |\n|---|---|\n| @x | y |", "/close", "\n/merge\n", "[skip ci] ok",
    "<!-- prodwise:status -->", "&#64;founder", "&commat;founder", "x\\", "\\`@a`", "www.evil.example", "mail@evil.example",
    "<https://evil.example>",
    "fixes ABC-123", "# heading", "- [ ] task", "1. one", "===", "---", "    code @x", "‮@x", "a\u200b@x",
    "Co-authored-by: a <a@b.c>", "$`x`$",
    "[a]: https://evil.example\n[a]", "~~x~~ **y** _z_", ":tada: [issue:1]", "***no_ci***", "ftp://x https://y",
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12)), max_size=4).map("".join),
    st.text(alphabet="@#!/`|<>[]()&;\\*_~\n\r\t abclosefixGH-12:$%^", max_size=60),
)
REFERS = re.compile(
    r"""@\w | \#\d | !\d | (?<![a-z0-9])gh-\d | :// | \b(?:clos|fix|resolv|implement)\w*:?\s+(?:[\w.-]+/[\w.-]+)?\#\d
    | \b(?:clos|fix|resolv|implement)\w*:?\s+[a-z][a-z0-9_]+-\d | ~\w | %\d | \$\d | &\w+; | (?m:^/) | \[\w+\s+ci\] | www\.""",
    re.VERBOSE | re.IGNORECASE,
)
OURS = re.compile(r"`/prodwise explain`")


def pull(text: str = "Carts broke.", **changes: Any) -> HealingPull:
    """Every text in it is this one."""
    made = HealingPull(
        key=text, base="a" * 40, proposal=Proposal(text, ActionKind.PATCH, DIFF, text), gates=(GateResult(text, Verdict.PASS, text),),
        broke=text, serving=text, calm=True, undo=text, after=text, at=1.0, cause=Cause(text, 3, text, text),
        proof=(Proof(text, text, text),), unchecked=(text,), risk=text, link=text,
    )  # fmt: skip
    return replace(made, **changes)


def flat(tokens: list[Any]) -> list[Any]:
    return [one for token in tokens for one in (token, *flat(token.children or []))]


def assert_inert(markdown: str, fences: int = 0) -> None:
    """Rendered with all that hosts add (tables, strikethrough, bare links, raw HTML), only what we wrote stands there."""
    tokens = flat(MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(markdown))
    kinds = {token.type for token in tokens}
    assert not kinds & {
        "html_block",
        "html_inline",
        "image",
        "link_open",
        "s_open",
        "em_open",
        "strong_open",
        "code_block",
    }, kinds
    assert sum(token.type == "fence" for token in tokens) == fences
    titles = [tokens[n + 1].content for n, token in enumerate(tokens) if token.type == "heading_open"]
    assert titles == SECTIONS, "no heading of theirs"
    assert sum(token.type == "table_open" for token in tokens) == 1
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in markdown.splitlines() if line.startswith("|")} == {4}, (
        "cells"
    )
    for token in tokens:
        if token.type in ("text", "code_inline") and (
            found := REFERS.search(token.content.replace("/prodwise explain", ""))
        ):
            raise AssertionError(f"{found[0]!r} acts in {token.content!r}")
    assert REFERS.findall(OURS.sub("", markdown)) == []


@settings(max_examples=60, deadline=None)
@given(TEXTS)
@example("".join(HOSTILE))
def test_no_text_of_outsiders_acts_in_the_body(text: str) -> None:
    assert_inert(body(pull(text)))


@settings(max_examples=60, deadline=None)
@given(TEXTS)
@example("```\n# x\n```\n<script>\n/close\n" + "".join(HOSTILE))
def test_a_failing_check_in_the_body_is_one_block_that_does_nothing(text: str) -> None:
    assert_inert(body(pull(check=f"def test():\n    {text}\n" + "x = 1\n" * 90)), fences=1)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.sampled_from(["fix(cart): a", "cart: a", "Do a.", "do a"]))
@example(">/.", "Do a.")
def test_no_text_of_outsiders_acts_in_a_commit(text: str, usual: str) -> None:
    title = subject(learn([usual] * 4), ActionKind.PATCH, text, [text])
    assert len(title) <= 72
    assert title == title.strip() != ""
    assert "\n" not in title
    assert REFERS.search(title) is None, title
    told = message(pull(text), title, False, "prodwise/fix-k1")
    assert REFERS.search(told) is None, told
    assert told.rstrip("\n").rpartition("\n\n")[2] == "Prodwise-Fault: k1", "one trailer: ours"


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_inert_text_is_one_bounded_line_and_stays_as_it_is(text: str) -> None:
    once = inert(text, 40)
    assert len(once) <= 40
    assert once.isprintable()
    assert inert(once, 40) == once
    assert "\n" not in prose(text) + shown(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_each_known_trick_is_shown_and_does_nothing(text: str) -> None:
    assert_inert(body(pull(text)))
    for line in (inert(text), prose(text), shown(text)):
        assert REFERS.search(line) is None, line


def test_secrets_are_gone_before_anything_is_cut() -> None:
    secret = "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"
    told = body(pull("x" * 290 + f" token={secret}")) + message(
        pull(f"password={secret}"), "t", True, "prodwise/fix-k1"
    )
    assert secret[:12] not in told


def test_the_body_says_it_in_order_and_short() -> None:
    told = body(
        HealingPull(
            key="checkout-1", base="7f3a" * 10,
            proposal=Proposal("search", ActionKind.PATCH, DIFF, "Handle carts without a price"),
            gates=(GateResult("reproducer", Verdict.PASS, "fails 5/5 before, passes 5/5 after"),),
            broke="Checkout failed for 38 people.",
            serving="6-6c12", calm=True, undo="Revert the merge commit.", after="Watched for 10 min.", at=1.0,
            cause=Cause("shop/cart.py", 12, "7-7f3a", "7f3a" * 10), proof=(Proof("new test", "fails 5/5", "passes 5/5"),),
            unchecked=("Old carts.",), risk="Small.", link="https://prodwise.example/incidents/4",
        )
    )  # fmt: skip
    assert re.findall(r"(?m)^### (.*)$", told) == SECTIONS
    assert "Calm, users are served again: production runs `6-6c12`." in told
    assert "`shop/cart.py:12`, came in with release `7-7f3a` / commit `7f3a7f3`" in told
    assert "5 lines (+4 −1), 1 file + 1 test" in told
    assert "| new test | fails 5/5 | passes 5/5 |" in told
    assert "[The whole story](https://prodwise.example/incidents/4)" in told
    assert (
        len(
            body(
                pull(
                    "w" * 5_000,
                    unchecked=("w" * 999,) * 99,
                    gates=(GateResult("w" * 999, Verdict.PASS, "w" * 999),) * 99,
                )
            )
        )
        < BODY_MAX
    )


def test_lines_that_look_like_headers_are_counted_as_lines() -> None:
    reach = extent(DIFF)
    assert (reach.added, reach.removed, reach.files, reach.tests) == (
        4,
        1,
        ("shop/cart.py", "tests/test_cart.py"),
        ("tests/test_cart.py",),
    )


def test_a_form_feed_in_the_code_ends_no_line() -> None:
    head = "diff --git a/cart.py b/cart.py\n--- a/cart.py\n+++ b/cart.py\n@@ -1,3 +1,4 @@\n"
    reach = extent(f"{head} a\n \x0c\n-b\n+c\n+d\n")
    assert (reach.added, reach.removed) == (2, 1)


@pytest.mark.parametrize(
    ("subjects", "title"),
    [
        (["feat(cart): add", "fix(cart): drop", "docs: say"], "fix(cart): handle carts"),
        (["feat: add", "fix: drop", "chore: x"], "fix: handle carts"),
        (["cart: add", "web: drop it", "cart: less"], "cart: handle carts"),
        (["Add carts", "Drop carts", "Say how"], "Handle carts"),
        (["Add carts.", "Drop carts.", "Say how."], "Handle carts."),
        (["add carts", "drop carts", "say"], "handle carts"),
        (["SHOP-12: Add carts", "SHOP-13 Drop carts", "[SHOP-9] Say"], "Handle carts"),
        (["#12 add carts", "#13 drop carts", "#9 say"], "handle carts"),
        (["fix: x"], "Handle carts"),
        ([], "Handle carts"),
    ],
)
def test_titles_are_in_the_repositorys_own_style(subjects: list[str], title: str) -> None:
    assert subject(learn(subjects), ActionKind.PATCH, "Handle carts.", ["shop/cart.py"]) == title


def test_a_revert_says_so_and_scopes_come_from_use() -> None:
    style = learn(["fix(api): a", "feat(web): b", "fix(web): c"])
    assert style.form is Form.CONVENTIONAL
    assert subject(style, ActionKind.REVERT, "Take back 7f3a", ["web/page.py"]) == "revert(web): take back 7f3a"
    assert subject(style, ActionKind.PATCH, "Count " + "very " * 30, ["db/x.py"]).endswith("…")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/prodwise retry", Command.RETRY), ("  /Prodwise \t CLOSE \r\n", Command.CLOSE), ("/prodwise explain", Command.EXPLAIN),
        ("/prodwise smaller", Command.SMALLER), ("/prodwise", None), ("/prodwise retry now", None), ("> /prodwise retry", None),
        ("`/prodwise retry`", None), ("ok\n/prodwise retry", None), ("/prodwise\nretry", None), ("/prodwiseretry", None),
        ("/prodwise merge", None), ("/prodwise retry\u200b", None), ("/prodwıse close", None),
        ("/prodwise " + " " * 300 + "close", None),
    ],
)  # fmt: skip
def test_a_command_is_the_whole_comment(text: str, command: Command | None) -> None:
    assert command_in(text) is command


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80), st.sampled_from(["", "/prodwise close", "/prodwise retry "]), st.text(max_size=20))
def test_nothing_else_is_ever_a_command(before: str, middle: str, after: str) -> None:
    text = before + middle + after
    found = command_in(text)
    assert found is None or text.strip(" \t\r\n").lower().split() == ["/prodwise", found.value]


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_what_we_write_is_never_a_command(text: str) -> None:
    for told in (body(pull(text)), prose(text), shown(text), f"<!-- prodwise:status -->\n{prose(text)}"):
        assert command_in(told) is None
