"""Suspect commits: what speaks for and against one, line by line; and what must hold of every ranking."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prodwise.loop.diagnose.suspect import Search, Suspect, evidence, rank
from prodwise.loop.diagnose.suspect.code import definitions
from prodwise.loop.diagnose.suspect.kinds import Kind, kind_of, nothing_runs
from prodwise.loop.diagnose.suspect.lines import Touch, Tracer, Way, newest_first
from prodwise.loop.diagnose.suspect.message import Named, Role, names_in
from prodwise.loop.diagnose.suspect.packages import changed_packages, package_in
from prodwise.loop.diagnose.suspect.places import resolve
from prodwise.model.commit import Commit, FileChange, Hunk
from prodwise.model.event import ErrorEvent, Frame, Thrown
from tests.loop.history import CART, PRICES, START, Line, change, changes


def error(kind: str, message: str, *calls: tuple[str, int, str], code: str = "") -> ErrorEvent:
    """calls: outermost first."""
    frames = [Frame(name, "", file, line, "site-packages" not in file) for file, line, name in calls]
    if frames and code:
        frames[-1] = replace(frames[-1], code=code)
    return ErrorEvent("e", 0.0, 1, "python", "error", message, chain=(Thrown(kind, message, tuple(frames)),))


def top(search: Search) -> Suspect:
    return rank(search)[0]


TOTAL = ("/srv/app/shop/cart.py", 7, "total")


def test_the_commit_that_wrote_the_failing_line_is_suspected_with_its_line() -> None:
    line = (
        Line()
        .swap("Louder fees", "shop/prices.py", "490", "590")
        .swap("Use cents", "shop/cart.py", '["price"]', '["cents"]')
    )
    line.swap("Say what it is", "README.md", "# Shop", "# Tea shop")
    found = top(line.search(error("KeyError", "'cents'", TOTAL)))
    assert (found.commit.title, found.path, found.line) == ("Use cents", "shop/cart.py", 7)
    assert found.share > 0.8
    assert "changed shop/cart.py:7, where the error is raised" in [one.text for one in found.findings]


def test_a_line_is_followed_through_shifts_renames_and_moves_of_code() -> None:
    line = Line().swap("Guilty", "shop/cart.py", '["price"]', '["cost"]')
    line.swap("Longer head", "shop/cart.py", "from shop import prices\n", "import logging\n\nfrom shop import prices\n")
    renamed = {"shop/basket.py" if path == "shop/cart.py" else path: text for path, text in line.files.items()}
    line.put("Rename cart", renamed, {"shop/basket.py": "shop/cart.py"})
    head, _, function = line.files["shop/basket.py"].partition("def total")
    moved = {**line.files, "shop/basket.py": head, "shop/prices.py": PRICES + "\n\ndef total" + function}
    line.put("Move total", moved, {})
    at = line.files["shop/prices.py"].splitlines().index('        amount += line["cost"]') + 1
    touches = Tracer(newest_first(line.commits)).trace("shop/prices.py", 20)[at]
    assert [(one.sha, one.way) for one in touches] == [("0000004", Way.MOVED), ("0000001", Way.WROTE)]
    found = top(line.search(error("KeyError", "'cost'", ("app/shop/prices.py", at, "total"))))
    assert found.commit.title == "Guilty"


def test_a_changed_function_counts_although_its_failing_line_did_not_change() -> None:
    line = Line().swap("Start with nothing", "shop/cart.py", "amount = 0", "amount = None")
    line.commit("Elsewhere", shop__other="x = 1\n")
    message = "unsupported operand type(s) for +=: 'NoneType' and 'int'"
    ranked = rank(line.search(error("TypeError", message, TOTAL)))
    assert ranked[0].commit.title == "Start with nothing"
    assert ranked[1].findings[0].text == "changed nothing that the error passes through, calls or names"
    assert ranked[1].weight < 0


def test_what_the_message_misses_and_a_commit_took_away_is_found_far_from_the_frames() -> None:
    line = Line().swap("Refactor fees", "shop/prices.py", "def fee(amount):", "def shipping(amount):")
    line.swap("Count first", "shop/cart.py", "    amount = 0\n", "    amount = 0\n    many = len(lines)\n")
    found = top(
        line.search(
            error("AttributeError", "module 'shop.prices' has no attribute 'fee'", ("shop/cart.py", 9, "total"))
        )
    )
    assert found.commit.title == "Refactor fees"
    assert any(one.text.startswith("took away fee") for one in found.findings)


def test_who_used_a_name_while_it_was_there_is_not_to_blame_for_its_removal() -> None:
    line = Line().swap(
        "Fees later",
        "shop/cart.py",
        "    return amount + prices.fee(amount)",
        "    extra = prices.fee(amount)\n    return amount + extra",
    )
    line.swap("Remove dead code", "shop/prices.py", PRICES, "FREE_FROM = 5000\n")
    frames = (("shop/cart.py", 8, "total"),)
    ranked = rank(line.search(error("AttributeError", "module 'shop.prices' has no attribute 'fee'", *frames)))
    assert ranked[0].commit.title == "Remove dead code"
    assert "wrote fee when it was still there" in [one.text for one in ranked[1].findings]


def test_another_version_of_a_package_that_the_error_passes_through() -> None:
    line = Line().swap("Faster", "shop/cart.py", "    amount = 0", "    amount = int(0)")
    line.swap("Bump teatime", "requirements.txt", "1.2.0", "2.0.0")
    frames = (("shop/cart.py", 8, "total"), ("/venv/lib/python3.12/site-packages/teatime/clock.py", 40, "today"))
    found = top(line.search(error("ValueError", "no zone", *frames)))
    assert (found.commit.title, found.path) == ("Bump teatime", "requirements.txt")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("README.md", "# Shop", "# price"),
        ("shop/cart.py", "    amount = 0\n", "    # what it costs\n    amount = 0\n"),
        ("shop/cart.py", 'line["price"]', "line['price']"),
        ("shop/cart.py", "prices.fee(amount)", "prices.fee(\n        amount,\n    )"),
    ],
)
def test_documents_comments_and_layout_weigh_nothing(path: str, old: str, new: str) -> None:
    line = Line().swap("Nothing runs", path, old, new)
    assert nothing_runs(line.commits[0])
    assert top(line.search(error("KeyError", "'price'", TOTAL))).weight == -3.0


def test_another_indentation_is_no_layout_where_it_means_something() -> None:
    line = Line().swap("Return early", "shop/cart.py", "    return amount", "        return amount")
    assert not nothing_runs(line.commits[0])
    assert nothing_runs(
        Commit("1", "", "", 0.0, (), (FileChange("a.js", "a.js", (Hunk(1, 1, ("  a();",), ("    a();",)),)),))
    )


def test_a_commit_after_the_onset_cannot_have_brought_it() -> None:
    line = Line().swap("Before", "shop/cart.py", "    amount = 0", "    amount = int(0)")
    line.swap("After", "shop/cart.py", '["price"]', '["cents"]')
    line.commits[1] = replace(line.commits[1], at=9000.0)
    assert top(line.search(error("KeyError", "'cents'", TOTAL), onset=2000.0)).commit.title == "Before"


def test_without_frames_the_routes_lead_to_their_handler_and_to_what_it_rests_on() -> None:
    pages = (
        'from shop import cart\n\n\n@app.get("/cart/<int:id>")\ndef show(id):\n    return cart.total(lines_of(id))\n\n\n'
        '@app.get("/about")\ndef about():\n    return "tea"\n'
    )
    line = Line({**START, "shop/pages.py": pages})
    line.swap("Other words", "shop/pages.py", '"tea"', '"more tea"').swap(
        "Free from less", "shop/prices.py", "5000", "free"
    )
    line.swap("Explain", "README.md", "# Shop", "# cart")
    assert top(line.search(routes=("GET /cart/:id",))).commit.title == "Free from less"
    assert top(line.search(routes=("GET /about",))).commit.title == "Other words"


def test_a_merge_is_blamed_for_what_it_alone_changed_and_its_branch_for_the_rest() -> None:
    line = Line().swap("On main", "shop/prices.py", "490", "590").commits[0]
    side_files = {**START, "shop/cart.py": CART.replace('["price"]', '["cost"]')}
    side = Commit("side", "On the branch", "Ben", 1001.0, ("base",), changes(START, side_files, {}))
    main_files = {**START, "shop/prices.py": PRICES.replace("490", "590")}
    merged = {**main_files, "shop/cart.py": side_files["shop/cart.py"]}
    clean = Commit(
        "merge",
        "Merge",
        "Ana",
        1002.0,
        (line.sha, "side"),
        changes(main_files, merged, {}),
        (changes(side_files, merged, {}),),
    )
    assert clean.own() == ()
    search = Search((line, side, clean), (error("KeyError", "'cost'", TOTAL),), (), merged)
    assert top(search).commit.title == "On the branch"
    evil_files = {**merged, "shop/cart.py": CART.replace('["price"]', '["gross"]')}
    evil = replace(clean, files=changes(main_files, evil_files, {}), others=(changes(side_files, evil_files, {}),))
    assert (
        top(Search((line, side, evil), (error("KeyError", "'gross'", TOTAL),), (), evil_files)).commit.title == "Merge"
    )


def test_what_was_not_read_whole_is_never_held_for_innocent() -> None:
    part = Commit("1", "Vendor everything", "Ana", 1.0, ("base",), (), (), whole=False)
    assert top(Search((part,), (error("KeyError", "'x'", TOTAL),))).weight == 0.0


def test_nothing_known_ranks_nothing_high() -> None:
    assert rank(Search(())) == ()
    line = Line().swap("A", "shop/cart.py", "amount = 0", "amount = 1").swap("B", "shop/prices.py", "490", "480")
    assert all(one.weight <= 0 and one.share < 0.5 for one in rank(line.search()))


@pytest.mark.parametrize(
    ("kind", "message", "expected"),
    [
        ("NameError", "name 'usr' is not defined", {Named("usr", Role.MISSING)}),
        ("KeyError", "'price'", {Named("price", Role.MISSING)}),
        ("AttributeError", "'Order' object has no attribute 'totl'", {Named("totl", Role.MISSING)}),
        (
            "AttributeError",
            "'NoneType' object has no attribute 'code'",
            {Named("code", Role.ON), Named("NoneType", Role.EMPTY)},
        ),
        (
            "ImportError",
            "cannot import name 'a_b' from 'shop.x' (/srv/shop/x.py)",
            {Named("a_b", Role.MISSING), Named("shop.x", Role.MODULE)},
        ),
        (
            "TypeError",
            "fee() missing 1 required positional argument: 'zone'",
            {Named("fee", Role.CALLED), Named("zone", Role.ARGUMENT)},
        ),
        ("TypeError", "app.cloud is not a function", {Named("cloud", Role.MISSING), Named("cloud", Role.ON)}),
        (
            "TypeError",
            "Cannot read properties of undefined (reading 'sku')",
            {Named("sku", Role.ON), Named("undefined", Role.EMPTY)},
        ),
        ("OperationalError", "no such column: opened_at", {Named("opened_at", Role.MISSING)}),
        ("Error", "Cannot find module './util'", {Named("./util", Role.MODULE)}),
        (
            "FileNotFoundError",
            "[Errno 2] No such file or directory: '/srv/a/mail.txt'",
            {Named("srv/a/mail.txt", Role.FILE)},
        ),
    ],
)
def test_names_in_messages(kind: str, message: str, expected: set[Named]) -> None:
    assert expected <= set(names_in(kind, message))


def test_kinds_of_files() -> None:
    kinds = {
        path: kind_of(path)
        for path in ("a/test_b.py", "docs/x.rst", "uv.lock", "web/package.json", "src/a.ts", "conf/a.toml")
    }
    assert list(kinds.values()) == [Kind.TEST, Kind.DOCUMENT, Kind.PACKAGES, Kind.PACKAGES, Kind.CODE, Kind.OTHER]


def test_packages_in_manifests_locks_and_frames() -> None:
    def of(path: str, old: str, new: str) -> set[str]:
        return set(changed_packages(Commit("1", "", "", 0.0, (), (change(path, path, old, new),))))

    assert of("requirements.txt", "PyYAML==6.0\nflask==3.0\n", "PyYAML==6.1\nflask==3.0\n") == {"pyyaml"}
    assert of(
        "package.json", ' "dependencies": {\n  "@a/b": "^1.0.0",\n', ' "dependencies": {\n  "@a/b": "^2.0.0",\n'
    ) == {"@a/b"}
    assert of("go.mod", "\tgithub.com/x/y v1.2.0\n", "\tgithub.com/x/y v1.3.0\n") == {"github.com/x/y"}
    frame = Frame("load", "", "/v/lib/python3.12/site-packages/yaml/loader.py", 3, False)
    assert package_in(frame) == "pyyaml"
    assert package_in(replace(frame, file="/app/node_modules/@a/b/index.js")) == "@a/b"


def test_frames_mean_files_of_the_repository() -> None:
    paths = ("shop/cart.py", "admin/cart.py", "src/page.ts", "web/__init__.py")
    assert resolve("/srv/releases/3-abc/src/shop/cart.py", "", paths) == "shop/cart.py"
    assert resolve("cart.py", "", paths) == ""
    assert resolve("webpack:///./src/page.js?x", "", paths) == "src/page.ts"
    assert resolve("../../etc/passwd", "", paths) == ""


def test_functions_are_found_by_indentation() -> None:
    script = (
        "class Cart {\n  add(item) {\n    this.items.push(item);\n  }\n}\n\nconst sum = (a) => {\n  return a;\n};\n"
    )
    assert [(one.name, one.start, one.end) for one in definitions(script)] == [
        ("Cart", 1, 5),
        ("add", 2, 4),
        ("sum", 7, 9),
    ]
    decorated = "@cached\ndef f(\n    a,\n):\n    return a\n\n\nX = 1\n"
    assert [(one.name, one.start, one.end) for one in definitions(decorated)] == [("f", 1, 5), ("X", 8, 8)]


def test_a_commit_that_only_cut_beside_a_line_is_told() -> None:
    line = Line().swap("Cut", "shop/cart.py", "    amount = 0\n", "")
    assert Tracer(newest_first(line.commits)).trace("shop/cart.py", 7)[5] == (Touch("0000001", Way.BESIDE),)


def test_a_suspect_is_told_in_one_sentence_and_only_when_it_is_likely() -> None:
    line = Line().swap("Use\x1b[31m cents", "shop/cart.py", '["price"]', '["cents"]').commit("Other", shop__b="x = 1\n")
    told = evidence(rank(line.search(error("KeyError", "'cents'", TOTAL))), 1.0, 2.0)
    assert told is not None
    assert told.text == "suspect commit 0000001 'Use cents' by Ana: changed shop/cart.py:7, where the error is raised"
    assert told.id.startswith("ev-")
    assert evidence(rank(line.search()), 1.0, 2.0) is None
    assert evidence((), 1.0, 2.0) is None
