"""Where a person sees that a certificate runs out: the page Now and its data."""

from __future__ import annotations

import html
import re
from dataclasses import asdict

from prodwise import clock
from prodwise.heal.certificates import KEPT
from prodwise.model.certificate import Credential, Kind
from tests.server.running_server import World

DAY_S = 86_400.0


def certificate(subject: str, ends_s: float, **more: object) -> Credential:
    at = clock.now()
    times = {"not_before": at + ends_s - 90 * DAY_S, "not_after": at + ends_s, "code": 0, "fine_at": at - 9}
    return Credential(Kind.CERTIFICATE, subject, ("web",), at, **{**times, **more})  # type: ignore[arg-type]


def test_what_runs_out_asks_for_a_person_and_what_is_fine_does_not(world: World) -> None:
    unseen = certificate(
        "typo.example:443", 0, not_before=None, not_after=None, code=None, fine_at=0.0, why="<b>gone</b>"
    )
    seen = (
        certificate("shop.example:443", 2.1 * DAY_S), certificate("fine.example:443", 80 * DAY_S), unseen,
        Credential(Kind.TOKEN, "PAY_TOKEN", (), clock.now(), None, clock.now() - 60),
    )  # fmt: skip
    world.store.settings.put(KEPT, {"seen": {one.id: asdict(one) for one in seen}, "told": {}}, "prodwise")
    with world.person() as client:
        page = client.get("/").text
    text = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))
    for part in (
        "The certificate of shop.example:443 (web) runs out in 2 days, on ", "Renew it, or ask whoever runs it to.",
        "The certificate of typo.example:443 (web) is not known: ", "Correct its address in prodwise.toml, if that is it.",
        "The token in PAY_TOKEN ran out on ", "Put a new one into the env_file, and start what holds it again.",
    ):  # fmt: skip
        assert part in text, part
    assert "fine.example" not in text
    assert text.index("PAY_TOKEN") < text.index("shop.example:443") < text.index("typo.example:443"), (
        "the most urgent first"
    )
    assert "<b>gone" not in page
    with world.local() as client:
        status = client.get("/api/v1/status").json()
    assert {one["subject"]: one["standing"] for one in status["certificates"]} == {
        "shop.example:443": "ending", "fine.example:443": "fine", "typo.example:443": "unknown", "PAY_TOKEN": "over",
    }  # fmt: skip
    assert [one["kind"] for one in status["needs"]].count("certificate") == 3
