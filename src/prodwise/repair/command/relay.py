"""Runs inside the sandbox: a port of its loopback leads to the door's socket, and the command is told of no other way.

`python3 relay.py SOCKET BASE_URL_VARIABLE COMMAND…`. Standard library only, for any Python 3.8 or newer.
"""

import os
import socket
import subprocess
import sys
import threading

CHUNK = 65536
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def main(door: str, base_url: str, *command: str) -> int:
    listener = socket.create_server(("127.0.0.1", 0), backlog=32)
    here = f"http://127.0.0.1:{listener.getsockname()[1]}"
    env = {
        **os.environ,
        **dict.fromkeys(PROXIES, here),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
    if base_url:
        env[base_url] = here
    threading.Thread(target=serve, args=(listener, door), daemon=True).start()
    try:
        return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, check=False).returncode
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127


def serve(listener: socket.socket, door: str) -> None:
    while True:
        inner, _ = listener.accept()
        outer = socket.socket(socket.AF_UNIX)
        try:
            outer.connect(door)
        except OSError:
            inner.close()
            outer.close()
            continue
        for one, other in ((inner, outer), (outer, inner)):
            threading.Thread(target=pump, args=(one, other), daemon=True).start()


def pump(one: socket.socket, other: socket.socket) -> None:
    try:
        while part := one.recv(CHUNK):
            other.sendall(part)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
