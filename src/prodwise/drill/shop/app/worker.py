"""Pack new orders, one after the other, and leave a heartbeat every few seconds."""

import os
import time

from teashop import db, orders

IDLE_SECONDS = 0.5
BEAT_SECONDS = 5.0


def main() -> None:
    release = os.environ.get("PRODWISE_RELEASE", "")
    beaten_at = 0.0
    while True:
        with db.connect() as connection:
            if time.monotonic() - beaten_at > BEAT_SECONDS:
                orders.beat(connection, "worker", release)
                beaten_at = time.monotonic()
            packed = orders.pack_next(connection)
        if packed is None:
            time.sleep(IDLE_SECONDS)
        else:
            print(f"packed order {packed.number} for {packed.name}", flush=True)


if __name__ == "__main__":
    main()
