"""A help desk in Python, with a database. Held back: no weight was set by it."""

# ruff: noqa: E501 - the edits are read best one a line
from __future__ import annotations

from bench.suspects.anywhere import anywhere
from bench.suspects.project import (
    Fault,
    Harmless,
    Project,
    append,
    both,
    create,
    every,
    move,
    remove,
    rename,
    swap,
)

FILES = {
    "README.rst": "Desk\n====\n\nTickets.\n",
    "requirements.txt": "# pinned\nagenda==0.9.4\npagerline==2.5.0\nclickable==8.1.7\n",
    "config/desk.ini": "[desk]\nper_page = 3\nsla_hours = 24\n\n[alerts]\nrooms = ops,sales\n",
    "run.py": "from src.desk.http import serve\n\n\ndef main(request):\n    return serve(request)\n",
    "src/__init__.py": "",
    "src/desk/__init__.py": "",
    "src/desk/http.py": """import logging

from src.desk.urls import URLS

log = logging.getLogger("desk.http")


class NotFound(Exception):
    pass


def serve(request):
    method, _, path = request.partition(" ")
    parts = [part for part in path.split("/") if part]
    for pattern, view in URLS:
        arguments = bind(pattern, parts)
        if arguments is not None:
            return view(*arguments)
    raise NotFound(path)


def bind(pattern, parts):
    names = [name for name in pattern.split("/") if name]
    if len(names) != len(parts):
        return None
    arguments = []
    for name, part in zip(names, parts):
        if name.startswith("<int:"):
            arguments.append(int(part))
        elif name.startswith("<"):
            arguments.append(part)
        elif name != part:
            return None
    return arguments
""",
    "src/desk/urls.py": """from src.desk import views

URLS = [
    ("tickets/<team>/", views.ticket_list),
    ("ticket/<int:number>/", views.ticket_detail),
    ("report/<team>/", views.team_report),
    ("agenda/<team>/", views.team_agenda),
    ("escalate/<int:number>/", views.escalate),
]
""",
    "src/desk/views.py": """import logging

from src.desk import alerts, report
from src.desk.db import connect
from src.desk.models import Ticket
from src.desk.repo import TicketRepo
from src.desk.schedule import slots

log = logging.getLogger("desk.views")


def ticket_list(team):
    repo = TicketRepo(connect())
    page = repo.page_of(team)
    return [summary(ticket) for ticket in page]


def summary(ticket):
    return f"#{ticket.number} {ticket.subject} ({ticket.status})"


def ticket_detail(number):
    repo = TicketRepo(connect())
    ticket = repo.get(number)
    first, *others = ticket.history()
    return {"subject": ticket.subject, "opened": first, "steps": len(others)}


def team_report(team):
    tickets = TicketRepo(connect()).all_of(team)
    return report.build(team, tickets)


def team_agenda(team):
    return [slot.label() for slot in slots(team)]


def escalate(number):
    ticket = TicketRepo(connect()).get(number)
    urgent = ticket.raise_priority(2)
    alerts.send(urgent, "ops")
    return urgent.priority
""",
    "src/desk/models.py": """import logging
from dataclasses import dataclass, replace

log = logging.getLogger("desk.models")


@dataclass(frozen=True)
class Ticket:
    number: int
    team: str
    subject: str
    status: str
    priority: int
    trail: str

    def history(self):
        return [step.strip() for step in self.trail.split(">") if step.strip()]

    def raise_priority(self, by):
        return replace(self, priority=self.priority + by)

    def is_open(self):
        return self.status in OPEN


OPEN = ("new", "doing")


def from_row(row):
    return Ticket(row["number"], row["team"], row["subject"], row["status"], row["priority"], row["trail"])
""",
    "src/desk/db.py": """import logging
import pathlib
import sqlite3

log = logging.getLogger("desk.db")
HERE = pathlib.Path(__file__).parent


def connect():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    for script in sorted((HERE / "migrations").glob("*.sql")):
        connection.executescript(script.read_text())
    return connection
""",
    "src/desk/migrations/0001_tickets.sql": """CREATE TABLE ticket (
  number INTEGER PRIMARY KEY,
  team TEXT NOT NULL,
  subject TEXT NOT NULL,
  status TEXT NOT NULL,
  priority INTEGER NOT NULL,
  trail TEXT NOT NULL
);
""",
    "src/desk/migrations/0002_samples.sql": """INSERT INTO ticket VALUES (1, 'blue', 'Printer on fire', 'new', 3, 'opened > assigned');
INSERT INTO ticket VALUES (2, 'blue', 'No coffee', 'done', 1, 'opened > assigned > closed');
INSERT INTO ticket VALUES (3, 'red', 'Slow mail', 'doing', 2, 'opened');
""",
    "src/desk/repo.py": """import logging

from src.desk.conf import number_of
from src.desk.models import from_row

log = logging.getLogger("desk.repo")
COLUMNS = "number, team, subject, status, priority, trail"


class TicketRepo:
    def __init__(self, connection):
        self._connection = connection

    def all_of(self, team):
        query = f"SELECT {COLUMNS} FROM ticket WHERE team = ? ORDER BY priority"
        return [from_row(row) for row in self._connection.execute(query, (team,))]

    def page_of(self, team):
        return self.all_of(team)[: number_of("desk", "per_page")]

    def get(self, number):
        query = f"SELECT {COLUMNS} FROM ticket WHERE number = ?"
        row = self._connection.execute(query, (number,)).fetchone()
        return from_row(row)
""",
    "src/desk/conf.py": """import configparser
import pathlib

PATH = pathlib.Path(__file__).parents[2] / "config" / "desk.ini"


def read():
    parser = configparser.ConfigParser()
    parser.read(PATH)
    return parser


def number_of(section, key):
    return int(read()[section][key])


def list_of(section, key):
    return read()[section][key].split(",")
""",
    "src/desk/report.py": """import logging

from src.desk.conf import number_of
from src.desk.maths import mean, spread

log = logging.getLogger("desk.report")


def build(team, tickets):
    weights = [weight(ticket) for ticket in tickets]
    header = f"{team}: {len(tickets)} tickets"
    return {"header": header, "mean": mean(weights), "spread": spread(weights), "open": count_open(tickets)}


def weight(ticket):
    return ticket.priority * number_of("desk", "sla_hours")


def count_open(tickets):
    return sum(1 for ticket in tickets if ticket.is_open())
""",
    "src/desk/maths.py": """import logging

log = logging.getLogger("desk.maths")


def mean(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers)


def spread(numbers):
    middle = mean(numbers)
    return max(abs(number - middle) for number in numbers)
""",
    "src/desk/schedule.py": """import logging

from agenda import Day

log = logging.getLogger("desk.schedule")
SHIFTS = {"blue": (8, 12), "red": (12, 18)}


class Slot:
    def __init__(self, hour, team):
        self.hour = hour
        self.team = team

    def label(self):
        return "%02d:00 %s" % (self.hour, self.team)


def slots(team):
    begin, end = SHIFTS[team]
    day = Day(begin, end)
    return [Slot(hour, team) for hour in day.hours()]
""",
    "src/desk/alerts.py": """import logging

import pagerline

from src.desk.conf import list_of

log = logging.getLogger("desk.alerts")


class UnknownRoom(Exception):
    pass


def send(ticket, room):
    if room not in list_of("alerts", "rooms"):
        raise UnknownRoom(f"nobody listens in room {room}")
    text = compose(ticket)
    return pagerline.ring(room, text)


def compose(ticket):
    return "P{0} {1}".format(ticket.priority, ticket.subject)
""",
}
DAY = "class Day:\n    def __init__(self, begin, end):\n        self.begin, self.end = begin, end\n\n    def hours(self):\n        return range(self.begin, self.end)\n"
RING = "def ring(room, text):\n    return len(text)\n"
PACKAGES = {
    "agenda 0.9.4": DAY,
    "agenda 0.9.5": DAY + "\n",
    "agenda 1.0.0": DAY.replace("Day", "WorkDay"),
    "pagerline 2.5.0": RING,
    "pagerline 2.5.1": RING + "\n",
    "pagerline 3.0.0": "def ring(room, text):\n    return _post(room, text)\n\n\ndef _post(room, text):\n    raise ConnectionError('v3 wants a token')\n",
    "clickable 8.1.7": "",
    "clickable 8.2.0": "",
}
TICKETS, DETAIL, REPORT, AGENDA, ESCALATE = (
    "GET /tickets/blue",
    "GET /ticket/2",
    "GET /report/blue",
    "GET /agenda/red",
    "GET /escalate/1",
)
FAULTS = (
    Fault("column-renamed", "Rename status to state in the schema", TICKETS, swap(("  status TEXT NOT NULL,\n  priority", "  state TEXT NOT NULL,\n  priority"))),
    Fault("column-dropped", "Drop what nobody reads", DETAIL, create("src/desk/migrations/0003_slim.sql", "ALTER TABLE ticket DROP COLUMN trail;\n")),
    Fault("data-shape", "Anonymise samples", "GET /ticket/3", swap(("'Slow mail', 'doing', 2, 'opened'", "'Slow mail', 'doing', 2, ''"))),
    Fault("zero-division", "Skip light weights", "GET /report/red", both(swap(("def mean(numbers):\n    numbers = list(numbers)\n", "def mean(numbers):\n    numbers = [number for number in numbers if number > 99]\n")))),
    Fault("all-filtered", "Only closed tickets count", REPORT, swap(("    weights = [weight(ticket) for ticket in tickets]", "    weights = [weight(ticket) for ticket in tickets if ticket.status == \"closed\"]"))),
    Fault("tuple-grew", "Shifts with a break", AGENDA, swap(('"red": (12, 18)}', '"red": (12, 15, 18)}'))),
    Fault("property", "is_open reads better as a property", REPORT, swap(("    def is_open(self):", "    @property\n    def is_open(self):"))),
    Fault("frozen", "Simpler priority", ESCALATE, swap(("        return replace(self, priority=self.priority + by)", "        self.priority += by\n        return self"))),
    Fault("field-removed", "Remove unused field", DETAIL, both(swap(("    priority: int\n    trail: str\n", "    priority: int\n")))),
    Fault("room-removed", "Merge chat rooms", ESCALATE, swap(("rooms = ops,sales", "rooms = sales"))),
    Fault("ini-value", "SLA in words", REPORT, swap(("sla_hours = 24", "sla_hours = 24h"))),
    Fault("ini-section", "Group settings", TICKETS, swap(("[desk]\nper_page = 3\n", "[paging]\nper_page = 3\n\n[desk]\n"))),
    Fault("recursion", "Reuse mean for spread", REPORT, swap(("    return sum(numbers) / len(numbers)", "    return mean(numbers) if spread(numbers) else 0"))),
    Fault("package-class", "Upgrade agenda", AGENDA, every("0.9.4", "1.0.0", "requirements")),
    Fault("package-inside", "Monthly updates", ESCALATE, both(every("2.5.0", "3.0.0", "requirements"), every("8.1.7", "8.2.0", "requirements"))),
    Fault("format", "Louder alerts", ESCALATE, swap(('"P{0} {1}".format(', '"P{0} {1} {2}".format('))),
    Fault("view-removed", "Remove the agenda page", TICKETS, swap(("def team_agenda(team):\n    return [slot.label() for slot in slots(team)]\n\n\n", ""))),
    Fault("arguments-swapped", "Repo takes the table", TICKETS, swap(("    def __init__(self, connection):", "    def __init__(self, connection, table):"))),
    Fault("module-moved", "Move conf to settings", REPORT, rename("src/desk/conf.py", "src/desk/settings.py", ("desk.conf import list_of", "desk.settings import list_of"), ("conf import number_of\nfrom src.desk.models", "settings import number_of\nfrom src.desk.models"))),
    Fault("query", "Sort tickets by age", TICKETS, swap(("ORDER BY priority", "ORDER BY opened_at"))),
)  # fmt: skip

HARMLESS = (
    *anywhere("python"),
    Harmless("Longer pages", swap(("per_page = 3", "per_page = 5"))),
    Harmless("Stricter SLA", swap(("sla_hours = 24", "sla_hours = 12"))),
    Harmless("Another room", swap(("rooms = ops,sales", "rooms = ops,sales,legal"))),
    Harmless("Another sample", create("src/desk/migrations/0004_more.sql", "INSERT INTO ticket VALUES (9, 'red', 'Broken chair', 'new', 1, 'opened > seen');\n")),
    Harmless("Index tickets", create("src/desk/migrations/0005_index.sql", "CREATE INDEX by_team ON ticket (team);\n")),
    Harmless("Move mean's module", rename("src/desk/maths.py", "src/desk/numbers.py", ("desk.maths import", "desk.numbers import"))),
    Harmless("Rename alerts to paging", rename("src/desk/alerts.py", "src/desk/paging.py", ("import alerts, report", "import paging, report"), ("alerts.send(", "paging.send("))),
    Harmless("Move count_open to maths", move("def count_open(tickets):", "", "src/desk/maths.py", ("import mean, spread", "import count_open, mean, spread"))),
    Harmless("Move summary to models", move("def summary(ticket):", "def ticket_detail", "src/desk/models.py", ("models import Ticket\n", "models import Ticket, summary\n"))),
    Harmless("Bump pagerline", every("2.5.0", "2.5.1", "requirements")),
    Harmless("Bump agenda", every("0.9.4", "0.9.5", "requirements")),
    Harmless("Bump clickable", every("8.1.7", "8.2.0", "requirements")),
    Harmless("Name the header", swap(('    header = f"{team}: {len(tickets)} tickets"', '    many = len(tickets)\n    header = f"{team}: {many} tickets"'))),
    Harmless("Waiting counts as open", swap(('OPEN = ("new", "doing")', 'OPEN = ("new", "doing", "waiting")'))),
    Harmless("Shorter summaries", swap(("{ticket.subject} ({ticket.status})", "{ticket.subject[:60]} ({ticket.status})"))),
    Harmless("Query in one place", swap(("        row = self._connection.execute(query, (number,)).fetchone()", "        found = self._connection.execute(query, (number,))\n        row = found.fetchone()"))),
    Harmless("Label with dash", swap(('return "%02d:00 %s"', 'return "%02d:00 - %s"'))),
    Harmless("Keep the method", swap(('    method, _, path = request.partition(" ")', '    verb, _, path = request.partition(" ")'))),
    Harmless("List teams", append("repo.py", "\n\ndef teams(connection):\n    return [row[0] for row in connection.execute('SELECT DISTINCT team FROM ticket')]\n")),
    Harmless("Editor settings", create(".editorconfig", "root = true\n")),
    Harmless("Empty trails", swap(("    def history(self):\n", '    def history(self):\n        if self.trail == "-":\n            return ["unknown"]\n'))),
    Harmless("Night shift", swap(('SHIFTS = {"blue"', 'SHIFTS = {"night": (0, 6), "blue"'))),
    Harmless("Remove the readme", remove("README.rst")),
)  # fmt: skip

PROJECT = Project(
    "desk", "python", FILES, FAULTS, HARMLESS, PACKAGES,
    {TICKETS: "GET /tickets/*", DETAIL: "GET /ticket/*", "GET /ticket/3": "GET /ticket/*", REPORT: "GET /report/*",
     "GET /report/red": "GET /report/*", AGENDA: "GET /agenda/*", ESCALATE: "GET /escalate/*"},
)  # fmt: skip
