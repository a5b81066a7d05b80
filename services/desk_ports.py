"""What the desk needs beside the records: who may sign in, and what they may ask of the running centre."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum, unique
from typing import Any, Protocol

from acd.commands import NOBODY, Act, Hand
from core.hours import Emergency
from core.ids import OperatorId
from interactions.access import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may sign in at the desk. Secrets never appear in a `repr`."""

    name: str
    """What they type: small letters, digits, `.`, `-`, `_`."""
    display: str
    """What others read."""
    role: Role
    operator: OperatorId | None = None
    """Whose telephone is theirs."""
    department: str = ""
    """Extension of the directory, for people of the city."""
    active: bool = True
    password_hash: str = field(default="", repr=False)
    """Empty until they have set one."""
    totp_secret: str = field(default="", repr=False)
    """Sealed; empty without one."""
    totp_step: int = 0
    """The last time step whose code was used: a code counts once."""
    failures: int = 0
    """Wrong tries in a row."""
    locked_until: float = 0.0
    setup_hash: str = field(default="", repr=False)
    """Of the one-time link to set a password; empty when none is open."""
    setup_until: float = 0.0
    created_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityKey:
    """A WebAuthn credential."""

    credential: str
    """base64url"""
    user: str
    public_key: str
    """base64url"""
    sign_count: int
    label: str
    created_at: float


@unique
class Stage(StrEnum):
    """How far a sign-in has come."""

    SECOND = "second"
    """The password was right; the second factor is still to come."""
    ENROL = "enrol"
    """The role asks for a second factor and there is none yet."""
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSession:
    """One browser that is signing in or signed in. The cookie's value is stored as a hash only."""

    key: str = field(repr=False)
    user: str
    stage: Stage
    csrf: str = field(repr=False)
    created_at: float
    seen_at: float
    address: str
    agent: str
    challenge: str = field(default="", repr=False)
    """What the security key must sign, base64url; or the new TOTP secret, sealed, while it is being set up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A key for programs; it may do what its scopes and its owner's role both allow."""

    id: str
    key: str = field(repr=False)
    """Hash of the token."""
    user: str
    label: str
    scopes: tuple[str, ...]
    created_at: float
    expires_at: float
    used_at: float | None = None


class UserStore(Protocol):
    async def put(self, user: User) -> None: ...

    async def get(self, name: str) -> User | None: ...

    async def all(self) -> list[User]: ...

    async def with_setup(self, setup_hash: str) -> User | None:
        """Whose one-time link this is."""
        ...

    async def keys(self, name: str) -> list[SecurityKey]: ...

    async def put_key(self, key: SecurityKey) -> None: ...

    async def drop_keys(self, name: str) -> None: ...


class SessionStore(Protocol):
    async def put(self, session: DeskSession) -> None: ...

    async def get(self, key: str) -> DeskSession | None: ...

    async def touch(self, key: str, at: float) -> None: ...

    async def of_user(self, name: str) -> list[DeskSession]: ...

    async def drop(self, keys: Collection[str]) -> int: ...

    async def drop_of_user(self, name: str) -> int: ...

    async def drop_old(self, seen_before: float, created_before: float) -> int:
        """Delete those not seen since, or made before; how many there were."""
        ...


class TokenStore(Protocol):
    async def put(self, token: ApiToken) -> None: ...

    async def get(self, key: str) -> ApiToken | None: ...

    async def of_user(self, name: str) -> list[ApiToken]: ...

    async def touch(self, key: str, at: float) -> None: ...

    async def drop(self, name: str, identity: str) -> bool: ...

    async def drop_of_user(self, name: str) -> int: ...


class FloorControl(Protocol):
    """The running centre, as far as the desk may steer it. Everything asked for is audited where it is done."""

    async def do(
        self,
        act: Act,
        by: User,
        *,
        operator: OperatorId = NOBODY,
        to: str = "",
        reason: str = "",
        until: str = "",
        skills: Mapping[str, int] | None = None,
    ) -> str:
        """Ask for it, wait until it has come true, and say so in words. See `acd.commands.Command`.

        Raises:
            ToritsugiError: it may not be, cannot be now, did not come true, or nothing runs.
        """
        ...

    async def hand(self, by: User, operator: OperatorId) -> Hand:
        """What the operator has in hand now, as the switch shows it; nothing is changed.

        Raises:
            ToritsugiError: they may not ask, or nothing runs.
        """
        ...

    async def call_in(self, group: str, called: bool, by: User) -> None:
        """Call a group in, or leave it to the guard again. Raises ToritsugiError for one that is not there."""
        ...

    async def called_in(self) -> frozenset[str]:
        """Groups that a person has called in."""
        ...

    def closure(self) -> Emergency | None: ...

    def notice(self) -> Emergency | None:
        """What every caller hears before the menu."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A report, ready to be handed out."""

    filename: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperKind:
    """A report that can be made."""

    id: str
    name_ja: str
    text_ja: str
    period_ja: str
    """What the day chooses: the day itself, its week, its month."""
    formats: tuple[str, ...]


class Papers(Protocol):
    @property
    def kinds(self) -> Sequence[PaperKind]: ...

    async def make(self, kind: str, day: date, format_: str) -> Paper:
        """Raises ToritsugiError: there is no such paper or format."""
        ...


class LiveSource(Protocol):
    """The engine's word of the floor."""

    def read(self) -> Mapping[str, Any]:
        """The last one, as plain JSON values; empty while there is none. Fast."""
        ...

    async def news(self, within_s: float) -> None:
        """Wait until there is another word, at most so long; a source that cannot tell waits as long."""
        ...

    async def run(self) -> None:
        """Listen, for ever; ends by cancellation."""
        ...
