"""What is committed together, and what one of it may not cost the others."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from prodwise.clock import now
from prodwise.loop.sample import Sampler
from prodwise.model.digest import Delivery
from prodwise.model.project import Project
from prodwise.model.redaction import Redactor
from prodwise.signals.receiver.commits import Commits
from prodwise.signals.receiver.digest import Digester
from prodwise.signals.receiver.seen import SeenIds
from prodwise.signals.sentry.envelope import SentryDecoder
from prodwise.store.reports.archive import SqlReportArchive
from prodwise.store.reports.shelves import Shelves
from prodwise.store.reports.writer import ReportWriter
from tests.signals.sentry_kit import KEY, envelope
from tests.signals.test_receiver import error

TOO_LARGE_FOR_A_ROW = 2**70


def deliveries(count: int) -> list[Delivery]:
    digester, decoder, project = (
        Digester(Redactor(), Sampler(), "salt"),
        SentryDecoder(),
        Project(1, "shop", KEY, "web"),
    )
    return [digester.digest(decoder.read_envelope(envelope(error()), 1, now()), project, now()) for _ in range(count)]


async def stored(folder: Path, given: list[Delivery]) -> tuple[list[bool], list[str]]:
    """(whether each was stored, of one commit; what was complained of)."""
    said: list[str] = []
    commits = Commits(ReportWriter(f"sqlite:///{folder}/reports-0.db", 0), SeenIds(folder / "seen"), said.append)
    commits._loop = asyncio.get_running_loop()
    answers = [commits.put(one) for one in given]
    commits.start()
    try:
        return list(await asyncio.wait_for(asyncio.gather(*answers), 20)), said
    finally:
        commits.close()


def test_what_cannot_be_stored_costs_nobody_else_his_reports(tmp_path: Path) -> None:
    given = deliveries(40)
    for bad in (7, 31):
        given[bad] = replace(given[bad], project=TOO_LARGE_FOR_A_ROW)
    answers, said = asyncio.run(stored(tmp_path, given))
    assert [number for number, answer in enumerate(answers) if not answer] == [7, 31]
    assert len(said) == 1
    assert "cannot be stored" in said[0]
    assert SqlReportArchive(Shelves(tmp_path)).received(1).events == 38
