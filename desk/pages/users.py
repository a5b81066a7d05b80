"""Who may sign in: added, changed, shut out."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from desk.accounts import Accounts, Wanted
from desk.guard import NotFound, Refused
from desk.looks import flash
from desk.pages.entry import redirect
from desk.routes import Table
from desk.visit import Desk, Form, Visit
from interactions.access import Role
from services.access import Permission
from services.desk_ports import User

table = Table()
MANAGE = Permission.USER_MANAGE
USER = "/users/{name:[a-z0-9][a-z0-9._-]{1,38}}"
DONE = {
    "change": "改めました。",
    "off": "サインインできないようにしました。開いていた画面も終わりました。",
    "on": "サインインできるようにしました。",
    "unlock": "もう一度試せるようにしました。",
}


class NewUser(Form):
    name: Annotated[str, Field(title="利用者名", min_length=2, max_length=39)]
    display: Annotated[str, Field(title="氏名", min_length=1, max_length=80)]
    role: Annotated[Role, Field(title="役割")]
    operator: Annotated[str, Field(title="電話の番号", max_length=8)] = ""
    department: Annotated[str, Field(title="所属", max_length=80)] = ""


class Changed(Form):
    display: Annotated[str, Field(title="氏名", min_length=1, max_length=80)]
    role: Annotated[Role, Field(title="役割")]
    operator: Annotated[str, Field(title="電話の番号", max_length=8)] = ""
    department: Annotated[str, Field(title="所属", max_length=80)] = ""


def _accounts(desk: Desk) -> Accounts:
    return Accounts(desk.uow, desk.clock, _departments(desk))


def _departments(desk: Desk) -> dict[str, str]:
    """Name by extension."""
    return {entry.extension: entry.name_ja for entry in desk.profile.acd.directory}


async def _page(visit: Visit, *, link: str = "", name: str = "") -> web.StreamResponse:
    async with visit.desk.reading() as unit:
        users = await unit.users.all()
        keys = {user.name: len(await unit.users.keys(user.name)) for user in users}
        operators = await unit.operators.list()
    return visit.desk.looks.page(
        "users/list.html", visit, users=users, keys=keys, operators=operators, roles=list(Role),
        departments=_departments(visit.desk), now=visit.desk.clock.epoch(), link=link, name=name,
        done=flash(DONE, visit.request.query.get("done", "")),
    )  # fmt: skip


@table.get("/users", MANAGE, "利用者")
async def users(visit: Visit) -> web.StreamResponse:
    return await _page(visit)


@table.post("/users", MANAGE, "利用者を加える")
async def add(visit: Visit) -> web.StreamResponse:
    sent = await visit.form(NewUser)
    wanted = Wanted(display=sent.display, role=sent.role, operator=sent.operator, department=sent.department)
    token = await _accounts(visit.desk).add(sent.name, wanted, visit.me.name)
    return await _page(visit, link=f"{visit.desk.settings.origin}/set-up/{token}", name=sent.name)


async def _user(visit: Visit) -> User:
    async with visit.desk.reading() as unit:
        user = await unit.users.get(visit.request.match_info["name"])
    if user is None:
        raise NotFound("いない利用者です", where="利用者", cure="一覧から選ぶ")
    return user


@table.get(USER, MANAGE, "利用者")
async def user_page(visit: Visit) -> web.StreamResponse:
    user = await _user(visit)
    async with visit.desk.reading() as unit:
        operators = await unit.operators.list()
        sessions = await unit.sessions.of_user(user.name)
        keys = await unit.users.keys(user.name)
    return visit.desk.looks.page(
        "users/user.html", visit, account=user, operators=operators, sessions=sessions, keys=keys, roles=list(Role),
        departments=_departments(visit.desk), now=visit.desk.clock.epoch(),
        done=flash(DONE, visit.request.query.get("done", "")),
    )  # fmt: skip


@table.post(USER, MANAGE, "利用者を改める")
async def change(visit: Visit) -> web.StreamResponse:
    sent, user = await visit.form(Changed), await _user(visit)
    if user.name == visit.me.name and sent.role is not user.role:
        # Who runs the machines sees no case; giving it to oneself takes a second person.
        raise Refused("自分の役割は変えられません", where=user.display, cure="別の管理者に頼む")
    wanted = Wanted(display=sent.display, role=sent.role, operator=sent.operator, department=sent.department)
    await _accounts(visit.desk).change(user.name, wanted, visit.me.name)
    return redirect(f"/users/{user.name}?done=change")


@table.post(f"{USER}/{{what:off|on|unlock|reset}}", MANAGE, "利用者を止める・戻す")
async def switch(visit: Visit) -> web.StreamResponse:
    user, what = await _user(visit), visit.request.match_info["what"]
    accounts = _accounts(visit.desk)
    if user.name == visit.me.name and what in ("off", "reset"):
        raise Refused("自分には行えません", where=user.display, cure="別の管理者に頼む")
    match what:
        case "off" | "on":
            await accounts.set_active(user.name, what == "on", visit.me.name)
        case "unlock":
            await accounts.unlock(user.name, visit.me.name)
        case _:
            token = await accounts.reset(user.name, visit.me.name)
            return await _page(visit, link=f"{visit.desk.settings.origin}/set-up/{token}", name=user.name)
    return redirect(f"/users/{user.name}?done={what}")
