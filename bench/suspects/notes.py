"""Notes in JavaScript. Developed on."""

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

LOG = 'const { log } = require("./log");\n'
FILES = {
    "README.md": "# Notes\n",
    "package.json": '{\n  "name": "notes",\n  "version": "1.0.0",\n  "dependencies": {\n    "marklet": "2.0.1",\n    "tinyid": "1.1.0",\n    "chalky": "5.0.0"\n  }\n}\n',
    "config/default.json": '{\n  "pageSize": 2,\n  "maxTitle": 30,\n  "storage": { "dir": "data" }\n}\n',
    "run.js": 'const { app } = require("./src/server");\n\nexports.main = (request) => app.handle(request);\n',
    "src/log.js": 'const lines = [];\n\nfunction log(...words) {\n  lines.push(words.join(" "));\n}\n\nmodule.exports = { log };\n',
    "src/router.js": LOG
    + """
function router() {
  const routes = [];
  return {
    get(pattern, handler) {
      routes.push({ pattern, handler });
    },
    handle(request) {
      const path = request.split(" ")[1];
      for (const { pattern, handler } of routes) {
        const params = match(pattern, path);
        if (params) return handler({ params });
      }
      throw new Error("no route for this path");
    },
  };
}

function match(pattern, path) {
  const ours = pattern.split("/");
  const theirs = path.split("/");
  if (ours.length !== theirs.length) return null;
  const params = {};
  for (let at = 0; at < ours.length; at += 1) {
    if (ours[at].startsWith(":")) params[ours[at].slice(1)] = theirs[at];
    else if (ours[at] !== theirs[at]) return null;
  }
  return params;
}

module.exports = { router };
""",
    "src/server.js": LOG
    + """const { router } = require("./router");
const notes = require("./notes");
const pages = require("./pages");
const tags = require("./tags");

const app = router();

app.get("/notes/:user", (req) => {
  const found = notes.listFor(req.params.user);
  return pages.list(found);
});

app.get("/note/:id", (req) => {
  const note = notes.byId(req.params.id);
  return pages.one(note);
});

app.get("/tags/:user", showTags);

app.get("/export/:user", (req) => {
  const found = notes.listFor(req.params.user);
  return pages.csv(found);
});

function showTags(req) {
  const counted = tags.count(notes.listFor(req.params.user));
  return tags.cloud(counted);
}

module.exports = { app };
""",
    "src/store.js": LOG
    + """const { settings } = require("./settings");

const ROWS = [
  { id: "1", owner: "eve", title: "Milk", body: "buy *milk*", tags: ["home", "shop"], at: "2026-01-02" },
  { id: "2", owner: "eve", title: "Call", body: "call Joe", tags: ["work"], at: "2026-01-03" },
  { id: "3", owner: "max", title: "Trip", body: "pack *bags*", tags: ["home"], at: "2026-01-04" },
];

function all() {
  return ROWS.map((row) => ({ ...row }));
}

function find(test) {
  return all().filter(test);
}

function path(name) {
  return settings().storage.dir + "/" + name;
}

module.exports = { all, find, path };
""",
    "src/settings.js": """const fs = require("fs");
const path = require("path");

function settings() {
  return JSON.parse(fs.readFileSync(path.join(__dirname, "..", "config", "default.json"), "utf8"));
}

module.exports = { settings };
""",
    "src/notes.js": LOG
    + """const store = require("./store");
const { settings } = require("./settings");
const { newId } = require("tinyid");

function listFor(user) {
  const found = store.find((row) => row.owner === user);
  return found.slice(0, settings().pageSize).map(withTitle);
}

function byId(id) {
  const [found] = store.find((row) => row.id === id);
  return withTitle(found);
}

function withTitle(note) {
  return { ...note, title: shorten(note.title, settings().maxTitle) };
}

function shorten(text, limit) {
  return text.length > limit ? text.slice(0, limit) + "…" : text;
}

function create(owner, title) {
  return { id: newId(), owner, title, body: "", tags: [], at: "" };
}

module.exports = { listFor, byId, create };
""",
    "src/tags.js": LOG
    + """
class Counter {
  constructor(names) {
    this.counts = new Map(names.map((name) => [name, 0]));
  }

  add(name) {
    this.counts.set(name, this.counts.get(name) + 1);
  }

  most() {
    return [...this.counts.entries()].sort((a, b) => b[1] - a[1]);
  }
}

function count(notes) {
  const names = notes.flatMap((note) => note.tags);
  const counter = new Counter(names);
  names.forEach((name) => counter.add(name));
  return counter;
}

function cloud(counter) {
  return counter.most().map(([name, many]) => label(name, many));
}

function label(name, many) {
  return name.toUpperCase() + " (" + many + ")";
}

module.exports = { count, cloud, Counter };
""",
    "src/pages.js": LOG
    + """const { render } = require("marklet");
const { dayOf } = require("./dates");
const store = require("./store");

function list(notes) {
  return notes.map(line).join("\\n");
}

function line(note) {
  return dayOf(note.at) + " " + note.title;
}

function one(note) {
  const body = render(note.body);
  return { title: note.title, body, link: store.path(note.id) };
}

function csv(notes) {
  const rows = notes.map((note) => [note.id, note.title, note.at]);
  return rows.map((row) => row.join(",")).join("\\n");
}

module.exports = { list, one, csv };
""",
    "src/dates.js": LOG
    + """
const MONTHS = ["Jan", "Feb", "Mar"];

function dayOf(text) {
  const parts = text.split("-");
  return Number(parts[2]) + " " + monthOf(parts);
}

function monthOf(parts) {
  const month = MONTHS[Number(parts[1]) - 1];
  if (!month.length) throw new Error("month is out of range");
  return month;
}

module.exports = { dayOf };
""",
}
MARKLET = (
    'function render(text) {\n  return text.replace(/[*](.*?)[*]/g, "<b>$1</b>");\n}\n\nmodule.exports = { render };\n'
)
TINYID = 'exports.newId = () => "n1";\n'
PACKAGES = {
    "marklet 2.0.1": MARKLET,
    "marklet 2.0.2": MARKLET + "\n",
    "marklet 3.0.0": "module.exports = { parse: (text) => text };\n",
    "marklet 2.1.0": "function render(text, options) {\n  return inline(text, options.strict);\n}\n\nfunction inline(text) {\n  return text;\n}\n\nmodule.exports = { render };\n",
    "tinyid 1.1.0": TINYID,
    "tinyid 1.1.1": TINYID + "\n",
    "chalky 5.0.0": "",
    "chalky 5.1.0": "",
}

FAULTS = (
    Fault("field-renamed", "Dates get clearer names", "GET /notes/eve", swap(('tags: ["home", "shop"], at:', 'tags: ["home", "shop"], created:'), ('tags: ["work"], at:', 'tags: ["work"], created:'), ('tags: ["home"], at:', 'tags: ["home"], created:'))),
    Fault("export-removed", "Tidy exports", "GET /tags/eve", swap(("module.exports = { count, cloud, Counter };", "module.exports = { count, Counter };"))),
    Fault("config-removed", "Simpler config", "GET /note/1", swap((',\n  "storage": { "dir": "data" }', ""))),
    Fault("package-major", "Upgrade marklet", "GET /note/1", every("2.0.1", "3.0.0", "package.json")),
    Fault("package-raises", "Upgrade dependencies", "GET /note/3", both(every("2.0.1", "2.1.0", "package.json"), every("5.0.0", "5.1.0", "package.json"))),
    Fault("undefined-row", "Numeric ids", "GET /note/2", swap(("(row) => row.id === id", "(row) => row.id === Number(id)"))),
    Fault("months-cut", "Shorter tables", "GET /notes/max", swap(('const MONTHS = ["Jan", "Feb", "Mar"];', 'const MONTHS = [];'))),
    Fault("method-renamed", "Better names in tags", "GET /tags/max", swap(("  most() {", "  ranked() {"))),
    Fault("typo", "Better CSV", "GET /export/eve", swap(("return rows.map((row) => row.join(", "return row.map((row) => row.join("))),
    Fault("file-removed", "Remove unused files", "GET /notes/eve", remove("src/dates.js")),
    Fault("map-broken", "Count only known tags", "GET /tags/eve", swap(("    this.counts = new Map(names.map((name) => [name, 0]));", "    this.counts = Object.fromEntries(names.map((name) => [name, 0]));"))),
    Fault("null-title", "Untitled notes", "GET /export/max", swap(('owner: "max", title: "Trip"', 'owner: "max", title: null'))),
    Fault("argument-order", "Consistent arguments", "GET /notes/eve", swap(("function shorten(text, limit) {", "function shorten(limit, text) {"), ('  return text.length > limit ? text.slice(0, limit)', '  return text.trim().length > limit ? text.slice(0, limit)'))),
    Fault("const-reassigned", "Cleaner day", "GET /notes/eve", swap(("  return Number(parts[2]) + \" \" + monthOf(parts);", "  parts = parts.map(Number);\n  return parts[2] + \" \" + monthOf(parts);"))),
    Fault("json-broken", "Comment the config", "GET /notes/eve", swap(('  "pageSize": 2,', '  // two fit on a phone\n  "pageSize": 2,'))),
    Fault("destructured", "Handler gets params alone", "GET /notes/max", swap(("return handler({ params });", "return handler(params);"))),
)  # fmt: skip

HARMLESS = (
    *anywhere("javascript"),
    Harmless("Larger pages", swap(('"pageSize": 2', '"pageSize": 5'))),
    Harmless("Longer titles", swap(('"maxTitle": 30', '"maxTitle": 34'))),
    Harmless("Another note", swap(("const ROWS = [\n", 'const ROWS = [\n  { id: "9", owner: "kim", title: "Bike", body: "repair", tags: [], at: "2026-02-02" },\n'))),
    Harmless("Move shorten to text", both(create("src/text.js", ""), move("function shorten(", "function create", "src/text.js"), append("text.js", "\nmodule.exports = { shorten };\n"),
             swap(('const { newId } = require("tinyid");', 'const { newId } = require("tinyid");\nconst { shorten } = require("./text");')))),
    Harmless("Add word helpers", create("src/words.js", 'function upper(text) {\n  return text.toUpperCase();\n}\n\nmodule.exports = { upper };\n')),
    Harmless("Rename tags to labels", rename("src/tags.js", "src/labels.js", ('require("./tags")', 'require("./labels")'))),
    Harmless("Rename store to rows", rename("src/store.js", "src/rows.js", ('require("./store")', 'require("./rows")'))),
    Harmless("Bump tinyid", every("1.1.0", "1.1.1", "package.json")),
    Harmless("Bump chalky", every("5.0.0", "5.1.0", "package.json")),
    Harmless("Bump marklet", every("2.0.1", "2.0.2", "package.json")),
    Harmless("Name the label", swap(('  return name.toUpperCase() + " (" + many + ")";', '  const big = name.toUpperCase();\n  return big + " (" + many + ")";'))),
    Harmless("Clearer line", swap(('  return dayOf(note.at) + " " + note.title;', '  const day = dayOf(note.at);\n  return day + " " + note.title;'))),
    Harmless("More months", swap(('"Feb", "Mar"]', '"Feb", "Mar", "Apr"]'))),
    Harmless("Health page", swap(("module.exports = { app };", 'app.get("/health", () => "ok");\n\nmodule.exports = { app };'))),
    Harmless("Copy rows", swap(("  return all().filter(test);", "  const rows = all();\n  return rows.filter(test);"))),
    Harmless("Split the path", swap(('      const path = request.split(" ")[1];', '      const [, path] = request.split(" ");'))),
    Harmless("Explain the body", append("pages.js", "\nfunction empty() {\n  return [];\n}\n")),
    Harmless("Wrap the title", swap(("  return { ...note, title: shorten(note.title, settings().maxTitle) };", "  const title = shorten(note.title, settings().maxTitle);\n  return { ...note, title };"))),
    Harmless("Guard exports", swap(("function csv(notes) {\n", "function csv(notes) {\n  if (!notes.length) return \"\";\n"))),
    Harmless("Lint", create(".eslintrc.json", "{}\n")),
)  # fmt: skip

PROJECT = Project("notes", "javascript", FILES, FAULTS, HARMLESS, PACKAGES,
                  {f"GET /{one}/{who}": f"GET /{one}/:{'id' if one == 'note' else 'user'}" for one in ("notes", "note", "tags", "export") for who in ("eve", "max", "1", "2", "3")})  # fmt: skip
