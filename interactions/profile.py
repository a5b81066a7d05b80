"""`[interactions]` of a profile: how cases are sorted, and how long records are kept."""

from __future__ import annotations

import ipaddress
from enum import StrEnum, unique
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator

from core.profile_file import Section, Text


def _private_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        local = host == "localhost" or _loopback(host)
        _ = parts.port  # raises when it is no number
    except ValueError:
        raise ValueError(f"アドレスが読めません: {text!r}|例: https://example.jp/events") from None
    if parts.scheme not in ("https", "http") or not host or parts.password:
        raise ValueError(f"アドレスが読めません: {text!r}|例: https://example.jp/events")
    if parts.scheme == "http" and not local:
        raise ValueError("暗号化されないアドレスです|https のアドレスにする")
    return text


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


Days = Annotated[int, Field(ge=1, le=3660)]


class CategorySection(Section):
    """What a case is about; `line` is the service line whose calls start in it."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    name_ja: Text
    line: str | None = None


@unique
class EventKind(StrEnum):
    """What other systems are told of."""

    CASE_OPENED = "case.opened"
    CASE_UPDATED = "case.updated"
    CASE_CLOSED = "case.closed"
    CALL_CLOSED = "call.closed"


class WebhookSection(Section):
    """A system that is told what happens. Its secret is a file of the instance, never a line here."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    url: Annotated[str, AfterValidator(_private_address)]
    """https, or http to this machine."""
    events: Annotated[tuple[EventKind, ...], Field(min_length=1)] = tuple(EventKind)
    personal_data: bool = False
    """Whether numbers and what people wrote go along; without, only what cannot name a person."""


class RetentionSection(Section):
    """Days after the call's end until deletion."""

    recordings: Days
    transcripts: Days
    calls: Days
    caller_numbers: Days


class InteractionsSection(Section):
    """`[interactions]`."""

    categories: Annotated[tuple[CategorySection, ...], Field(min_length=1)]
    retention_days: RetentionSection
    webhooks: tuple[WebhookSection, ...] = ()
    synonyms: tuple[Annotated[tuple[Text, ...], Field(min_length=2)], ...] = ()
    """Groups of words that mean the same, for the search of cases."""

    @field_validator("webhooks")
    @classmethod
    def _each_once(cls, webhooks: tuple[WebhookSection, ...]) -> tuple[WebhookSection, ...]:
        names = [each.id for each in webhooks]
        if len(set(names)) != len(names):
            raise ValueError("同じ id が二つあります|別の id にする")
        return webhooks

    def category_of(self, line: str) -> CategorySection | None:
        """The category in which a call of `line` starts."""
        return next((item for item in self.categories if item.line == line), None)
