"""What edits that pass the same tests answer to other questions: the tests' own calls, and calls much like those.

1. A child runs the tests on the unchanged program and notes each call that a test makes into it. 2. Others
much like them are made (prodwise_questions.py). 3. The unchanged program answers; what takes it long is not asked, nor more than
there is time for. 4. Each edit answers the rest in a child of its own; an answer is told as a short hash, an error by its type, one
that takes too long as "~".
"""

import hashlib
import os
import pickle
import signal
import sys
import time
import types

from prodwise_questions import CALLS_MOST, fitting, questions

ONE_S = 0.1
DEEP_MOST = 4
ITEMS_MOST = 300
GENERATOR = 0x20


class TooLong(BaseException):
    """One question takes too long."""


def all_of(watch, forks, functions):
    """True in the child that goes on with the tests."""
    watch_file = os.path.join(watch.HERE, "calls")
    edited = {os.path.join(watch.ROOT, edit[1]) for edit in watch.State.plan["edits"]}
    pid = os.fork()
    if pid == 0:
        watch.State.child = -1
        watch.State.known = Everything()
        forks.limit(watch.State.plan.get("record", 10))
        note(watch, edited, watch_file)
        return True
    forks.wait(pid, watch.State.plan.get("record", 10))
    calls = noted(watch_file)
    asked, own = worth_it(watch, forks, functions, questions(calls), min(len(calls), CALLS_MOST))
    for edit in watch.State.plan["edits"]:
        pid = os.fork()
        if pid == 0:
            answer_all(watch, forks, edit, functions, asked, own)
            os._exit(0)
        forks.wait(pid, watch.State.plan.get("seconds", 4))
    return False


def worth_it(watch, forks, functions, asked, own):
    """(the questions that all edits have time for, how many of them are the tests' own), once the unchanged program has answered."""
    place = os.path.join(watch.HERE, "base")
    pid = os.fork()
    if pid == 0:
        answer_all(watch, forks, None, functions, asked, own, place)
        os._exit(0)
    forks.wait(pid, watch.State.plan.get("seconds", 4))
    told = noted(place)  # (answer, seconds) of each
    if len(told) < len(asked):
        return asked, own
    mine, others = fitting(told, own, watch.State.plan.get("total", 1e9) / len(watch.State.plan["edits"]))
    watch.answer({"id": -1, "answers": [told[at][0] for at in mine + others], "own": len(mine)})
    return [asked[at] for at in mine + others], len(mine)


class Everything:
    """Holds anything: no test's failure ends the noting of calls."""

    def __contains__(self, _):
        return True


def note(watch, edited, place):
    """Calls into the edited files from outside of them, as pickles taken before the call."""
    calls, going = [], set()

    def profile(frame, event, _):
        code = frame.f_code
        if event != "call" or code.co_filename not in edited or len(calls) >= 4 * CALLS_MOST:
            return
        caller = frame.f_back
        while caller is not None and caller.f_code.co_filename not in edited:
            if caller.f_code.co_filename.startswith(watch.ROOT + os.sep):
                break
            caller = caller.f_back
        if caller is None or caller.f_code.co_filename in edited or code.co_name.startswith("<") or frame in going:
            return
        if code.co_flags & GENERATOR:
            going.add(frame)
        try:
            row = (code.co_filename, code.co_name, code.co_firstlineno, pickle.dumps(arguments(frame)))
        except Exception:
            return
        if row not in calls:
            calls.append(row)

    def keep():
        sys.setprofile(None)
        with open(place, "wb") as out:
            pickle.dump(calls, out)

    def soon(signum, frame):
        raise TooLong()

    begin = watch.starting

    def starting(test):
        begin(test)
        signal.signal(signal.SIGVTALRM, soon)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.5, 0.5)

    watch.starting = starting
    watch.State.finish = keep
    sys.setprofile(profile)


def arguments(frame):
    code, at = frame.f_code, frame.f_locals
    names = code.co_varnames
    plain = [at[name] for name in names[: code.co_argcount]]
    only = {name: at[name] for name in names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]}
    end = code.co_argcount + code.co_kwonlyargcount
    if code.co_flags & 4:
        plain += at[names[end]]
        end += 1
    if code.co_flags & 8:
        only.update(at[names[end]])
    return plain, only


def noted(place):
    try:
        with open(place, "rb") as source:
            return pickle.load(source)
    except Exception:
        return []


def answer_all(watch, forks, edit, functions, asked, own, place=None):
    """own: how many of the questions are the tests' own calls, which come first; place: where what the unchanged program says is
    kept, with the seconds that it took; what an edit says is told."""
    try:
        forks.limit(watch.State.plan.get("seconds", 4))
        watch.State.child = -1 if edit is None else edit[0]
        living = {}
        for path, some in functions.items():
            for one in some:
                living[path, one.__code__.co_name, one.__code__.co_firstlineno] = one
        if edit is not None:
            path = os.path.join(watch.ROOT, edit[1])
            with open(path, encoding="utf-8", newline="") as source:
                old = source.read()
            forks.become(edit, path, old, old[: edit[3]] + edit[5] + old[edit[4] :], functions)
        signal.signal(signal.SIGVTALRM, stop)
        said = []
        for row in asked:
            began = time.process_time()
            said.append((said_to(living.get(row[:3]), row[3]), time.process_time() - began))
        if place is None:
            watch.answer({"id": watch.State.child, "answers": [answer for answer, _ in said], "own": own})
        else:
            with open(place, "wb") as out:
                pickle.dump(said, out)
    finally:
        os._exit(0)


def stop(signum, frame):
    raise TooLong()


def said_to(function, row):
    if function is None:
        return "?"
    try:
        plain, only = pickle.loads(row)
    except Exception:
        return "?"
    signal.setitimer(signal.ITIMER_VIRTUAL, ONE_S, ONE_S)
    try:
        result = function(*plain, **only)
        text = shown(result) + "|" + shown(plain)
    except TooLong:
        return "~"
    except BaseException as error:
        return "!" + type(error).__name__
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:10]


def shown(value, depth=0):
    """A text that is the same for what is equal: no addresses, no order where none is meant."""
    if depth > DEEP_MOST:
        return "…"
    if isinstance(value, (types.GeneratorType, range, map, filter, zip)):
        taken = []
        for one in value:
            taken.append(one)
            if len(taken) > ITEMS_MOST:
                break
        return shown(taken, depth)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(shown(one, depth + 1) for one in value[:ITEMS_MOST]) + "]"
    if isinstance(value, (set, frozenset)):
        return "{" + ",".join(sorted(shown(one, depth + 1) for one in value)) + "}"
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(sorted(shown(one, depth + 1) + ":" + shown(two, depth + 1) for one, two in value.items()))
            + "}"
        )
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() else repr(round(value, 9))
    if value is None or isinstance(value, (str, bytes, int, complex)):
        return repr(value)
    inside = getattr(value, "__dict__", None)
    return type(value).__name__ + (shown(inside, depth + 1) if isinstance(inside, dict) else "")
