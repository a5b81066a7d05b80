"""Signing in and out, the first password, the second factor, one's own sessions and tokens."""

from __future__ import annotations

from typing import Annotated, Any

import segno
from aiohttp import web
from pydantic import BaseModel, Field

from core.errors import ToritsugiError
from desk.guard import cookie_name, set_cookie
from desk.looks import flash, home_of
from desk.routes import Door, Table
from desk.secrets_kept import LEAST_LENGTH, TOKEN_PREFIX_LENGTH, new_api_token, token_hash
from desk.sign_in import Opened, SignInRefused
from desk.visit import Form, Visit, checked, posted
from services.access import API_PERMISSIONS, permissions_of
from services.desk_ports import ApiToken, Stage

table = Table()
DAY_S = 86_400.0

DONE = {
    "code": "確認コードを登録しました。",
    "key": "セキュリティキーを登録しました。",
    "sessions": "ほかのサインインを終えました。",
    "token": "トークンを取り消しました。",
    "password": "パスワードを決めました。サインインしてください。",
    "out": "サインアウトしました。",
}


class Password(Form):
    """The sign-in form."""

    name: Annotated[str, Field(title="利用者名", min_length=1, max_length=40)]
    password: Annotated[str, Field(title="パスワード", min_length=1, max_length=128)]
    back: Annotated[str, Field(max_length=500)] = ""


class Code(Form):
    code: Annotated[str, Field(title="確認コード", min_length=6, max_length=12)]


class KeyAnswer(Form):
    """What the browser got from a security key."""

    answer: dict[str, Any]
    label: Annotated[str, Field(max_length=80)] = ""


class FirstPassword(Form):
    password: Annotated[str, Field(title="パスワード", max_length=200)]
    again: Annotated[str, Field(title="もう一度", max_length=200)]


class NewToken(Form):
    label: Annotated[str, Field(title="使い道", min_length=1, max_length=80)]
    days: Annotated[int, Field(title="有効な日数", ge=1, le=366)] = 90


class KeyOptions(BaseModel):
    """What `navigator.credentials` needs."""

    options: dict[str, Any]


def _inside(back: str) -> str:
    """A place of our own to go back to; empty for any other."""
    return back if back.startswith("/") and not back.startswith(("//", "/\\")) and "\\" not in back else ""


def redirect(to: str) -> web.Response:
    """Go on with another page, whatever the method was."""
    return web.Response(status=303, headers={"Location": to})


def _next(visit: Visit, opened: Opened, back: str = "") -> str:
    match opened.session.stage:
        case Stage.SECOND:
            return "/sign-in/second"
        case Stage.ENROL:
            return "/account/second-factor"
        case _:
            return _inside(back) or "/"


def _opened(visit: Visit, opened: Opened, to: str) -> web.Response:
    response = redirect(to)
    set_cookie(visit.desk, response, opened.cookie)
    return response


@table.get("/", Door.ANYONE, "はじめの画面へ")
async def start(visit: Visit) -> web.StreamResponse:
    return redirect(home_of(visit))


@table.get("/static/{name:.+}", Door.OPEN, "画面の部品", idle=True)
async def static(visit: Visit) -> web.StreamResponse:
    request = visit.request
    return visit.desk.looks.file(request.match_info["name"], request.query.get("v", ""))


@table.get("/healthz", Door.OPEN, "動いているか", data=True, idle=True)
async def healthz(visit: Visit) -> web.StreamResponse:
    return web.json_response({"ok": True})


# ---- signing in -----------------------------------------------------------------------------------


@table.get("/sign-in", Door.OPEN, "サインイン")
async def sign_in(visit: Visit) -> web.StreamResponse:
    query = visit.request.query
    return visit.desk.looks.page(
        "sign_in.html", visit, back=_inside(query.get("back", "")), problem=None, name="",
        done=flash(DONE, query.get("done", "")),
    )  # fmt: skip


@table.post("/sign-in", Door.OPEN, "サインイン")
async def sign_in_now(visit: Visit) -> web.StreamResponse:
    name = back = ""
    try:
        sent = await visit.form(Password)
        name, back = sent.name, _inside(sent.back)
        agent = visit.request.headers.get("User-Agent", "")
        opened = await visit.desk.sign_in.by_password(sent.name, sent.password, visit.address, agent)
    except ToritsugiError as problem:
        return visit.desk.looks.page(
            "sign_in.html", visit, status=422, back=back, problem=problem, name=name, done=""
        )
    return _opened(visit, opened, _next(visit, opened, back))


@table.get("/sign-in/second", Door.HALF, "確認コード")
async def second(visit: Visit) -> web.StreamResponse:
    if visit.signed_in.stage is not Stage.SECOND:
        return redirect("/")
    return await _second(visit, None, 200)


async def _second(visit: Visit, problem: ToritsugiError | None, status: int) -> web.StreamResponse:
    async with visit.desk.reading() as unit:
        keys = await unit.users.keys(visit.me.name)
    return visit.desk.looks.page(
        "second.html", visit, status=status, problem=problem, has_code=bool(visit.me.totp_secret), keys=keys
    )


@table.post("/sign-in/second", Door.HALF, "確認コード")
async def second_now(visit: Visit) -> web.StreamResponse:
    if visit.signed_in.stage is not Stage.SECOND:
        return redirect("/")
    try:
        sent = await visit.form(Code)
        opened = await visit.desk.sign_in.by_code(visit.signed_in, sent.code)
    except ToritsugiError as problem:
        return await _second(visit, problem, 422)
    return _opened(visit, opened, "/")


@table.post("/sign-in/key/options", Door.HALF, "セキュリティキーの用意", data=True)
async def key_options(visit: Visit) -> web.StreamResponse:
    return web.json_response({"options": await visit.desk.sign_in.key_options(visit.signed_in)})


@table.post("/sign-in/key", Door.HALF, "セキュリティキー", data=True, body=KeyAnswer)
async def key_now(visit: Visit) -> web.StreamResponse:
    if visit.signed_in.stage is not Stage.SECOND:
        return web.json_response({"to": "/"})
    sent = await visit.body(KeyAnswer)
    opened = await visit.desk.sign_in.by_key(visit.signed_in, sent.answer)
    response = web.json_response({"to": "/"})
    set_cookie(visit.desk, response, opened.cookie)
    return response


@table.post("/sign-out", Door.HALF, "サインアウト")
async def sign_out(visit: Visit) -> web.StreamResponse:
    await visit.desk.sign_in.sign_out(visit.signed_in)
    response = redirect("/sign-in?done=out")
    response.del_cookie(cookie_name(visit.desk), path="/", secure=visit.desk.settings.secure, httponly=True)
    response.headers["Clear-Site-Data"] = '"storage"'  # drafts kept in the browser are the leaver's
    return response


# ---- the first password ---------------------------------------------------------------------------


@table.get("/set-up/{token:[A-Za-z0-9_-]{20,100}}", Door.OPEN, "初期設定")
async def set_up(visit: Visit) -> web.StreamResponse:
    return _set_up(visit, None, 200)


def _set_up(visit: Visit, problem: ToritsugiError | None, status: int) -> web.StreamResponse:
    return visit.desk.looks.page(
        "set_up.html", visit, status=status, problem=problem, least=LEAST_LENGTH,
        token=visit.request.match_info["token"],
    )  # fmt: skip


@table.post("/set-up/{token:[A-Za-z0-9_-]{20,100}}", Door.OPEN, "初期設定")
async def set_up_now(visit: Visit) -> web.StreamResponse:
    try:
        sent = await visit.form(FirstPassword)
        if sent.password != sent.again:
            raise ToritsugiError("二つのパスワードが違います", where="もう一度", cure="同じものを二回入れる")
        await visit.desk.sign_in.set_up(visit.request.match_info["token"], sent.password)
    except ToritsugiError as problem:
        return _set_up(visit, problem, 422)
    return redirect("/sign-in?done=password")


# ---- the second factor ----------------------------------------------------------------------------


@table.get("/account/second-factor", Door.HALF, "二つ目の確認の登録")
async def factor(visit: Visit) -> web.StreamResponse:
    if visit.signed_in.stage is Stage.SECOND:
        return redirect("/sign-in/second")
    return await _factor(visit, None, 200)


async def _factor(visit: Visit, problem: ToritsugiError | None, status: int) -> web.StreamResponse:
    secret, address = await visit.desk.sign_in.new_code(visit.signed_in)
    picture = segno.make(address, error="m").svg_inline(scale=5, border=2, omitsize=False)
    async with visit.desk.reading() as unit:
        keys = await unit.users.keys(visit.me.name)
    return visit.desk.looks.page(
        "second_factor.html", visit, status=status, problem=problem, picture=picture, keys=keys,
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        asked=visit.signed_in.stage is Stage.ENROL, has_code=bool(visit.me.totp_secret),
    )  # fmt: skip


@table.post("/account/second-factor", Door.HALF, "確認コードの登録")
async def factor_now(visit: Visit) -> web.StreamResponse:
    if visit.signed_in.stage is Stage.SECOND:
        return redirect("/sign-in/second")
    try:
        sent = await visit.form(Code)
        opened = await visit.desk.sign_in.enrol_code(visit.signed_in, sent.code)
    except SignInRefused:
        raise
    except ToritsugiError as problem:
        return await _factor(visit, problem, 422)
    return _opened(visit, opened, "/account?done=code")


@table.post("/account/key/options", Door.HALF, "セキュリティキー登録の用意", data=True)
async def enrol_options(visit: Visit) -> web.StreamResponse:
    _not_half_way(visit)
    return web.json_response({"options": await visit.desk.sign_in.enrol_options(visit.signed_in)})


@table.post("/account/key", Door.HALF, "セキュリティキーの登録", data=True, body=KeyAnswer)
async def enrol_key(visit: Visit) -> web.StreamResponse:
    _not_half_way(visit)
    sent = await visit.body(KeyAnswer)
    opened = await visit.desk.sign_in.enrol_key(visit.signed_in, sent.answer, sent.label)
    response = web.json_response({"to": "/account?done=key"})
    set_cookie(visit.desk, response, opened.cookie)
    return response


def _not_half_way(visit: Visit) -> None:
    """Whoever has a second factor must have used it before they add another one."""
    if visit.signed_in.stage is Stage.SECOND:
        raise SignInRefused(
            "先に、登録してある方法で確認してください", cure="確認コードかセキュリティキーを使う"
        )


# ---- one's own account ----------------------------------------------------------------------------


@table.get("/account", Door.ANYONE, "自分の設定")
async def account(visit: Visit) -> web.StreamResponse:
    return await _account(visit, None)


async def _account(visit: Visit, token: str | None) -> web.StreamResponse:
    async with visit.desk.reading() as unit:
        sessions = await unit.sessions.of_user(visit.me.name)
        keys = await unit.users.keys(visit.me.name)
        tokens = await unit.tokens.of_user(visit.me.name)
    return visit.desk.looks.page(
        "account.html", visit, sessions=sessions, keys=keys, tokens=tokens, token=token,
        permissions=sorted(permissions_of(visit.me.role) & API_PERMISSIONS),
        departments={entry.extension: entry.name_ja for entry in visit.desk.profile.acd.directory},
        done=flash(DONE, visit.request.query.get("done", "")),
    )  # fmt: skip


@table.post("/account/sessions", Door.ANYONE, "ほかのサインインを終える")
async def drop_sessions(visit: Visit) -> web.StreamResponse:
    mine = visit.signed_in
    async with visit.desk.uow() as unit:
        others = [each.key for each in await unit.sessions.of_user(mine.user) if each.key != mine.key]
        await unit.sessions.drop(others)
    await visit.note("desk.sessions_ended", mine.user, sessions=len(others))
    return redirect("/account?done=sessions")


@table.post("/account/tokens", Door.ANYONE, "トークンを作る")
async def new_token(visit: Visit) -> web.StreamResponse:
    sent_form = await posted(visit.request)
    mine = {each.value for each in permissions_of(visit.me.role) & API_PERMISSIONS}
    scopes = sorted({str(each) for each in sent_form.getall("scope", [])} & mine)
    values = {name: sent_form[name] for name in ("label", "days") if name in sent_form}
    sent = checked(NewToken, values)
    if not scopes:
        raise ToritsugiError("できることが選ばれていません", where="できること", cure="一つ以上を選ぶ")
    token, now = new_api_token(), visit.desk.clock.epoch()
    kept = ApiToken(
        id=token[TOKEN_PREFIX_LENGTH : TOKEN_PREFIX_LENGTH + 8],
        key=token_hash(token),
        user=visit.me.name,
        label=sent.label,
        scopes=tuple(scopes),
        created_at=now,
        expires_at=now + sent.days * DAY_S,
    )
    async with visit.desk.uow() as unit:
        await unit.tokens.put(kept)
    await visit.note("desk.token_made", kept.id, scopes=scopes, days=sent.days)
    return await _account(visit, token)


@table.post("/account/tokens/{id:[A-Za-z0-9_-]{1,16}}/drop", Door.ANYONE, "トークンを取り消す")
async def drop_token(visit: Visit) -> web.StreamResponse:
    identity = visit.request.match_info["id"]
    async with visit.desk.uow() as unit:
        await unit.tokens.drop(visit.me.name, identity)
    await visit.note("desk.token_dropped", identity)
    return redirect("/account?done=token")
