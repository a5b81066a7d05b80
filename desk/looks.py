"""Pages made from templates, and what they are drawn with: style, scripts, fonts, colours."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import phonenumbers
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.errors import ToritsugiError
from core.masking import mask_number
from core.phone import Caller, number_groups
from desk.visit import Visit
from reports.opening import Opening
from services.access import Permission
from services.city import CityProfile

HERE = Path(__file__).resolve().parent
TOKENS = "@digital-go-jp/design-tokens/dist/tokens.css"
FONT = "@fontsource-variable/noto-sans-jp"
TELEPHONE = "jssip/telephone.js"
_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
}
LANGUAGES = {
    "ja": "日本語",
    "en": "英語",
    "zh": "中国語",
    "ko": "韓国語",
    "pt": "ポルトガル語",
    "vi": "ベトナム語",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An entry of the menu."""

    path: str
    name_ja: str
    permissions: frozenset[Permission]


P = Permission
MENU = (
    Link(path="/desk", name_ja="受付", permissions=frozenset({P.SEAT_OWN})),
    Link(path="/board", name_ja="状況", permissions=frozenset({P.FLOOR_WATCH})),
    Link(path="/tickets", name_ja="依頼", permissions=frozenset({P.TICKET_WORK, P.TICKET_ALL})),
    Link(path="/cases", name_ja="応対履歴", permissions=frozenset({P.CASE_READ})),
    Link(path="/faq", name_ja="FAQ", permissions=frozenset({P.FAQ_READ})),
    Link(path="/reports", name_ja="報告", permissions=frozenset({P.REPORT_READ})),
    Link(path="/users", name_ja="利用者", permissions=frozenset({P.USER_MANAGE})),
    Link(path="/audit", name_ja="操作の記録", permissions=frozenset({P.AUDIT_READ})),
)


def menu_of(visit: Visit) -> list[Link]:
    """What somebody may open; the operator's desk needs a telephone of one's own."""
    return [
        link
        for link in MENU
        if link.permissions & visit.permissions and (link.path != "/desk" or visit.me.operator)
    ]


def home_of(visit: Visit) -> str:
    """Where somebody lands after signing in."""
    return next((link.path for link in menu_of(visit)), "/account")


def opens(
    metric: str, first: date, last: date | None = None, *, hour: int | None = None, line: str | None = None
) -> str:
    """Where the calls behind a figure are listed."""
    return Opening(metric=metric, first=first, last=last or first, hour=hour, line=line).address


def seconds(value: float | None) -> str:
    """`75` → `1分15秒`"""
    if value is None:
        return "–"
    whole = max(0, int(value))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}時間{minutes:02d}分"
    return f"{minutes}分{left:02d}秒" if minutes else f"{left}秒"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}%"


def caller_text(caller: Caller | None, *, masked: bool = False) -> str:
    """A number, or why there is none."""
    if caller is None:
        return "不明"
    if caller.number:
        return mask_number(caller.number) if masked else spaced(caller.number)
    return caller.kind.label_ja


def spaced(number: str) -> str:
    """A number in groups, as people read it."""
    try:
        return "-".join(number_groups(number)) or number
    except phonenumbers.NumberParseException:
        return number


def require_assets(folder: Path) -> Path:
    """The folder of installed web packages.

    Raises:
        ToritsugiError: they are not there.
    """
    for name in (TOKENS, f"{FONT}/wght.css", TELEPHONE):
        if not (folder / name).is_file():
            raise ToritsugiError(
                "画面の部品 (文字・色・電話) がありません",
                where=str(folder / name),
                cure="./toritsugi up で取り寄せる",
            )
    return folder


class Looks:
    """Templates and files of one desk."""

    def __init__(self, profile: CityProfile, assets: Path, city_time_of: Callable[[float], datetime]) -> None:
        """Raises ToritsugiError when the web packages are not there."""
        require_assets(assets)
        self.files: dict[str, Path] = {
            f"{path.relative_to(HERE / 'static')}": path
            for path in sorted((HERE / "static").rglob("*"))
            if path.suffix in _TYPES
        }
        self.files["tokens.css"] = assets / TOKENS
        self.files["jssip.js"] = assets / TELEPHONE
        self.files["font/wght.css"] = assets / FONT / "wght.css"
        for path in sorted((assets / FONT / "files").glob("*.woff2")):
            self.files[f"font/files/{path.name}"] = path
        shown = (path for name, path in self.files.items() if path.suffix != ".woff2")
        self.version = hashlib.sha256(b"".join(path.read_bytes() for path in shown)).hexdigest()[:12]
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "seconds": seconds,
            "percent": percent,
            "caller": caller_text,
            "spaced": spaced,
            "masked": mask_number,
            "place": lambda text: quote(text, safe=""),
            "language": self.language,
            "moment": lambda at: f"{city_time_of(at):%-m月%-d日 %H:%M}",
            "full": lambda at: f"{city_time_of(at):%Y-%m-%d %H:%M:%S}",
            "clock": lambda at: f"{city_time_of(at):%H:%M}",
            "second": lambda at: f"{city_time_of(at):%H:%M:%S}",
            "iso": lambda at: city_time_of(at).isoformat(timespec="seconds"),
        }
        self._templates.globals |= {
            "city": profile.city.name_ja,
            "centre": profile.city.centre_ja,
            "version": self.version,
            "languages": LANGUAGES,
            "opens": opens,
            "P": Permission,
        }

    def language(self, code: str) -> str:
        """A language as people call it."""
        return LANGUAGES.get(code, code)

    def part(self, template: str, /, **values: Any) -> str:
        """One piece of a page."""
        return self._templates.get_template(template).render(**values)

    def page(
        self, template: str, visit: Visit | None, /, *, status: int = 200, **values: Any
    ) -> web.Response:
        """A whole page, with the menu of whoever reads it."""
        signed_in = visit is not None and visit.user is not None
        number = visit.user.operator if visit is not None and visit.user is not None else None
        account = visit.desk.hub.account(number) if visit is not None and number else None
        text = self.part(
            template,
            visit=visit,
            user=visit.user if visit is not None else None,
            csrf=visit.session.csrf if visit is not None and visit.session is not None else "",
            menu=menu_of(visit) if signed_in and visit is not None else [],
            path=visit.request.path if visit is not None else "",
            telephone=number if account is not None and account.browser else None,
            **values,
        )
        return web.Response(text=text, content_type="text/html", charset="utf-8", status=status)

    def file(self, name: str, version: str) -> web.StreamResponse:
        """A file that pages are drawn with; kept by browsers for ever under the `version` of this desk only.

        Raises:
            web.HTTPNotFound: none of ours.
        """
        path = self.files.get(name)
        if path is None:
            raise web.HTTPNotFound()
        return web.FileResponse(
            path,
            headers={
                "Content-Type": _TYPES[path.suffix],
                # Scripts import each other without a version.
                "Cache-Control": "public, max-age=31536000, immutable"
                if version == self.version
                else "no-cache",
            },
        )


def flash(values: Mapping[str, str], done: str) -> str:
    """The sentence that belongs to a `?done=` of ours; empty for any other word."""
    return values.get(done, "")
