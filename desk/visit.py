"""One request, with whoever makes it and what they may do."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiDictProxy
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from acd.alert_inputs import AnsweredSoFar
from core.clock import Clock
from core.errors import ToritsugiError
from desk.hands import Hands
from desk.settings import DeskSettings
from desk.sign_in import SignIn
from desk.wire import Phones
from interactions.access import Person
from services.access import Permission, permissions_of
from services.case_desk import CaseDesk
from services.city import CityProfile
from services.desk_ports import DeskSession, FloorControl, LiveSource, Papers, User
from services.faq_desk import FaqDesk
from services.ports import AuditEntry, RecordingFile, UnitOfWorkFactory

if TYPE_CHECKING:
    from desk.hub import Hub
    from desk.looks import Looks

Model = TypeVar("Model", bound=BaseModel)
ONE_HEARING_S = 1800.0
"""Pieces of one recording that are asked for so soon after each other are one hearing."""
MOST_HEARD = 5000
AnswersSoFar = Callable[[], Awaitable[Sequence[AnsweredSoFar] | None]]


Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]
"""A day that somebody may ask for; the days around it can be reckoned with."""
MOST_NUMBER = 2**31 - 1
"""The largest number that every column keeps."""


class Form(BaseModel):
    """What a page or a program sends: nothing that is not asked for, and spaces around words do not count."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


@dataclass(slots=True, kw_only=True)
class Desk:
    """Everything that pages work with."""

    settings: DeskSettings
    profile: CityProfile
    clock: Clock
    reading: UnitOfWorkFactory
    uow: UnitOfWorkFactory
    sign_in: SignIn
    control: FloorControl
    cases: CaseDesk
    papers: Papers
    live: LiveSource
    recordings: Path
    """The folder outside of which no recording is ever read."""
    answers: AnswersSoFar
    """応答率 of the day and the month so far, by the contract's definition."""
    due_of: Callable[[float], float]
    """Until when the city has time for what is asked at a moment; both epoch seconds."""
    looks: Looks
    hub: Hub
    faq: FaqDesk
    wire: str = ""
    """Address of the switch's websocket for browsers' telephones; empty without one."""
    hands: Hands = field(init=False)
    phones: Phones = field(default_factory=Phones)
    _heard: dict[tuple[str, str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hands = Hands(self.control)

    def noted_hearing(self, user: User, recording: RecordingFile) -> bool:
        """Whether it was written down lately that they hear it."""
        noted = self._heard.get((user.name, recording.base, recording.side), float("-inf"))
        return self.clock.epoch() - noted < ONE_HEARING_S

    def note_hearing(self, user: User, recording: RecordingFile) -> None:
        """It has been written down just now."""
        self._heard[user.name, recording.base, recording.side] = self.clock.epoch()
        while len(self._heard) > MOST_HEARD:
            self._heard.pop(next(iter(self._heard)))

    async def note(self, user: User, action: str, subject: str, **detail: Any) -> None:
        """Write down who did what."""
        async with self.uow() as unit:
            await unit.audit.add(
                AuditEntry(
                    at=self.clock.epoch(), actor=user.name, action=action, subject=subject[:96], detail=detail
                )
            )


DESK = web.AppKey("desk", Desk)


def person_of(user: User) -> Person:
    """A user as the rules about single cases know them."""
    return Person(name=user.name, role=user.role, operator=user.operator, department=user.department)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request."""

    request: web.Request
    desk: Desk
    address: str
    user: User | None = None
    session: DeskSession | None = None
    """None for programs that bring a token."""
    scopes: frozenset[Permission] | None = None
    """What a token is limited to; None without one."""

    @property
    def me(self) -> User:
        """Who is signed in; only for routes that ask for it."""
        if self.user is None:
            raise RuntimeError("a route without sign-in asked who it is")
        return self.user

    @property
    def person(self) -> Person:
        """Who asks, for the rules about single cases."""
        return person_of(self.me)

    @property
    def signed_in(self) -> DeskSession:
        """The browser's session; only for routes that ask for one."""
        if self.session is None:
            raise RuntimeError("a route without a session asked for it")
        return self.session

    @property
    def permissions(self) -> frozenset[Permission]:
        if self.user is None:
            return frozenset()
        mine = permissions_of(self.user.role)
        return mine if self.scopes is None else mine & self.scopes

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    async def form(self, model: type[Model]) -> Model:
        """What a page's form sends, without the CSRF token."""
        sent = await posted(self.request)
        values = {name: value for name, value in sent.items() if name != "csrf" and isinstance(value, str)}
        return checked(model, values)

    async def body(self, model: type[Model]) -> Model:
        """A JSON body."""
        try:
            values = await self.request.json()
        except (ValueError, LookupError, RecursionError) as problem:
            raise ToritsugiError(
                "JSON として読めません", where="本文", cure="UTF-8 の JSON を送る"
            ) from problem
        if not isinstance(values, dict):
            raise ToritsugiError("JSON の組 {…} ではありません", where="本文", cure="OpenAPI の文書を見る")
        return checked(model, values)

    def query(self, model: type[Model]) -> Model:
        """What follows the question mark; an empty value counts as none."""
        return checked(model, {name: value for name, value in self.request.query.items() if value})

    async def note(self, action: str, subject: str, **detail: Any) -> None:
        await self.desk.note(self.me, action, subject, **detail)


async def posted(request: web.Request) -> MultiDictProxy[str | bytes | bytearray | web.FileField]:
    """The fields of a form.

    Raises:
        ToritsugiError: it is none that can be read.
    """
    try:
        return await request.post()
    except (ValueError, LookupError, AssertionError, HttpProcessingError) as problem:
        raise ToritsugiError(
            "送られた内容が読めません", where="本文", cure="画面を開きなおして、もう一度送る"
        ) from problem


_WORDS = {
    "missing": "ありません",
    "extra_forbidden": "知らない項目です",
    "string_too_short": "短すぎます",
    "string_too_long": "長すぎます",
    "string_pattern_mismatch": "形が違います",
    "int_parsing": "数ではありません",
    "float_parsing": "数ではありません",
    "enum": "選べる値ではありません",
    "literal_error": "選べる値ではありません",
    "greater_than_equal": "小さすぎます",
    "less_than_equal": "大きすぎます",
    "date_from_datetime_parsing": "日付ではありません",
    "date_parsing": "日付ではありません",
    "date_type": "日付ではありません",
    "datetime_parsing": "日時ではありません",
    "datetime_from_date_parsing": "日時ではありません",
}


def checked(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Values as the model wants them.

    Raises:
        ToritsugiError: names each field and what is wrong with it, never its value.
    """
    # No database of ours keeps it in every kind of column.
    if spoilt := [name for name, value in values.items() if _holds_nul(value)]:
        titles = "、".join(_titled(model, (name,)) for name in spoilt)
        raise ToritsugiError("使えない文字があります", where=titles, cure="入れた値を確かめる")
    try:
        return model.model_validate(values)
    except ValidationError as problem:
        faults = problem.errors(include_url=False, include_input=False, include_context=False)
        names = "、".join(dict.fromkeys(_titled(model, fault["loc"]) for fault in faults))
        words = "、".join(dict.fromkeys(_WORDS.get(fault["type"], "読めません") for fault in faults))
        raise ToritsugiError(words, where=names, cure="入れた値を確かめる") from problem


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_holds_nul(part) for part in value.values())
    return isinstance(value, list | tuple) and any(_holds_nul(part) for part in value)


def _titled(model: type[BaseModel], where: tuple[int | str, ...]) -> str:
    field = model.model_fields.get(str(where[0])) if where else None
    return (field.title if field and field.title else None) or ".".join(str(part) for part in where) or "本文"


def client_address(request: web.Request, settings: DeskSettings) -> str:
    """Where the browser is: the peer, or what a trusted proxy says of it."""
    peer = request.remote or ""
    # Some proxies add a line of their own behind what the browser sent; all lines are one list.
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
    if not forwarded or not _within(peer, settings.proxies):
        return peer
    # From the right: what stands further left may have been written by the browser itself.
    for part in reversed([part.strip() for part in forwarded.split(",")]):
        if not _within(part, settings.proxies):
            return part if _is_address(part) else peer
    return peer


def allowed(address: str, settings: DeskSettings) -> bool:
    """Whether a browser may come from there."""
    return not settings.allow or _within(address, settings.allow)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _within(address: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in networks)
