"""What edits that pass the same tests answer to other questions: the tests' own calls, and calls much like those.

1. A child runs the tests on the unchanged program and notes each call that a test makes into it. 2. Calls are crossed and
varied, but stay what the tests gave: sorted stays sorted, no number leaves the range that was seen. 3. The unchanged program
answers; what takes it long is not asked, nor more than there is time for. 4. Each edit answers the rest in a child of its own; an
answer is told as a short hash, an error by its type, one that takes too long as "~".
"""

import copy
import hashlib
import os
import pickle
import random
import signal
import sys
import time
import types

CALLS_MOST = 40
ASKED_MOST = 160
ONE_S = 0.1
SLOW_S = 0.04
"""Of the unchanged program: with an edit it might take too long, or not, by chance."""
FORK_S = 0.1
LEAST = 10
QUESTIONS_S = 2.0
DEEP_MOST = 4
ITEMS_MOST = 300
FIELDS_MOST = 4
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


def fitting(told, own, seconds):
    """(the tests' own, the others) of the questions by their places: the first ones of those that are answered quickly, or never,
    as far as each edit's seconds go, though some of both in any case. told: (answer, seconds) of each."""
    kept = [at for at, (answer, took) in enumerate(told) if answer == "~" or took < SLOW_S]
    share = seconds / (sum(told[at][1] for at in kept) + FORK_S)
    mine, others = [at for at in kept if at < own], [at for at in kept if at >= own]
    return tuple(some if share >= 1 else some[: max(LEAST, int(share * len(some)))] for some in (mine, others))


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


# -- questions --------------------------------------------------------------------------------------------------------


def questions(calls):
    """(file, name, line, pickle): the calls themselves, then others much like them."""
    picked = random.Random(7)
    asked = list(calls[:CALLS_MOST])
    by_function = {}  # type: dict
    until = time.monotonic() + QUESTIONS_S
    for row in calls[:CALLS_MOST]:
        try:
            by_function.setdefault(row[:3], []).append(pickle.loads(row[3]))
        except Exception:
            continue
    for target, known in by_function.items():
        made = set()
        for plain, only in varied(known, picked):
            if time.monotonic() > until:
                break
            try:
                made.add(pickle.dumps((plain, only)))
            except Exception:
                continue
        made -= {row[3] for row in asked}
        asked += [target + (one,) for one in sorted(made)]
    rest = asked[len(calls[:CALLS_MOST]) :]
    picked.shuffle(rest)
    return asked[: len(asked) - len(rest)] + rest[:ASKED_MOST]


def varied(known, picked):
    """One argument from another call, or a variation of its own that keeps what all of its place have in common."""
    for plain, only in known:
        for at in range(len(plain)):
            seen = [other[at] for other, _ in known if len(other) == len(plain)]
            others = [one for one in seen if type(one) is type(plain[at])]
            for new in picked.sample(others, min(3, len(others))) + list(like(plain[at], seen, picked)):
                yield copied(plain[:at] + [new] + plain[at + 1 :]), only


def copied(value):
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


def like(value, seen, picked, depth=0):
    seen = [one for one in seen if type(one) is type(value)]
    if isinstance(value, bool) or depth > 2:
        return
    if isinstance(value, int):
        low, high = min(seen), max(seen)
        if low == high:
            low, high = min(low, -low, 0) if low < 0 else 0, 2 * abs(high) + 1
        for new in (value - 1, value + 1, value // 2, picked.randint(low, high), picked.randint(low, high)):
            if low <= new <= high:
                yield new
    elif isinstance(value, float):
        yield from ((value + one) / 2 for one in seen[:4] if one != value)
    elif hasattr(value, "_replace") or type(getattr(value, "__dict__", None)) is dict:
        yield from renewed(value, seen, picked, depth)
    elif isinstance(value, (str, list, tuple)):
        for new in sequences(value, picked, depth):
            if all(not holds(rule, seen) or rule(new) for rule in RULES):
                yield new
    elif isinstance(value, dict) and value:
        yield from mappings(value, picked)


def renewed(value, seen, picked, depth):
    """A thing with one of its fields as another one like it has it, or varied."""
    known = fields(value)
    for name in picked.sample(sorted(known), min(FIELDS_MOST, len(known))):
        theirs = [fields(one)[name] for one in seen if name in fields(one)]
        others = [one for one in theirs if type(one) is type(known[name]) and one is not known[name]]
        new = picked.sample(others, min(2, len(others))) + list(like(known[name], theirs, picked, depth + 1))[:3]
        for one in new:
            if hasattr(value, "_replace"):
                yield value._replace(**{name: one})
            else:
                made = copy.copy(value)
                if made is not value and vars(made) is not vars(value):
                    vars(made)[name] = one
                    yield made


def fields(value):
    return value._asdict() if hasattr(value, "_replace") else vars(value)


def sequences(value, picked, depth):
    """Shorter, doubled, in another order, with one element more of its own kind or one that is varied."""
    if not value:
        return
    many = len(value)
    one, two = sorted((picked.randrange(many), picked.randrange(many)))
    yield value[1:]
    yield value[:-1]
    yield value[one : two + 1]
    yield value[:one] + value[one + 1 :]
    yield value[: one + 1] + value[one:]
    mixed = list(value)
    picked.shuffle(mixed)
    yield "".join(mixed) if isinstance(value, str) else type(value)(mixed)
    if not isinstance(value, str) and type(value) in (list, tuple):
        yield type(value)(sorted(value, key=repr)) if holds(numbers, [value]) else value
        for new in list(like(value[one], list(value), picked, depth + 1))[:2]:
            mixed = list(value)
            mixed[one] = new
            yield type(value)(mixed)


def mappings(value, picked):
    """Without an entry, and with nothing in its place; what maps to numbers also with those exchanged."""
    gone = picked.choice(list(value))
    yield {key: one for key, one in value.items() if key != gone}
    yield {key: None if key == gone else one for key, one in value.items()}
    if numbers(value.values()):
        mixed = list(value.values())
        picked.shuffle(mixed)
        yield dict(zip(value, mixed))


def numbers(value):
    return all(type(one) in (int, float) for one in value)


def ordered(value):
    try:
        return all(one <= two for one, two in zip(value, value[1:]))
    except TypeError:
        return False


def distinct(value):
    try:
        return len(set(value)) == len(value)
    except TypeError:
        return False


def filled(value):
    return len(value) > 0


def one_type(value):
    return len({type(one) for one in value}) < 2


RULES = (ordered, distinct, filled, numbers, one_type)


def holds(rule, seen):
    return all(rule(one) for one in seen)


# -- answers ----------------------------------------------------------------------------------------------------------


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
