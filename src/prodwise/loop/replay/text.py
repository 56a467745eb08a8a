"""A failing request as a test that people can read: it stands alone, and needs nothing that the app does not have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from prodwise.model.request import Entry, Request

TEXT_MAX: Final = 100_000
TEST: Final = "test_request"
NOT_HERE: Final = "not here: "
"""How the test begins to say what a request wanted that no sandbox has."""
_LEFT_SHOWN: Final = 12
_ALWAYS: Final = {"PORT": "8000"}

_TEXT: Final = '''"""Fails as long as this request is answered with a server error{error}.

The app is called in this process, without a server. Connections are refused, and so are databases that the repository does not
hold.{left}
"""

{imports}

METHOD, SCHEME, HOST = {method}, {scheme}, {host}
PATH = {path}
QUERY = {query}
HEADERS = {headers}
BODY = {body}

os.environ.update({env})
{folder}sys.path[:0] = {folders}
thrown = []


def not_here(what, error):
    print(told := "{not_here}" + what[:200], file=sys.stderr)
    raise error(told)


def only_here(event, given):
    """What is not here is said at once, rather than waited for."""
    if event in ("socket.connect", "socket.getaddrinfo"):
        not_here(f"a connection to {{given[1] if event == 'socket.connect' else given[:2]!r}}", ConnectionRefusedError)
    if event == "sqlite3.connect":
        name = os.fsdecode(given[0])
        path = name.removeprefix("file:").partition("?")[0]
        if path not in ("", ":memory:") and "mode=memory" not in name and not (os.path.isfile(path) and os.path.getsize(path)):
            not_here(f"the database {{os.path.basename(path)!r}}", sqlite3.OperationalError)


def noting(*given, **more):
    """What an app logs before it answers with an error is the error."""
    record = made_record(*given, **more)
    if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
        thrown.append(record.exc_info[1])
    return record


made_record = logging.getLogRecordFactory()
logging.setLogRecordFactory(noting)
sys.addaudithook(only_here)
{before}
from {module} import {name} as app  # noqa: E402

{prepared}{call}

def {test}():
    status = {asked}
    if status >= 500:
        raise thrown[-1] if thrown else AssertionError(f"answered with {{status}}")
    print("answered with", status)


if __name__ == "__main__":
    {test}()
'''

_WSGI: Final = """
def status_of(app):
    told = []

    def start_response(status, headers, exc_info=None):
        if exc_info:
            thrown.append(exc_info[1])
        told.append(int(status.split()[0]))
        return lambda part: None

    name, _, port = HOST.partition(":")
    environ = {
        "REQUEST_METHOD": METHOD, "SCRIPT_NAME": "", "PATH_INFO": unquote_to_bytes(PATH).decode("latin-1"), "QUERY_STRING": QUERY,
        "SERVER_NAME": name, "SERVER_PORT": port or "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": HOST,
        "REMOTE_ADDR": "127.0.0.1", "CONTENT_LENGTH": str(len(BODY)), "wsgi.version": (1, 0), "wsgi.url_scheme": SCHEME,
        "wsgi.input": io.BytesIO(BODY), "wsgi.errors": sys.stderr, "wsgi.multithread": False, "wsgi.multiprocess": False,
        "wsgi.run_once": True,
    }
    for key, value in HEADERS.items():
        key = key.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    parts = app(environ, start_response)
    for _ in parts:
        pass
    if hasattr(parts, "close"):
        parts.close()
    return told[-1]

"""

_ASGI: Final = '''

async def status_of(app):
    told, over, state = [], asyncio.Event(), {}
    waiting = [{"type": "http.request", "body": BODY, "more_body": False}]

    async def receive():
        if not waiting:
            await over.wait()
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message):
        if message["type"] == "http.response.start":
            told.append(message["status"])
        elif not message.get("more_body"):
            over.set()

    running = await started(app, state)
    headers = [(b"host", HOST.encode()), (b"content-length", str(len(BODY)).encode())]
    headers += [(key.encode(), value.encode()) for key, value in HEADERS.items()]
    name, _, port = HOST.partition(":")
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": METHOD,
        "scheme": SCHEME, "path": unquote(PATH), "raw_path": PATH.encode(), "query_string": QUERY.encode(), "root_path": "",
        "headers": headers, "client": ("127.0.0.1", 1), "server": (name, int(port or 80)), "state": dict(state),
    }
    await app(scope, receive, send)
    running.cancel()
    return told[-1]


async def started(app, state):
    """As a server starts it: not every app wants to know."""
    said, once = asyncio.Queue(), [{"type": "lifespan.startup"}]

    async def receive():
        return once.pop() if once else await asyncio.Event().wait()

    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
    running, told = asyncio.create_task(app(scope, receive, said.put)), asyncio.create_task(said.get())
    await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
    if told.done() and told.result()["type"] == "lifespan.startup.failed":
        raise RuntimeError("not here: what the app needs to start: " + str(told.result().get("message", ""))[-300:])
    if running.done() and not running.cancelled():
        running.exception()
    told.cancel()
    return running
'''
_BOTTLE: Final = '\nif hasattr(app, "catchall"):\n    app.catchall = False  # Bottle would keep the error to itself\n'
_DJANGO: Final = """
from django.middleware.csrf import CsrfViewMiddleware  # noqa: E402

CsrfViewMiddleware.process_view = lambda *given: None  # the token is not kept
"""


_MAIN: Final = 'if __name__ == "__main__":'
_EACH: Final = """for QUERY, HEADERS, BODY in {each}:
    child = os.fork()
    if not child:
        try:
            {test}()
        except BaseException:
            __import__("traceback").print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    os.waitpid(child, 0)
    os.write(2, {end!a})
"""
END: Final = "\n-- one request was made --\n"


def body_of(request: Request) -> bytes:
    return request.raw or request.json.encode() or urlencode(request.form).encode()


def text(request: Request, entry: Entry, error: str = "") -> str:
    """Everything from outside goes in by its representation, in ASCII."""
    imports = "import asyncio" if entry.asgi else "import io"
    unquoting = "unquote" if entry.asgi else "unquote_to_bytes"
    prepared = ("\napp = app()\n" if entry.made else "") + ("" if entry.django or entry.asgi else _BOTTLE)
    return _TEXT.format(
        error=f", as it was with {error}" if error.isidentifier() else "", left=_left((*request.left_out, *entry.left_out)),
        imports=f"{imports}\nimport logging\nimport os\nimport sqlite3\nimport sys\nfrom urllib.parse import {unquoting}",
        method=ascii(request.method), scheme=ascii(request.scheme), host=ascii(request.host), path=ascii(request.path),
        query=ascii("&".join(request.query)), headers=_lines(dict(request.headers)), body=ascii(body_of(request)),
        env=_lines(_ALWAYS | dict(entry.env)), not_here=NOT_HERE, test=TEST,
        folder="" if entry.folder == "." else f"os.chdir({entry.folder!a})\n",
        folders=_folders(entry), module=entry.module, name=entry.name, prepared=prepared, before=_DJANGO if entry.django else "",
        call=_ASGI if entry.asgi else _WSGI, asked="asyncio.run(status_of(app))" if entry.asgi else "status_of(app)",
    )  # fmt: skip


def texts(requests: Sequence[Request], entry: Entry) -> str:
    """A program that makes each of these requests in a process of its own, with END behind it, as far as there is place: what they
    share is loaded once."""
    head, each, size = text(requests[0], entry).partition(_MAIN)[0], list[str](), 0
    for one in requests:
        line = ascii(("&".join(one.query), dict(one.headers), body_of(one)))
        size += len(line) + 2
        if len(head) + len(_EACH) + size > TEXT_MAX:
            break
        each.append(line)
    return head + _EACH.format(each=f"[{', '.join(each)}]", test=TEST, end=END.encode())


def _folders(entry: Entry) -> str:
    """Seen from where the app is started."""
    return ascii(list(entry.folders) if entry.folder == "." else ["."])


def _left(left: tuple[str, ...]) -> str:
    if not left:
        return ""
    shown = "".join(f"\n* {one}" for one in left[:_LEFT_SHOWN])
    return f" Left out, since it may be secret:\n{shown}" + (
        f"\n* and {len(left) - _LEFT_SHOWN} more" if len(left) > _LEFT_SHOWN else ""
    )


def _lines(values: Mapping[str, str]) -> str:
    inside = "".join(f"    {key!a}: {value!a},\n" for key, value in values.items())
    return f"{{\n{inside}}}" if len(values) > 1 else ascii(dict(values))
