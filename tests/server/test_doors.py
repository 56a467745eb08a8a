"""Who may come in: sockets, sessions, CSRF, hosts, headers."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from prodwise.server.app import create_app
from prodwise.server.doors import Policy, policies
from tests.server.running_server import World, start_world

PUBLIC = {
    "GET /static/{name}",
    "GET /login/{secret}",
    "POST /login/{secret}",
    *(f"{method} /health/{what}" for method in ("GET", "HEAD") for what in ("live", "ready")),
    "GET /metrics",
}
LOCAL = {"POST /api/v1/login-link", "GET /api/v1/ways-in"}
KEYED = {
    "POST /hooks/{way}",
    *(f"{method} /ping/{{beat}}{rest}" for method in ("GET", "HEAD", "POST") for rest in ("", "/{said}")),
}


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", "x", path)


def app_of(world: World) -> FastAPI:
    return create_app(world.parts)


def test_every_route_has_the_policy_that_was_meant(world: World) -> None:
    found = policies(app_of(world).routes)
    assert {name for name, policy in found.items() if policy is Policy.PUBLIC} == PUBLIC
    assert {name for name, policy in found.items() if policy is Policy.LOCAL} == LOCAL
    assert {name for name, policy in found.items() if policy is Policy.KEYED} == KEYED
    assert len(found) > 40


def test_a_route_without_a_policy_keeps_the_app_from_starting(world: World) -> None:
    app = app_of(world)
    app.get("/forgotten")(lambda: "oops")
    with pytest.raises(RuntimeError, match="/forgotten"):
        policies(app.routes)
    import asyncio

    async def start() -> None:
        async with app.router.lifespan_context(app):
            pytest.fail("it started")

    with pytest.raises(RuntimeError, match="/forgotten"):
        asyncio.run(start())


def test_nothing_but_public_routes_answers_a_stranger(world: World) -> None:
    with world.stranger() as client:
        for name, policy in policies(app_of(world).routes).items():
            if policy is Policy.PUBLIC:
                continue
            method, path = name.split()
            answer = client.request(method, filled(path))
            assert answer.status_code == (404 if policy in (Policy.LOCAL, Policy.KEYED) else 401), name
            if path.startswith(("/api/", "/hooks/", "/ping/")) and method != "HEAD":
                assert set(answer.json()) == {"error", "code", "hint"}
    assert world.controls.asked == []
    assert not world.target.stopped


def test_every_post_needs_the_csrf_token(world: World) -> None:
    with world.person() as client:
        del client.headers["x-csrf-token"]
        for name, policy in policies(app_of(world).routes).items():
            method, path = name.split()
            if method == "POST" and policy is Policy.SESSION:
                assert client.post(filled(path)).status_code == 403, name
                assert client.post(filled(path), headers={"x-csrf-token": "wrong"}).status_code == 403, name
                assert client.post(filled(path), data={"csrf": "wrong"}).status_code == 403, name
    assert world.controls.asked == []
    assert not world.target.stopped


def test_another_sites_page_cannot_post_even_with_a_token(world: World) -> None:
    with world.person() as client:
        for headers in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
            assert client.post("/act/stop", headers=headers).status_code == 403
        other_port = {"origin": "http://127.0.0.1:8000"}
        assert client.post("/act/stop", headers=other_port).status_code == 403
        assert client.post("/act/stop", headers={"origin": world.url}).status_code == 303


def test_no_get_acts(world: World) -> None:
    with world.person() as client:
        for name in policies(app_of(world).routes):
            method, path = name.split()
            if method == "GET" and path != "/live":
                client.get(filled(path))
        for path in ("/act/stop", "/act/rollback", "/logout", "/api/v1/stop", "/api/v1/deploy"):
            assert client.get(path).status_code == 405
        assert client.get("/").status_code == 200
    assert world.controls.asked == []
    assert not world.target.stopped


def test_the_local_socket_needs_no_login_and_only_its_owner_may_open_it(world: World) -> None:
    assert stat.S_IMODE(world.socket.stat().st_mode) == 0o600
    with world.local() as client:
        assert client.get("/api/v1/status").json()["app"] == "teashop"
        assert client.post("/api/v1/stop", json={"reason": "test"}).json()["stopped"] is True
        url = client.post("/api/v1/login-link").json()["url"]
    assert world.target.stopped
    assert re.fullmatch(r"http://localhost:\d+/login/[\w-]{40,}", url)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "prodwise"},
        {"x-forwarded-for": "unix"},
        {"forwarded": "for=unix"},
        {"x-forwarded-host": "localhost"},
        {"x-real-ip": ""},
    ],
)
def test_no_header_makes_a_tcp_client_local(world: World, headers: dict[str, str]) -> None:
    with world.stranger() as client:
        assert client.post("/api/v1/login-link", headers=headers).status_code in (404, 421)
        assert client.get("/api/v1/status", headers=headers).status_code in (401, 421)


def test_a_login_link_works_once_and_looking_at_it_does_not_use_it_up(world: World) -> None:
    path = world.login_path()
    with world.stranger() as client:
        for _ in range(3):
            page = client.get(path)
            assert page.status_code == 200
            assert '<form method="post"' in page.text
        first = client.post(path)
        assert first.status_code == 303
        cookie = first.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Secure" not in cookie  # plain HTTP on loopback
        assert client.get("/").status_code == 200
    with world.stranger() as other:
        again = other.post(path)
        assert again.status_code == 422
        assert "used already" in again.text
        assert other.get("/").status_code == 401
        assert other.post("/login/" + "x" * 43).status_code == 422


def test_logging_out_ends_the_session(world: World) -> None:
    with world.person() as client:
        secret = client.cookies["prodwise_session"]
        assert client.post("/logout").status_code == 303
    with world.stranger() as other:
        assert other.get("/", headers={"cookie": f"prodwise_session={secret}"}).status_code == 401


def test_a_stranger_is_told_how_to_log_in(world: World) -> None:
    with world.stranger() as client:
        page = client.get("/")
    assert page.status_code == 401
    assert "prodwise login" in page.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7373", "127.0.0.1.evil.example", "localhost.evil", ""])
def test_other_host_names_are_refused_against_dns_rebinding(world: World, host: str) -> None:
    with world.person() as client:
        answer = client.get("/", headers={"host": host})
    assert answer.status_code in (400, 421)
    assert "teashop" not in answer.text


@pytest.mark.parametrize("host", ["localhost:9", "127.0.0.1", "[::1]:80", "prodwise.localhost"])
def test_own_host_names_are_answered(world: World, host: str) -> None:
    with world.person() as client:
        client.headers["host"] = host
        cookie = f"prodwise_session={client.cookies['prodwise_session']}"
        assert client.get("/", headers={"cookie": cookie}).status_code == 200


def test_every_answer_carries_the_security_headers(world: World) -> None:
    with world.person() as client:
        for path in ("/", "/nothing", "/api/v1/status", "/static/prodwise.css", "/login/x"):
            headers = client.get(path).headers
            policy = headers["content-security-policy"]
            assert "unsafe" not in policy
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert "access-control-allow-origin" not in headers
        preflight = client.options("/api/v1/stop", headers={"origin": "http://evil.example"})
        assert preflight.status_code == 405
        assert "access-control-allow-origin" not in preflight.headers


def test_missing_and_forbidden_look_the_same(world: World) -> None:
    with world.person() as client:
        missing = client.post("/api/v1/nothing")
        forbidden = client.post("/api/v1/login-link")
        assert (missing.status_code, missing.json()) == (forbidden.status_code, forbidden.json())
        assert client.get("/static/../app.py").status_code == 404
        assert client.get("/static/%2e%2e%2fapp.py").status_code == 404


def test_a_huge_body_is_refused(world: World) -> None:
    with world.local() as client:
        answer = client.post("/api/v1/stop", content=b'{"reason":"' + b"x" * 200_000 + b'"}')
        assert answer.status_code == 413
    assert not world.target.stopped


def test_two_servers_share_nothing(tmp_path: Path) -> None:
    """A session of one instance is none of another's."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, two = start_world(tmp_path / "a"), start_world(tmp_path / "b")
    try:
        with one.person() as client:
            cookie = f"prodwise_session={client.cookies['prodwise_session']}"
            assert httpx2.get(f"{two.url}/", headers={"cookie": cookie}).status_code == 401
    finally:
        one.close()
        two.close()
