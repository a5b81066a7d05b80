"""Signing in over HTTP: what comes in, what stays out, what is written down."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

import pyotp
import pytest
from aiohttp import ClientSession
from desk_world import BASE, PASSWORD, SEED, World
from signing_in import SignedIn, csrf_of
from yarl import URL

from desk.accounts import Accounts, Wanted
from desk.sign_in import SignInRefused
from desk.throttle import NAME_TRIES
from interactions.access import Role
from services.ports import AuditEntry

pytestmark = pytest.mark.desk
Browser = Callable[[], ClientSession]


async def password(
    session: ClientSession, name: str = "kantoku", word: str = PASSWORD, **more: str
) -> tuple[int, str]:
    answer = await session.post(
        "/sign-in", data={"name": name, "password": word, **more}, allow_redirects=False
    )
    return answer.status, answer.headers.get("Location", "")


async def audited(world: World) -> list[AuditEntry]:
    async with world.database.reading() as unit:
        return await unit.audit.between(0, 4e9)


def cookie(world: World, session: ClientSession) -> str:
    return session.cookie_jar.filter_cookies(URL(world.origin))["toritsugi"].value


async def test_password_then_code_opens_the_board(world: World, browser: Browser) -> None:
    session = browser()
    assert await password(session) == (303, "/sign-in/second")
    assert (await session.get("/board", allow_redirects=False)).headers["Location"] == "/sign-in/second"
    answer = await session.post(
        "/sign-in/second", data={"code": world.code(), "csrf": await csrf_of(world, session)}
    )
    assert answer.status == 200
    assert answer.url.path == "/board"
    assert [entry.action for entry in await audited(world)] == ["desk.sign_in"]


async def test_each_step_gives_a_new_cookie(world: World, browser: Browser) -> None:
    """A cookie that was planted or seen before the last step opens nothing."""
    session = browser()
    await password(session)
    first = cookie(world, session)
    await session.post("/sign-in/second", data={"code": world.code(), "csrf": await csrf_of(world, session)})
    assert cookie(world, session) != first
    assert await world.desk.sign_in.session_of(first) is None


async def test_a_planted_cookie_is_not_taken_over(world: World, browser: Browser) -> None:
    session = browser()
    session.cookie_jar.update_cookies({"toritsugi": "planted"}, URL(world.origin))
    await password(session)
    assert cookie(world, session) != "planted"


async def test_a_code_counts_once(world: World, browser: Browser) -> None:
    code = world.code()
    for expected in (303, 422):
        session = browser()
        await password(session)
        answer = await session.post(
            "/sign-in/second",
            data={"code": code, "csrf": await csrf_of(world, session)},
            allow_redirects=False,
        )
        assert answer.status == expected


@pytest.mark.parametrize("name", ["kantoku", "nobody-of-this-name"])
async def test_guessing_is_shut_out_whether_or_not_the_name_exists(
    world: World, browser: Browser, name: str
) -> None:
    told = []
    world.desk.sign_in.on_guessing = told.append
    pages = set()
    for _ in range(NAME_TRIES):
        answer = await browser().post("/sign-in", data={"name": name, "password": "wrong wrong wrong"})
        pages.add(re.sub(name, "", await answer.text()))
        assert answer.status == 422
    assert len(pages) == 1
    assert [each.what for each in told] == ["name"]
    # Now the right password is not enough, and nothing tells that it was right.
    answer = await browser().post("/sign-in", data={"name": name, "password": PASSWORD})
    assert (answer.status, re.sub(name, "", await answer.text())) == (422, pages.pop())


async def test_the_lock_outlives_the_process_and_ends(world: World, browser: Browser) -> None:
    for _ in range(NAME_TRIES):
        await password(browser(), word="wrong wrong wrong")
    world.desk.sign_in.throttle = type(world.desk.sign_in.throttle)()
    assert (await password(browser()))[0] == 422
    world.desk.sign_in.throttle = type(world.desk.sign_in.throttle)()
    world.clock.ahead += 1000
    assert (await password(browser()))[0] == 303


async def test_wrong_codes_are_counted_too(world: World, browser: Browser) -> None:
    session = browser()
    await password(session)
    csrf = await csrf_of(world, session)
    for _ in range(NAME_TRIES):
        answer = await session.post("/sign-in/second", data={"code": "000000", "csrf": csrf})
        assert answer.status == 422
    answer = await session.post("/sign-in/second", data={"code": world.code(), "csrf": csrf})
    assert answer.status == 422


async def test_tries_sent_at_once_count_one_after_the_other(world: World, browser: Browser) -> None:
    """Whoever sends a hundred passwords in one moment has no more tries than whoever types them."""
    sign_in = world.desk.sign_in
    tries = [
        sign_in.by_password("kantoku", "wrong wrong wrong", "192.0.2.1", "") for _ in range(3 * NAME_TRIES)
    ]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(answer, SignInRefused) for answer in answers)
    assert len(await audited(world)) == NAME_TRIES


async def test_codes_sent_at_once_count_one_after_the_other(world: World, browser: Browser) -> None:
    session = browser()
    await password(session)
    found = await world.desk.sign_in.session_of(cookie(world, session))
    assert found is not None
    tries = [world.desk.sign_in.by_code(found[0], "000000") for _ in range(3 * NAME_TRIES)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(answer, SignInRefused) for answer in answers)
    assert len(await audited(world)) == NAME_TRIES


async def test_what_somebody_types_as_a_name_is_not_kept(world: World, browser: Browser) -> None:
    await password(browser(), name="my secret password", word="x")
    assert [(entry.actor, entry.action) for entry in await audited(world)] == [("-", "desk.sign_in_failed")]


async def test_a_role_with_a_second_factor_must_set_one_up(world: World, browser: Browser) -> None:
    await world.user("new", Role.SUPERVISOR, secret="")
    session = browser()
    assert await password(session, "new") == (303, "/account/second-factor")
    page = await (await session.get("/board")).text()
    seed = re.search(r'<code class="seed">([A-Z2-7 ]+)</code>', page)
    assert seed, "every page leads to the set-up"
    code = pyotp.TOTP(seed[1].replace(" ", "")).at(int(world.clock.epoch()))
    csrf = await csrf_of(world, session)
    wrong = await session.post("/account/second-factor", data={"code": "000000", "csrf": csrf})
    assert wrong.status == 422
    assert seed[1] in await wrong.text(), "the picture stays the same until it is used"
    right = await session.post("/account/second-factor", data={"code": code, "csrf": csrf})
    assert right.status == 200
    assert (await session.get("/board")).url.path == "/board"
    async with world.database.reading() as unit:
        user = await unit.users.get("new")
    assert user is not None
    assert user.totp_secret
    assert seed[1].replace(" ", "") not in user.totp_secret, "sealed"


async def test_nobody_adds_a_factor_before_using_theirs(world: World, browser: Browser) -> None:
    session = browser()
    await password(session)
    csrf = await csrf_of(world, session)
    answer = await session.get("/account/second-factor", allow_redirects=False)
    assert answer.headers["Location"] == "/sign-in/second"
    for path in ("/account/key/options", "/account/key"):
        answer = await session.post(path, json={"answer": {}}, headers={"X-CSRF-Token": csrf})
        assert answer.status == 422
    answer = await session.post(
        "/account/second-factor", data={"code": "123456", "csrf": csrf}, allow_redirects=False
    )
    assert answer.headers["Location"] == "/sign-in/second"


async def test_the_one_time_link_sets_a_password_once(world: World, browser: Browser) -> None:
    accounts = Accounts(world.database.uow, world.clock, ())
    token = await accounts.add("hajime", Wanted(display="始", role=Role.SYSTEM_ADMIN), "test")
    session = browser()
    address = f"/set-up/{token}"
    assert (await session.get(address)).status == 200
    for word, again in (
        ("short", "short"),
        ("hajime-hajime-1", "hajime-hajime-1"),
        (PASSWORD, PASSWORD + "x"),
    ):
        assert (await session.post(address, data={"password": word, "again": again})).status == 422
    answer = await session.post(address, data={"password": PASSWORD, "again": PASSWORD})
    assert answer.url.path == "/sign-in"
    assert await password(browser(), "hajime") == (303, "/account/second-factor")
    again = await browser().post(address, data={"password": PASSWORD + "2", "again": PASSWORD + "2"})
    assert again.status == 422


async def test_the_one_time_link_ends_after_a_day(world: World, browser: Browser) -> None:
    token = await Accounts(world.database.uow, world.clock, ()).reset("kanri", "test")
    world.clock.ahead += 86_401
    answer = await browser().post(f"/set-up/{token}", data={"password": PASSWORD, "again": PASSWORD})
    assert answer.status == 422


async def test_idle_and_absolute_limits_end_a_session(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("kantoku")
    step = world.desk.settings.idle_s - 60
    for _ in range(int(world.desk.settings.session_s // step)):
        world.clock.ahead += step
        assert (await session.get("/account", allow_redirects=False)).status == 200
    world.clock.ahead += step
    assert (await session.get("/account", allow_redirects=False)).status == 303
    other = await signed_in("kansa")
    world.clock.ahead += world.desk.settings.idle_s + 1
    assert (await other.get("/account", allow_redirects=False)).headers["Location"].startswith("/sign-in")
    assert await world.desk.sign_in.forget_old() >= 2


async def test_the_page_itself_keeps_no_session_alive(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("kantoku")
    for _ in range(3):
        world.clock.ahead += world.desk.settings.idle_s / 2
        answer = await session.get("/static/desk.css")
        assert answer.status == 200
    assert (await session.get("/account", allow_redirects=False)).status == 303


async def test_shutting_out_ends_every_session_and_token_at_once(world: World, signed_in: SignedIn) -> None:
    session = await signed_in("kantoku")
    accounts = Accounts(world.database.uow, world.clock, ())
    await accounts.set_active("kantoku", False, "test")
    assert (await session.get("/account", allow_redirects=False)).status == 303
    assert (await password(session))[0] == 422


async def test_sign_out_forgets_the_session_and_what_the_browser_kept(
    world: World, signed_in: SignedIn
) -> None:
    session = await signed_in("kantoku")
    kept = cookie(world, session)
    answer = await session.post("/sign-out", allow_redirects=False)
    assert answer.headers["Clear-Site-Data"] == '"storage"'
    assert await world.desk.sign_in.session_of(kept) is None


async def test_ending_other_sessions_leaves_this_one(world: World, signed_in: SignedIn) -> None:
    one, other = await signed_in("kantoku"), await signed_in("kantoku")
    assert (await one.post("/account/sessions")).status == 200
    assert (await other.get("/account", allow_redirects=False)).status == 303


async def test_going_back_leads_only_to_pages_of_ours(world: World, browser: Browser) -> None:
    await world.user("plain", Role.AUDITOR, secret="")
    world.desk.sign_in.settings = replace(world.desk.settings, second_factor=frozenset())
    for back, expected in (
        ("/audit?actor=x", "/audit?actor=x"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil", "/"),
    ):  # fmt: skip
        assert await password(browser(), "plain", back=back) == (303, expected)


async def test_a_stranger_is_led_to_the_sign_in_and_back(world: World, browser: Browser) -> None:
    answer = await browser().get("/cases?text=x", allow_redirects=False)
    assert answer.headers["Location"] == "/sign-in?back=%2Fcases%3Ftext%3Dx"


async def test_times_do_not_tell_whether_a_name_exists(world: World, browser: Browser) -> None:
    """Whoever has no account costs a hash like everybody else."""
    hashed = []
    verify = world.desk.sign_in.passwords._verify
    world.desk.sign_in.passwords._verify = lambda stored, word: hashed.append(stored) or verify(stored, word)
    await password(browser(), name="nobody-of-this-name")
    await password(browser(), name="kantoku", word="wrong wrong wrong")
    assert len(hashed) == 2
    assert all(stored.startswith("$argon2id$") for stored in hashed)


def test_the_seed_of_the_tests_makes_codes() -> None:
    assert len(pyotp.TOTP(SEED).at(int(BASE))) == 6
