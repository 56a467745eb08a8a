"""Stories that survive kill -9: DBOS steps, and steps that commit together with our own rows."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal, NoReturn, ParamSpec, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from prodwise.model.errors import Fenced, NotRunning, TargetError

if TYPE_CHECKING:
    from dbos import DBOS, DBOSConfig, Queue, SQLAlchemyDatasource, WorkflowStatus

IsolationLevel = Literal["SERIALIZABLE", "READ COMMITTED"]
P = ParamSpec("P")
R = TypeVar("R")
Body = Callable[[str], str]
Broken = Callable[[str, str, Exception], None]

CRASHES: Final = (DatabaseError, Fenced)
"""What must reach the step around it, and ends this process there."""
EXIT_DATABASE, EXIT_UNSEEN, EXIT_FENCED = 70, 72, 75
APPLICATION_VERSION = "stories-6"
"""Raised when a story's order of steps changes; workflows begun under another version are not mixed up with this one's."""

UNSEEN_S = 0.5
"""How soon a target that did not answer is asked again."""

POLL_S = 1.0
"""How often DBOS polls its database. Our stories do not wait through it, so a slow poll costs nothing (0.1 s costs ~5 % CPU)."""

RESUME_S, TAKEN_S = 0.1, 5.0
"""How often DBOS looks for stories that are to be resumed while there are some, and how long that is waited for."""
RARELY_S = 60.0
"""How often it looks once they all go on: nothing else comes through that queue, and a look a second was a third of an idle healer's
work. Where some still wait after that time (a slow machine) it stays at `POLL_S`: users may be waiting for what they do."""

ENDED: Final = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


@dataclass(frozen=True, slots=True)
class Left:
    """A story that is not over. story: its kind; ours: whether it goes by this version's steps."""

    id: str
    story: str
    subject: str
    ours: bool = True


class Durable:
    """The one door to DBOS, which is imported when it is opened: that takes a second, and pages need not wait for it."""

    _made: ClassVar[DBOS | None] = None
    _resumed: ClassVar[Queue]
    _over: ClassVar[threading.Event] = threading.Event()
    _datasource: SQLAlchemyDatasource

    def __init__(
        self, engine: Engine, within: Callable[[Session], AbstractContextManager[None]], system_url: str, executor: str
    ) -> None:
        """engine, within: the store's, whose units of work join a step's session; system_url: of DBOS's own tables."""
        self._engine, self._within = engine, within
        self._system_url, self._executor = system_url, executor
        self._bodies: dict[str, tuple[Body, Broken]] = {}
        self._stories: dict[str, Body] = {}
        self._isolation: IsolationLevel = "SERIALIZABLE" if engine.dialect.name == "sqlite" else "READ COMMITTED"
        """As everywhere else in the store: its units take the chain's head first where order matters. Above that, PostgreSQL
        would fail a step whenever the intake wrote meanwhile, and with it this process."""

    def story(self, name: str, body: Body, broken: Broken) -> None:
        """A story is a function of its subject's id. broken: is told of one (name, subject, error) that cannot go on."""
        self._bodies[name] = body, broken

    def open(self) -> None:
        """Nothing is carried out yet. Does nothing the second time."""
        if self._stories:
            return
        from dbos import DBOS, SQLAlchemyDatasource

        config: DBOSConfig = {
            "name": "prodwise",
            "system_database_url": self._system_url,
            "application_version": APPLICATION_VERSION,
            "executor_id": self._executor,
            "log_level": "WARNING",
            "notification_listener_polling_interval_sec": POLL_S,
        }
        if self._system_url.startswith("sqlite"):
            config["db_engine_kwargs"] = {"pool_pre_ping": False}  # no connection to a file is ever lost
        made = Durable._made = DBOS(config=config)
        Durable._over = threading.Event()
        # Ends its thread for delays and time-outs of workflows, which no story has: a fifth of an idle healer's work.
        made._background_jobs_stop_event.set()
        # The queue through which stories are resumed; there is no setting for it.
        Durable._resumed = made._registry.get_internal_queue()
        Durable._resumed._polling_interval_sec = RESUME_S
        url = self._engine.url.render_as_string(hide_password=False)
        self._datasource = SQLAlchemyDatasource.create(url, engine=self._engine)
        self._stories = {name: _registered(name, *story) for name, story in self._bodies.items()}

    def launch(self) -> None:
        """Starts DBOS. Call it only while holding the lease: from then on this process alone carries out stories."""
        from dbos import DBOS

        self.open()
        DBOS.launch()
        # Once a second it asks the database which queues there are, and we make none: a tenth of an idle healer's work. There is no
        # setting for it, and `listen_queues` leaves some out only after it has asked.
        if Durable._made is not None:
            Durable._made._sys_db.list_queues = _no_queues  # type: ignore[method-assign]

    @staticmethod
    def left(executor: str) -> tuple[Left, ...]:
        """Stories that other executors left unfinished, the one that began first first.

        The others are dead, or paused without the lease; should one of those wake up, its stories are no longer its own and end.
        """
        from dbos import DBOS

        found = DBOS.list_workflows(status=["PENDING", "ENQUEUED"], load_output=False)
        others = [one for one in found if one.executor_id != executor]
        return tuple(
            Left(one.workflow_id, one.name, _subject(one), one.app_version == APPLICATION_VERSION)
            for one in sorted(others, key=lambda one: one.created_at or 0)
        )

    @staticmethod
    def resume(stories: Sequence[str]) -> None:
        """They go on here, from their last finished step. DBOS counts resumptions from zero each time: `loop/resuming.py` counts."""
        from dbos import DBOS

        if stories:
            DBOS.resume_workflows(list(stories))
        deadline, waits = time.monotonic() + TAKEN_S, bool(stories)
        while waits and time.monotonic() < deadline:
            time.sleep(RESUME_S / 2)
            waits = _queued(list(stories))
        Durable._resumed._polling_interval_sec = POLL_S if waits else RARELY_S

    @staticmethod
    def give_up(stories: Sequence[str]) -> None:
        """No healer goes on with them."""
        from dbos import DBOS

        if stories:
            DBOS.cancel_workflows(list(stories))

    @staticmethod
    def ended(story: str) -> bool:
        """It has begun, and will not go on, whatever came of it."""
        from dbos import DBOS

        return bool(DBOS.list_workflows(workflow_ids=[story], status=list(ENDED), load_input=False, load_output=False))

    @staticmethod
    def goes_on(story: str) -> bool:
        """It has begun, here or in a healer that is gone, and is not over."""
        from dbos import DBOS

        under_way = ["PENDING", "ENQUEUED"]
        found = DBOS.list_workflows(workflow_ids=[story], status=under_way, load_input=False, load_output=False)
        return bool(found)

    @staticmethod
    def destroy() -> None:
        Durable._over.set()
        if Durable._made is None:
            return
        from dbos import DBOS

        DBOS.destroy(workflow_completion_timeout_sec=0)

    def begin(self, workflow_id: str, story: str, subject: str) -> None:
        """Starts a story once: a second call with the same id joins the first."""
        from dbos import DBOS, SetWorkflowID

        with SetWorkflowID(workflow_id):
            DBOS.start_workflow(self._stories[story], subject)

    @staticmethod
    def step(name: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs at least once; its result is recorded. For looking, and for effects that the ledger makes idempotent.

        While the target does not answer it is asked again: that the guard is down for a moment must end no story.
        """
        from dbos import DBOS

        return DBOS.run_step({"name": name}, _crash_only(_patient(function)), *args, **kwargs)

    def transact(self, name: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs with our rows and the step's record in one transaction, so that they cannot disagree."""

        def joined() -> R:
            with self._within(self._datasource.sql_session()):
                return function(*args, **kwargs)

        return self._datasource.run_tx_step({"name": name, "isolation_level": self._isolation}, _crash_only(joined))


def _registered(name: str, body: Body, broken: Broken) -> Body:
    from dbos import DBOS

    @DBOS.workflow(name=name, max_recovery_attempts=1000)
    def run(subject: str) -> str:
        try:
            return _crash_only(body)(subject)
        except Exception as error:
            if not Durable._over.is_set():  # else it goes on in the next healer
                traceback.print_exc(file=sys.stderr)
                _crash_only(broken)(name, subject, error)
            raise

    return run


def _no_queues(**_: object) -> list[Queue]:
    return []


def _subject(one: WorkflowStatus) -> str:
    return str(one.input["args"][0]) if one.input and one.input["args"] else one.workflow_id


def _queued(stories: list[str]) -> bool:
    """Whether one of these still waits to be resumed."""
    from dbos import DBOS

    return bool(DBOS.list_workflows(workflow_ids=stories, status="ENQUEUED", load_input=False, load_output=False))


def _patient(function: Callable[P, R]) -> Callable[P, R]:
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        while True:
            try:
                return function(*args, **kwargs)
            except (TargetError, NotRunning):
                time.sleep(UNSEEN_S)

    return run


def _crash_only(function: Callable[P, R]) -> Callable[P, R]:
    """Some failures must end the process, so that a clean one looks again: a database or target that does not answer, a lost lease.

    Swallowed instead, they would end a story in an error (measured: a single EIO did).
    """

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except DatabaseError as error:
            leave(EXIT_DATABASE, f"the database does not answer: {error.orig}")
        except Fenced as error:
            leave(EXIT_FENCED, error.message)
        except (TargetError, NotRunning) as error:
            leave(EXIT_UNSEEN, f"the target cannot be seen: {error.message}")

    return run


def leave(code: int, reason: str) -> NoReturn:
    """Ends this process at once; its supervisor starts a clean one."""
    print(f"prodwise: leaving: {reason}", file=sys.stderr, flush=True)
    os._exit(code)
