"""pytest's side of `sitecustomize`: a plugin (PYTEST_PLUGINS) that tells it when tests begin, end, and are about to be run."""

import copy
import inspect
import unittest

import pytest
import sitecustomize as watch

QUICK_MOST = 3


def pytest_runtest_logstart(nodeid, location):
    watch.starting(nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    """A try is over with its first failure: no report is made of it, which would take longer than the test."""
    raised = call.excinfo or next(
        iter(getattr(item, "_excinfo", None) or ()), None
    )  # the latter: kept by unittest's tests
    if raised is not None:
        watch.calm()  # to tell of a failure may take longer than the test had left
        watch.State.error = type(raised.value).__name__
    if watch.State.child is not None and raised is not None:
        expected = (pytest.skip.Exception, getattr(pytest, "xfail", pytest.skip).Exception, unittest.SkipTest)
        marked = any(mark.name == "xfail" for mark in item.iter_markers()) if hasattr(item, "iter_markers") else True
        odd = getattr(getattr(item, "obj", None), "__unittest_expecting_failure__", False)
        if not marked and not odd and not isinstance(raised.value, expected):
            watch.ended(item.nodeid, True)


def pytest_runtest_logreport(report):
    if report.when == "call" or report.failed or report.skipped:
        watch.ended(report.nodeid, bool(report.failed))


def pytest_runtestloop(session):
    if not session.testsfailed:
        first = {name: at for at, name in enumerate(watch.State.plan.get("first", ()))}
        must = frozenset(watch.State.plan.get("must", ()))
        if must.issuperset(first) and must.issubset(item.nodeid for item in session.items):
            session.items[:] = [item for item in session.items if item.nodeid in must] or session.items
        session.items.sort(key=lambda item: first.get(item.nodeid, len(first)))
        watch.State.sorted = bool(first)
        watch.fork_all([quick(item) for item in session.items if item.nodeid in first and plain(item)][:QUICK_MOST])


def plain(item):
    """Whether a test is a function that is called with its parameters, and nothing else is set up for it."""
    info = getattr(item, "_fixtureinfo", None)
    params = getattr(getattr(item, "callspec", None), "params", {})
    return (
        type(item) is pytest.Function
        and item.cls is None
        and info is not None
        and set(info.argnames) == set(params)
        and set(getattr(info, "name2fixturedefs", {None: None})) <= set(params)
        and not inspect.iscoroutinefunction(item.function)
        and not any(mark.name != "parametrize" for mark in item.iter_markers())
    )


def quick(item):
    params = getattr(getattr(item, "callspec", None), "params", {})
    return lambda: item.function(**copy.deepcopy(params))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    if watch.State.child is not None:
        watch.over(int(exitstatus))
