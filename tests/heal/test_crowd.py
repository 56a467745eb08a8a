"""Who uses a service: different browsers and requests by route, bounded."""

from __future__ import annotations

import itertools
import threading

from prodwise.heal.crowd import HALF_S, OTHER, ROUTES_KEPT, Crowd
from prodwise.heal.vitals import Window
from prodwise.model.signal import Arm, RequestSeen


def request(at: float, route: str, lane: str, returning: bool = True, status: int = 200) -> RequestSeen:
    return RequestSeen(at, "web", "1", Arm.STABLE, 0.0, route, status, 5.0, lane, path="/", returning=returning)


def test_browsers_are_counted_once_and_old_ones_are_forgotten() -> None:
    crowd = Crowd()
    for n in range(60):
        crowd.observe(request(HALF_S + n, "GET /", f"lane-{n % 20}"))
    crowd.observe(request(HALF_S + 61, "POST /pay", "lane-3"))
    crowd.observe(request(HALF_S + 62, "GET /robots.txt", "own id", returning=False))
    use = crowd.use("web", HALF_S + 70)
    assert use is not None
    assert (use.requests, use.people) == (62, 20), "the one who pays is among the twenty"
    assert [(one.route, one.requests, one.people) for one in use.routes] == [
        ("GET /", 60, 20), ("GET /robots.txt", 1, None), ("POST /pay", 1, 1),
    ]  # fmt: skip
    crowd.observe(request(2 * HALF_S, "GET /", "lane-99"))
    later = crowd.use("web", 2 * HALF_S + 1)
    assert later is not None
    assert later.people == 21
    assert crowd.use("web", 4 * HALF_S) is None, "an hour without anybody: not known, and no zero"


def test_routes_are_bounded() -> None:
    crowd = Crowd()
    for n in range(ROUTES_KEPT + 50):
        crowd.observe(request(10.0, f"GET /{n}", "one"))
    use = crowd.use("web", 10.0)
    assert use is not None
    assert use.requests == ROUTES_KEPT + 50
    assert len(use.routes) == ROUTES_KEPT + 1
    assert OTHER in {one.route for one in use.routes}


def test_stretches_lie_side_by_side() -> None:
    window = Window()
    for second in range(60):
        window.observe(request(1000.5 + second, "GET /", "one", status=500 if 20 <= second < 40 else 200))
    stretches = [window.between(*one) for one in ((900.0, 1020.4), (1020.4, 1040.0), (1040.0, 1100.0))]
    assert stretches == [(20, 0), (20, 20), (20, 0)]


def test_a_story_may_ask_while_the_intake_counts() -> None:
    crowd, ends = Crowd(), threading.Event()

    def count() -> None:
        for n in itertools.count():
            crowd.observe(request(10.0 + n % 50, f"GET /{n % 150}", f"lane-{n % 3000}"))
            if ends.is_set():
                return

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    try:
        uses = [crowd.use("web", 10.0) for _ in range(60)]
    finally:
        ends.set()
        thread.join(timeout=10)
    counts = [use.requests for use in uses if use is not None]
    assert counts == sorted(counts)
    assert counts
