"""When certificates and tokens are looked at, what a person is told of them, and what is kept."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from prodwise import clock
from prodwise.config import Config, validate
from prodwise.heal import certificates as kept_by
from prodwise.heal.certificates import AGAIN_S, ASK_S, LOOK_S, Certificates, kept
from prodwise.heal.parts import Parts
from prodwise.loop.detect.certificate import standing
from prodwise.model.certificate import Credential, Endpoint, Kind, Standing
from prodwise.model.errors import TargetError
from prodwise.signals.access_log import AccessLog
from prodwise.signals.handshakes import TlsHandshakes
from prodwise.signals.replay import Replay
from prodwise.store.sql import SqlStore
from prodwise.targets.local.tokens import LocalTokens
from prodwise.testing.fake_handshakes import FakeHandshakes, FakeTokens
from prodwise.testing.fake_target import FakeTarget
from tests.certificates import DAY_S, Issuer, serving

NOW = 1_800_000_000.0
SETTINGS = {
    "version": 1,
    "services": {
        "web": {"command": "x", "certificates": ["shop.example"], "needs": ["pay"]},
        "pay": {"command": "x", "upstream": True, "certificates": ["pay.example:8443"]},
        "mail": {"command": "x", "kind": "worker", "certificates": ["mail.example"]},
    },
}
SHOP, PAY, MAIL = "shop.example:443", "pay.example:8443", "mail.example:443"


class _Nobody:
    """Implements ports.Prober: nothing is probed."""

    def see(self, seen: object) -> None: ...

    def results(self) -> list[object]:
        return []


@dataclass
class Told:
    """Implements ports.Notifier."""

    said: list[tuple[str, str]] = field(default_factory=list)
    works: bool = True

    def tell(self, title: str, text: str) -> None:
        if not self.works:
            raise TargetError("the channel is shut")
        self.said.append((title, text))


@dataclass
class Watch:
    """A healer's look at certificates, on a clock of the test's own. ends: address → when its certificate runs out."""

    folder: Path
    store: SqlStore
    at: float = NOW
    ends: dict[str, float] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    told: Told = field(default_factory=Told)
    tokens: FakeTokens = field(default_factory=FakeTokens)

    def __post_init__(self) -> None:
        self.handshakes = FakeHandshakes(self.shown)
        self.begin()

    def begin(self) -> None:
        """A new healer."""
        self.looking = Certificates(parts_of(self.folder, self.store, validate(SETTINGS, "test"), self))

    def shown(self, endpoint: Endpoint) -> Credential:
        seen = Credential(Kind.CERTIFICATE, endpoint.id, endpoint.services, self.at)
        if endpoint.id in self.gone:
            return replace(seen, why="connection refused")
        ends = self.ends.get(endpoint.id, NOW + 80 * DAY_S)
        return replace(seen, not_before=ends - 90 * DAY_S, not_after=ends, code=0)

    def turns(self, many: int = 4) -> list[str]:
        """So many turns; the addresses that were asked in them."""
        before = len(self.handshakes.asked)
        for _ in range(many):
            self.looking.turn(self.at)
        return sorted(self.handshakes.asked[before:])

    def later(self, seconds: float) -> list[str]:
        self.at += seconds
        return self.turns()


def parts_of(folder: Path, store: SqlStore, config: Config, watch: Watch) -> Parts:
    return Parts(
        config, folder, "", store, FakeTarget(config.inventory(), clock.now), AccessLog(folder / "access.log"), _Nobody(),
        Replay(), watch.told, handshakes=watch.handshakes, tokens=watch.tokens,
    )  # fmt: skip


@pytest.fixture
def watch(tmp_path: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch(tmp_path, store)
    monkeypatch.setattr(kept_by, "now", lambda: made.at)
    monkeypatch.setattr(kept_by, "TOKENS_S", 0.0)
    return made


on_sqlite = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@on_sqlite
def test_each_address_is_asked_once_in_three_hours_and_one_at_a_time(watch: Watch) -> None:
    assert len(watch.turns(1)) == 1
    watch.turns()
    assert sorted(watch.handshakes.asked) == [MAIL, PAY, SHOP]
    assert watch.later(LOOK_S - 1) == []
    assert watch.later(1) == [MAIL, PAY, SHOP]


@on_sqlite
def test_a_person_is_told_once_a_level_and_the_ledger_has_it(watch: Watch, store: SqlStore) -> None:
    watch.ends[PAY] = NOW + 20 * DAY_S
    watch.turns()
    assert watch.told.said == []
    heard = []
    for days in (7, 1, 10.5, 0.1, 1.9, 2):
        for _ in range(3):
            watch.later(days * DAY_S / 3)
        heard.append([title for title, _ in watch.told.said])
    titles = heard[-1]
    assert [len(one) for one in heard] == [1, 1, 2, 2, 3, 3]
    assert "(pay) runs out in 13 days" in titles[0] or "(pay) runs out in 14 days" in titles[0]
    assert "(pay) runs out in" in titles[1]
    assert "(pay) ran out on 2027" in titles[2]
    assert titles[0].startswith("The certificate of pay.example:8443")
    assert watch.told.said[0][1] == "Renew it, or ask whoever runs it to."
    entries = store.ledger.recent(10, ["certificate"])
    assert [one.data["standing"] for one in reversed(entries)] == ["waning", "ending", "over"]
    assert {one.service for one in entries} == {"pay"}


@on_sqlite
def test_one_that_was_renewed_is_noticed_soon_and_a_new_end_is_told_anew(watch: Watch, store: SqlStore) -> None:
    watch.ends[SHOP] = NOW + 60
    watch.turns()
    watch.later(62)
    watch.ends[SHOP] = NOW + 80 * DAY_S
    assert watch.later(AGAIN_S) == [SHOP], "the others are fine, and wait"
    assert (
        store.ledger.recent(1, ["certificate"])[0].text
        == f"the certificate of {SHOP} (web) is valid until 2027-04-05 08:00 UTC"
    )
    assert [standing(one, watch.at).value for one in kept(store)] == ["fine", "fine", "fine"]
    watch.ends[SHOP] = watch.at + 60
    watch.later(LOOK_S)
    assert [title for title, _ in watch.told.said if "ran out" in title] == [
        "The certificate of shop.example:443 (web) ran out on 2027-01-15 08:01 UTC",
        "The certificate of shop.example:443 (web) ran out on 2027-01-15 08:12 UTC",
    ]


@on_sqlite
def test_the_moment_it_runs_out_it_is_looked_at_again_before_anything_is_said(watch: Watch) -> None:
    watch.ends[SHOP] = NOW + LOOK_S / 2
    watch.turns()
    told = len(watch.told.said)
    watch.at = NOW + LOOK_S / 2
    assert standing(kept(watch.store)[-1], watch.at) is Standing.UNKNOWN, "it may have been renewed"
    watch.ends[SHOP] = NOW + 80 * DAY_S
    assert watch.later(1) == [SHOP]
    assert len(watch.told.said) == told


@on_sqlite
def test_an_incident_has_what_its_service_rests_on_looked_at_at_once(watch: Watch) -> None:
    watch.turns()
    watch.at += 1000
    opened = watch.at
    before = watch.looking.facts("web", opened)
    assert [one.at for one in before] == [NOW] * 3, "it does not wait"
    assert watch.later(1) == [PAY, SHOP], "mail is nothing that web needs"
    assert watch.later(ASK_S) == [], "once is enough"
    after = {one.subject: one.at for one in watch.looking.facts("web", opened)}
    assert after == {SHOP: opened + 1, PAY: opened + 1, MAIL: NOW}
    watch.looking.facts("", watch.at)
    assert watch.later(ASK_S) == [MAIL, PAY, SHOP]


@on_sqlite
def test_nobody_is_asked_more_often_than_once_a_minute(watch: Watch) -> None:
    watch.gone = {SHOP, PAY, MAIL}
    watch.turns()
    for _ in range(100):
        watch.at += 1
        watch.looking.facts("", watch.at)
        watch.turns(1)
    assert max(watch.handshakes.asked.count(one) for one in (SHOP, PAY, MAIL)) <= 2


@on_sqlite
def test_what_could_not_be_looked_at_is_no_news_and_asked_again_before_long(watch: Watch) -> None:
    watch.gone = {PAY}
    watch.turns()
    assert [standing(one, watch.at) for one in kept(watch.store) if one.subject == PAY] == [Standing.UNKNOWN]
    assert watch.told.said == []
    assert watch.later(AGAIN_S) == [PAY]


@on_sqlite
def test_a_new_healer_goes_on_where_the_one_before_it_stopped(watch: Watch) -> None:
    watch.ends[PAY] = NOW + DAY_S
    watch.turns()
    watch.begin()
    assert watch.later(5) == []
    watch.later(LOOK_S)
    assert len(watch.told.said) == 1
    fine = next(one for one in kept(watch.store) if one.subject == SHOP)
    watch.gone = {SHOP}
    watch.later(LOOK_S)
    unseen = next(one for one in kept(watch.store) if one.subject == SHOP)
    assert (unseen.fine_at, unseen.not_after) == (fine.at, None)


@on_sqlite
def test_a_clock_that_was_set_back_asks_anew(watch: Watch) -> None:
    watch.turns()
    assert watch.later(-DAY_S) == [MAIL, PAY, SHOP]


@on_sqlite
def test_a_healer_that_ends_before_it_wrote_down_that_it_told_has_told(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(*_: object) -> None:
        raise SystemExit

    watch.ends = dict.fromkeys((SHOP, PAY, MAIL), NOW + DAY_S)
    with monkeypatch.context() as patched:
        patched.setattr(Certificates, "_keep", ends)
        with pytest.raises(SystemExit):
            watch.looking.turn(watch.at)
    assert len(watch.told.said) == 1
    watch.begin()
    watch.turns()
    assert len({title for title, _ in watch.told.said}) == 3, "the first of them twice rather than never"


@on_sqlite
def test_a_channel_that_fails_is_itself_on_record(watch: Watch, store: SqlStore) -> None:
    watch.ends[PAY], watch.told.works = NOW + DAY_S, False
    watch.turns()
    assert [one.text for one in store.ledger.recent(5, ["not_told"])] == [
        "telling a person failed: the channel is shut"
    ]


@on_sqlite
def test_tokens_are_told_of_in_the_same_way(watch: Watch, store: SqlStore) -> None:
    token = Credential(Kind.TOKEN, "PAY_TOKEN", (), NOW, NOW - 300 * DAY_S, NOW + 2 * DAY_S)
    watch.tokens.known = [token]
    watch.turns()
    watch.tokens.known = [replace(token, at=NOW + 3 * DAY_S)]
    watch.later(3 * DAY_S)
    assert [title for title, _ in watch.told.said] == [
        "The token in PAY_TOKEN runs out in 2 days, on 2027-01-17 08:00 UTC",
        "The token in PAY_TOKEN ran out on 2027-01-17 08:00 UTC",
    ]
    watch.tokens.known = []
    watch.turns()
    assert {one.kind for one in kept(store)} == {Kind.CERTIFICATE}


def signed(ends: float, canary: str = "") -> str:
    parts = ({"alg": "HS256"}, {"sub": canary, "exp": ends, "iat": ends - 300 * DAY_S})
    told = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts]
    return ".".join((*told, base64.urlsafe_b64encode(f"sig{canary}".encode()).decode().rstrip("=")))


@on_sqlite
def test_a_token_s_value_goes_nowhere(tmp_path: Path, store: SqlStore, watch: Watch) -> None:
    """A canary in its claims, its signature and beside it: neither in the store, nor told, nor in what a page is made from."""
    canary = "canary-7f3a9"
    value = signed(NOW + DAY_S, canary)
    (tmp_path / ".env").write_text(f'export PAY_TOKEN="{value}"\nPASSWORD={canary}\nODD=a.b.c\nN={signed(NOW)[:-5]}!\n')
    looked = LocalTokens(tmp_path / ".env").look()
    assert [(one.subject, one.not_after) for one in looked] == [("PAY_TOKEN", NOW + DAY_S)]
    watch.tokens.known = [replace(one, at=NOW) for one in looked]
    watch.turns()
    everywhere = [*watch.told.said, looked, kept(store), store.ledger.recent(100), store.settings.get("certificates")]
    held = repr(everywhere).encode() + b"".join(one.read_bytes() for one in tmp_path.rglob("*.db*"))
    assert b"PAY_TOKEN runs out in 24 hours" in held
    for secret in (canary, *value.split(".")[1:]):
        assert secret.encode() not in held


def test_a_file_that_cannot_be_read_tells_of_no_token(tmp_path: Path) -> None:
    assert LocalTokens(tmp_path / "none").look() == ()
    (tmp_path / ".env").write_bytes(b"\xff\xfe=1\n")
    assert LocalTokens(tmp_path / ".env").look() == ()
    (tmp_path / ".env").write_text("not a line")
    assert LocalTokens(tmp_path / ".env").look() == ()


@on_sqlite
def test_a_real_server_s_certificate_is_seen_to_run_out_and_to_be_renewed(tmp_path: Path, store: SqlStore) -> None:
    issuer = Issuer(tmp_path)
    with serving(issuer.certificate(begins_s=-90 * DAY_S, ends_s=-5.0)) as server:
        config = validate(
            {"version": 1, "services": {"web": {"command": "x", "certificates": [f"localhost:{server.port}"]}}}, "t"
        )
        watch = Watch(tmp_path, store)
        parts = replace(parts_of(tmp_path, store, config, watch), handshakes=TlsHandshakes(issuer.trust()))
        Certificates(parts).turn(clock.now())
        (title, todo) = watch.told.said[0]
        assert title.startswith(f"The certificate of localhost:{server.port} (web) ran out on ")
        assert todo == "Renew it, or ask whoever runs it to."
        server.show(issuer.certificate())
        Certificates(parts).turn(clock.now() + AGAIN_S)
    (seen,) = kept(store)
    assert (standing(seen, clock.now()), seen.bad_at) == (Standing.FINE, 0.0)
    assert server.heard == [b""] * len(server.heard)
