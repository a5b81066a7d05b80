"""Stands before every handler: where from, who, may they, did the page itself ask; and the headers of every answer."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import web

from core.errors import ToritsugiError
from desk.routes import Door, Route
from desk.secrets_kept import TOKEN_PREFIX, token_hash
from desk.visit import DESK, Desk, Visit, allowed, client_address, posted
from interactions.access import NotAllowed
from interactions.case_edit import CaseConflict
from services.access import Permission
from services.desk_ports import Stage

log = logging.getLogger(__name__)

PLAIN_COOKIE, SECURE_COOKIE = "toritsugi", "__Host-toritsugi"
CHANGING = frozenset({"POST", "PUT", "DELETE", "PATCH"})
MOST_BODY = 256 * 1024

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self' data:; media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
}


class Refused(ToritsugiError):
    """Signed in, but not allowed; or the page that asked is not ours."""

    code = "desk.refused"

    def __init__(self, message: str, *, where: str = "", cure: str = "", status: int = 403) -> None:
        super().__init__(message, where=where, cure=cure)
        self.status = status


class NotFound(ToritsugiError):
    """There is no such thing, or it is none of theirs; both look alike."""

    code = "desk.not_found"


class SignInFirst(Exception):
    """Nobody is signed in, or a step is missing; `to` is where it goes on."""

    def __init__(self, to: str) -> None:
        super().__init__(to)
        self.to = to


def cookie_name(desk: Desk) -> str:
    """`__Host-` binds the cookie to this host and to https; browsers refuse it over plain http."""
    return SECURE_COOKIE if desk.settings.secure else PLAIN_COOKIE


def set_cookie(desk: Desk, response: web.StreamResponse, value: str) -> None:
    response.set_cookie(
        cookie_name(desk), value, httponly=True, secure=desk.settings.secure, samesite="Lax", path="/"
    )


def guarded(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The route's handler behind everything that it asks for."""

    async def handle(request: web.Request) -> web.StreamResponse:
        desk = request.app[DESK]
        if any("\0" in part for part in request.match_info.values()):
            raise NotFound("ページがありません", cure="アドレスを確かめる")
        visit = await _visitor(request, desk, route)
        _admit(visit, route)
        await _from_our_page(visit, route)
        if visit.session is not None and not route.idle:
            await desk.sign_in.used(visit.session)
        return await route.handler(visit)

    handle.route = route  # type: ignore[attr-defined] # for whoever answers a problem
    return handle


async def _visitor(request: web.Request, desk: Desk, route: Route) -> Visit:
    address = client_address(request, desk.settings)
    given = request.headers.get("Authorization", "")
    if route.api and given:
        return await _by_token(request, desk, address, given)
    found = await desk.sign_in.session_of(request.cookies.get(cookie_name(desk), ""))
    if found is None:
        return Visit(request=request, desk=desk, address=address)
    session, user = found
    return Visit(request=request, desk=desk, address=address, user=user, session=session)


async def _by_token(request: web.Request, desk: Desk, address: str, given: str) -> Visit:
    scheme, _, token = given.partition(" ")
    now = desk.clock.epoch()
    refused = Refused("トークンが使えません", where="Authorization", cure="有効なトークンを送る", status=401)
    if scheme.lower() != "bearer" or not token.startswith(TOKEN_PREFIX) or len(token) > 100:
        raise refused
    async with desk.reading() as unit:
        kept = await unit.tokens.get(token_hash(token))
        user = await unit.users.get(kept.user) if kept else None
    if kept is None or user is None or not user.active or kept.expires_at < now:
        raise refused
    if kept.used_at is None or now - kept.used_at > 60.0:
        async with desk.uow() as unit:
            await unit.tokens.touch(kept.key, now)
    known = {permission.value: permission for permission in Permission}
    scopes = frozenset(known[name] for name in kept.scopes if name in known)
    return Visit(request=request, desk=desk, address=address, user=user, scopes=scopes)


def _admit(visit: Visit, route: Route) -> None:
    if route.door is Door.OPEN:
        return
    if visit.user is None:
        raise SignInFirst("/sign-in")
    stage = Stage.FULL if visit.session is None else visit.session.stage
    if route.door is Door.HALF:
        if visit.session is None:
            raise SignInFirst("/sign-in")
        return
    if stage is Stage.SECOND:
        raise SignInFirst("/sign-in/second")
    if stage is Stage.ENROL:
        raise SignInFirst("/account/second-factor")
    if route.door is Door.ANYONE:
        return
    if not route.permissions & visit.permissions:
        log.warning("refused: %s %s to %s", route.method, route.path, visit.me.name)
        raise Refused(
            "この操作はできません", where=route.name_ja, cure="要るときは、管理者に役割を確かめてください"
        )


async def _from_our_page(visit: Visit, route: Route) -> None:
    """A changing request counts only when a page of ours sent it (CSRF); tokens are sent by nobody unasked."""
    request = visit.request
    if request.method not in CHANGING or visit.scopes is not None:
        return
    foreign = Refused("別のサイトから送られた操作です", cure="取次の画面を開きなおして、もう一度操作する")
    origin = request.headers.get("Origin")
    if origin is not None and origin != visit.desk.settings.origin:
        raise foreign
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise foreign
    if visit.session is None:
        if origin is None and "Sec-Fetch-Site" not in request.headers and route.door is not Door.OPEN:
            raise foreign
        return
    sent = request.headers.get("X-CSRF-Token", "")
    if not sent and request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        value = (await posted(request)).get("csrf", "")
        sent = value if isinstance(value, str) else ""
    if not hmac.compare_digest(sent.encode(), visit.session.csrf.encode()):
        raise Refused("この画面は古くなっています", cure="画面を開きなおして、もう一度操作する")


@web.middleware
async def outermost(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turns away by address, answers what went wrong, and puts the headers on."""
    desk = request.app[DESK]
    route: Route | None = getattr(request.match_info.handler, "route", None)
    try:
        if not allowed(client_address(request, desk.settings), desk.settings):
            raise Refused("この場所からは使えません", cure="管理者に接続元の許可を頼んでください")
        response = await handler(request)
    except SignInFirst as first:
        response = _sign_in_first(request, route, first.to)
    except Refused as problem:
        response = _problem(desk, request, route, problem, problem.status)
    except NotFound as problem:
        response = _problem(desk, request, route, problem, 404)
    except NotAllowed as problem:
        response = _problem(desk, request, route, problem, 403)
    except CaseConflict as problem:
        response = _problem(desk, request, route, problem, 409)
    except ToritsugiError as problem:
        response = _problem(desk, request, route, problem, 422)
    except web.HTTPException as problem:
        if problem.status < 400:
            response = problem
        else:
            words = {404: "ページがありません", 405: "その操作はありません", 413: "大きすぎます"}
            told = ToritsugiError(words.get(problem.status, "受け付けられません"), cure="アドレスを確かめる")
            response = _problem(desk, request, route, told, problem.status)
    except ConnectionError:
        raise
    except Exception:
        log.exception("%s %s failed", request.method, route.path if route else "(no route)")
        told = ToritsugiError(
            "システムの中で問題が起きました", cure="もう一度試し、続くときは管理者に知らせる"
        )
        response = _problem(desk, request, route, told, 500)
    dress(desk, response)
    return response


def dress(desk: Desk, response: web.StreamResponse) -> None:
    """The headers of every answer; a stream must be dressed before it is prepared."""
    if response.prepared:
        return
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    if desk.settings.secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"


def _wants_data(request: web.Request, route: Route | None) -> bool:
    return route.data if route is not None else request.path.startswith("/api/")


def _sign_in_first(request: web.Request, route: Route | None, to: str) -> web.Response:
    if _wants_data(request, route):
        told = {"error": {"message": "サインインしていません", "where": "", "cure": "サインインする"}}
        return web.json_response(told, status=401)
    back = request.path_qs if request.method == "GET" and to == "/sign-in" and request.path != "/" else ""
    target = f"{to}?back={quote(back, safe='')}" if back else to
    return web.Response(status=303, headers={"Location": target})


def _problem(
    desk: Desk, request: web.Request, route: Route | None, problem: ToritsugiError, status: int
) -> web.Response:
    if _wants_data(request, route):
        told = {
            "error": {
                "code": problem.code,
                "message": problem.message,
                "where": problem.where,
                "cure": problem.cure,
            }
        }
        return web.json_response(told, status=status)
    return desk.looks.page("problem.html", None, status=status, problem=problem, status_code=status)
