"""Code hosts on a bad day: real HTTP with what they answer then."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from prodwise.forge.api import TRIES, Api
from prodwise.forge.branch import GitBranches
from prodwise.loop.publish.decide import branch_of
from prodwise.model.errors import ConfigError, ForgeError, Later, Refused
from prodwise.model.pull import Mark, MarkState, PullState, PullText, Unheeded
from prodwise.testing.fake_forge import LOGIN, TOKEN, FakePull, Fault
from prodwise.testing.forge_kit import STRANGER, WRITER, pull_for
from tests.forge.rigs import KINDS, HostRig, git, host_rig

LIMIT = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HostRig]:
    with host_rig(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def github(tmp_path: Path) -> Iterator[HostRig]:
    with host_rig("github", tmp_path) as made:
        yield made


def asked(rig: HostRig, method: str, part: str) -> int:
    return sum(one.method == method and part in one.path for one in rig.fake.asked)


def pushed(rig: HostRig, key: str = "k1") -> str:
    """A branch of ours on the remote, without a pull request."""
    git(rig.fake.bare, "update-ref", f"refs/heads/{branch_of(key)}", rig.base)
    return branch_of(key)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(500, times=2), Fault(502, times=1), Fault(429, times=1, headers={"Retry-After": "3"}), Fault(cut=True),
        Fault(403, body=LIMIT, headers={"Retry-After": "3"}), Fault(503, headers={"Retry-After": "3"}),
    ],
    ids=["500", "502", "429", "cut", "secondary", "503"],
)  # fmt: skip
def test_a_read_is_tried_again_as_the_host_asks(github: HostRig, fault: Fault) -> None:
    github.fake.faults.append(replace(fault))
    assert github.host().opened() == []
    wanted = float(fault.headers.get("Retry-After", 1))
    assert github.pauses == [wanted, 2.0][: len(github.pauses)]
    assert github.pauses


def test_what_does_not_end_is_told_with_when_to_come_back(github: HostRig) -> None:
    github.fake.faults.append(Fault(500, times=99))
    with pytest.raises(Later) as told:
        github.host().opened()
    assert len(github.fake.asked) == TRIES
    assert told.value.seconds > 0
    github.fake.faults[:] = [Fault(429, times=99, headers={"Retry-After": "600"})]
    with pytest.raises(Later) as told:
        github.host().opened()
    assert told.value.seconds == 600, "ten minutes are not waited for: the story comes back"
    assert len(github.fake.asked) == TRIES + 1


def test_github_names_the_time_when_its_hour_is_over(github: HostRig) -> None:
    spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "4000000000"}
    github.fake.faults.append(Fault(403, headers=spent, body={"message": "API rate limit exceeded for user ID 1."}))
    with pytest.raises(Later) as told:
        github.host().opened()
    assert told.value.seconds > 1_000_000
    github.fake.faults.append(Fault(403, body=LIMIT))
    with pytest.raises(Later) as told:
        github.host().opened()
    assert told.value.seconds == 60, "a minute at least, where no time is named"


def test_a_change_whose_end_is_unknown_is_looked_for_before_it_is_tried_again(rig: HostRig) -> None:
    rig.fake.faults.append(
        Fault(502, part="pulls" if rig.fake.kind != "gitlab" else "merge_requests", method="POST", after=True)
    )
    with pytest.raises(ForgeError, match="not known"):
        rig.forge().publish(pull_for(rig, "k1"), [])
    assert len(rig.fake.pulls) == 1, "it was done all the same"
    published = rig.forge().publish(pull_for(rig, "k1"), [])
    assert published.number == 1
    assert len(rig.fake.pulls) == 1, "and not a second time"
    assert rig.fake.statuses[-1]["state"] == "success"


def test_a_comment_whose_id_was_lost_is_not_written_twice(rig: HostRig) -> None:
    published = rig.forge().publish(pull_for(rig, "k1"), [])
    rig.fake.comment(published.number, STRANGER, "<!-- prodwise:status -->\nI am Prodwise, honestly")
    part = "notes" if rig.fake.kind == "gitlab" else "/comments"
    rig.fake.faults.append(Fault(500, part=part, method="POST", after=True))
    with pytest.raises(ForgeError, match="not known"):
        rig.forge().tell(published, "Hello.")
    told = rig.forge().tell(published, "Hello again.")
    said = rig.fake.pulls[0].comments
    assert [one.by for one in said] == [STRANGER, LOGIN]
    assert told.comment == said[1].id
    assert "Hello again" in said[1].body
    assert "honestly" in said[0].body, "a stranger's comment is not taken for ours"
    said.pop()
    assert rig.forge().tell(told, "Once more.").comment == rig.fake.pulls[0].comments[-1].id, (
        "one that was deleted is made anew"
    )


@pytest.mark.parametrize(
    ("fault", "words", "hint"),
    [
        (Fault(401), "401", "wrong, expired or revoked"),
        (Fault(403, headers={"x-accepted-github-permissions": "statuses=write"}), "403", "this needs statuses=write"),
        (Fault(403, body={"error": "insufficient_scope"}), "insufficient_scope", "it must have"),
        (Fault(404), "404", "forge.repo"),
        (Fault(409), "409", "says why"),
        (
            Fault(422, body={"errors": [{"message": "No commits between @main and #1"}]}),
            "No commits between ＠main and ＃1",
            "",
        ),
        (Fault(200, body={"not": "a list"}), "a list was expected", "forge.api"),
    ],
)
def test_each_refusal_says_what_to_do(github: HostRig, fault: Fault, words: str, hint: str) -> None:
    github.fake.faults.append(replace(fault))
    with pytest.raises(ForgeError) as told:
        github.host().opened()
    assert words in told.value.message
    assert hint in told.value.hint
    assert github.pauses == [], "asking again would not help"
    assert TOKEN not in told.value.message + told.value.hint


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed_with_the_token(github: HostRig, status: int) -> None:
    elsewhere = f"{github.fake.origin.replace('127.0.0.1', 'localhost')}/stolen"
    github.fake.faults.append(Fault(status, headers={"Location": elsewhere}))
    with pytest.raises(ForgeError, match="not followed"):
        github.host().opened()
    assert not asked(github, "GET", "stolen")


def test_the_next_page_is_asked_for_at_the_same_place(rig: HostRig) -> None:
    rig.fake.page = 2
    rig.fake.pulls = [
        FakePull(n, "t", "b", f"other-{n}" if n < 5 else branch_of("k"), "main", "x") for n in range(1, 6)
    ]
    rig.fake.pulls.append(FakePull(6, "t", "b", branch_of("stolen"), "main", "x", fork=True))
    assert [one.number for one in rig.host().opened()] == [5], "a fork's branch is not ours, whatever its name"
    assert asked(rig, "GET", "page=3") == 1
    assert not asked(rig, "GET", "elsewhere")
    for _ in range(5):
        rig.fake.comment(5, WRITER, "talk")
    assert [one.id for one in rig.host().comments(5, 103, 0.0)] == [104, 105], "by id, oldest first"


def test_a_stranger_cannot_answer_for_the_founder_from_a_fork(rig: HostRig) -> None:
    stolen = FakePull(1, "t", "b", branch_of("k1"), "main", STRANGER, state="closed", by=STRANGER, fork=True)
    rig.fake.pulls.append(stolen)
    assert rig.forge().publish(pull_for(rig, "k1"), []).number == 2


def test_drafts_are_drafts_and_where_there_are_none_it_is_opened_all_the_same(rig: HostRig) -> None:
    rig.fake.drafts = rig.fake.kind != "github"
    rig.host().open(pushed(rig), "main", PullText("Handle carts", "body"))
    made = rig.fake.pulls[0]
    assert made.draft is rig.fake.drafts
    assert (
        made.title
        == {"github": "Handle carts", "gitlab": "Draft: Handle carts", "gitea": "WIP: Handle carts"}[rig.fake.kind]
    )
    again = rig.host().open(made.head, "main", PullText("Other", "body"))
    assert again.number == 1, "one that is open is not opened again"
    made.draft, made.title = False, "a person's own title"
    rig.host().edit(1, "new body")
    assert (made.title, made.draft, made.body) == ("a person's own title", False, "new body"), (
        "a person's title and readiness stay"
    )


def test_who_closed_and_who_merged_is_told(rig: HostRig) -> None:
    rig.host().open(pushed(rig), "main", PullText("t", "b"))
    for state, by in (("closed", WRITER), ("merged", WRITER)):
        rig.fake.turn(1, state, by)
        seen = rig.host().found(branch_of("k1"))[0]
        assert (seen.state, seen.by) == (PullState(state), WRITER)


def test_a_commits_status_fits_the_host(rig: HostRig) -> None:
    for state in MarkState:
        rig.host().mark(rig.base, Mark(state, "x" * 400))
    rig.host().mark(rig.base, Mark(MarkState.SUCCESS, "the same again"))
    assert {one["name"] for one in rig.fake.statuses} == {"prodwise"}


def test_where_it_cannot_be_told_who_may_write_nobody_may(tmp_path: Path) -> None:
    with host_rig("gitea", tmp_path) as rig:
        rig.fake.admin = False
        published = rig.forge().publish(pull_for(rig, "k1"), [])
        rig.say(published, WRITER, "/prodwise close")
        events = rig.forge().look([published]).events
        assert [type(one) for one in events] == [Unheeded]
        assert "administrator" in getattr(events[0], "reason", "")


def test_a_command_is_not_lost_while_the_host_is_busy(rig: HostRig) -> None:
    published = rig.forge().publish(pull_for(rig, "k1"), [])
    rig.say(published, WRITER, "/prodwise retry")
    rig.fake.faults.append(Fault(500, part="members" if rig.fake.kind == "gitlab" else "collaborators", times=TRIES))
    with pytest.raises(Later):
        rig.forge().look([published])
    assert len(rig.forge().look([published]).events) == 1


def test_a_system_note_is_nobodys_command(tmp_path: Path) -> None:
    with host_rig("gitlab", tmp_path) as rig:
        published = rig.forge().publish(pull_for(rig, "k1"), [])
        rig.fake.comment(published.number, WRITER, "/prodwise close", system=True)
        assert rig.forge().look([published]).events == ()


@pytest.mark.parametrize(
    "base", ["http://forge.example/api/v4", "ftp://x", "https://u:p@forge.example", "forge.example", "https://x/?a=1"]
)
def test_a_token_is_sent_nowhere_in_the_clear(base: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        Api(base, "t", "Bearer", "")
    for remote in (base, "ext::sh -c x", "--upload-pack=x", "git@github.com:a/b.git"):
        with pytest.raises(ConfigError):
            GitBranches(tmp_path, remote if remote != "https://x/?a=1" else "ftp://x", "u", "t")


def test_the_token_is_in_no_argument_environment_or_message_of_git(
    github: HostRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    run = subprocess.run

    def watched(argv: list[str], **options: Any) -> Any:
        seen.append((argv, options.get("env")))
        return run(argv, **options)

    monkeypatch.setattr("prodwise.forge.branch.subprocess.run", watched)
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    branch = branch_of("k1")
    diff = pull_for(github, "k1").proposal.diff
    head = github.branches().push(branch, github.base, diff, "fix: x\n\nProdwise-Fault: k1\n", 1.0, "")
    assert github.fake.tip(branch) == head
    assert len(seen) > 5
    assert TOKEN not in repr(seen)
    assert TOKEN not in repr(github.branches())
    wrong = GitBranches(github.local, github.fake.remote, "prodwise", f"{TOKEN}-wrong")
    with pytest.raises(ForgeError) as told:
        wrong.push(branch, github.base, diff, "fix: x\n\nProdwise-Fault: k1\n", 2.0, head)
    assert TOKEN not in told.value.message
    assert "token" in told.value.hint
    assert not any(TOKEN in one.headers.get("authorization", "") for one in github.fake.asked if ".git/" in one.path)


def test_nothing_of_the_repository_runs_and_nothing_is_left_in_it(github: HostRig, tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    for name in ("pre-push", "pre-commit", "reference-transaction", "post-index-change"):
        hook = github.local / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {trap}\n")
        hook.chmod(0o755)
    for setting in (
        f"core.fsmonitor=touch {trap}",
        f"credential.helper=!touch {trap}",
        f"url.file:///nowhere.insteadOf={github.fake.origin}",
    ):
        git(github.local, "config", *setting.split("=", 1))
    before = sorted(path for path in (github.local / ".git").rglob("*"))
    github.forge().publish(pull_for(github, "k1"), [])
    assert not trap.exists()
    assert sorted(path for path in (github.local / ".git").rglob("*")) == before
    assert (
        git(github.fake.bare, "show", f"{branch_of('k1')}:shop.py").splitlines()[1]
        == '    price = cart.get("price", 0)'
    )
    assert (
        git(github.fake.bare, "log", "-1", "--format=%an %cn %P", branch_of("k1")) == f"Prodwise Prodwise {github.base}"
    )


def test_only_branches_of_ours_are_written(github: HostRig) -> None:
    for branch in (
        "main",
        "prodwise/other",
        "prodwise/fix-../main",
        "prodwise/fix-A",
        "+prodwise/fix-a",
        "prodwise/fix-",
    ):
        with pytest.raises(Refused):
            github.branches().push(branch, github.base, pull_for(github, "k").proposal.diff, "m", 1.0, "")


def test_a_link_or_an_executable_in_disguise_is_refused(github: HostRig) -> None:
    link = "diff --git a/x b/x\nnew file mode 120000\n"
    link += "--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n"
    with pytest.raises(Refused, match="no plain file"):
        github.branches().push(branch_of("k"), github.base, link, "m", 1.0, "")
    assert not github.fake.tip(branch_of("k"))


@pytest.mark.parametrize("key", ["a", "A/../b", "x" * 99, "ключ", "a--2", "", "-a", "a.lock", "a b"])
def test_any_key_gives_a_usable_branch_of_its_own(key: str) -> None:
    names = {branch_of(key), branch_of(key, 2), branch_of(f"{key}!")}
    assert len(names) == 3
    for name in names:
        assert (
            subprocess.run(["git", "check-ref-format", "--branch", name], capture_output=True, check=False).returncode
            == 0
        )


def test_a_host_that_is_silent_is_not_waited_for_without_end(github: HostRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prodwise.forge.api.CALL_S", 0.3)
    github.fake.faults.append(Fault(seconds=1.0, times=99))
    with pytest.raises(Later, match="no answer within"):
        github.host().opened()


def test_an_answer_without_end_is_cut_off(github: HostRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prodwise.forge.api.BODY_MAX", 10_000)
    github.fake.faults.append(Fault(200, body=["x" * 100_000]))
    with pytest.raises(ForgeError, match="larger than"):
        github.host().opened()


def test_a_token_that_may_set_no_status_still_proposes(rig: HostRig) -> None:
    rig.fake.faults.append(Fault(403, part="statuses"))
    published = rig.forge().publish(pull_for(rig, "k1"), [])
    assert published.state is PullState.OPEN
    assert "403" in published.unmarked
    assert rig.forge().publish(pull_for(rig, "k1"), [published]).unmarked == ""


def test_a_page_that_is_no_address_is_not_kept(rig: HostRig) -> None:
    rig.fake.pages = "javascript:alert(1)//"
    assert rig.host().open(pushed(rig), "main", PullText("t", "b")).url == ""
