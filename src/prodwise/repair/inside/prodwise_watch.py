"""pytest's side of `sitecustomize`: a plugin (PYTEST_PLUGINS) that tells it when tests begin, end, and are about to be run."""

import inspect
import itertools
import unittest

import pytest
import sitecustomize as watch

QUICK_MOST = 3
MARKS = ("parametrize", "usefixtures")


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
        watch.failed_by(raised.value)
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
        failing = [item for item in session.items if item.nodeid in first][:QUICK_MOST]
        watch.fork_all([quick(item) for item in itertools.takewhile(plain, failing)])


def plain(item):
    """Whether a test is a function, or a method of a case, of which no mark or plugin decides how it is called."""
    if not hasattr(item, "_fixtureinfo") or any(mark.name not in MARKS for mark in item.iter_markers()):
        return False
    return of_a_case(item) or (type(item) is pytest.Function and not inspect.iscoroutinefunction(item.function))


def of_a_case(item):
    return isinstance(getattr(item, "cls", None), type) and issubclass(item.cls, unittest.TestCase)


def quick(item):
    """What it needs is set up by the runner, in each try; what the one before it needed is taken down."""

    def call():
        state = item.session._setupstate
        if hasattr(state, "setup"):
            state.teardown_exact(item)
            state.setup(item)
        else:  # before pytest 7
            state.teardown_exact(item, item)
            state.prepare(item)
        if of_a_case(item):
            item.cls(item.name).run(Ended())
        else:
            item.obj(**{name: item.funcargs[name] for name in item._fixtureinfo.argnames})

    return call


class Ended(unittest.TestResult):
    """A try is over with its first failure, of which no report is made."""

    def addError(self, test, err):
        watch.failed_by(err[1])
        watch.leave(1)

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.addError(test, err)

    def addUnexpectedSuccess(self, test):
        watch.leave(1)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    if watch.State.child is not None:
        watch.over(int(exitstatus))
