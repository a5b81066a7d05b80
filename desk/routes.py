"""Every address of the desk with what it asks for. What is not declared here cannot be reached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from desk.visit import Visit
from services.access import Permission

Handler = Callable[[Visit], Awaitable[web.StreamResponse]]
Keep = Callable[[Handler], Handler]


@unique
class Door(StrEnum):
    """What an address asks for when it asks for no permission."""

    OPEN = "open"
    """Nothing: the sign-in page itself and what it is drawn with."""
    HALF = "half"
    """A password that was right; the second factor is still to come or to be set up."""
    ANYONE = "anyone"
    """Being signed in, whatever the role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One address and method."""

    method: str
    path: str
    handler: Handler
    door: Permission | Door | frozenset[Permission]
    """A set of permissions: any of them opens it."""
    name_ja: str
    data: bool = False
    """Answers JSON (or a stream), also when it refuses."""
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: Any = None
    """Type of the JSON answer, for the OpenAPI document."""
    idle: bool = False
    """Asked for by the page itself, not by a person: does not keep a session alive."""

    @property
    def api(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def permissions(self) -> frozenset[Permission]:
        if isinstance(self.door, Permission):
            return frozenset({self.door})
        return self.door if isinstance(self.door, frozenset) else frozenset()


class Table:
    """Routes of one module."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def get(
        self, path: str, door: Permission | Door | Iterable[Permission], name_ja: str, **more: Any
    ) -> Keep:
        return self._route("GET", path, door, name_ja, more)

    def post(
        self, path: str, door: Permission | Door | Iterable[Permission], name_ja: str, **more: Any
    ) -> Keep:
        return self._route("POST", path, door, name_ja, more)

    def put(
        self, path: str, door: Permission | Door | Iterable[Permission], name_ja: str, **more: Any
    ) -> Keep:
        return self._route("PUT", path, door, name_ja, more)

    def _route(
        self,
        method: str,
        path: str,
        door: Permission | Door | Iterable[Permission],
        name_ja: str,
        more: dict[str, Any],
    ) -> Keep:
        asked = door if isinstance(door, Permission | Door) else frozenset(door)

        def keep(handler: Handler) -> Handler:
            self.routes.append(
                Route(method=method, path=path, handler=handler, door=asked, name_ja=name_ja, **more)
            )
            return handler

        return keep
