"""What the traffic client sends: pure data and arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from prodwise.model.errors import UsageError

RATE_MAX = 2000.0  # requests a second
SECONDS_MAX = 3600.0
IN_FLIGHT_MAX = 2000


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a visit. form: the urlencoded body of a POST."""

    method: str
    path: str
    form: str = ""


def parse_step(text: str) -> Step:
    """`GET /cart` or `POST /checkout name=Ada&address=Here`. Raises UsageError for anything else."""
    words = text.split(" ", 2)
    if len(words) < 2 or words[0] not in ("GET", "POST") or not _is_path(words[1]):
        raise UsageError(f"step {text!r} is not understood", 'write "GET /path" or "POST /path key=value&key=value"')
    return Step(words[0], words[1], words[2] if len(words) == 3 else "")


def parse_path(text: str) -> str:
    """A path with an optional query. Raises UsageError for anything that could change the request line."""
    if not _is_path(text):
        raise UsageError(f"path {text!r} is not understood", "it starts with / and has no blanks")
    return text


def _is_path(text: str) -> bool:
    return text.startswith("/") and text.isascii() and text.isprintable() and " " not in text


@dataclass(frozen=True, slots=True)
class Plan:
    """paths are asked for at random; visit_share of all arrivals play the steps of a visit, one after the other.

    keep_cookies: share of the arrivals that come from browsers which keep their cookies, 0…1; seconds: hard limit.
    """

    paths: tuple[str, ...]
    rate: float
    seconds: float
    visit: tuple[Step, ...] = ()
    visit_share: float = 0.0
    keep_cookies: float = 0.5
    seed: int = 1

    def arrivals_per_second(self, rate: float) -> float:
        """Arrivals that make `rate` requests a second, as a visit is several requests."""
        return rate / (1 - self.visit_share + self.visit_share * len(self.visit))


def checked_rate(rate: float) -> float:
    """Raises UsageError outside 0…2000 requests a second."""
    if not 0 <= rate <= RATE_MAX:
        raise UsageError(f"a rate of {rate:g} requests/s is not possible", f"between 0 and {RATE_MAX:g}")
    return rate


@dataclass(frozen=True, slots=True)
class Ramp:
    """The rate as a line from one value to another; times are monotonic seconds."""

    begin_at: float
    seconds: float
    begin: float
    end: float

    def rate(self, now: float) -> float:
        if self.seconds <= 0 or now >= self.begin_at + self.seconds:
            return self.end
        return self.begin + (self.end - self.begin) * max(0.0, now - self.begin_at) / self.seconds


def parse_order(line: str, now: float, current: float) -> Ramp | None:
    """`rate 80`, `ramp 80 30` (to 80/s within 30 s); None for `stop`. Raises UsageError for anything else."""
    words = line.split()
    try:
        if words == ["stop"]:
            return None
        if len(words) == 2 and words[0] == "rate":
            return Ramp(now, 0.0, current, checked_rate(float(words[1])))
        if len(words) == 3 and words[0] == "ramp":
            return Ramp(now, float(words[2]), current, checked_rate(float(words[1])))
    except ValueError:
        pass
    raise UsageError(f"order {line.strip()!r} is not understood", "rate N, ramp N SECONDS or stop")
