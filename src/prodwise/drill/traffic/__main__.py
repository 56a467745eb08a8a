"""`python -m prodwise.drill.traffic --address 127.0.0.1:8000 --rate 40 --path / --out requests.ndjson`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from prodwise.drill.traffic.client import Client, follow_orders
from prodwise.drill.traffic.http import Address, parse_address
from prodwise.drill.traffic.plan import SECONDS_MAX, Plan, checked_rate, parse_path, parse_step
from prodwise.model.errors import UsageError


def main() -> int:
    """Exit 0 when done or stopped, 2 when the arguments make no sense."""
    options = _parser().parse_args()
    try:
        address = parse_address(options.address)
        plan = _plan(options)
    except UsageError as error:
        print(f"{error.message}: {error.hint}", file=sys.stderr)
        return error.exit_code
    asyncio.run(_run(Path(options.out), address, plan, options.orders))
    return 0


def _plan(options: argparse.Namespace) -> Plan:
    if not 0 < options.seconds <= SECONDS_MAX:
        raise UsageError(f"{options.seconds:g} s of traffic are not possible", f"at most {SECONDS_MAX:g}")
    if not (0 <= options.visit_share <= 1 and 0 <= options.keep_cookies <= 1):
        raise UsageError("a share is not between 0 and 1", "check --visit-share and --keep-cookies")
    return Plan(
        paths=tuple(parse_path(path) for path in options.path or ["/"]),
        rate=checked_rate(options.rate),
        seconds=options.seconds,
        visit=tuple(parse_step(step) for step in options.step),
        visit_share=options.visit_share if options.step else 0.0,
        keep_cookies=options.keep_cookies,
        seed=options.seed,
    )


async def _run(out: Path, address: Address, plan: Plan, orders: bool) -> None:
    with out.open("a", buffering=1) as file:
        client = Client(address, plan, file)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, client.stop)
        if orders:
            follow_orders(client, loop)
        await client.run()
    if client.unsent:
        print(f"{client.unsent} requests were not sent: too many were in flight", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m prodwise.drill.traffic", description="Traffic to a local app.")
    parser.add_argument("--address", required=True, help="loopback HOST:PORT of the app")
    parser.add_argument("--rate", type=float, default=40.0, help="requests a second (Poisson arrivals)")
    parser.add_argument("--path", action="append", help="a path to GET; repeat for more")
    parser.add_argument(
        "--step", action="append", default=[], help='a visit\'s step: "POST /checkout name=Ada"; in order'
    )
    parser.add_argument("--visit-share", type=float, default=0.1, help="share of arrivals that play the visit")
    parser.add_argument("--keep-cookies", type=float, default=0.5, help="share of arrivals that keep cookies")
    parser.add_argument("--seconds", type=float, default=60.0, help="hard limit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True, help="file for one JSON line a request")
    parser.add_argument("--orders", action="store_true", help="obey orders on standard input and stop at its end")
    return parser


if __name__ == "__main__":
    sys.exit(main())
