"""A browser of somebody who is signed in, and the token that its pages carry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import ClientSession
from desk_world import World
from yarl import URL

SignedIn = Callable[[str], Awaitable[ClientSession]]


async def csrf_of(world: World, session: ClientSession) -> str:
    """The token that pages of this browser's session carry."""
    cookies = session.cookie_jar.filter_cookies(URL(world.origin))
    found = await world.desk.sign_in.session_of(cookies["toritsugi"].value)
    assert found is not None
    return found[0].csrf
