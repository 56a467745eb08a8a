"""What the proxy adds to a request: the same process asked directly and through the proxy, in turns."""

from __future__ import annotations

import http.client
import time
from statistics import median

from bench.running import Shop, Tell, quantile, shop
from bench.table import Figure, Part

ROUNDS, ROUNDS_QUICK = 3000, 600
WARM = 50
PATHS = ("/healthz", "/")


class Client:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def ms(self, path: str) -> float:
        """Until the whole answer is there. Raises RuntimeError unless it is a 200."""
        begun = time.perf_counter()
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        answer.read()
        took = (time.perf_counter() - begun) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        return took

    def close(self) -> None:
        self._connection.close()


def run(quick: bool, tell: Tell) -> Part:
    with shop() as running:
        figures: list[Figure] = []
        detail = []
        for path in PATHS:
            tell(f"proxy: {path}, directly and through the proxy")
            direct, proxied = in_turns(running, path, ROUNDS_QUICK if quick else ROUNDS)
            figures += compare(path, direct, proxied)
            detail.append({"path": path, "direct_ms": _summary(direct), "proxied_ms": _summary(proxied)})
    return Part("proxy", tuple(figures), detail=tuple(detail))


def in_turns(running: Shop, path: str, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds directly and proxied; one request of each a round, so that both meet the same machine."""
    direct, proxied = Client(running.web_port()), Client(running.proxy_port)
    times: tuple[list[float], list[float]] = ([], [])
    try:
        for turn in range(rounds + WARM):
            pair = direct.ms(path), proxied.ms(path)
            if turn >= WARM:
                times[0].append(pair[0])
                times[1].append(pair[1])
    finally:
        direct.close()
        proxied.close()
    return times


def compare(path: str, direct: list[float], proxied: list[float]) -> list[Figure]:
    """What is added at the median and at the 95th percentile."""
    figures = []
    for name, q, goal in (("p50", 0.5, 1.0), ("p95", 0.95, None)):
        plain, through = quantile(direct, q), quantile(proxied, q)
        beside = f"{plain:.2f} ms directly, {through:.2f} through it: {through / plain:.2f}×"
        figures.append(
            Figure(f"added to {path}, {name}", round(through - plain, 3), "ms", goal, beside=beside, many=len(direct))
        )
    return figures


def _summary(times: list[float]) -> dict[str, float]:
    return {"p50": round(median(times), 3), "p95": round(quantile(times, 0.95), 3), "worst": round(max(times), 3)}
