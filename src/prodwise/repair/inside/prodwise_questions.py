"""What else edits that pass the same tests may be asked: their own calls, crossed and varied. What the values of one place have in
common is kept: sorted stays sorted, no number leaves the range that was seen. Python 3.6 and up."""

import copy
import pickle
import random
import time

CALLS_MOST = 40
ASKED_MOST = 160
QUESTIONS_S = 2.0
FIELDS_MOST = 4
SLOW_S = 0.04
"""Of the unchanged program: with an edit it might take too long, or not, by chance."""
FORK_S = 0.1
LEAST = 10


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


def fitting(told, own, seconds):
    """(the tests' own, the others) of the questions by their places: the first ones of those that are answered quickly, or never,
    as far as each edit's seconds go, though some of both in any case. told: (answer, seconds) of each."""
    kept = [at for at, (answer, took) in enumerate(told) if answer == "~" or took < SLOW_S]
    share = seconds / (sum(told[at][1] for at in kept) + FORK_S)
    mine, others = [at for at in kept if at < own], [at for at in kept if at >= own]
    return tuple(some if share >= 1 else some[: max(LEAST, int(share * len(some)))] for some in (mine, others))
