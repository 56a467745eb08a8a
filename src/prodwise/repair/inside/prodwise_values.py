"""What functions are called with, test by test: enough to tell a failing call from those that pass. Python 3.6 and up.

Only values of exact built-in types are looked at, so that nothing of the program runs."""

TEXT_MOST = 60
NAMES_MOST = 12
CALLS_MOST = 40
ALL_MOST = 20000
NUMBERS = (bool, int, float)
SIZED = (bytes, list, tuple, dict, set, frozenset)


class Values:
    def __init__(self):
        self.calls = {}  # type: dict
        self.told = set()  # type: set

    def note(self, path, caller, frame):
        """A call begins. One function's calls after the first few of a test say nothing: the last one is then unknown."""
        code = frame.f_code
        mine = self.calls.setdefault((path, code.co_firstlineno), [])
        if len(mine) <= CALLS_MOST and not code.co_name.startswith("<"):
            mine.append((caller, held(code, frame.f_locals)))

    def end(self, failed):
        """All calls of a test that failed, in order; of one that passed those that are new."""
        rows = []
        for place, calls in self.calls.items():
            if failed and len(calls) > CALLS_MOST:
                continue
            for caller, values in calls:
                key = (place, repr(values))
                if failed or (key not in self.told and len(self.told) < ALL_MOST):
                    self.told.add(key)
                    rows.append([place[0], place[1], caller, values])
        self.calls = {}
        return rows


def held(code, found):
    """Name → [type, value or size]; of `self` what the function speaks of."""
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount][:NAMES_MOST]
    values = {name: sight(found[name]) for name in names if name in found and name not in ("self", "cls")}
    if "self" in names and "self" in found:
        try:
            own = object.__getattribute__(found["self"], "__dict__")
        except Exception:
            own = {}
        if type(own) is dict:
            values.update(("self." + name, sight(own[name])) for name in code.co_names[:NAMES_MOST] if name in own)
    return values


def sight(value):
    kind = type(value)
    if value is None:
        return ["NoneType", None]
    if kind in NUMBERS:
        return [kind.__name__, value if -1e15 < value < 1e15 else None]
    if kind is str:
        return ["str", value[:TEXT_MOST]]
    return [kind.__name__, len(value) if kind in SIZED else -1]
