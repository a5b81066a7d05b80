"""The `user` commands: who may sign in at the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.errors import ToritsugiError
from desk.accounts import Accounts, Wanted
from interactions.access import Role
from runtime.instance import Instance
from runtime.people import whoever
from runtime.remembered import remembered_desk


async def _accounts(city: str | None) -> tuple[Instance, Accounts]:
    instance = Instance.open(city=city)
    await instance.database.migrate()
    departments = {entry.extension for entry in instance.profile.acd.directory}
    return instance, Accounts(instance.database.uow, instance.clock, departments)


def role_of(text: str) -> Role:
    """Raises ToritsugiError when there is no such role."""
    roles = {role.value: role for role in Role} | {"admin": Role.SYSTEM_ADMIN, "staff": Role.CITY_STAFF}
    if text not in roles:
        listed = ", ".join(f"{role.value} ({role.label_ja})" for role in Role)
        raise ToritsugiError(f"ない役割です: {text}", where="--role", cure=f"次のどれか: {listed}")
    return roles[text]


def _tell_link(
    instance: Instance, token: str, out: Callable[[str], None], say: Callable[[str], None]
) -> None:
    say("24 時間以内に、本人が次のアドレスを開いてパスワードを決めます。使えるのは一度、示すのは今だけです。")
    out(f"{remembered_desk(instance.settings).origin}/set-up/{token}")


async def add_user(
    city: str | None,
    name: str,
    wanted: Wanted,
    out: Callable[[str], None],
    say: Callable[[str], None],
) -> None:
    instance, accounts = await _accounts(city)
    token = await accounts.add(name, wanted, whoever())
    await instance.database.close()
    _tell_link(instance, token, out, say)


async def reset_user(
    city: str | None, name: str, out: Callable[[str], None], say: Callable[[str], None]
) -> None:
    instance, accounts = await _accounts(city)
    token = await accounts.reset(name, whoever())
    await instance.database.close()
    _tell_link(instance, token, out, say)


async def shut_user(city: str | None, name: str, active: bool, say: Callable[[str], None]) -> None:
    instance, accounts = await _accounts(city)
    await accounts.set_active(name, active, whoever())
    if active:
        await accounts.unlock(name, whoever())
    await instance.database.close()
    say(
        f"{name} さんは{'サインインできます' if active else 'もうサインインできません。開いていた画面も終わりました'}。"
    )


async def list_users(city: str | None) -> list[dict[str, Any]]:
    instance, _ = await _accounts(city)
    async with instance.database.reading() as unit:
        users = await unit.users.all()
        keys = {user.name: len(await unit.users.keys(user.name)) for user in users}
    await instance.database.close()
    now = instance.clock.epoch()
    return [
        {
            "name": user.name,
            "display": user.display,
            "role": user.role.value,
            "operator": user.operator,
            "department": user.department,
            "active": user.active,
            "locked": user.locked_until > now,
            "password": bool(user.password_hash),
            "code": bool(user.totp_secret),
            "keys": keys[user.name],
        }
        for user in users
    ]
