"""When a test comes to a place that is looked at. Python 3.6 and up; the standard library only."""

import os


def tracer(lines, act):
    """For sys.settrace: calls act(place, frame) when a place is come to, and not again before it is left. lines: path → line →
    places."""
    names = {}  # type: dict

    def call(frame, event, _):
        name = frame.f_code.co_filename
        if name not in names:
            names[name] = lines.get(os.path.abspath(name))
        mine = names[name]
        if mine is None:
            return None
        last = [()]

        def line(frame, event, _):
            if event == "line":
                here = mine.get(frame.f_lineno, ())
                for place in here:
                    if place not in last[0]:
                        act(place, frame)
                last[0] = here
            return line

        return line

    return call
