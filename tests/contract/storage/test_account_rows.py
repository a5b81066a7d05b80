"""Users, keys, sessions and tokens on every database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.ids import OperatorId
from interactions.access import Role
from services.desk_ports import ApiToken, DeskSession, SecurityKey, Stage, User
from storage.database import Database

pytestmark = pytest.mark.contract

USER = User(
    name="aoki", display="青木", role=Role.CITY_STAFF, operator=OperatorId("101"), department="701",
    password_hash="$argon2id$…", totp_secret="sealed", totp_step=59_000_000_000, failures=2, locked_until=5.5,
    setup_hash="a" * 64, setup_until=7.5, created_at=1.5,
)  # fmt: skip
SESSION = DeskSession(
    key="k1", user="aoki", stage=Stage.SECOND, csrf="c", created_at=10.0, seen_at=20.0, address="192.0.2.1",
    agent="Firefox", challenge="x",
)  # fmt: skip
TOKEN = ApiToken(
    id="abc", key="h1", user="aoki", label="集計", scopes=("floor.watch", "report.read"), created_at=1.0, expires_at=9.0
)  # fmt: skip
KEY = SecurityKey(
    credential="AQID", user="aoki", public_key="pk", sign_count=4_000_000_000, label="鍵", created_at=3.0
)


async def test_a_user_comes_back_as_it_was(database: Database) -> None:
    async with database.uow() as unit:
        await unit.users.put(USER)
        await unit.users.put(replace(USER, name="ueda", operator=None, setup_hash=""))
        await unit.users.put(replace(USER, failures=0))
    async with database.reading() as unit:
        assert await unit.users.get("aoki") == replace(USER, failures=0)
        assert [user.name for user in await unit.users.all()] == ["aoki", "ueda"]
        assert await unit.users.with_setup("a" * 64) == replace(USER, failures=0)
        assert await unit.users.with_setup("") is None, "an empty hash is nobody's link"
        assert await unit.users.get("nobody") is None


async def test_keys_are_counted_up_and_dropped(database: Database) -> None:
    async with database.uow() as unit:
        await unit.users.put_key(KEY)
        await unit.users.put_key(replace(KEY, sign_count=KEY.sign_count + 1))
    async with database.reading() as unit:
        assert await unit.users.keys("aoki") == [replace(KEY, sign_count=KEY.sign_count + 1)]
    async with database.uow() as unit:
        await unit.users.drop_keys("aoki")
        assert await unit.users.keys("aoki") == []


async def test_sessions_end_by_key_by_user_and_by_age(database: Database) -> None:
    async with database.uow() as unit:
        for number in range(4):
            await unit.sessions.put(
                replace(SESSION, key=f"k{number}", created_at=10.0 * number, seen_at=100.0)
            )
        await unit.sessions.touch("k1", 200.0)
    async with database.uow() as unit:
        assert await unit.sessions.get("k1") == replace(SESSION, seen_at=200.0)
        assert await unit.sessions.drop(["k0", "none"]) == 1
        assert await unit.sessions.drop_old(seen_before=100.0, created_before=15.0) == 1
        assert [each.key for each in await unit.sessions.of_user("aoki")] == ["k2", "k3"]
        assert await unit.sessions.drop_old(seen_before=150.0, created_before=0.0) == 2
        await unit.sessions.put(SESSION)
        assert await unit.sessions.drop_of_user("aoki") == 1


async def test_tokens_are_their_owners(database: Database) -> None:
    async with database.uow() as unit:
        await unit.tokens.put(TOKEN)
        await unit.tokens.touch("h1", 5.0)
        assert await unit.tokens.get("h1") == replace(TOKEN, used_at=5.0)
        assert not await unit.tokens.drop("somebody-else", "abc")
        assert await unit.tokens.drop("aoki", "abc")
        assert await unit.tokens.of_user("aoki") == []


async def test_secrets_are_in_no_repr(database: Database) -> None:
    shown = repr((USER, SESSION, TOKEN, KEY))
    for secret in ("argon2id", "sealed", "a" * 64, "k1", "h1"):
        assert secret not in shown
