"""Publishes healing changes and listens to what people answer. Whether, where and in which words is decided in loop/publish.

No step rests on the one before having been remembered: what stands on the host is looked for first, so that a repetition
after a crash finds it and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from prodwise.loop.publish import body, command, decide, inert, style
from prodwise.loop.publish.does import does
from prodwise.loop.publish.extent import extent
from prodwise.model.errors import ForgeError, Later, Refused
from prodwise.model.pull import (
    Asked,
    HealingPull,
    Looked,
    Mark,
    MarkState,
    Published,
    PullEvent,
    PullSeen,
    PullState,
    PullText,
    Said,
    Turned,
    Unheeded,
)
from prodwise.ports import Branches, Host

ATTEMPTS_MAX = 9
TELL_MAX = 4_000


class Publisher:
    """One repository. plain: no host shows the text, so that the commit carries it. Implements ports.Forge."""

    def __init__(self, host: Host, branches: Branches, plain: bool = False) -> None:
        self._host, self._branches, self._plain = host, branches, plain

    def publish(self, pull: HealingPull, history: Sequence[Published]) -> Published:
        """1. What stands for this fault, here and on the host. 2. May it be proposed? 3. The branch. 4. The pull request, or
        its new body. 5. The commit's status."""
        mine = decide.remembered(pull.key, history, self._standing(pull.key, history))
        merged = pull.met or self._branches.has(pull.base)
        decision = decide.decide(pull, mine, len(self._host.opened()), merged)
        if isinstance(decision, decide.No):
            raise Refused(decision.reason, decision.hint)
        reach = extent(pull.proposal.diff)
        title = style.subject(
            style.learn(self._branches.subjects(pull.base)), pull.proposal.kind, does(pull.proposal), reach.files
        )
        text = PullText(title, body.body(pull))
        standing = decision.pull if isinstance(decision, decide.Update) else None
        branch = standing.branch if standing else decision.branch if isinstance(decision, decide.Open) else ""
        message = body.message(pull, title, self._plain, branch)
        head = self._branches.push(
            branch, pull.base, pull.proposal.diff, message, pull.at, standing.head if standing else ""
        )
        if standing is None:
            seen = self._host.open(branch, self._branches.main(), text)
            standing = Published(pull.key, branch, seen.number, seen.url, head, seen.state)
        else:
            self._host.edit(standing.number, text.body)
        mark = Mark(MarkState.SUCCESS, f"{len(pull.gates)} of {len(pull.gates)} gates passed")
        return replace(standing, head=head, unmarked=self._marked(head, mark))

    def look(self, pulls: Sequence[Published]) -> Looked:
        """Each on its own: comments first, so that a word said before it was closed is heard."""
        events: list[PullEvent] = []
        now: list[Published] = []
        for pull in pulls:
            heard = pull
            for said in self._host.comments(pull.number, pull.heard, pull.heard_at):
                events += self._heed(pull, said)
                heard = replace(heard, heard=said.id, heard_at=said.at)
            now.append(self._turn(heard, events))
        return Looked(tuple(events), tuple(now))

    def tell(self, pull: Published, text: str, mark: Mark | None = None) -> Published:
        lines = [inert.prose(line) for line in text[:TELL_MAX].splitlines()]
        comment = self._host.say(pull.number, pull.comment, "\n\n".join(line for line in lines if line))
        if mark is not None:
            pull = replace(pull, unmarked=self._marked(pull.head, replace(mark, text=inert.inert(mark.text, 140))))
        return replace(pull, comment=comment)

    def close(self, pull: Published) -> Published:
        if any(one.number == pull.number and one.state is not PullState.OPEN for one in self._host.found(pull.branch)):
            return self._turn(pull, [])
        self._host.edit(pull.number, None, close=True)
        return replace(pull, state=PullState.CLOSED)

    def _standing(self, key: str, history: Sequence[Published]) -> list[PullSeen]:
        """From this fault's branches, oldest first: one branch past those that are remembered is looked for, too."""
        seen: list[PullSeen] = []
        remembered = {one.branch for one in history if one.key == key}
        for attempt in range(1, ATTEMPTS_MAX + 1):
            branch = decide.branch_of(key, attempt)
            found = self._host.found(branch)
            seen += sorted(found, key=lambda one: one.number)
            if not found and branch not in remembered:
                return seen
        raise Refused(f"this fault was proposed {ATTEMPTS_MAX} times", "it needs a person now")

    def _marked(self, head: str, mark: Mark) -> str:
        """Why not, "" when it was: a token without that permission must not take the pull request along."""
        try:
            self._host.mark(head, mark)
        except Later:
            raise
        except ForgeError as error:
            return f"{error.message}; {error.hint}"
        return ""

    def _heed(self, pull: Published, said: Said) -> Iterator[PullEvent]:
        """A comment that is no command is nobody's business here."""
        wanted = command.command_in(said.body)
        if wanted is None:
            return
        by = inert.inert(said.by.login, 60)
        try:
            allowed = bool(said.by.login) and self._host.may_write(said.by)
        except Later:
            raise
        except ForgeError as error:
            yield Unheeded(pull.key, pull.number, by, said.at, f"{error.message}; {error.hint}")
            return
        if allowed:
            yield Asked(pull.key, pull.number, wanted, by, said.at)
        else:
            yield Unheeded(
                pull.key, pull.number, by, said.at, f"{by or 'this account'} may not write to the repository"
            )

    def _turn(self, pull: Published, events: list[PullEvent]) -> Published:
        seen = next((one for one in self._host.found(pull.branch) if one.number == pull.number), None)
        if seen is None:
            return pull
        if seen.state is not pull.state:
            events.append(Turned(pull.key, pull.number, seen.state, inert.inert(seen.by, 60)))
        return decide.turned(pull, seen)
