"""The tries of `sitecustomize`: each edit in a fork of the collected tests, in which the living functions take the edited code.

Python 3.6 and up; the standard library only.
"""

import gc
import io
import os
import sys
import time

import prodwise_differs
import prodwise_modules
import sitecustomize as watch
from prodwise_alone import called, fails_alike
from prodwise_code import FUTURES, pair, text_of, unit
from prodwise_limits import limit, wait

CANNOT = 97
FUNCTION = type(watch.begin)
BEFORE = {}  # type: dict


def fork_all(quick):
    """Returns in a child alone, which goes on with the tests."""
    watch.answer({"ready": True})
    functions = by_file()
    gc.collect()
    gc.disable()  # a collection in a child would copy every page that it looks at
    if watch.State.plan["mode"] == "compare":
        import prodwise_compare

        if prodwise_compare.all_of(watch, sys.modules[__name__], functions):
            return
    elif try_all(functions, quick):
        return
    os._exit(0)


def try_all(functions, quick):
    """In their order; once the first few were tried, without what is clearly less likely than what passed, here or in another lane.
    True in a child."""
    plan, began, best, passed, tried = watch.State.plan, time.monotonic(), None, 0, 0
    alike = fails_alike(quick) if quick else False
    if alike is None:
        return True
    quick = quick if alike else ()
    known, failed = prodwise_differs.known(quick), set()  # type: dict, set
    if known is None:
        return True
    functions = by_file()  # with those of modules that were imported for the tries
    for edit in in_order(plan["edits"], known, failed):
        best = least(best, elsewhere())
        spent = time.monotonic() - began
        if spent > (plan["last"] if best is None else plan["total"]) or passed >= plan["most"]:
            break
        looked = tried >= plan["look"] or spent > plan["total"] / 4
        if looked and best is not None and edit[6] > best + plan["margin"]:
            continue
        tried += 1
        code = one(edit, functions, quick) if quick else 0
        code = one(edit, functions, ()) if code == 0 else code
        if watch.State.child is not None:
            return True
        if code == 0:
            best, passed = least(best, edit[6]), passed + 1
        elif code != CANNOT:
            failed.add(known.get(edit[0]))
    return False


def in_order(edits, known, failed):
    """At the end those that do what the program does, or what another did that failed: they are hardly ever what is looked for."""
    later = []
    for edit in edits:
        kind = known.get(edit[0])
        if kind is not None and (kind == prodwise_differs.SAME or kind in failed):
            later.append(edit)
        else:
            yield edit
    for edit in later:
        yield edit


def elsewhere():
    """The score of what passed in another lane; None while nothing did."""
    try:
        with open(os.path.join(watch.HERE, "best")) as source:
            return float(source.read())
    except (OSError, ValueError):
        return None


def least(one, other):
    return one if other is None else other if one is None else min(one, other)


def one(edit, functions, quick):
    """The exit code of the tests with an edit, or of the quick ones; None when they were ended. Without quick ones it returns in
    the child as well, which goes on."""
    first, seconds = watch.State.plan["quick"], watch.State.plan["seconds"]
    path = os.path.join(watch.ROOT, edit[1])
    old = text_of(path)
    new = old[: edit[3]] + edit[5] + old[edit[4] :]
    if edit[2] and path in functions:
        before_of(edit[2], path, old, functions)
    with io.open(path, "w", encoding="utf-8", newline="") as out:
        out.write(new)
    try:
        pid = os.fork()
        if pid == 0:
            watch.State.child = edit[0]
            limit(first if quick or watch.State.sorted else seconds, seconds)
            become(edit, path, old, new, functions)
            if quick:
                called(quick)
            return None
        code = wait(pid, first if quick else seconds)
        if not quick or code != 0:
            watch.answer({"id": edit[0], "code": code})
        return code
    finally:
        if watch.State.child is None:
            with io.open(path, "w", encoding="utf-8", newline="") as out:
                out.write(old)


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
    if not edit[2] and prodwise_modules.become(path, old, new, edit[3], edit[4], functions):
        return
    if path not in functions or not edit[2]:
        os._exit(CANNOT)
    first, last, classes = edit[2]
    grown = new.count("\n") - old.count("\n")
    flags = functions[path][0].__code__.co_flags & FUTURES
    before = before_of(edit[2], path, old, functions)
    if before is None:
        os._exit(1)
    try:
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


def before_of(place, path, old, functions):
    """The code of a unit as it is, made once, before the forks. None where it cannot be read."""
    first, last, classes = place
    key = (path, first, last)
    if key not in BEFORE:
        flags = functions[path][0].__code__.co_flags & FUTURES
        try:
            BEFORE[key] = unit(old, first, last, classes, path, flags)
        except Exception:
            BEFORE[key] = None
    return BEFORE[key]
