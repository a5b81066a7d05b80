"""Signing in: password, second factor, sessions with limits; wrong tries are counted, told and written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from core.clock import Clock
from core.errors import ToritsugiError
from desk import security_keys
from desk.secrets_kept import (
    NAME,
    Passwords,
    Sealer,
    code_address,
    code_step,
    new_code_secret,
    new_token,
    require_good_password,
    token_hash,
)
from desk.settings import DeskSettings
from desk.throttle import NAME_TRIES, WINDOW_S, Throttle
from services.desk_ports import DeskSession, SecurityKey, Stage, User
from services.ports import AuditEntry, UnitOfWork, UnitOfWorkFactory

TOUCH_EVERY_S = 30.0
SETUP_S = 86_400.0
SECOND_WITHIN_S = 600.0
"""A sign-in that stops half-way is over after this."""


class SignInRefused(ToritsugiError):
    """The same words whatever was wrong, so that nobody learns which names exist."""

    code = "desk.sign_in_refused"


def _refused() -> SignInRefused:
    return SignInRefused(
        "サインインできませんでした",
        cure="利用者名とパスワード、確認コードを確かめる。何度か違うと、しばらく受け付けません",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Guessed:
    """Somebody has used up the tries of a name or an address."""

    what: str
    """`name` or `address`."""
    value: str
    address: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session, and the cookie that opens it: shown once."""

    session: DeskSession
    cookie: str


@dataclass(slots=True, kw_only=True)
class SignIn:
    """Who may come in, on the database and the clock."""

    uow: UnitOfWorkFactory
    reading: UnitOfWorkFactory
    clock: Clock
    settings: DeskSettings
    passwords: Passwords
    sealer: Sealer
    throttle: Throttle
    centre: str
    on_guessing: Callable[[Guessed], None] = lambda _: None

    # ---- password ---------------------------------------------------------------------------------

    async def by_password(self, name: str, password: str, address: str, agent: str) -> Opened:
        """The first step.

        Raises:
            SignInRefused: whatever is wrong.
        """
        now, name = self.clock.epoch(), name.strip().lower()[:40]
        if self.throttle.shut(name, address, now):
            raise _refused()
        async with self.reading() as unit:
            user = await unit.users.get(name)
        right = await self.passwords.fits(user.password_hash if user else "", password)
        # Tries that were sent at once have waited for each other: those before this one may have shut the name.
        if self.throttle.shut(name, address, now):
            raise _refused()
        if user is None or not right or not user.active or user.locked_until > now:
            await self._wrong(name, user, address, "password", self.throttle.wrong(name, address, now))
            raise _refused()
        async with self.uow() as unit:
            keys = await unit.users.keys(name)
            has_second = bool(user.totp_secret or keys)
            if has_second:
                stage = Stage.SECOND
            elif user.role in self.settings.second_factor:
                stage = Stage.ENROL
            else:
                stage = Stage.FULL
            if stage is not Stage.SECOND:
                await self._welcome(unit, user, address, "password")
            if self.passwords.stale(user.password_hash):
                user = replace(user, password_hash=await self.passwords.hash(password))
                await unit.users.put(user)
            return await self._open(unit, user.name, stage, address, agent)

    # ---- second factor ----------------------------------------------------------------------------

    async def by_code(self, session: DeskSession, code: str) -> Opened:
        """The second step with a one-time code. Raises SignInRefused."""
        now = self.clock.epoch()
        if self.throttle.shut(session.user, session.address, now):
            raise _refused()
        async with self.uow() as unit:
            user = await self._still_there(unit, session)
            # From here to the counting nothing else runs: codes that were sent at once count one after the other.
            if self.throttle.shut(session.user, session.address, now):
                raise _refused()
            step = (
                code_step(self.sealer.open(user.totp_secret), code, now, user.totp_step)
                if user.totp_secret
                else None
            )
            if step is not None:
                await self._welcome(unit, replace(user, totp_step=step), session.address, "code")
                return await self._raise_to_full(unit, session)
            shut = self.throttle.wrong(session.user, session.address, now)
        await self._wrong(session.user, user, session.address, "code", shut)
        raise _refused()

    async def key_options(self, session: DeskSession) -> dict[str, Any]:
        """What the browser needs to sign with a security key."""
        async with self.uow() as unit:
            keys = await unit.users.keys(session.user)
            options, challenge = security_keys.sign_in_options(keys, host=self.settings.host_name)
            await unit.sessions.put(replace(session, challenge=challenge))
        return options

    async def by_key(self, session: DeskSession, answer: dict[str, Any]) -> Opened:
        """The second step with a security key. Raises SignInRefused."""
        if self.throttle.shut(session.user, session.address, self.clock.epoch()):
            raise _refused()
        async with self.uow() as unit:
            user = await self._still_there(unit, session)
            keys = await unit.users.keys(user.name)
            key = security_keys.signed(
                answer,
                session.challenge,
                keys,
                host=self.settings.host_name,
                origin=self.settings.origin,
            )
            if key is not None:
                await unit.users.put_key(key)
                await self._welcome(unit, user, session.address, "security_key")
                return await self._raise_to_full(unit, session)
        shut = self.throttle.wrong(session.user, session.address, self.clock.epoch())
        await self._wrong(session.user, user, session.address, "security_key", shut)
        raise _refused()

    # ---- setting up -------------------------------------------------------------------------------

    async def set_up(self, token: str, password: str) -> User:
        """Set the first password, or a new one, by the one-time link.

        Raises:
            ToritsugiError: the link is used, too old or unknown, or the password is no good one.
        """
        now = self.clock.epoch()
        async with self.reading() as unit:
            user = await unit.users.with_setup(token_hash(token))
        if user is None or not user.active or user.setup_until < now:
            raise ToritsugiError(
                "この初期設定のアドレスは使えません",
                where="初期設定",
                cure="期限は 24 時間、一度だけです。管理者に新しいアドレスを頼んでください",
            )
        require_good_password(password, user.name)
        hashed = await self.passwords.hash(password)
        async with self.uow() as unit:
            user = replace(
                user, password_hash=hashed, setup_hash="", setup_until=0.0, failures=0, locked_until=0.0
            )
            await unit.users.put(user)
            await unit.sessions.drop_of_user(user.name)
            await self._note(unit, user.name, "user.password_set", user.name)
        return user

    async def new_code(self, session: DeskSession) -> tuple[str, str]:
        """A seed for an authenticator app, kept with the session until a code proves it; the seed and its address."""
        secret = ""
        if session.challenge:
            try:
                secret = self.sealer.open(session.challenge)
            except ToritsugiError:
                secret = ""  # the challenge of a security key
        if not secret:
            secret = new_code_secret()
            async with self.uow() as unit:
                await unit.sessions.put(replace(session, challenge=self.sealer.seal(secret)))
        return secret, code_address(secret, session.user, self.centre)

    async def enrol_code(self, session: DeskSession, code: str) -> Opened:
        """Take the authenticator app as second factor, once its code is right.

        Raises:
            ToritsugiError: it is not.
        """
        secret = self.sealer.open(session.challenge) if session.challenge else ""
        step = code_step(secret, code, self.clock.epoch(), 0) if secret else None
        if step is None:
            raise ToritsugiError(
                "確認コードが違います",
                where="確認コード",
                cure="アプリに出ている新しい 6 桁を入れる。端末の時刻も確かめる",
            )
        async with self.uow() as unit:
            user = await self._still_there(unit, session)
            await unit.users.put(replace(user, totp_secret=self.sealer.seal(secret), totp_step=step))
            await self._note(unit, user.name, "user.code_enrolled", user.name)
            return await self._raise_to_full(unit, session)

    async def enrol_options(self, session: DeskSession) -> dict[str, Any]:
        """What the browser needs to register a security key."""
        async with self.uow() as unit:
            user = await self._still_there(unit, session)
            options, challenge = security_keys.registration_options(
                user,
                await unit.users.keys(user.name),
                host=self.settings.host_name,
                centre=self.centre,
            )
            await unit.sessions.put(replace(session, challenge=challenge))
        return options

    async def enrol_key(self, session: DeskSession, answer: dict[str, Any], label: str) -> Opened:
        """Take a security key as second factor. Raises ToritsugiError when its answer does not fit."""
        key: SecurityKey = security_keys.registered(
            answer,
            session.challenge,
            host=self.settings.host_name,
            origin=self.settings.origin,
            user=session.user,
            label=label.strip()[:80] or "セキュリティキー",
            now=self.clock.epoch(),
        )
        async with self.uow() as unit:
            await unit.users.put_key(key)
            await self._note(unit, session.user, "user.key_enrolled", session.user)
            return await self._raise_to_full(unit, session)

    # ---- sessions ---------------------------------------------------------------------------------

    async def session_of(self, cookie: str) -> tuple[DeskSession, User] | None:
        """Who holds this cookie; None when it opens nothing (any more)."""
        if not cookie or len(cookie) > 100:
            return None
        now, key = self.clock.epoch(), token_hash(cookie)
        async with self.reading() as unit:
            session = await unit.sessions.get(key)
            user = await unit.users.get(session.user) if session else None
        if session is None or user is None or not user.active:
            return None
        limit = self.settings.session_s if session.stage is Stage.FULL else SECOND_WITHIN_S
        if now - session.created_at > limit or now - session.seen_at > self.settings.idle_s:
            return None
        return session, user

    async def used(self, session: DeskSession) -> None:
        """A person did something: the idle time starts anew."""
        now = self.clock.epoch()
        if now - session.seen_at >= TOUCH_EVERY_S:
            async with self.uow() as unit:
                await unit.sessions.touch(session.key, now)

    async def sign_out(self, session: DeskSession) -> None:
        async with self.uow() as unit:
            await unit.sessions.drop([session.key])
            await self._note(unit, session.user, "desk.sign_out", session.user)

    async def forget_old(self) -> int:
        """Delete sessions that are over; how many there were."""
        now = self.clock.epoch()
        async with self.uow() as unit:
            return await unit.sessions.drop_old(now - self.settings.idle_s, now - self.settings.session_s)

    # ---- inside -----------------------------------------------------------------------------------

    async def _open(self, unit: UnitOfWork, name: str, stage: Stage, address: str, agent: str) -> Opened:
        cookie, now = new_token(), self.clock.epoch()
        session = DeskSession(
            key=token_hash(cookie),
            user=name,
            stage=stage,
            csrf=new_token(),
            created_at=now,
            seen_at=now,
            address=address,
            agent=agent[:200],
        )
        await unit.sessions.put(session)
        return Opened(session=session, cookie=cookie)

    async def _raise_to_full(self, unit: UnitOfWork, session: DeskSession) -> Opened:
        """A new cookie with each step: one that was seen or planted before is worth nothing."""
        await unit.sessions.drop([session.key])
        return await self._open(unit, session.user, Stage.FULL, session.address, session.agent)

    async def _still_there(self, unit: UnitOfWork, session: DeskSession) -> User:
        user = await unit.users.get(session.user)
        if user is None or not user.active or user.locked_until > self.clock.epoch():
            raise _refused()
        return user

    async def _welcome(self, unit: UnitOfWork, user: User, address: str, how: str) -> None:
        self.throttle.right(user.name)
        await unit.users.put(replace(user, failures=0, locked_until=0.0))
        await self._note(unit, user.name, "desk.sign_in", user.name, address=address, how=how)

    async def _wrong(
        self, name: str, user: User | None, address: str, how: str, shut: frozenset[str]
    ) -> None:
        """Write down a wrong try that was counted; `shut` is what it shut (`Throttle.wrong`)."""
        now = self.clock.epoch()
        async with self.uow() as unit:
            if user is not None:
                # Read again: tries side by side must not count as one.
                user = await unit.users.get(user.name) or user
                failures = user.failures + 1
                locked = now + WINDOW_S if failures % NAME_TRIES == 0 else user.locked_until
                await unit.users.put(replace(user, failures=failures, locked_until=locked))
            # What somebody typed as a name may be a password.
            shown = name if user is not None else "-"
            await self._note(unit, shown, "desk.sign_in_failed", shown, address=address, how=how)
        for what in sorted(shut):
            value = shown if what == "name" else address
            self.on_guessing(Guessed(what=what, value=value, address=address, at=now))

    async def _note(self, unit: UnitOfWork, actor: str, action: str, subject: str, **detail: Any) -> None:
        await unit.audit.add(
            AuditEntry(at=self.clock.epoch(), actor=actor, action=action, subject=subject, detail=detail)
        )


def new_user_name(name: str) -> str:
    """Check a sign-in name. Raises ToritsugiError."""
    if not NAME.fullmatch(name):
        raise ToritsugiError(
            f"使えない利用者名です: {name!r}",
            where="利用者名",
            cure="2 から 39 文字の半角英小文字、数字、. - _。例: yamada",
        )
    return name
