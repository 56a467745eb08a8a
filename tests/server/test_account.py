"""The report of one incident: stored rows only, each sentence cited, the same text each time, harmless whatever it holds."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from prodwise import clock
from prodwise.loop import reach
from prodwise.loop.verify.proof import proof_of
from prodwise.model.incident import IncidentState
from prodwise.server.views.markdown import plain
from tests.server import stories
from tests.server.running_server import World

TITLES = (
    "What broke",
    "For whom",
    "Since when",
    "What was done, and by whom",
    "Why this, and nothing smaller or bigger",
    "Proof",
    "Cause",
    "What is not known",
    "What remains to be done",
    "Sources",
)
SECRET = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
EVIL = f"[x](javascript:alert(1)) ![y](http://evil.example/p) <img src=x onerror=alert(1)> `` www.evil.example {SECRET}\n# big\n- item"
RENDER = MarkdownIt("commonmark", {"html": True}).enable("table")
ACTIVE = re.compile(
    r"<(?!/?(?:p|h1|h2|ul|ol|li|code|table|thead|tbody|tr|th|td|em|strong|hr|br)\b)[a-z/!]", re.IGNORECASE
)


def healed(world: World) -> None:
    found, now = stories.bad_release(world, IncidentState.WATCHING), clock.now()
    ledger = world.store.ledger
    ledger.append("decided", "doing: rollback of web, because errors began", actor="prodwise", incident=found.id)
    ledger.append("recovered", "web is well again after rollback; watching", actor="prodwise", incident=found.id)
    ledger.append("incident_closed", "healed: well since", actor="prodwise", incident=found.id)
    counts = {"before": (900, 2), "during": (340, 102), "after": (800, 1)}
    facts = [reach.evidence(stories.AROUND), proof_of("web", counts, now - 60, now)]
    world.store.incidents.add_evidence(found.id, facts)
    world.store.incidents.save(found.id, state="closed", outcome="healed", closed_at=now)


def report(world: World) -> str:
    with world.local() as client:
        return str(client.get("/api/v1/incidents/inc-new/report").json()["markdown"])


def test_it_answers_what_a_person_asks_in_order(world: World) -> None:
    healed(world)
    told = report(world)
    places = [told.index(f"\n## {title}\n") for title in TITLES]
    assert places == sorted(places)
    for part in (
        "# checkout fails for about 1 in 3 buyers",
        "38 people hit; 102 requests failed",
        "It could reach web (32 % of requests, 1 route, \\~122 people)",
        "Users were served again at",
        "Not: restart web, because the errors began with a release: a restart would hide it for a while",
        "Chosen: to go back reaches web, worker (100 % of requests",
        "| 340 | 102 | 30 % |",
        "| 800 | 1 | 0.1 % |",
        "Likeliest (very likely): release 4-4444444 broke checkout",
        "  - Against: 31 % of POST /checkout failed",
        "Whether orders that failed were paid for",
        "needs a fix before it is shipped again",
    ):
        assert part in told, told


def test_each_sentence_leads_to_a_row_that_is_stored(world: World) -> None:
    healed(world)
    told, records = report(world), world.store
    body, _, sources = told.partition("\n## Sources\n")
    notes = dict(re.findall(r"^\[\^(\d+)\]: (.+)$", sources, re.MULTILINE))
    said = [line for line in body.splitlines() if line.lstrip().startswith(("- ", "| before", "| during", "| after"))]
    assert len(said) > 15
    for line in said:
        cited = re.findall(r"\[\^(\d+)\]", line)
        assert cited, line
        assert set(cited) <= notes.keys()
    assert set(re.findall(r"\[\^(\d+)\]", body)) == notes.keys()
    stored = {fact.id for fact in records.incidents.evidence("inc-new")}
    entries = {entry.seq for entry in records.ledger.entries(incident="inc-new")}
    for note in notes.values():
        assert any(
            (
                (found := re.match(r"Evidence `(ev-\w+)`", note)) and found[1] in stored,
                (found := re.match(r"Ledger entry (\d+) ", note)) and int(found[1]) in entries,
                note == "Incident record `inc-new`",
            )
        ), note


def test_the_same_evidence_makes_the_same_text(world: World) -> None:
    healed(world)
    first = report(world)
    world.vitals.requests.clear()  # live figures, which are gone tomorrow
    world.vitals.well["web"] = None
    assert report(world) == first
    world.store.ledger.append("note", "looked at by ana", actor="ana (terminal)", incident="inc-new")
    assert report(world) != first


def test_nothing_in_it_is_active_and_no_secret_leaves(world: World) -> None:
    healed(world)
    row = world.store.incidents.row("inc-new")
    symptom = {**row["symptoms"][0], "text": EVIL, "source": EVIL}
    leading = {**row["diagnosis"]["hypotheses"][0], "text": EVIL}
    world.store.incidents.save(
        "inc-new", title=EVIL, symptoms=[symptom], diagnosis={"hypotheses": [leading], "unknown": [EVIL]},
        decision={**row["decision"], "why": EVIL, "skipped": [{"action": EVIL, "reason": EVIL}]},
    )  # fmt: skip
    world.store.incidents.add_evidence("inc-new", [replace(reach.evidence(stories.AROUND), text=EVIL, source=EVIL)])
    world.store.ledger.append("escalated", EVIL, actor="prodwise", incident="inc-new")
    told = report(world)
    assert SECRET not in told
    assert told.count("\n# ") + told.startswith("# ") == 1
    html = RENDER.render(told)
    assert not ACTIVE.search(html), ACTIVE.findall(html)


@given(st.text(alphabet=st.sampled_from("[]()!<>`*_#|~-+=.1 \\\n:/w&;{}x@"), max_size=60))
def test_any_text_reads_as_it_is_written(text: str) -> None:
    html = RENDER.render(f"- {plain(text)}\n")
    assert not ACTIVE.search(html)
    assert html.count("<li>") == 1
    shown = re.sub(r"<[^>]+>", "", html)
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        shown = shown.replace(entity, char)
    assert " ".join(shown.split()) == " ".join(text.split())


def test_the_page_offers_it_as_a_file(world: World) -> None:
    healed(world)
    with world.person() as client:
        assert 'href="/incidents/inc-new/report.md"' in client.get("/incidents/inc-new").text
        answer = client.get("/incidents/inc-new/report.md")
        assert client.get("/incidents/none/report.md").status_code == 404
    assert answer.headers["content-type"].startswith("text/markdown")
    assert answer.headers["content-disposition"] == 'attachment; filename="inc-new.md"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.text == report(world)


def test_an_incident_that_has_just_begun_has_one_too(world: World) -> None:
    stories.bad_release(world, IncidentState.SEEN)
    world.store.incidents.save("inc-new", diagnosis=None, decision=None, turn=None)
    told = report(world)
    for part in ("No cause was found", "It is not closed yet", "It was still open at", "not yet known"):
        assert part in told
