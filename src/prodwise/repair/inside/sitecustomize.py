"""Goes along with a repository's test command (first on PYTHONPATH): notes what each test executes, or tries edits in forks.

It is loaded by any Python from 3.6 up, in a repository that it knows nothing about, and answers into `answer.jsonl` beside
itself. `plan.json` says what to do:
    {"mode": "cover", "only": [paths] or null}       which lines each test ran
    {"mode": "try", "edits": [[id, path, unit, start, end, new, score]], "first": [tests that run first],
     "must": [tests that have to pass], "known": [tests that may fail], "seconds": CPU time of one edit, "quick": of its first look,
     "margin": how much worse than the best that passes is still tried, "most": how many may pass}
    {"mode": "compare", "edits": as above, "seconds": CPU time of one edit}      what each answers beyond the tests
The fork happens when the tests were collected and nothing ran yet, so that imports are paid once for all edits.
"""

import atexit
import gc
import io
import json
import os
import signal
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
CANNOT = 97
HUNG_MOST = 40


class State:
    plan = {}  # type: dict
    test = ""
    lines = {}  # type: dict
    child = None
    pid = os.getpid()
    known = frozenset()  # type: frozenset
    cpu = 0.0
    error = ""
    finish = None
    tracer = None
    values = None
    begun = False
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
    if State.plan["mode"] != "cover":
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
    elif State.plan.get("only") != []:
        State.tracer = tracing()
        threading.settrace(State.tracer)
        sys.settrace(State.tracer)
    if State.plan["mode"] == "cover":
        atexit.register(script_ended)
    watch_unittest()


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

    def trace(frame, event, _):
        name = frame.f_code.co_filename
        if name not in wanted:
            wanted[name] = place(name)
        path = wanted[name]
        if path is None:
            return None
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
    if State.plan.get("mode") == "cover":
        if not State.begun:
            answer({"loading": {path: sorted(lines) for path, lines in State.lines.items()}})
            State.begun = True
        State.lines = {}
        if State.values is not None:
            State.values.calls = {}
        if State.tracer is not None:
            sys.settrace(State.tracer)  # an error inside of it (a hang, no stack left) had it removed
        signal.signal(signal.SIGVTALRM, hangs)
        signal.setitimer(signal.ITIMER_VIRTUAL, State.plan.get("seconds", 10) / (1 + 4 * State.hung))
        State.cpu = time.process_time()
    State.test = test


def ended(test, failed):
    if State.plan.get("mode") == "cover":
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        lines = {path: sorted(lines) for path, lines in State.lines.items()}
        took, error = time.process_time() - State.cpu, State.error if failed else ""
        calls = State.values.end(failed) if State.values is not None else []
        answer({"test": test, "failed": failed, "lines": lines, "cpu": took, "error": error, "calls": calls})
        State.lines, State.error = {}, ""
    elif State.child is not None:
        if not failed:
            State.passed.add(test)
        elif test not in State.known:
            os._exit(1)


def over(code):
    """A try ends here: to take down a whole interpreter costs more than most tests."""
    if State.finish is not None:
        State.finish()
    must = State.plan.get("must")
    os._exit(code if must is None else 0 if State.passed.issuperset(must) else 1)


def watch_unittest():
    """The same three moments of unittest, when the program is unittest's own; else it is left alone."""
    if "unittest" not in " ".join(getattr(sys, "orig_argv", None) or of_process()):
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


def of_process():
    try:
        with open("/proc/self/cmdline") as source:
            return source.read().split("\0")
    except OSError:
        return [""]


# -- forks ------------------------------------------------------------------------------------------------------------


def fork_all(quick=()):
    """Each edit in a child of its own; the parent never runs a test. quick: calls of tests that need nothing of their runner."""
    if State.plan.get("mode") not in ("try", "compare") or State.child is not None:
        return
    answer({"ready": True})
    functions = by_file()
    gc.collect()
    gc.disable()  # a collection in a child would copy every page that it looks at
    if State.plan["mode"] == "compare":
        import prodwise_compare

        if prodwise_compare.all_of(sys.modules[__name__], functions):
            return
    elif try_all(functions, quick):
        return
    os._exit(0)


def try_all(functions, quick):
    """Likeliest first, until what follows is clearly less likely than what passed. True in a child."""
    stop, best, passed = time.monotonic() + State.plan.get("total", 60), None, 0
    for edit in State.plan["edits"]:
        if time.monotonic() > stop or passed >= State.plan["most"]:
            break
        if best is not None and edit[6] > best + State.plan["margin"]:
            break
        code = one(edit, functions, quick) if quick else 0
        code = one(edit, functions, ()) if code == 0 else code
        if State.child is not None:
            return True
        if code == 0:
            best, passed = edit[6] if best is None else best, passed + 1
    return False


def one(edit, functions, quick):
    """The exit code of the tests with an edit, or of the quick ones; None when they were ended. Without quick ones it returns in
    the child as well, which goes on."""
    seconds = State.plan["quick"] if quick else State.plan["seconds"]
    path = os.path.join(ROOT, edit[1])
    with io.open(path, encoding="utf-8", newline="") as source:
        old = source.read()
    new = old[: edit[3]] + edit[5] + old[edit[4] :]
    with io.open(path, "w", encoding="utf-8", newline="") as out:
        out.write(new)
    try:
        pid = os.fork()
        if pid == 0:
            State.child = edit[0]
            limit(seconds)
            become(edit, path, old, new, functions)
            if quick:
                called(quick)
            return None
        code = wait(pid, seconds)
        if not quick or code != 0:
            answer({"id": edit[0], "code": code})
        return code
    finally:
        if State.child is None:
            with io.open(path, "w", encoding="utf-8", newline="") as out:
                out.write(old)


def called(quick):
    """Most edits fail the first test: that is known without a runner's work around it."""
    try:
        for call in quick:
            call()
    except BaseException:
        os._exit(1)
    os._exit(0)


def wait(pid, seconds):
    """A child's own timer ends what computes; only what waits is ended from here, later, for the machine may be busy."""
    end, pause = time.monotonic() + 4 * seconds + 2, 0.0005
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            pass
    os.waitpid(pid, 0)
    return None


def by_file():
    """Functions that live now, by the file of their code."""
    found = {}  # type: dict
    for thing in gc.get_objects():
        if type(thing) is FUNCTION:
            found.setdefault(os.path.abspath(thing.__code__.co_filename), []).append(thing)
    return found


def become(edit, path, old, new, functions):
    """The child takes the edited code: into living functions, or by import when the file was not loaded yet."""
    if path not in functions and all(getattr(one, "__file__", None) != path for one in list(sys.modules.values())):
        return
    if not edit[2]:
        import prodwise_modules

        if prodwise_modules.become(path, old, new, edit[3], edit[4], functions):
            return
    if path not in functions or not edit[2]:
        os._exit(CANNOT)
    first, last, classes = edit[2]
    grown = new.count("\n") - old.count("\n")
    flags = functions[path][0].__code__.co_flags & FUTURES
    try:
        before = unit(old, first, last, classes, path, flags)
        after = unit(new, first, last + grown, classes, path, flags)
    except (SyntaxError, ValueError):
        os._exit(1)
    pairs = {}  # type: dict
    pair(before, after, pairs)
    changed = False
    for function in functions[path]:
        code = function.__code__
        twin = pairs.get((code.co_name, code.co_firstlineno))
        if twin is not None:
            if len(twin.co_freevars) != len(code.co_freevars):
                os._exit(CANNOT)
            function.__code__ = twin
            changed = True
    if not changed:
        os._exit(CANNOT)


def unit(text, first, last, classes, path, flags):
    """The code of one outermost function, compiled by itself at its own lines, inside classes of the same names."""
    lines = text.split("\n")[first - 1 : last]
    heads = [" " * column + "class " + name + ":" for name, column in classes]
    source = "\n" * (first - 1 - len(heads)) + "\n".join(heads + lines) + "\n"
    code = compile(source, path, "exec", flags, True)
    for _ in range(len(classes) + 1):
        inner = [one for one in code.co_consts if isinstance(one, CODE)]
        code = inner[-1]
    return code


def pair(before, after, pairs):
    """Codes of the same place in both: the function and what is defined inside it, in order."""
    pairs[(before.co_name, before.co_firstlineno)] = after
    mine = [one for one in before.co_consts if isinstance(one, CODE)]
    other = [one for one in after.co_consts if isinstance(one, CODE)]
    if len(mine) == len(other):
        for one, two in zip(mine, other):
            if one.co_name == two.co_name:
                pair(one, two, pairs)


def limit(seconds):
    """A child ends by itself when its time is used, and takes no more memory than one of the machine's share."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 2, int(seconds) + 3))
        with open("/proc/self/statm") as source:
            used = int(source.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), used + (1 << 30)))
    except (ImportError, OSError, ValueError):
        pass


FUNCTION = type(begin)
CODE = type(begin.__code__)
FUTURES = 0
for _name in __import__("__future__").all_feature_names:
    FUTURES |= getattr(__import__("__future__"), _name).compiler_flag

if __name__ == "sitecustomize":
    begin()
