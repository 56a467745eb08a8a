"""Tests without a runner's work around them, which takes longer than most tests. Python 3.6 and up; the standard library only."""

import os

import sitecustomize as watch
from prodwise_limits import limit, wait

TOLD_MOST = 10000


def called(quick):
    """Most edits fail the first test: that is known without a runner's work around it, and without the certificates of the
    world, which take longer to read than most tests and lead nowhere here."""
    os.environ.update(SSL_CERT_FILE=os.devnull, SSL_CERT_DIR=watch.HERE)
    try:
        for call in quick:
            call()
    except BaseException as error:
        watch.failed_by(error)
        watch.leave(1)
    watch.leave(0)


def fails_alike(quick):
    """Whether the first test fails without its runner where it does with it: for want of one it might fail with every edit. None in
    a child, which goes on with the tests."""
    failed, told, seconds = os.path.join(watch.HERE, "failed"), [], watch.State.plan["seconds"]  # type: str, list, float

    def tell():
        with open(failed, "w") as out:
            out.write(watch.State.failure)

    for alone in (quick[:1], ()):
        open(failed, "w").close()
        pid = os.fork()
        if pid == 0:
            watch.State.child, watch.State.parting = -1, tell
            limit(seconds)
            if alone:
                called(alone)
            return None
        wait(pid, seconds)
        with open(failed, errors="replace") as source:
            told.append(source.read(TOLD_MOST))
    return told[0] == told[1] != ""
