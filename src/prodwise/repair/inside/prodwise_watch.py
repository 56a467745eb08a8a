"""pytest's side of `sitecustomize`: a plugin (PYTEST_PLUGINS) that tells it when tests begin, end, and are about to be run."""

import sitecustomize as watch


def pytest_runtest_logstart(nodeid, location):
    watch.starting(nodeid)


def pytest_runtest_logreport(report):
    if report.when == "call" or report.failed or report.skipped:
        watch.ended(report.nodeid, bool(report.failed))


def pytest_runtestloop(session):
    if not session.testsfailed:
        watch.fork_all()
