"""Goes along with a repository's test command (first on PYTHONPATH): notes what each test executes, or tries edits in forks.

It is loaded by any Python from 3.6 up, in a repository that it knows nothing about, and answers into `answer.jsonl` beside
itself. `plan.json` says what to do:
    {"mode": "cover", "only": [paths] or null}       which lines each test ran
    {"mode": "try", "edits": [[id, path, unit, start, end, new, score, whole]], "first": [tests that run first],
     "must": [tests that have to pass], "known": [tests that may fail], "seconds": CPU time of one edit, "quick": of its first look,
     "idle": for how long it may wait, "margin": how much worse than the best that passes is still tried, "look": how many are tried
     in any case, "most": how many may pass, "total": seconds after which it ends where one has passed, "last": where none has,
     "error": the type that the check fails with}
    {"mode": "compare", "edits": as above, "seconds": CPU time of one edit, "total": of all}     what each answers beyond the tests
    {"mode": "ask", "places": [[path, first line, last line, [questions]]], "first": [tests that fail, which run first],
     "last": seconds after which no question is asked}      what they are answered where the tests come past
The fork happens when the tests were collected and nothing ran yet, so that imports are paid once for all edits.
"""

import atexit
import json
import os
import signal
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
HUNG_MOST = 40
NEARLY = 96
TELLERS = tuple(
    os.path.join(*one) for one in (("_io", "saferepr.py"), ("reprlib.py",), ("unittest", "util.py"), ("pprint.py",))
)


class State:
    plan = {}  # type: dict
    test = ""
    lines = {}  # type: dict
    child = None
    pid = os.getpid()
    known = frozenset()  # type: frozenset
    cpu = 0.0
    wall = 0.0
    error = ""
    failure = ""
    finish = None
    parting = None
    sorted = False
    tracer = None
    values = None
    begun = False
    aside = 0
    hung = 0
    passed = set()  # type: set


class Hangs(BaseException):
    """Raised in a test that computes without end; nothing that a program catches by itself."""


def answer(row):
    with open(os.path.join(HERE, "answer.jsonl"), "a") as out:
        out.write(json.dumps(row) + "\n")


def begin():
    if os.environ.get("PRODWISE_WATCH") == HERE:
        return  # started by a test: it runs as it would
    os.environ["PRODWISE_WATCH"] = HERE
    try:
        with open(os.path.join(HERE, "plan.json")) as source:
            State.plan = json.load(source)
    except (OSError, ValueError):
        return
    State.known = frozenset(State.plan.get("known", ()))
    answer({"root": ROOT})
    if State.plan["mode"] == "ask":
        import prodwise_asks

        State.tracer = prodwise_asks.tracer()
    elif State.plan["mode"] != "cover":
        quiet()
    elif State.plan.get("only") != []:
        State.tracer = tracing()
        threading.settrace(State.tracer)
        if not of_a_runner():
            sys.settrace(
                State.tracer
            )  # else when the first test begins: to note what is imported costs more than the tests
    if State.plan["mode"] == "cover":
        atexit.register(script_ended)
    watch_unittest()


def quiet():
    """What is printed from now on is nobody's."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def tracing():
    """Notes (file, line) for files below the root that are not installed packages; the rest costs one look at each call."""
    from prodwise_values import Values

    wanted, values = {}, Values()  # type: dict, Values
    State.values = values
    only = State.plan.get("only")

    def place(name):
        path = os.path.abspath(name)
        inside = path.startswith(ROOT + os.sep) and not path.startswith(HERE) and "site-packages" not in path
        inside = inside and not name.startswith("<")
        path = path[len(ROOT) + 1 :]
        return path if inside and (only is None or path in only) else None

    def until_back(frame, event, _):
        if event == "return":
            State.aside -= 1
        return until_back

    def trace(frame, event, _):
        name = frame.f_code.co_filename
        if name not in wanted:
            wanted[name] = place(name)
        path = wanted[name]
        if path is None or State.aside:
            return None
        if State.begun and of_no_test(frame):
            State.aside += 1
            return until_back
        seen = State.lines.setdefault(path, set())
        seen.add(frame.f_lineno)
        before = frame.f_back
        values.note(path, (wanted.get(before.f_code.co_filename) or "") if before is not None else "", frame)

        def line(frame, event, _):
            if event == "line":
                State.lines.setdefault(path, set()).add(frame.f_lineno)
            return line

        return line

    return trace


def of_no_test(frame):
    """What is imported only now belongs to no test: to whichever comes first. What a failure is told with made no failure."""
    if frame.f_code.co_name == "<module>":
        return True
    teller = frame.f_back.f_code.co_filename if frame.f_back is not None else ""
    return frame.f_code.co_name in ("__repr__", "__str__") and teller.endswith(TELLERS)


def script_ended():
    """A program that is no test runner: all that it ran is one test."""
    if not State.begun and os.getpid() == State.pid:
        answer({"loading": {path: sorted(lines) for path, lines in State.lines.items()}})


def hangs(signum, frame):
    """A test that computes without end fails with what it ran; one that catches even this ends the run."""
    State.hung += 1
    if State.hung > HUNG_MOST:
        ended(State.test, True)
        os._exit(1)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.2)
    raise Hangs("computes without end")


def starting(test):
    """A test begins. What ran before it belongs to no test but to the loading of modules."""
    if State.plan.get("mode") in ("cover", "ask"):
        if not State.begun:
            answer({"loading": {path: sorted(lines) for path, lines in State.lines.items()}})
            State.begun = True
        State.lines, State.aside = {}, 0
        if State.values is not None:
            State.values.calls = {}
        if State.tracer is not None:
            sys.settrace(State.tracer)  # an error inside of it (a hang, no stack left) had it removed
        signal.signal(signal.SIGVTALRM, hangs)
        signal.setitimer(signal.ITIMER_VIRTUAL, State.plan.get("seconds", 10) / (1 + 4 * State.hung))
        State.cpu, State.wall = time.process_time(), time.monotonic()
    State.test = test


def calm():
    """No test is ended for its time until the next one begins."""
    if State.plan.get("mode") in ("cover", "ask"):
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def ended(test, failed):
    calm()
    if State.plan.get("mode") == "cover":
        lines = {path: sorted(lines) for path, lines in State.lines.items()}
        took, waited = time.process_time() - State.cpu, time.monotonic() - State.wall
        error = State.error if failed else ""
        calls = State.values.end(failed) if State.values is not None else []
        answer(
            {
                "test": test,
                "failed": failed,
                "lines": lines,
                "cpu": took,
                "wall": waited,
                "error": error,
                "calls": calls,
            }
        )
        State.lines, State.error = {}, ""
    elif State.child is not None:
        import prodwise_limits

        prodwise_limits.beat()
        if not failed:
            State.passed.add(test)
            if test in State.plan.get("first", ()) and mended():
                prodwise_limits.extend(State.plan["seconds"])
        elif test not in State.known:
            leave(NEARLY if mended() else 1)


def mended():
    """Whether the tests that failed pass now."""
    first = State.plan.get("first")
    return bool(first) and State.sorted and State.passed.issuperset(first)


def failed_by(error):
    """Notes what a test ends with, and of the first one where in this repository."""
    place, step = "", error.__traceback__
    while step is not None:
        name = step.tb_frame.f_code.co_filename
        if name.startswith(ROOT + os.sep):
            place = " at %s:%d" % (name, step.tb_lineno)
        step = step.tb_next
    State.error = type(error).__name__
    State.failure = State.failure or State.error + place


def leave(code):
    """A child that needs no taking down."""
    if State.parting is not None:
        State.parting()
    os._exit(code)


def over(code):
    """A try ends here: to take down a whole interpreter costs more than most tests."""
    for tell in (State.finish, State.parting):
        if tell is not None:
            tell()
    must = State.plan.get("must")
    os._exit(code if must is None else 0 if State.passed.issuperset(must) else 1)


def watch_unittest():
    """The same three moments of unittest, when the program is unittest's own; else it is left alone."""
    if "unittest" not in command_line():
        return
    import unittest

    run, program = unittest.TestCase.run, unittest.TestProgram.runTests

    def run_one(self, result=None):
        before = troubles(result)
        starting(self.id())
        try:
            return run(self, result)
        finally:
            ended(self.id(), troubles(result) > before)

    def run_all(self):
        fork_all()
        if State.child is None:
            return program(self)
        try:
            program(self)
        except SystemExit as end:
            over(end.code if isinstance(end.code, int) else int(bool(end.code)))
        return over(0 if self.result.wasSuccessful() else 1)

    unittest.TestCase.run = run_one
    unittest.TestProgram.runTests = run_all


def troubles(result):
    if result is None:
        return 0
    return len(result.failures) + len(result.errors) + len(getattr(result, "unexpectedSuccesses", ()))


def of_a_runner():
    """Whether tests will be told one by one."""
    return any(name in command_line() for name in ("unittest", "pytest", "py.test"))


def command_line():
    words = getattr(sys, "orig_argv", None)
    if words is None:
        try:
            with open("/proc/self/cmdline") as source:
                words = source.read().split("\0")
        except OSError:
            words = [""]
    return " ".join(words)


def fork_all(quick=()):
    """Each edit in a child of its own; the parent never runs a test. quick: calls of tests that need nothing of their runner."""
    if State.plan.get("mode") in ("try", "compare") and State.child is None:
        import prodwise_forks

        prodwise_forks.fork_all(quick)


if __name__ == "sitecustomize":
    begin()
