"""Stories that survive kill -9: DBOS steps, and steps that commit together with our own rows."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NoReturn, ParamSpec, TypeVar

from dbos import DBOS, DBOSConfig, SetWorkflowID, SQLAlchemyDatasource
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from prodwise.model.errors import Fenced

P = ParamSpec("P")
R = TypeVar("R")

EXIT_DATABASE, EXIT_FENCED = 70, 75
APPLICATION_VERSION = "stories-1"
"""Raised when a story's order of steps changes; workflows begun under another version are not mixed up with this one's."""

POLL_S = 1.0
"""How often DBOS polls its database. Our stories do not wait through it, so a slow poll costs nothing (0.1 s costs ~5 % CPU)."""


class Durable:
    """The one door to DBOS. within: makes the store's units of work join a session."""

    def __init__(
        self, datasource: SQLAlchemyDatasource, within: Callable[[Session], AbstractContextManager[None]]
    ) -> None:
        self._datasource = datasource
        self._within = within

    @staticmethod
    def configure(system_database_url: str, executor: str) -> None:
        """Must come before any story is registered."""
        config: DBOSConfig = {
            "name": "prodwise",
            "system_database_url": system_database_url,
            "application_version": APPLICATION_VERSION,
            "executor_id": executor,
            "log_level": "WARNING",
            "notification_listener_polling_interval_sec": POLL_S,
        }
        DBOS(config=config)

    @staticmethod
    def launch() -> None:
        """Starts DBOS; stories that a dead process left unfinished go on from their last finished step."""
        DBOS.launch()

    @staticmethod
    def destroy() -> None:
        DBOS.destroy(workflow_completion_timeout_sec=0)

    @staticmethod
    def story(name: str, body: Callable[[str], str]) -> Callable[[str], str]:
        """Registers a story: a function of its subject's id."""

        @DBOS.workflow(name=name, max_recovery_attempts=1000)
        def run(subject: str) -> str:
            return body(subject)

        return run

    @staticmethod
    def begin(workflow_id: str, story: Callable[[str], str], subject: str) -> None:
        """Starts a story once: a second call with the same id joins the first."""
        with SetWorkflowID(workflow_id):
            DBOS.start_workflow(story, subject)

    @staticmethod
    def step(name: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs at least once; its result is recorded. For looking, and for effects that the ledger makes idempotent."""
        return DBOS.run_step({"name": name}, _crash_only(function), *args, **kwargs)

    def transact(self, name: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Runs with our rows and the step's record in one transaction, so that they cannot disagree."""

        def joined() -> R:
            with self._within(self._datasource.sql_session()):
                return function(*args, **kwargs)

        return self._datasource.run_tx_step({"name": name}, _crash_only(joined))


def _crash_only(function: Callable[P, R]) -> Callable[P, R]:
    """Some failures must end the process, so that a clean one looks again: a database that does not answer, a lost lease.

    Swallowed instead, they would end a story in an error (measured: a single EIO did).
    """

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except DatabaseError as error:
            leave(EXIT_DATABASE, f"the database does not answer: {error.orig}")
        except Fenced as error:
            leave(EXIT_FENCED, error.message)

    return run


def leave(code: int, reason: str) -> NoReturn:
    """Ends this process at once; its supervisor starts a clean one."""
    print(f"prodwise: leaving: {reason}", file=sys.stderr, flush=True)
    os._exit(code)
