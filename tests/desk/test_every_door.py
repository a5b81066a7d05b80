"""Every address with every role, and what stands before all of them: CSRF, origins, headers, places."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from aiohttp import ClientSession
from desk_world import FIRST, PASSWORD, ROLES, World
from multidict import CIMultiDict
from signing_in import SignedIn

from core.errors import ToritsugiError
from desk.app import all_routes
from desk.guard import HEADERS
from desk.routes import Door, Route
from desk.settings import desk_settings_from
from desk.visit import client_address
from interactions.access import Role
from services.access import Permission, permissions_of

pytestmark = pytest.mark.desk
Browser = Callable[[], ClientSession]

PLACES = {
    "operator": "101", "alert": "k3f9ab2q", "call": "c-n1-1.1", "base": "c-n1-1.1", "side": "citizen", "id": "abcdefgh",
    "case": "i-n1-1.1", "watch": "listen",
    "article": "card-apply", "request": "f-00000000", "set": "w-1",
    "name": "aoki", "token": "x" * 30, "ticket": "t-mine", "kind": "daily", "step": "take", "what": "unlock",
}  # fmt: skip


def address(route: Route) -> str:
    path = re.sub(r"\{(\w+)(:(?:[^{}]|\{[^{}]*\})*)?\}", lambda found: PLACES[found[1]], route.path)
    return path.replace("/static/aoki", "/static/desk.css")


def test_every_address_that_answers_is_declared(world: World) -> None:
    declared = {(route.method, route.path) for route in all_routes()}
    served = set()
    for resource in world.app.router.resources():
        for each in resource:
            path = each.resource.get_info() if each.resource else {}
            shown = path.get("path") or path.get("formatter", "")
            assert getattr(each.handler, "route", None) is not None, (
                f"{each.method} {shown} has no declaration"
            )
            served.add((each.method, each.handler.route.path))
    assert served - {("HEAD", path) for _, path in served} == declared


def test_open_doors_are_few() -> None:
    """An address without sign-in is named here on purpose."""
    found = {route.path.partition("{")[0] for route in all_routes() if route.door is Door.OPEN}
    assert found == {"/sign-in", "/set-up/", "/static/", "/healthz", "/api/v1/openapi.json"}


def test_every_permission_opens_something_and_every_role_has_some() -> None:
    used = {permission for route in all_routes() for permission in route.permissions}
    assert used == set(Permission)
    assert all(permissions_of(role) for role in Role)


def test_no_administrator_of_the_system_hears_citizens() -> None:
    theirs = permissions_of(Role.SYSTEM_ADMIN)
    assert not theirs & {Permission.CASE_READ, Permission.RECORDING_HEAR, Permission.TICKET_ALL}


@pytest.mark.parametrize("name", [*ROLES, None], ids=[*ROLES, "nobody"])
async def test_who_may_open_what(
    world: World, signed_in: SignedIn, browser: Browser, name: str | None
) -> None:
    """Refused exactly where the role lacks the permission; what is let in may still find nothing (404, 422)."""
    session = await signed_in(name) if name else browser()
    mine = permissions_of(ROLES[name][0]) if name else frozenset()
    for route in all_routes():
        if route.path in ("/sign-out", "/desk/live", "/board/live") or "sessions" in route.path:
            continue
        answer = await session.request(route.method, address(route), allow_redirects=False, data=b"")
        where = f"{route.method} {route.path} as {name}"
        if route.door is Door.OPEN:
            assert answer.status in (200, 422), where
        elif name is None:
            assert answer.status in (303, 401, 403), where
            assert answer.headers.get("Location", "/sign-in").startswith("/sign-in"), where
        elif route.permissions and not route.permissions & mine:
            assert answer.status == 403, where
            if route.data:
                assert (await answer.json())["error"]["message"], where
        elif answer.status == 403:
            # The only other reason: no telephone of one's own.
            assert Permission.SEAT_OWN in route.permissions or Permission.CASE_WRITE in route.permissions, (
                where
            )
            assert ROLES[name][1] == "", where
        assert answer.status != 500, where


@pytest.mark.parametrize("headers", [{}, {"X-CSRF-Token": "wrong"}])
async def test_nothing_changes_without_the_pages_token(
    world: World, signed_in: SignedIn, headers: dict[str, str]
) -> None:
    session = await signed_in("kantoku")
    session.headers.pop("X-CSRF-Token")
    for route in all_routes():
        if route.method == "GET" or route.door is Door.OPEN:
            continue
        answer = await session.request(
            route.method, address(route), allow_redirects=False, headers=headers, data={"csrf": "wrong"}
        )
        assert answer.status == 403, route.path
    assert world.control.asked == []


async def test_nothing_changes_from_a_page_elsewhere(
    world: World, signed_in: SignedIn, browser: Browser
) -> None:
    session = await signed_in("kantoku")
    for more in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answer = await session.post("/board/reopen", headers=more, allow_redirects=False)
        assert answer.status == 403
        stranger = await browser().post("/sign-in", data={"name": "x", "password": "y"}, headers=more)
        assert stranger.status == 403, "not even a sign-in may be forced on somebody"
    assert world.control.asked == []


@pytest.mark.parametrize(
    "path", ["/sign-in", "/board", "/nowhere", "/static/desk.css", "/api/v1/me", "/tickets"]
)
async def test_every_answer_wears_the_headers(world: World, signed_in: SignedIn, path: str) -> None:
    session = await signed_in("kantoku")
    answer = await session.get(path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "no-store" in answer.headers["Cache-Control"] or path.startswith("/static")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


class Inline(HTMLParser):
    """Finds what the policy would block: scripts and styles inside a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name.startswith("on")]


PAGES = {
    "kantoku": ("/board", "/board/wall", "/board/operators/101", "/board/centre", "/board/alerts/k3f9ab2q", "/tickets",
                "/tickets/t-mine", "/tickets/new", "/cases", "/reports",
                "/reports/calls?metric=answered&first=2026-11-27", "/account"),
    "aoki": ("/desk",),
    "kanri": ("/users", "/users/aoki", "/audit", "/account/second-factor"),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
async def test_pages_hold_no_script_or_style_of_their_own(
    world: World, signed_in: SignedIn, name: str
) -> None:
    session = await signed_in(name)
    for path in PAGES[name]:
        answer = await session.get(path)
        assert answer.status == 200, path
        parser = Inline()
        parser.feed(await answer.text())
        assert parser.found == [], path


async def test_the_cookie_cannot_be_read_or_sent_along_from_elsewhere(world: World, browser: Browser) -> None:
    plain, secure = browser(), browser()
    answer = await plain.post("/sign-in", data={"name": "aoki", "password": PASSWORD}, allow_redirects=False)
    said = answer.headers["Set-Cookie"]
    assert "HttpOnly" in said
    assert "SameSite=Lax" in said
    world.desk.settings = replace(world.desk.settings, origin="https://desk.example.jp")
    answer = await secure.post(
        "/sign-in",
        data={"name": "aoki", "password": PASSWORD},
        headers={"Origin": "https://desk.example.jp"},
        allow_redirects=False,
    )
    assert answer.headers["Set-Cookie"].startswith("__Host-toritsugi=")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"]


async def test_only_allowed_places_come_in(world: World, browser: Browser) -> None:
    world.desk.settings = replace(world.desk.settings, allow=(ipaddress.ip_network("192.0.2.0/24"),))
    for path in ("/sign-in", "/static/desk.css", "/api/v1/floor"):
        assert (await browser().get(path)).status == 403
    # A browser's own word about where it is counts for nothing …
    answer = await browser().get("/sign-in", headers={"X-Forwarded-For": "192.0.2.7"})
    assert answer.status == 403
    # … a trusted proxy's does, and only the part that the proxy itself wrote.
    world.desk.settings = replace(world.desk.settings, proxies=(ipaddress.ip_network("127.0.0.0/8"),))
    for said, status in (
        ("192.0.2.7", 200),
        ("192.0.2.7, 203.0.113.9", 403),
        ("203.0.113.9, 192.0.2.7", 200),
        ("x", 403),
    ):
        answer = await browser().get("/sign-in", headers={"X-Forwarded-For": said})
        assert answer.status == status, said
    # A proxy that adds a line of its own leaves the browser's line before it.
    lines = CIMultiDict([("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-For", "203.0.113.9")])
    assert (await browser().get("/sign-in", headers=lines)).status == 403


async def test_files_outside_are_not_served(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("kantoku")
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/%2e%2e%2fapp.py", "/static/font/../../app.py",
                 "/recordings/c-n1-1.1/..%2f..%2fetc%2fpasswd.wav", "/recordings/..%2f..%2fx/citizen.wav"):  # fmt: skip
        answer = await session.get(path)
        assert answer.status == 404, path


async def test_a_row_that_points_outside_the_folder_is_not_believed(
    world: World, signed_in: SignedIn
) -> None:
    first = FIRST
    async with world.database.uow() as unit:
        (recording, *_) = await unit.recordings.of_call(first.call_id)
        await unit.recordings.put(replace(recording, path="/etc/hostname"))
    session = await signed_in("kantoku")
    assert (await session.get(f"/recordings/{recording.base}/{recording.side}.wav")).status == 404


def test_off_loopback_the_desk_wants_encryption() -> None:
    with pytest.raises(ToritsugiError, match="暗号化"):
        desk_settings_from(8080, {"TORITSUGI_HTTP_HOST": "192.0.2.5"})
    own = desk_settings_from(8443, {"TORITSUGI_HTTP_HOST": "192.0.2.5", "TORITSUGI_TLS_CERT": "own"})
    assert own.origin == "https://192.0.2.5:8443"
    proxied = desk_settings_from(
        8080,
        {
            "TORITSUGI_HTTP_HOST": "192.0.2.5",
            "TORITSUGI_DESK_PROXIES": "192.0.2.1",
            "TORITSUGI_DESK_ORIGIN": "https://desk.example.jp/",
        },
    )
    assert proxied.origin == "https://desk.example.jp"
    assert proxied.secure


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TORITSUGI_HTTP_HOST", "desk"), ("TORITSUGI_DESK_ALLOW", "192.0.2.0/99"), ("TORITSUGI_DESK_IDLE_MIN", "0"),
        ("TORITSUGI_DESK_SESSION_HOURS", "x"), ("TORITSUGI_DESK_SECOND_FACTOR", "boss"),
        ("TORITSUGI_TLS_CERT", "/none.pem"),
        ("TORITSUGI_DESK_ORIGIN", "desk.example.jp"), ("TORITSUGI_DESK_PROXIES", "proxy"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_read_is_named(name: str, value: str) -> None:
    with pytest.raises(ToritsugiError, match=name):
        desk_settings_from(8080, {name: value})


def test_the_address_behind_a_proxy_needs_a_trusted_peer(world: World) -> None:
    class Asked:
        remote = "198.51.100.1"
        headers = CIMultiDict({"X-Forwarded-For": "192.0.2.7"})

    assert client_address(Asked(), world.desk.settings) == "198.51.100.1"
