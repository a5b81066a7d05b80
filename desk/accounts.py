"""Who may sign in: added, changed, shut out. The command and the page do it the same way, and it is written down."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from core.clock import Clock
from core.errors import ToritsugiError
from core.ids import OperatorId
from desk.secrets_kept import new_token, token_hash
from desk.sign_in import SETUP_S, new_user_name
from interactions.access import Role
from services.desk_ports import User
from services.ports import AuditEntry, UnitOfWork, UnitOfWorkFactory

SEATED = frozenset({Role.OPERATOR, Role.LEADER})
"""Roles that need a telephone of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody's account should be."""

    display: str
    role: Role
    operator: str = ""
    department: str = ""


class Accounts:
    """Changes of accounts; `departments` are the extensions of the city's directory."""

    def __init__(self, uow: UnitOfWorkFactory, clock: Clock, departments: Collection[str]) -> None:
        self._uow, self._clock, self._departments = uow, clock, departments

    async def add(self, name: str, wanted: Wanted, by: str) -> str:
        """A new account; returns the token of its one-time link, shown once.

        Raises:
            ToritsugiError: the name is taken or no good, or there is no such operator or department.
        """
        new_user_name(name)
        token, now = new_token(), self._clock.epoch()
        async with self._uow() as unit:
            if await unit.users.get(name) is not None:
                raise ToritsugiError(f"もうある利用者名です: {name}", where="利用者名", cure="別の名前にする")
            operator = await self._checked(unit, wanted)
            await unit.users.put(
                User(
                    name=name,
                    display=wanted.display,
                    role=wanted.role,
                    operator=operator,
                    department=wanted.department,
                    setup_hash=token_hash(token),
                    setup_until=now + SETUP_S,
                    created_at=now,
                )
            )
            await self._note(unit, by, "user.add", name, role=wanted.role.value)
        return token

    async def change(self, name: str, wanted: Wanted, by: str) -> None:
        """Change what an account is; whoever uses it must sign in again when the role changed."""
        async with self._uow() as unit:
            user = await self._user(unit, name)
            operator = await self._checked(unit, wanted)
            if user.role is Role.SYSTEM_ADMIN and wanted.role is not Role.SYSTEM_ADMIN:
                await self._not_the_last(unit, name)
            await unit.users.put(
                replace(
                    user,
                    display=wanted.display,
                    role=wanted.role,
                    operator=operator,
                    department=wanted.department,
                )
            )
            if user.role is not wanted.role:
                await unit.sessions.drop_of_user(name)
            await self._note(unit, by, "user.change", name, before=user.role.value, after=wanted.role.value)

    async def reset(self, name: str, by: str) -> str:
        """Forget the password, the second factor and every sign-in; returns the token of a new one-time link."""
        token = new_token()
        async with self._uow() as unit:
            user = await self._user(unit, name)
            await unit.users.put(
                replace(
                    user,
                    password_hash="",
                    totp_secret="",
                    totp_step=0,
                    failures=0,
                    locked_until=0.0,
                    setup_hash=token_hash(token),
                    setup_until=self._clock.epoch() + SETUP_S,
                )
            )
            await unit.users.drop_keys(name)
            await unit.sessions.drop_of_user(name)
            await unit.tokens.drop_of_user(name)
            await self._note(unit, by, "user.reset", name)
        return token

    async def set_active(self, name: str, active: bool, by: str) -> None:
        """Shut somebody out at once, with all sign-ins and tokens, or let them in again."""
        async with self._uow() as unit:
            user = await self._user(unit, name)
            if not active and user.role is Role.SYSTEM_ADMIN:
                await self._not_the_last(unit, name)
            await unit.users.put(replace(user, active=active))
            if not active:
                await unit.sessions.drop_of_user(name)
                await unit.tokens.drop_of_user(name)
            await self._note(unit, by, "user.on" if active else "user.off", name)

    async def unlock(self, name: str, by: str) -> None:
        """Let somebody try again after too many wrong tries."""
        async with self._uow() as unit:
            user = await self._user(unit, name)
            await unit.users.put(replace(user, failures=0, locked_until=0.0))
            await self._note(unit, by, "user.unlock", name)

    async def _checked(self, unit: UnitOfWork, wanted: Wanted) -> OperatorId | None:
        if wanted.department and wanted.department not in self._departments:
            raise ToritsugiError(
                f"転送先一覧にない内線です: {wanted.department}",
                where="所属",
                cure=f"次のどれか: {', '.join(sorted(self._departments)) or '(一覧は空)'}",
            )
        if wanted.role is Role.CITY_STAFF and not wanted.department:
            raise ToritsugiError("市職員には担当の課が要ります", where="所属", cure="転送先一覧の内線を書く")
        if not wanted.operator:
            if wanted.role in SEATED:
                raise ToritsugiError(
                    f"{wanted.role.label_ja}には電話の番号が要ります",
                    where="電話の番号",
                    cure="operator add で加えた番号を書く",
                )
            return None
        if await unit.operators.get(OperatorId(wanted.operator)) is None:
            raise ToritsugiError(
                f"いない番号です: {wanted.operator}",
                where="電話の番号",
                cure="toritsugi operator list で確かめる",
            )
        return OperatorId(wanted.operator)

    async def _user(self, unit: UnitOfWork, name: str) -> User:
        user = await unit.users.get(name)
        if user is None:
            raise ToritsugiError(
                f"いない利用者です: {name}", where="利用者名", cure="toritsugi user list で確かめる"
            )
        return user

    async def _not_the_last(self, unit: UnitOfWork, name: str) -> None:
        others = [
            user
            for user in await unit.users.all()
            if user.role is Role.SYSTEM_ADMIN and user.active and user.name != name
        ]
        if not others:
            raise ToritsugiError(
                "最後のシステム管理者です", where=name, cure="先に、別の人をシステム管理者にする"
            )

    async def _note(self, unit: UnitOfWork, by: str, action: str, subject: str, **detail: str) -> None:
        await unit.audit.add(
            AuditEntry(at=self._clock.epoch(), actor=by, action=action, subject=subject, detail=detail)
        )
