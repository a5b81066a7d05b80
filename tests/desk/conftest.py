"""One filled desk a test, and browsers of people who are signed in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar
from browsing import chromium, visit
from desk_world import PASSWORD, World, make_template, open_world
from engine_at_hand import engine
from signing_in import SignedIn, csrf_of

__all__ = ["chromium", "engine", "visit"]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(make_template(tmp_path_factory.mktemp("desk")))


@pytest.fixture
async def world(tmp_path: Path, template: Path) -> AsyncIterator[World]:
    found = await open_world(tmp_path, template)
    await found.desk.hub.look()
    try:
        yield found
    finally:
        await found.close()


@pytest.fixture
async def browser(world: World) -> AsyncIterator[Callable[[], ClientSession]]:
    """A fresh browser: cookies, no redirects followed by itself."""
    opened: list[ClientSession] = []

    def make() -> ClientSession:
        session = ClientSession(
            world.origin, cookie_jar=CookieJar(unsafe=True), headers={"Origin": world.origin}
        )
        opened.append(session)
        return session

    yield make
    for session in opened:
        await session.close()


@pytest.fixture
async def signed_in(world: World, browser: Callable[[], ClientSession]) -> SignedIn:
    """A browser of somebody who is in, second factor and all."""

    async def go(name: str) -> ClientSession:
        session = browser()
        await session.post("/sign-in", data={"name": name, "password": PASSWORD}, allow_redirects=False)
        half = await csrf_of(world, session)
        answer = await session.post(
            "/sign-in/second", data={"code": world.code(), "csrf": half}, allow_redirects=False
        )
        assert answer.status == 303, await answer.text()
        session.headers["X-CSRF-Token"] = await csrf_of(world, session)
        return session

    return go
