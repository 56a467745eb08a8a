"""Parcels in JavaScript, with classes. Held back: no weight was set by it."""

# ruff: noqa: E501 - the edits are read best one a line
from __future__ import annotations

from bench.suspects.anywhere import anywhere
from bench.suspects.project import Fault, Harmless, Project, append, both, create, every, remove, rename, swap

USES = '"use strict";\n\nconst { log } = require("../util/log");\n'
FILES = {
    "README.md": "# Parcels\n",
    "package.json": '{\n  "name": "parcels",\n  "dependencies": {\n    "geokit": "1.4.0",\n    "zonefile": "0.3.2",\n    "leftpad2": "1.0.0"\n  }\n}\n',
    "data/tariffs.json": '{\n  "zones": { "near": 400, "far": 900 },\n  "express": { "factor": 2 },\n  "maxKilos": 30\n}\n',
    "run.js": 'const { build } = require("./lib/app");\n\nexports.main = (request) => build().dispatch(request);\n',
    "lib/util/log.js": "const kept = [];\n\nfunction log(...words) {\n  kept.push(words);\n}\n\nmodule.exports = { log };\n",
    "lib/util/money.js": '"use strict";\n\nfunction euros(cents) {\n  return (cents / 100).toFixed(2);\n}\n\nfunction total(parts) {\n  return parts.reduce((sum, part) => sum + part.cents, 0);\n}\n\nmodule.exports = { euros, total };\n',
    "lib/http/router.js": USES
    + """
class Router {
  constructor() {
    this.routes = [];
  }

  on(pattern, handler) {
    this.routes.push({ parts: pattern.split("/").filter(Boolean), handler });
    return this;
  }

  dispatch(request) {
    const [, path] = request.split(" ");
    const parts = path.split("/").filter(Boolean);
    for (const route of this.routes) {
      const params = this.match(route.parts, parts);
      if (params) {
        return route.handler(params);
      }
    }
    throw new Error("nothing lives at " + path);
  }

  match(ours, theirs) {
    if (ours.length !== theirs.length) {
      return null;
    }
    const params = {};
    for (const [at, part] of ours.entries()) {
      if (part.startsWith(":")) {
        params[part.slice(1)] = theirs[at];
      } else if (part !== theirs[at]) {
        return null;
      }
    }
    return params;
  }
}

module.exports = { Router };
""",
    "lib/app.js": """"use strict";

const { Router } = require("./http/router");
const { QuoteHandler } = require("./handlers/quote");
const { trackParcel } = require("./handlers/track");
const { depotLabel } = require("./handlers/depot");
const { dailySheet } = require("./handlers/sheet");

function build() {
  const quotes = new QuoteHandler();
  return new Router()
    .on("/quote/:from/:to/:kilos", (params) => quotes.answer(params))
    .on("/track/:code", trackParcel)
    .on("/depot/:name", depotLabel)
    .on("/sheet/:day", dailySheet);
}

module.exports = { build };
""",
    "lib/handlers/quote.js": USES
    + """const { Quote } = require("../domain/quote");
const { findDepot } = require("../domain/depots");
const { euros } = require("../util/money");

class QuoteHandler {
  answer({ from, to, kilos }) {
    const quote = new Quote(findDepot(from), findDepot(to), Number(kilos));
    const parts = quote.parts();
    return { price: euros(quote.price()), parts: parts.map(({ label }) => label) };
  }
}

module.exports = { QuoteHandler };
""",
    "lib/handlers/track.js": USES
    + """const { parcels } = require("../domain/parcels");
const { Timeline } = require("../domain/timeline");

function trackParcel({ code }) {
  const parcel = parcels.get(code);
  const timeline = new Timeline(parcel.events);
  const last = timeline.last();
  return { status: last.what, place: last.depot.toUpperCase(), steps: timeline.size };
}

module.exports = { trackParcel };
""",
    "lib/handlers/depot.js": USES
    + """const { findDepot } = require("../domain/depots");
const { point } = require("geokit");

function depotLabel({ name }) {
  const depot = findDepot(name);
  const { lat, lon } = point(depot.at);
  return depot.title + " @ " + lat.toFixed(1) + "," + lon.toFixed(1);
}

module.exports = { depotLabel };
""",
    "lib/handlers/sheet.js": USES
    + """const { parcels } = require("../domain/parcels");
const { Timeline } = require("../domain/timeline");

function dailySheet({ day }) {
  const rows = [];
  for (const [code, parcel] of parcels) {
    const timeline = new Timeline(parcel.events);
    if (timeline.on(day).length > 0) {
      rows.push(row(code, parcel, timeline));
    }
  }
  return rows.sort((a, b) => a.code.localeCompare(b.code));
}

function row(code, parcel, timeline) {
  return { code, to: parcel.recipient.name.split(" ").pop(), last: timeline.last().what };
}

module.exports = { dailySheet };
""",
    "lib/domain/depots.js": USES
    + """
const DEPOTS = [
  { name: "ber", title: "Berlin", zone: "near", at: "52.5,13.4" },
  { name: "muc", title: "Munich", zone: "far", at: "48.1,11.6" },
];

class UnknownDepot extends Error {}

function findDepot(name) {
  const found = DEPOTS.find((depot) => depot.name === name);
  if (!found) {
    throw new UnknownDepot("no depot is called " + name);
  }
  return found;
}

module.exports = { findDepot, UnknownDepot };
""",
    "lib/domain/tariffs.js": USES
    + """const tariffs = require("../../data/tariffs.json");

function ofZone(zone) {
  const cents = tariffs.zones[zone];
  if (cents === undefined) {
    throw new RangeError("tariff for zone is not set");
  }
  return cents;
}

function expressFactor() {
  return tariffs.express.factor;
}

module.exports = { ofZone, expressFactor, maxKilos: tariffs.maxKilos };
""",
    "lib/domain/quote.js": USES
    + """const { total } = require("../util/money");
const tariffs = require("./tariffs");

class Quote {
  #kilos;

  constructor(from, to, kilos) {
    this.from = from;
    this.to = to;
    this.#kilos = kilos;
  }

  parts() {
    const base = { label: "base", cents: tariffs.ofZone(this.to.zone) };
    const weight = { label: "weight", cents: this.surcharge() };
    return this.#kilos > 0 ? [base, weight] : [base];
  }

  surcharge() {
    const over = Math.max(0, this.#kilos - 5);
    return over * 50 * tariffs.expressFactor();
  }

  price() {
    return total(this.parts());
  }
}

module.exports = { Quote };
""",
    "lib/domain/parcels.js": USES
    + """
const parcels = new Map([
  ["P1", { recipient: { name: "Ida Berg" }, events: [event("taken", "ber", "mon"), event("sorted", "muc", "tue")] }],
  ["P2", { recipient: { name: "Tom Ode" }, events: [event("taken", "muc", "mon")] }],
]);

function event(what, depot, day) {
  return { what, depot, day };
}

module.exports = { parcels };
""",
    "lib/domain/timeline.js": USES
    + """
class Timeline {
  constructor(events) {
    this.events = [...events];
  }

  get size() {
    return this.events.length;
  }

  last() {
    return this.events[this.events.length - 1];
  }

  on(day) {
    return this.events.filter((event) => event.day === day);
  }
}

module.exports = { Timeline };
""",
}
POINT = 'function point(text) {\n  const [lat, lon] = text.split(",").map(Number);\n  return { lat, lon };\n}\n\nmodule.exports = { point };\n'
PACKAGES = {
    "geokit 1.4.0": POINT,
    "geokit 1.4.1": POINT + "\n",
    "geokit 2.0.0": 'function point(pair) {\n  return check(pair);\n}\n\nfunction check(pair) {\n  if (!Array.isArray(pair)) throw new TypeError("a pair of numbers is needed");\n  return { lat: pair[0], lon: pair[1] };\n}\n\nmodule.exports = { point };\n',
    "geokit 3.0.0": POINT.replace("lat, lon }", "latitude: lat, longitude: lon }"),
    "zonefile 0.3.2": "",
    "zonefile 0.4.0": "",
    "leftpad2 1.0.0": "",
    "leftpad2 1.0.1": "",
}
QUOTE, TRACK, DEPOT, SHEET = "GET /quote/ber/muc/8", "GET /track/P1", "GET /depot/ber", "GET /sheet/mon"
FAULTS = (
    Fault("zone-renamed", "Zones by number", QUOTE, swap(('title: "Munich", zone: "far"', 'title: "Munich", zone: "z2"'))),
    Fault("tariff-moved", "Tidy tariffs", QUOTE, swap((',\n  "express": { "factor": 2 }', ',\n  "rates": { "express": { "factor": 2 } }'))),
    Fault("private", "Quotes are read outside", QUOTE, swap(("  surcharge() {\n    const over", "  static surcharge() {\n    const over"))),
    Fault("getter", "Timeline: last is a getter", TRACK, swap(("  last() {", "  get last() {"))),
    Fault("events-keyed", "Events by day", TRACK, swap(("return { what, depot, day };", "return { what, day, place: depot };"))),
    Fault("map-to-object", "Plain object of parcels", SHEET, both(swap(("const parcels = new Map([", "const parcels = Object.fromEntries([")))),
    Fault("recipient-null", "Forget recipients after delivery", SHEET, swap(('["P2", { recipient: { name: "Tom Ode" }', '["P2", { recipient: null'))),
    Fault("package-checks", "Upgrade geokit", DEPOT, every("1.4.0", "2.0.0", "package.json")),
    Fault("package-shape", "Update all packages", DEPOT, both(every("1.4.0", "3.0.0", "package.json"), every("0.3.2", "0.4.0", "package.json"))),
    Fault("export-default", "Export the class itself", TRACK, swap(("module.exports = { Timeline };", "module.exports = Timeline;"))),
    Fault("handler-unbound", "Shorter wiring", QUOTE, both(swap(("(params) => quotes.answer(params)", "quotes.answer.bind()")), swap(("    const parts = quote.parts();", "    const parts = this.partsOf(quote);"), ("module.exports = { QuoteHandler };", "QuoteHandler.prototype.partsOf = (quote) => quote.parts();\n\nmodule.exports = { QuoteHandler };")))),
    Fault("depot-name", "Depots in capitals", TRACK, swap(('event("sorted", "muc", "tue")', 'event("sorted", 2, "tue")'))),
    Fault("undeclared", "Name the surcharge", QUOTE, swap(("    return over * 50 * tariffs.expressFactor();", "    perKilo = 50;\n    return over * perKilo * tariffs.expressFactor();"))),
    Fault("file-gone", "Remove duplicates", DEPOT, remove("lib/util/money.js")),
    Fault("filter-dropped", "Faster sheet", SHEET, swap(("    return this.events.filter((event) => event.day === day);", "    return this.events.find((event) => event.day === day).day;"), ("[event(\"taken\", \"muc\", \"mon\")]", "[event(\"taken\", \"muc\", \"wed\")]"))),
    Fault("money-text", "Money as text", QUOTE, swap(("  return parts.reduce((sum, part) => sum + part.cents, 0);", "  return parts.map((part) => part.cents).join(\"+\");"), ("  return (cents / 100).toFixed(2);", "  return cents.toFixed(2);"))),
    Fault("depot-lost", "Depots from the east", DEPOT, swap(('{ name: "ber", title: "Berlin"', '{ name: "bln", title: "Berlin"'))),
    Fault("const", "Compute kilos once", QUOTE, swap(("    const over = Math.max(0, this.#kilos - 5);", "    const over = Math.max(0, this.#kilos - 5);\n    over = Math.round(over);"))),
)  # fmt: skip

HARMLESS = (
    *anywhere("javascript"),
    Harmless("Cheaper far zone", swap(('"far": 900', '"far": 850'))),
    Harmless("Heavier parcels", swap(('"maxKilos": 30', '"maxKilos": 31'))),
    Harmless("Hamburg", swap(("const DEPOTS = [\n", 'const DEPOTS = [\n  { name: "ham", title: "Hamburg", zone: "near", at: "53.5,10.0" },\n'))),
    Harmless("Another parcel", swap(("const parcels = new Map([\n", 'const parcels = new Map([\n  ["P0", { recipient: { name: "Ann Lee" }, events: [event("taken", "ber", "sun")] }],\n'))),
    Harmless("Rename sheet", rename("lib/handlers/sheet.js", "lib/handlers/daily.js", ("handlers/sheet", "handlers/daily"))),
    Harmless("Rename timeline", rename("lib/domain/timeline.js", "lib/domain/steps.js", ("domain/timeline", "domain/steps"))),
    Harmless("Move tariffs up", rename("lib/domain/tariffs.js", "lib/tariffs.js", ('require("./tariffs")', 'require("../tariffs")'), ('"../../data/', '"../data/'), ('const { log } = require("../util/log");\nconst tariffs = require("../data', 'const tariffs = require("../data'))),
    Harmless("Bump geokit", every("1.4.0", "1.4.1", "package.json")),
    Harmless("Bump zonefile", every("0.3.2", "0.4.0", "package.json")),
    Harmless("Bump leftpad2", every("1.0.0", "1.0.1", "package.json")),
    Harmless("Free until six", swap(("this.#kilos - 5)", "this.#kilos - 6)"))),
    Harmless("Name the base", swap(("    const base = { label: \"base\", cents: tariffs.ofZone(this.to.zone) };", "    const { zone } = this.to;\n    const base = { label: \"base\", cents: tariffs.ofZone(zone) };"))),
    Harmless("Label in steps", swap(('  return depot.title + " @ " + lat.toFixed(1)', '  const where = lat.toFixed(1);\n  return depot.title + " @ " + where'))),
    Harmless("Sort rows later", swap(("  return rows.sort((a, b) => a.code.localeCompare(b.code));", "  rows.sort((a, b) => a.code.localeCompare(b.code));\n  return rows;"))),
    Harmless("Clearer path", swap(('    const [, path] = request.split(" ");', '    const path = request.split(" ").pop();'))),
    Harmless("First event", swap(("  on(day) {", "  first() {\n    return this.events[0];\n  }\n\n  on(day) {"))),
    Harmless("Guard tracking", swap(("  const last = timeline.last();\n  return { status", '  if (timeline.size === 0) return { status: "announced" };\n  const last = timeline.last();\n  return { status'))),
    Harmless("Count depots", append("depots.js", "\nfunction many() {\n  return DEPOTS.length;\n}\n")),
    Harmless("Ignore files", create(".gitignore", "node_modules\n")),
)  # fmt: skip

PROJECT = Project(
    "parcels", "javascript", FILES, FAULTS, HARMLESS, PACKAGES,
    {QUOTE: "GET /quote/:from/:to/:kilos", TRACK: "GET /track/:code", DEPOT: "GET /depot/:name", SHEET: "GET /sheet/:day"},
)  # fmt: skip
