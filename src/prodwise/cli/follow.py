"""Following a rollout to its end: one live line in a terminal, one line per change elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prodwise.cli.client import Client
from prodwise.cli.codes import Code
from prodwise.cli.desk import Desk, colourful, paint
from prodwise.cli.fit import columns
from prodwise.clock import monotonic, now
from prodwise.model.errors import NotRunning, ProdwiseError
from prodwise.model.record import RolloutState
from prodwise.server.views.words import duration, left, percent, visible

LOOK_S = 0.3
AWAY_MAX_S = 120.0
FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"

Rollout = Mapping[str, Any]


@dataclass
class Ticker:
    """The last line of the terminal: what is going on, and for how long. Nothing in a pipe."""

    desk: Desk
    began: float = field(default_factory=monotonic)
    frame: int = 0

    @property
    def live(self) -> bool:
        return sys.stderr.isatty() and not self.desk.quiet

    def tick(self, text: str) -> None:
        if self.live:
            self.frame += 1
            spinner = FRAMES[self.frame % len(FRAMES)] if colourful(sys.stderr) else "…"
            room = (columns(sys.stderr) or 80) - 14
            line = f"{spinner} {duration(float(int(monotonic() - self.began)))}  {visible(text, max(20, room))}"
            print(f"\r\x1b[2K{line}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self.live:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)

    def say(self, text: str, style: str = "") -> None:
        """A line that stays, above the live one."""
        self.clear()
        elapsed = duration(float(int(monotonic() - self.began)))
        self.desk.say(f"{elapsed:>7}  {text}", style)


def words(rollout: Rollout, ahead: str = "") -> str:
    """Where a rollout is, in one line."""
    state = RolloutState(rollout["state"])
    if state is RolloutState.QUEUED:
        return f"queued{f' behind {ahead}' if ahead else ''}"
    if state is RolloutState.BUILDING:
        return "building; no user sees it yet"
    if state is RolloutState.CHECKING:
        return "checking it before any user sees it"
    if state is RolloutState.WATCHING:
        until = rollout["watch_until"]
        return "serves everyone; watching that it holds" + (
            f" ({left(until - now())} left)" if until and until > now() else ""
        )
    if state is RolloutState.RAMPING:
        return f"{percent(rollout['share'])} of users have it" if rollout["share"] else "no user has it"
    return state.value.replace("_", " ")


def waiting_for(rollout: Rollout) -> str:
    """The gates that hold it, with their reasons."""
    held = [gate for gate in rollout["gates"] if gate.get("verdict") == "hold"]
    return "; ".join(str(gate.get("reason", "")) for gate in held[:2])


class Follower:
    """Watches one release's rollout through the API."""

    def __init__(self, desk: Desk, client: Client, release: str) -> None:
        self._desk, self._client, self._release = desk, client, release
        self._ticker = Ticker(desk)
        self._share = 0.0
        self._said = ""
        self._away_since: float | None = None

    def run(self, timeout_s: float) -> tuple[int, Rollout]:
        """(exit code, the rollout as it ended). Raises NotRunning when the healer stays away; 124 after timeout_s (0 = never)."""
        while True:
            rollout, ahead = self._look()
            if rollout is not None:
                self._share = max(self._share, float(rollout["share"]))
                if RolloutState(rollout["state"]).settled:
                    self._ticker.clear()
                    return self._code(rollout), rollout
                self._tell(rollout, ahead)
            if timeout_s and monotonic() - self._ticker.began > timeout_s:
                self._ticker.clear()
                return Code.TIMED_OUT, rollout or {}
            time.sleep(LOOK_S)

    def _look(self) -> tuple[Rollout | None, str]:
        try:
            rollouts = self._client.get("rollouts")["rollouts"]
        except NotRunning:
            self._away_since = self._away_since or monotonic()
            if monotonic() - self._away_since > AWAY_MAX_S:
                raise
            self._ticker.tick("the healer is away; it takes the rollout up again when it is back")
            return None, ""
        self._away_since = None
        mine = next((r for r in rollouts if r["release"] == self._release), None)
        ahead = [
            r["release"] for r in rollouts if not RolloutState(r["state"]).settled and r["release"] != self._release
        ]
        return mine, ahead[-1] if ahead else ""

    def _tell(self, rollout: Rollout, ahead: str) -> None:
        where = words(rollout, ahead)
        said = where.partition(" (")[0]
        if said != self._said:
            self._ticker.say(said)
            self._said = said
        wait = waiting_for(rollout)
        self._ticker.tick(f"{where}; waiting: {wait}" if wait else where)

    def _code(self, rollout: Rollout) -> int:
        if rollout["state"] == RolloutState.VERIFIED_GOOD:
            return Code.OK
        if rollout["share"]:
            return Code.FAILED  # its users could not be taken back
        return Code.UNDONE if self._share > 0 else Code.GATE_FAILED


def ending(client: Client, desk: Desk, rollout: Rollout, code: int) -> None:
    """The last words of a deploy: what serves now, why, what to do next."""
    release = str(rollout.get("release", ""))
    if code == Code.OK:
        took = duration(float(rollout["ended_at"] or now()) - float(rollout["began_at"]))
        desk.show(f"{paint('✓', 'good')} {paint(release, 'bold')} is verified good and serves everyone ({took})")
        return
    if code == Code.TIMED_OUT:
        desk.show(
            f"{paint('…', 'warn')} {paint(release, 'bold')} is still on its way; it goes on without this terminal"
        )
        return
    reason, log = _why(client, release)
    what = "went back by itself" if code == Code.UNDONE else "was refused; no user saw it"
    serves = f"{rollout['previous'] or 'The release before'} serves"
    if code == Code.FAILED:
        what, serves = "could not be taken from users", "`prodwise releases` shows how many still have it"
    desk.show(f"{paint('✗', 'bad')} {paint(release, 'bold')} {what}. {serves}.")
    if reason:
        desk.show(*(f"  {paint(line, '')}" for line in reason.splitlines()))
    _last_words(desk, release, log)
    desk.say("  next: fix it, commit it, `prodwise deploy` again", "dim")
    if code == Code.GATE_FAILED:
        desk.say(f"  or see whether a fix is found: prodwise fix --incident {release}", "dim")
    desk.say(f"  the whole reasoning: prodwise why {release}", "dim")


def _last_words(desk: Desk, release: str, build_log: str) -> None:
    """What the release's own processes said at last, and where all of it is."""
    from prodwise import wiring

    text, log = wiring.last_words(desk.app_dir, release)
    for line in text.splitlines():
        desk.say(f"  │ {line}")
    if log or build_log:
        desk.say(f"  log: {log or build_log}", "dim")


def _why(client: Client, release: str) -> tuple[str, str]:
    try:
        found: Rollout = next((r for r in client.get("releases")["releases"] if r["id"] == release), {})
    except ProdwiseError:
        return "", ""
    return str(found.get("reason") or ""), str(found.get("log") or "")


def wait_until(desk: Desk, what: str, done: Any, timeout_s: float) -> bool:
    """Looks until done() is true, showing `what` and the time; False when the time is over."""
    ticker = Ticker(desk)
    while monotonic() - ticker.began < timeout_s:
        try:
            if done():
                ticker.clear()
                return True
        except NotRunning:
            pass
        ticker.tick(what)
        time.sleep(LOOK_S)
    ticker.clear()
    return False
